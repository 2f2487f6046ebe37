"""Look through a source before it is coloured: its shots, and which of them are in colour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor
from tqdm import tqdm

from colorize.choice import ShotSample
from colorize.color import displayable
from colorize.coloredness import is_colored
from colorize.jobs.manifest import Shot
from colorize.media import Frame, Source
from colorize.predict import Colorizer
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
        bar = tqdm(source, total=source.count, unit="frame", desc="finding shots", leave=False)
        for frame in bar:
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


def take_samples(
    source: Source, shots: Sequence[Shot], colorizer: Colorizer, *, pairs: int, refine: bool
) -> Iterator[ShotSample]:
    """Yield pairs of consecutive frames of each shot, in all K colours, at the working size.

    Raises:
        MediaError: A frame cannot be read.
    """
    places = [sample_places(shot, pairs) for shot in shots]
    frames = source.frames(only={index for place in places for pair in place for index in pair})
    seen: dict[int, Tensor] = {}
    for place in places:
        needed = {index for pair in place for index in pair}
        while not needed <= seen.keys():
            frame = next(frames)
            gray = torch.from_numpy(frame.gray())[None, None]
            seen[frame.index] = colorizer.small(gray)
        yield _sample([torch.cat([seen[a], seen[b]]) for a, b in place], colorizer, refine)
        seen = {index: each for index, each in seen.items() if index > max(needed)}


def sample_places(shot: Shot, pairs: int) -> list[tuple[int, int]]:
    """Return up to ``pairs`` pairs of consecutive frames, spread evenly over a shot.

    A shot of one frame gives that frame twice.
    """
    length = shot.stop - shot.start
    count = max(1, min(pairs, length // 2))
    middles = (shot.start + (2 * i + 1) * length // (2 * count) for i in range(count))
    return [(max(shot.start, middle - 1), middle) for middle in middles]


def _sample(grays: Iterable[Tensor], colorizer: Colorizer, refine: bool) -> ShotSample:
    """Colour the pairs of a shot, each as if the shot began with it."""
    stream = colorizer.stream(refine=refine)
    pairs, outputs = [], []
    for gray in grays:
        stream.reset()
        shown = displayable(stream.working(gray), gray, luma="keep")
        pairs.append(gray.cpu())
        outputs.append(shown.cpu())
    return ShotSample(gray=torch.stack(pairs), outputs=torch.stack(outputs))
