"""What is known of a reference of a job: the frame that it shows, and the shots that it serves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from colorize.films.plan.manifest import Manifest
from colorize.media import fingerprint


@dataclass(frozen=True)
class Serving:
    """The frame that a reference shows (None: none), and the numbers, from 1, of its shots.

    ``looked_at`` is false for one that came, or changed, after the shots were planned: the next
    run looks at it.
    """

    looked_at: bool = False
    frame: int | None = None
    shots: tuple[int, ...] = ()


def serving(path: Path, manifest: Manifest | None) -> Serving:
    """Return what the plan of a job, if there is one, says of the reference that lies at a path."""
    known = {each.name: each for each in manifest.references} if manifest else {}
    if manifest is None or path.name not in known:
        return Serving()
    found, state = known[path.name], path.stat()
    if found.digest != _digest(path, state.st_mtime_ns, state.st_size):
        return Serving()
    shots = (n for n, shot in enumerate(manifest.shots, 1) if path.name in shot.guided_by)
    return Serving(True, found.frame, tuple(shots))


@lru_cache(maxsize=4096)
def _digest(path: Path, changed: int, size: int) -> str:
    """Return the digest of a file as it is at a time of change, which is read once."""
    return fingerprint(path)
