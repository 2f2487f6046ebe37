"""Colour whole films and folders as jobs that go on where they stopped.

A job lies in ``OUTPUT/.job`` or, for a film, beside it. Its manifest says what the shots are and
how each is coloured; its parts are rendered once, by any number of processes, and put together.
"""

from colorize.jobs.error import JobError
from colorize.jobs.manifest import AUTO, KEEP, Manifest, Settings, Shot, read_manifest
from colorize.jobs.run import Done, Share, run_job

__all__ = [
    "AUTO",
    "KEEP",
    "Done",
    "JobError",
    "Manifest",
    "Settings",
    "Share",
    "Shot",
    "read_manifest",
    "run_job",
]
