"""Write files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


class PartFile:
    """A file written under a hidden name beside ``path`` until :meth:`commit` gives it its own.

    The hidden name is the same in every run, so that what a killed run left is overwritten. It ends
    in ``.part``, which no reader of pictures or films takes up.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # 50 characters, at most 200 bytes: a long name stays below the usual limit of 255.
        long = len(path.name) > 60
        name = f"{path.name[:50]}-{zlib.crc32(os.fsencode(path.name)):08x}" if long else path.name
        self._part = path.with_name(f".{name}.part")
        path.parent.mkdir(parents=True, exist_ok=True)
        self.file: BinaryIO = self._part.open("wb")

    def commit(self) -> None:
        """Close the file and give it its final name, replacing what stood there."""
        self.file.close()
        os.replace(self._part, self.path)  # noqa: PTH105 - the atomic call, named as it is

    def abort(self) -> None:
        """Close the file and remove it; the final name is not touched."""
        # On a full disk closing fails once more; the file is closed nevertheless.
        with contextlib.suppress(OSError):
            self.file.close()
        self._part.unlink(missing_ok=True)


@contextlib.contextmanager
def appearing(path: Path) -> Iterator[BinaryIO]:
    """Let the block write a file that takes its name when the block ends, or never has it.

    Its folder is made when missing. A full disk's error names ``path``.
    """
    part = PartFile(path)
    try:
        yield part.file
        part.commit()
    except BaseException as error:
        part.abort()
        if isinstance(error, OSError) and error.errno and error.filename is None:
            error.filename = str(path)
        raise


def write_atomically(path: Path, content: bytes) -> None:
    """Write a whole file atomically; its folder is made when missing."""
    with appearing(path) as file:
        file.write(content)
