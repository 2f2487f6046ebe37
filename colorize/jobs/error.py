"""The error of a job: one line that says what to do."""

from __future__ import annotations


class JobError(ValueError):
    """A job that cannot go on: one line that names the file or setting and the remedy."""
