"""Colour clips as a dataset that serves frames with their gray and their targets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Bool, Float32, Int64
from torch import Tensor
from torch.utils.data import Dataset

from colorize.data.augment import Augment, Geometry, Variation
from colorize.data.clip import Clip
from colorize.data.corruption import Corruption
from colorize.data.sampler import Sample
from colorize.imaging.color import rgb_to_luma

# What computes the targets of a sample, as :class:`colorize.data.targets.clip.ClipTargets` does.
Targets = Callable[..., dict[str, Tensor]]


@dataclass(kw_only=True, eq=False)
class ClipDataset(Dataset):
    """Serve frames of colour clips with their gray, as :class:`Sample` requests them.

    ``augment`` varies each sample; without it the largest central box of the requested aspect is
    resized. ``previous`` adds the frame before each frame, as ``corruption`` leaves it. ``targets``
    computes what losses derive from the frames that come out.
    """

    clips: Sequence[Clip]
    augment: Augment | None = None
    previous: bool = False
    corruption: Corruption | None = None
    targets: Targets | None = None

    @property
    def fingerprint(self) -> str:
        """Return a digest of all clips, for checkpoints and tables."""
        text = "\n".join(f"{clip.name} {clip.fingerprint}" for clip in self.clips)
        return hashlib.sha256(text.encode()).hexdigest()

    def runs(self, length: int) -> Int64[np.ndarray, "n 2"]:
        """Return (clip, last frame) of every ``length`` consecutive frames of one shot."""
        runs = [clip.runs(length) for clip in self.clips]
        numbers = np.repeat(np.arange(len(runs)), [len(frames) for frames in runs])
        return np.stack([numbers, np.concatenate([*runs, numbers[:0]])], axis=1)

    def __len__(self) -> int:
        return sum(clip.count for clip in self.clips)

    def __getitem__(self, sample: Sample) -> dict[str, Tensor]:
        """Return ``gray`` (t 1 h w), color's luma, ``color`` (t 3 h w) in [0, 1], and targets.

        With ``previous`` also ``previous_color`` (t 3 h w): the true colour of the frame before
        each frame, and ``has_previous`` (t, bool): where a shot starts there is none, and the frame
        itself stands in its place. ``corruption`` spoils these frames, and drops some.
        """
        clip = self.clips[sample.clip]
        first = sample.frame - sample.length + 1
        extra = int(self.previous and clip.shot_of(first)[0] != first)
        frames = np.array(clip.frames[first - extra : sample.frame + 1])
        variation = self._variation(clip, sample)
        varied = variation(frames)
        shown = varied[extra:]
        result: dict[str, Tensor] = dict(example(shown))
        if self.previous:
            result |= self._before(varied, sample.seed, has_first=bool(extra))
        if self.targets is not None:
            result |= self.targets(shown, clip=clip, sample=sample, geometry=variation.geometry)
        return result

    def _before(
        self, frames: Float32[np.ndarray, "_ h w 3"], seed: int, *, has_first: bool
    ) -> dict[str, Float32[Tensor, "t 3 h w"] | Bool[Tensor, " t"]]:
        """Return the frame before each; the first has one only if ``frames`` begin with it."""
        before = frames[:-1] if has_first else np.concatenate([frames[:1], frames[:-1]])
        has = torch.ones(len(before), dtype=torch.bool)
        has[0] = has_first
        color = example(before)["color"]
        if self.corruption is not None:
            color, has = self.corruption(color, has, seed=seed)
        return {"previous_color": color, "has_previous": has}

    def _variation(self, clip: Clip, sample: Sample) -> Variation:
        """Return how the stored frames become those of the sample."""
        source = (clip.shape[1], clip.shape[2])
        if self.augment is None:
            return Variation(Geometry.central(source, sample.size))
        return self.augment.draw(source, size=sample.size, seed=sample.seed)


def example(
    frames: Float32[np.ndarray, "t h w 3"],
) -> dict[str, Float32[Tensor, "t _ h w"]]:
    """Return ``gray`` (t 1 h w) and ``color`` (t 3 h w) of frames in [0, 1]."""
    color = torch.from_numpy(rearrange(frames, "t h w c -> t c h w").copy())
    return {"gray": rgb_to_luma(color), "color": color}
