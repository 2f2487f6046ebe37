"""Receive files: in pieces, counted, whole or not at all, and only what they claim to be."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from starlette.concurrency import run_in_threadpool

from colorize.app.error import PageError
from colorize.app.kinds import check_content, named_kind
from colorize.media.error import writing


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a user may upload: bytes of a file and of a set of them, files of a set, pixels."""

    file_bytes: int = 2 * 2**30
    set_bytes: int = 8 * 2**30
    files: int = 20_000
    pixels: int = 64 * 10**6


class Uploads:
    """Receives files into folders; remembers how much lies in each, so that it need not look."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._sizes: dict[Path, dict[str, int]] = {}  # bytes by name, of each folder

    async def receive(
        self,
        folder: Path,
        name: str,
        pieces: AsyncIterator[bytes],
        *,
        announced: int | None,
        replace: bool = False,
    ) -> None:
        """Write a file into ``folder`` once it is whole and is what its name says.

        ``announced`` is the length that the browser states; what comes is counted nevertheless.
        With ``replace`` it takes the place of one of the same name, once it is whole.

        Raises:
            PageError: A bad name, too many files, too many bytes, or another kind of content.
        """
        check_name(name)
        named_kind(name)
        sizes = self._sizes_of(folder)
        key = name.casefold()  # some file systems do not tell capitals from small letters
        before = sizes.pop(key, None) if replace and (folder / name).is_file() else None
        try:
            self._check_room(sizes, name, announced or 0)
        except PageError:
            _put_back(sizes, key, before)
            raise
        sizes[key] = announced or 0
        part = folder / f".{secrets.token_hex(8)}.part"
        try:
            with writing(part):
                part.parent.mkdir(parents=True, exist_ok=True)
                sizes[key] = await self._write(part, name, pieces)
            if announced is not None and sizes[key] != announced:
                raise PageError(f"{name}: {sizes[key]} of {announced} bytes came; drop it again")
            await run_in_threadpool(check_content, part, name, pixels=self.limits.pixels)
            part.rename(folder / name)
        except BaseException:
            del sizes[key]
            _put_back(sizes, key, before)
            part.unlink(missing_ok=True)
            raise

    def forget(self, folder: Path, name: str) -> None:
        """Remove an uploaded file.

        Raises:
            PageError: There is none of that name.
        """
        check_name(name)
        if not (folder / name).is_file():
            raise PageError(f"there is no {name}", status=404)
        (folder / name).unlink()
        self.recount(folder)

    def recount(self, folder: Path) -> None:
        """Look anew at what lies in a folder: somebody else has changed it."""
        self._sizes.pop(folder, None)

    async def _write(self, part: Path, name: str, pieces: AsyncIterator[bytes]) -> int:
        """Write what comes, and return how many bytes that were."""
        received = 0
        with part.open("wb") as file:
            async for piece in pieces:
                received += len(piece)
                if received > self.limits.file_bytes:
                    raise self._too_large(name)
                file.write(piece)
        return received

    def _sizes_of(self, folder: Path) -> dict[str, int]:
        """Return the bytes of the files of a folder, and of those on their way to it."""
        if folder not in self._sizes:
            there = folder.iterdir() if folder.is_dir() else ()
            self._sizes[folder] = {
                path.name.casefold(): path.stat().st_size for path in there if path.name[0] != "."
            }
        return self._sizes[folder]

    def _check_room(self, sizes: dict[str, int], name: str, announced: int) -> None:
        """Refuse a file that is there already, one file too many, or too many bytes."""
        if announced > self.limits.file_bytes:
            raise self._too_large(name)
        if name.casefold() in sizes:
            raise PageError(f"two files are called {name}; give each its own name", status=409)
        if len(sizes) >= self.limits.files:
            raise PageError(
                f"more than {self.limits.files} files; put them into one of the page's folders",
                status=413,
            )
        if sum(sizes.values()) + announced > self.limits.set_bytes:
            raise PageError(
                f"all files together have more than {_gib(self.limits.set_bytes)}", status=413
            )

    def _too_large(self, name: str) -> PageError:
        return PageError(
            f"{name} has more than {_gib(self.limits.file_bytes)}; put it into one of the page's "
            "folders and choose it there, or start colorize-app with a larger --upload-limit",
            status=413,
        )


def _put_back(sizes: dict[str, int], key: str, before: int | None) -> None:
    """Count a file again that was to be replaced."""
    if before is not None:
        sizes[key] = before


def check_name(name: str) -> None:
    """Refuse what is more than the plain name of a file.

    Raises:
        PageError: It has a slash or a colon, is hidden, or too long.
    """
    odd = set(name) & set("/\\:") or any(ord(letter) < 32 for letter in name)
    if not name or odd or name.startswith(".") or len(name.encode()) > 200:
        raise PageError(f"{name!r}: expected the plain name of a file")


def _gib(count: int) -> str:
    return f"{count / 2**30:.3g} GiB"
