"""The folders that the page may read and write, by name; all others do not exist for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from colorize.app.error import PageError
from colorize.base.errors import UserError, did_you_mean

# What is left of absolute paths in messages of libraries, down to their last part.
_ABSOLUTE = re.compile(r"(?<![\w./:])(?:[A-Za-z]:)?[/\\](?:[^\s/\\:;,'\"]+[/\\])+")


class Roots:
    """Named folders. Paths of the page are ``NAME/below/it``; nobody sees where a root lies.

    ``private`` are folders of the server's own, whose places are hidden from messages too.
    """

    def __init__(self, folders: Mapping[str, Path], *, private: tuple[Path, ...] = ()) -> None:
        for name, folder in folders.items():
            if not name or set(name) & set("/\\\0") or name.startswith("."):
                raise UserError(f"root {name!r}: expected a name without slashes, like films")
            if not folder.is_dir():
                raise UserError(f"root {name}={folder}: no such folder; make it or name another")
        self._folders = {name: folder.resolve() for name, folder in folders.items()}
        self._given = {name: folder.absolute() for name, folder in folders.items()}
        self._private = tuple(path.resolve() for path in private)

    @property
    def names(self) -> list[str]:
        """The names, in the order given."""
        return list(self._folders)

    def path(self, text: str) -> Path:
        """Return the path that ``NAME/below/it`` means, links followed; it need not exist.

        Raises:
            PageError: It is absolute, climbs up, is hidden, or a link leads it out of its root.
        """
        name, *parts = text.rstrip("/").split("/")
        if name not in self._folders:
            raise PageError(
                f"{name or text!r} is none of the page's folders{did_you_mean(name, self.names)}",
                status=404,
            )
        if any(part.startswith(".") or not part or set(part) & set("\\\0:") for part in parts):
            raise PageError(f"{text!r}: expected a folder's name and a path below it", status=403)
        root = self._folders[name]
        path = root.joinpath(*parts).resolve()
        if not path.is_relative_to(root):
            raise PageError(f"{text} leads out of {name}; only what lies in it is open", status=403)
        return path

    def existing(self, text: str) -> Path:
        """Return the path of a file or folder that is there.

        Raises:
            PageError: See :meth:`path`; or there is nothing.
        """
        path = self.path(text)
        if not path.exists():
            raise PageError(f"{text} does not exist; choose another", status=404)
        return path

    def holds(self, path: Path) -> bool:
        """Return whether a path lies in a root, links followed."""
        real = path.resolve()
        return path.is_absolute() and any(
            real.is_relative_to(root) for root in self._folders.values()
        )

    def show(self, path: Path) -> str:
        """Return a path as the page writes it, or its last part if it lies in no root."""
        for name, root in self._folders.items():
            for place in (path, path.resolve()):
                if place.is_relative_to(root):
                    below = place.relative_to(root).as_posix()
                    return name if below == "." else f"{name}/{below}"
        return path.name

    def hide(self, message: str) -> str:
        """Return a message without any place of the server."""
        for folder in self._private:
            # jobs/0123…/input/name.png is shown as name.png
            inside = (
                re.escape(str(folder))
                + r"(?:/\w+/[0-9a-f]{16}(?:/(?:input|output|references|pictures)(?=/))?)?/?"
            )
            message = re.sub(inside, "", message)
        for name in self._folders:
            for folder in (self._folders[name], self._given[name]):
                message = re.sub(re.escape(str(folder)) + r"(?![^/\s:;,'\"])", name, message)
        return _ABSOLUTE.sub("", message)
