"""The frames that validation looks at, the same ones every time."""

from __future__ import annotations

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from colorize.data.clips import ClipDataset
from colorize.data.sampler import Sample


class ValidationFrames(Dataset):
    """Evenly spaced stills of every clip, at one size, always the same."""

    def __init__(
        self, dataset: ClipDataset, *, frames_per_clip: int, size: tuple[int, int]
    ) -> None:
        self.dataset = dataset.with_augment(None)
        self.samples = [
            Sample(clip=number, frame=int(frame), length=1, size=size, seed=0)
            for number, clip in enumerate(dataset.clips)
            for frame in _evenly(clip.count, frames_per_clip)
        ]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Return ``gray`` (1 1 h w) and ``color`` (1 3 h w)."""
        return self.dataset[self.samples[index]]


def _evenly(count: int, wanted: int) -> np.ndarray:
    """Return ``wanted`` different frame numbers at the middles of equal parts of a clip."""
    wanted = min(count, wanted)
    return ((np.arange(wanted) + 0.5) * count / wanted).astype(int)
