"""The file that describes a prepared dataset: which clips it holds, their splits and shots.

A dataset is a folder of ``manifest.json`` and ``frames/<clip>.npy``: uint8 sRGB, axes
``t h w 3``, every clip at the same size, to be mapped into memory.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args

from colorize.base.errors import UserError
from colorize.base.files import write_atomically

FORMAT = "tooncolor-dataset"
VERSION = 1
Split = Literal["train", "val", "test"]
SPLITS: tuple[str, ...] = get_args(Split)
FITS = ("crop", "stretch")  # how another aspect ratio comes to its size
SIZE, RATIO = (144, 256), (0.8, 0.1, 0.1)  # of a new dataset: height and width, shares of splits
_COLORS = {
    "axes": "t h w 3",
    "dtype": "uint8",
    "space": "sRGB, gamma-coded, full range 0..255",
    "gray": "BT.601 luma of gamma-coded RGB",
}


class DatasetError(UserError):
    """A dataset that cannot be used; the message is one line with the remedy."""


@dataclass(frozen=True)
class ClipRecord:
    """What is known of one prepared clip.

    ``first_frame`` frames of the source were left out before frame 0; ``shots`` are the first
    frames of its shots; ``jumps`` those before which the numbers of a frame folder jump, each the
    start of a shot; ``rate`` is exact frames per second as text, or None for frame folders.
    Nearly black frames and frames that repeat the one before are kept, and counted.
    """

    name: str
    source: str
    path: str
    fingerprint: str
    first_frame: int
    size: tuple[int, int]
    fit: str
    frames: int
    rate: str | None
    shots: tuple[int, ...]
    dark_frames: int
    repeated_frames: int
    jumps: tuple[int, ...] = ()
    split: str = ""

    @property
    def file(self) -> str:
        """Return where the frames lie, relative to the dataset."""
        return f"frames/{self.name}.npy"

    def runs(self, length: int) -> int:
        """Return how many times ``length`` consecutive frames of one shot are in it."""
        return sum(max(0, frames - length + 1) for frames in self.shots_in_frames)

    @property
    def shots_in_frames(self) -> list[int]:
        """Return how many frames each shot has."""
        bounds = pairwise(sorted({0, *self.shots, self.frames}))
        return [stop - start for start, stop in bounds]


@dataclass(frozen=True)
class Manifest:
    """A whole dataset; ``ratio`` and ``seed`` say how clips without a CSV were split."""

    size: tuple[int, int]
    fit: str
    clips: tuple[ClipRecord, ...]
    ratio: tuple[float, float, float]
    seed: int


def held_out(clips: Sequence[Sequence[int]]) -> list[int]:
    """Return how many of its last shots each clip gives for validation.

    A tenth of all shots, at least one, from the clips that have most shots left, of several from
    those whose last shot is longest; none where there is but one shot at all.

    Args:
        clips: The frames of every shot of each clip.
    """
    total, given = sum(map(len, clips)), [0] * len(clips)
    for _ in range(max(1, round(total / 10)) if total > 1 else 0):
        left = [list(shots[: len(shots) - out]) for shots, out in zip(clips, given, strict=True)]
        chosen = max(range(len(clips)), key=lambda n: (len(left[n]), left[n][-1:]))
        given[chosen] += 1
    return given


def save_manifest(manifest: Manifest, root: Path) -> None:
    """Write ``root/manifest.json``, whole or not at all."""
    clips = [{**asdict(clip), "file": clip.file} for clip in manifest.clips]
    header = {"format": FORMAT, "version": VERSION, "colors": _COLORS}
    write_json({**header, **asdict(manifest), "clips": clips}, root / "manifest.json")


def load_manifest(root: Path) -> Manifest:
    """Read ``root/manifest.json``.

    Raises:
        DatasetError: It is missing, is no manifest, or is of another version.
    """
    path = root / "manifest.json"
    remedy = f"make one with: colorize-prepare SOURCE... -o {root}"
    if not path.is_file():
        raise DatasetError(f"{path}: no prepared dataset here; {remedy}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DatasetError(f"{path}: expected JSON, but {error}; {remedy}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DatasetError(f"{path}: not the manifest of a {FORMAT}; {remedy}")
    if content.get("version") != VERSION:
        raise DatasetError(
            f"{path}: expected version {VERSION}, got {content.get('version')}; {remedy}"
        )
    try:
        clips = tuple(record_from(clip) for clip in content["clips"])
        return Manifest(**{**_only(Manifest, content), "clips": clips})
    except (KeyError, TypeError) as error:
        raise DatasetError(f"{path}: damaged, {error}; {remedy}") from error


def record_from(content: Mapping[str, Any]) -> ClipRecord:
    """Return the record that :func:`write_json` wrote, ignoring keys it does not know."""
    return ClipRecord(**_only(ClipRecord, content))


def write_json(content: Mapping[str, Any], path: Path) -> None:
    """Write ``content`` as JSON, whole or not at all."""
    text = json.dumps(content, indent=1, ensure_ascii=False)
    write_atomically(path, (text + "\n").encode())


def _only(kind: Any, content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries that are fields of ``kind``, lists as tuples."""
    names = {field.name for field in fields(kind)}
    return {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in content.items()
        if key in names
    }
