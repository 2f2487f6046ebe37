"""Join shots into a film whose joints are known: cuts, dissolves, and fades through a colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from einops import rearrange
from jaxtyping import Float64, UInt8

Frames = UInt8[np.ndarray, "t h w"]
BLACK, WHITE = 0, 255


@dataclass(frozen=True)
class Joint:
    """Where one shot gives way to the next.

    ``first`` is the first frame that is not the old shot alone, ``last`` the first frame of the new
    shot alone: one and the same for a cut.
    """

    kind: str
    first: int
    last: int


@dataclass(frozen=True)
class Film:
    """Luma of a film, frames in order, and its joints in order."""

    name: str
    category: str
    frames: Frames
    joints: tuple[Joint, ...]


@dataclass(frozen=True)
class Cut:
    """The new shot begins at once."""

    def join(self, old: Frames, new: Frames) -> tuple[Frames, Joint]:
        """Return both shots one after the other."""
        return np.concatenate([old, new]), Joint("cut", len(old), len(old))


@dataclass(frozen=True)
class Dissolve:
    """The new shot shows through the old for ``length`` frames, which belong to both."""

    length: int

    def join(self, old: Frames, new: Frames) -> tuple[Frames, Joint]:
        """Return both shots, overlapping."""
        start = len(old) - self.length
        share = _ramp(self.length)
        mixed = (1 - share) * old[start:] + share * new[: self.length]
        joined = np.concatenate([old[:start], _rounded(mixed), new[self.length :]])
        return joined, Joint("dissolve", start, len(old))


@dataclass(frozen=True)
class Fade:
    """The old shot fades out to ``level``, which is held, and the new one fades in.

    With ``out`` or ``into`` 0 the shot ends or begins at once.
    """

    out: int
    hold: int
    into: int
    level: int = BLACK

    def join(self, old: Frames, new: Frames) -> tuple[Frames, Joint]:
        """Return both shots, one after the other."""
        held = np.full((self.hold, *old.shape[1:]), self.level, np.uint8)
        joined = np.concatenate([fade_out(old, self.out, self.level), held,
                                 fade_in(new, self.into, self.level)])  # fmt: skip
        first, last = len(old) - self.out, len(old) + self.hold + self.into
        return joined, Joint("fade", first, last)


def fade_out(shot: Frames, length: int, level: int) -> Frames:
    """Let the last ``length`` frames of a shot go over into a gray level."""
    share, start = _ramp(length), len(shot) - length
    return np.concatenate([shot[:start], _rounded((1 - share) * shot[start:] + share * level)])


def fade_in(shot: Frames, length: int, level: int) -> Frames:
    """Let the first ``length`` frames of a shot come out of a gray level."""
    return np.ascontiguousarray(fade_out(shot[::-1], length, level)[::-1])


def assemble(
    name: str, category: str, shots: Sequence[Frames], joins: Sequence[Cut | Dissolve | Fade]
) -> Film:
    """Join shots, one join between each two."""
    frames, joints = shots[0], []
    for shot, join in zip(shots[1:], joins, strict=True):
        frames, joint = join.join(frames, shot)
        joints.append(joint)
    return Film(name, category, frames, tuple(joints))


def _ramp(length: int) -> Float64[np.ndarray, "t 1 1"]:
    """Return the share of what comes, at each of ``length`` frames strictly between 0 and 1."""
    return rearrange(np.arange(1, length + 1) / (length + 1), "t -> t 1 1")


def _rounded(frames: Float64[np.ndarray, "t h w"]) -> Frames:
    return np.clip(np.round(frames), 0, 255).astype(np.uint8)
