"""What the front end asks the server for: a file for each tab, and what they share."""

from colorize.app.api.classify import ClassifyApi
from colorize.app.api.colour import ColourApi
from colorize.app.api.corrections import CorrectionsApi
from colorize.app.api.files import FilesApi
from colorize.app.api.paint import PaintApi
from colorize.app.api.runs import RunsApi
from colorize.app.api.screen import ScreenApi
from colorize.app.api.shots import ShotsApi

APIS = (FilesApi, PaintApi, CorrectionsApi, ColourApi, ShotsApi, ClassifyApi, ScreenApi, RunsApi)

__all__ = [
    "APIS",
    "ClassifyApi",
    "ColourApi",
    "CorrectionsApi",
    "FilesApi",
    "PaintApi",
    "RunsApi",
    "ScreenApi",
    "ShotsApi",
]
