"""The error of a job: one line that says what to do."""

from __future__ import annotations

from colorize.base.errors import UserError


class JobError(UserError):
    """A job that cannot go on: one line that names the file or setting and the remedy."""
