"""Small pictures of picture files, made anew from their pixels: nothing of a file is passed on."""

from __future__ import annotations

import io
from pathlib import Path

from classify.preprocessing import PictureError, decode
from colorize.app.error import PageError

_SIDE = 240  # pixels of the long side


def thumbnail(path: Path, name: str) -> bytes:
    """Return a small JPEG of a picture.

    Raises:
        PageError: It is gone, or cannot be read; ``name`` says which.
    """
    try:
        image = decode(path.read_bytes(), name).convert("RGB")
    except OSError as error:
        raise PageError(f"{name} is not there any more", status=404) from error
    except PictureError as error:
        raise PageError(str(error), status=415) from error
    image.thumbnail((_SIDE, _SIDE))
    content = io.BytesIO()
    image.save(content, "JPEG", quality=85)
    return content.getvalue()
