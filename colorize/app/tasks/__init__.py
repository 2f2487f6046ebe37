"""What a worker can be asked for, by name: functions of the loaded networks and the request."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from colorize.app.tasks.classify import classify_pictures
from colorize.app.tasks.colour import colour
from colorize.app.tasks.models import Models
from colorize.app.tasks.paint import draft_frame, offer_colors
from colorize.app.tasks.screen import screen_folder
from colorize.app.tasks.suggest import suggest_frames

TASKS: Mapping[str, Callable[..., object]] = {
    "colour": colour,
    "classify": classify_pictures,
    "screen": screen_folder,
    "draft": draft_frame,
    "offers": offer_colors,
    "suggest": suggest_frames,
}

__all__ = ["TASKS", "Models"]
