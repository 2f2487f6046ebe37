"""The one exception of this package, and the turning of library errors into it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av

from colorize.base.errors import UserError


class MediaError(UserError):
    """A file that cannot be read or written: one line that names the file and the remedy."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.splitlines()))


def reason(error: BaseException) -> str:
    """Return what went wrong without the number and the path that libraries add to it."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an error of the disk or of FFmpeg into a :class:`MediaError` naming ``path``.

    Raises:
        MediaError: the disk is full, the folder is not writable, the container refuses the data.
    """
    try:
        yield
    except (OSError, av.FFmpegError) as error:
        full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        remedy = "free some space and run again" if full else "check the folder or name another"
        raise MediaError(f"cannot write {path}: {reason(error)}; {remedy}") from error
