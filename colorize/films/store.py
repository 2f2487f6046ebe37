"""The folder of a job: what is finished, and what the next run needs to go on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from colorize.base.errors import UserError
from colorize.base.files import write_atomically
from colorize.films.plan.parts import Part
from colorize.media import PART_SUFFIX
from colorize.media.error import writing

Tensors = Mapping[str, Tensor]


def job_folder(output: Path, *, kind: str) -> Path:
    """Return where the job of an output lies: inside a folder of frames, beside a film."""
    return output / ".job" if kind == "folder" else output.with_name(f".{output.name}.job")


class Store:
    """What lies in a job's folder.

    ``manifest.json`` (shots and settings), ``digests.json`` (what the source's files were),
    ``parts/`` (finished pieces of a film), ``done/`` (finished pieces of a folder, with the names
    of their files), ``states/`` (what the next piece of a long shot goes on from).
    ``joined.json`` says of which pieces the film was put together.
    """

    def __init__(self, folder: Path, *, frames: Path | None) -> None:
        self.folder, self._frames = folder, frames
        self.manifest = folder / "manifest.json"
        self.digests = folder / "digests.json"
        self.joined = folder / "joined.json"

    def film_part(self, part: Part) -> Path:
        """Return where the film of a part lies."""
        return self.folder / "parts" / f"{part.key}{PART_SUFFIX}"

    def is_done(self, part: Part) -> bool:
        """Return whether all that a part writes is there and whole."""
        if self._frames is None:
            return self.film_part(part).is_file()
        try:
            names = json.loads(self._marker(part).read_bytes())
            # A power cut may leave an empty file.
            return all((self._frames / name).stat().st_size > 0 for name in names)
        except (OSError, ValueError):
            return False

    def finish(self, part: Part, *, names: Sequence[str], state: Tensors) -> None:
        """Note that a part is complete; its film, or its files ``names``, are in place."""
        if state:
            self.keep_state(part, state)
        if self._frames is not None:
            with writing(self.folder):
                write_atomically(self._marker(part), json.dumps(list(names)).encode())

    def keep_state(self, part: Part, state: Tensors) -> None:
        """Keep what the next part of a shot goes on from."""
        with writing(self.folder):
            write_atomically(self._state(part.key), save(dict(state)))

    def state(self, key: str) -> dict[str, Tensor] | None:
        """Return what the part ``key`` left for the next one; None if it is not at hand."""
        try:
            return load(self._state(key).read_bytes())
        except (OSError, SafetensorError):
            return None

    def forget_state(self, key: str) -> None:
        """Remove a state that no part needs any more."""
        self._state(key).unlink(missing_ok=True)

    def sweep(self, parts: Sequence[Part]) -> None:
        """Remove what belongs to no part any more: settings, shots or frames have changed."""
        keys = {part.key for part in parts}
        for name in ("parts", "done", "states"):
            for path in (self.folder / name).glob("*"):
                if path.name.lstrip(".").split(".")[0] not in keys:
                    path.unlink(missing_ok=True)

    @contextmanager
    def locked(self, name: str, *, output: Path) -> Iterator[None]:
        """Keep other processes from doing the same work; the lock ends with this process.

        Raises:
            UserError: Another process is at it.
        """
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / f"{name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise UserError(
                f"{output} is being coloured by another process; let it finish, stop it, or give "
                "each its share with --shard I/N"
            ) from None
        try:
            yield
        finally:
            lock.release()

    def _marker(self, part: Part) -> Path:
        return self.folder / "done" / f"{part.key}.json"

    def _state(self, key: str) -> Path:
        return self.folder / "states" / f"{key}.safetensors"
