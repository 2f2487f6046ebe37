"""Look through a source before it is coloured: its shots, and which of them are in colour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from colorize.base.progress import tracked
from colorize.films.plan.manifest import Shot
from colorize.imaging.coloredness import is_colored
from colorize.media import Frame, Source
from colorize.shots import shot_starts


@dataclass(frozen=True)
class Shots:
    """What a source consists of: the first frame of every shot, and which frames are in colour."""

    starts: tuple[int, ...]
    colored: tuple[bool, ...]

    @property
    def count(self) -> int:
        """The number of frames."""
        return len(self.colored)

    def spans(self) -> list[tuple[int, int]]:
        """Return start and stop of every shot."""
        return list(zip(self.starts, [*self.starts[1:], self.count], strict=True))

    def is_colored(self, start: int, stop: int) -> bool:
        """Return whether most frames of a shot are in colour."""
        return 2 * sum(self.colored[start:stop]) > stop - start


def look_through(source: Source) -> Shots:
    """Read all frames of ``source`` once, with progress, and find its shots.

    A frame of another size or depth than the one before it starts a shot too.

    Raises:
        MediaError: A frame cannot be read.
    """
    forms: list[tuple[object, ...]] = []
    colored: list[bool] = []

    def lumas() -> Iterator[UInt8[np.ndarray, "h w"]]:
        for frame in tracked(source, "finding shots", total=source.count, unit="frame"):
            forms.append((frame.rgb.shape, frame.rgb.dtype))
            colored.append(is_colored(frame.rgb))
            yield luma_bytes(frame)

    starts = set(shot_starts(lumas()))
    starts |= {index for index in range(1, len(forms)) if forms[index] != forms[index - 1]}
    return Shots(tuple(sorted(starts)), tuple(colored))


def luma_bytes(frame: Frame) -> UInt8[np.ndarray, "h w"]:
    """Return BT.601 luma of a frame in 8 bits, for looking only."""
    luma = cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY)
    return luma if luma.dtype == np.uint8 else (luma // 256).astype(np.uint8)


def middle_pair(shot: Shot) -> tuple[int, int]:
    """Return the middle frame of a shot and the one before it, itself if there is none."""
    middle = (shot.start + shot.stop) // 2
    return max(shot.start, middle - 1), middle
