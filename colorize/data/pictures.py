"""Coloured frames of one series, as they lie in a folder or a film, to adapt a model to."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from colorize.base.errors import require
from colorize.base.progress import tracked
from colorize.data.augment import fit_frame
from colorize.data.clip import Clip
from colorize.data.clips import ClipDataset
from colorize.data.manifest import DatasetError
from colorize.imaging.coloredness import is_colored
from colorize.media import open_source
from colorize.shots import shot_starts

_HELD_OUT = 5  # every fifth shot is for validation


class SeriesPictures:
    """The coloured frames of a folder or a film, cut to ``size`` (height, width), one clip a shot.

    ``every`` takes only every so many frames. From five shots on every fifth is held out for
    validation; of fewer all are trained and validated on: then validation shows how well they are
    learnt, not how well others are.

    Raises:
        ValueError: ``every`` is below 1.
        MediaError: Nothing can be read at ``root``.
        DatasetError: None of it is in colour.
    """

    def __init__(self, *, root: str, size: Sequence[int] = (108, 192), every: int = 1) -> None:
        require("data.every", every >= 1, every, "1 or more")
        self.root, self.every = Path(root), every
        self.size = (int(size[0]), int(size[1]))
        self.label = f"coloured frames of {self.root.name}"
        self._clips: list[Clip] = []

    def split(self, name: str) -> ClipDataset:
        """Return the clips of ``train``, or those held out for ``val`` and ``test``."""
        if not self._clips:
            self._clips = self._read()
        if len(self._clips) < _HELD_OUT:
            return ClipDataset(clips=self._clips)
        wanted = [
            clip
            for number, clip in enumerate(self._clips)
            if (number % _HELD_OUT == _HELD_OUT // 2) != (name == "train")
        ]
        return ClipDataset(clips=wanted)

    def _read(self) -> list[Clip]:
        """Read all frames, and divide them into shots."""
        frames: list[UInt8[np.ndarray, "h w 3"]] = []
        with open_source(self.root) as source:
            for frame in tracked(source, "reading frames", total=source.count, unit="frame"):
                if frame.index % self.every == 0 and is_colored(frame.rgb):
                    frames.append(fit_frame(frame.rgb, self.size, "crop"))
        if not frames:
            raise DatasetError(f"{self.root} holds no frame in colour; give coloured ones")
        lumas = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames)
        bounds = [*shot_starts(lumas), len(frames)]
        return [
            Clip(
                name=f"{start:06d}",
                frames=np.stack(frames[start:stop]),
                series=str(self.root),
                origin=f"{start:06d}",  # so that every member of a committee learns some shots
            )
            for start, stop in itertools.pairwise(bounds)
        ]
