"""The frames that validation looks at, the same ones every time."""

from __future__ import annotations

from torch import Tensor
from torch.utils.data import Dataset

from colorize.base.errors import UserError
from colorize.base.pieces import middles
from colorize.data.clips import ClipDataset
from colorize.data.sampler import Sample


class ValidationFrames(Dataset):
    """Evenly spaced frames of every clip, at one size, always the same.

    Each comes with the ``length`` - 1 frames of its shot before it; frames that have too few are
    not chosen.

    Raises:
        ValueError: No clip holds that many consecutive frames of one shot.
    """

    def __init__(
        self,
        dataset: ClipDataset,
        *,
        frames_per_clip: int,
        size: tuple[int, int],
        length: int = 1,
    ) -> None:
        self.dataset = ClipDataset(clips=dataset.clips)
        self.samples = [
            Sample(clip=number, frame=int(frame), length=length, size=size, seed=0)
            for number, clip in enumerate(dataset.clips)
            for runs in [clip.runs(length)]
            for frame in runs[middles(len(runs), frames_per_clip)]
        ]
        if not self.samples:
            raise UserError(
                f"the validation split holds no {length} consecutive frames of one shot, as many "
                "as this model is measured on: add clips to it"
            )

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Return ``gray`` (t 1 h w) and ``color`` (t 3 h w); the last frame is the chosen one."""
        return self.dataset[self.samples[index]]
