"""Colour clips as a dataset that serves frames with their gray and their targets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Bool, Float32, Int64, UInt8
from torch import Tensor
from torch.utils.data import Dataset

from colorize.data.augment import Augment, Geometry, Variation
from colorize.data.clip import Clip
from colorize.data.corruption import Corruption
from colorize.data.manifest import SPLITS, ClipRecord, DatasetError, load_manifest
from colorize.data.sampler import Sample
from colorize.imaging.color import rgb_to_luma


@runtime_checkable
class Targets(Protocol):
    """What computes the targets of a sample, tensors by name whose first axis is t."""

    def __call__(
        self,
        frames: Float32[np.ndarray, "t h w 3"],
        *,
        clip: Clip,
        sample: Sample,
        geometry: Geometry,
    ) -> dict[str, Tensor]:
        """Return the targets of ``frames`` in [0, 1], which ``geometry`` made of the clip's."""


class ClipDataset(Dataset):
    """Serve frames of colour clips with their gray, as :class:`Sample` requests them.

    Make it from clips, or from a prepared dataset with :meth:`from_manifest`. ``augment`` varies
    each sample; without it the largest central box of the requested aspect is resized.
    ``previous`` adds the frame before each frame, as ``corruption`` leaves it. ``targets`` computes
    what losses derive from the frames that come out
    (:class:`colorize.data.targets.clip.ClipTargets`).
    """

    def __init__(
        self,
        *,
        clips: Sequence[Clip],
        augment: Augment | None = None,
        previous: bool = False,
        corruption: Corruption | None = None,
        targets: Targets | None = None,
    ) -> None:
        self.clips = tuple(clips)
        self.augment = augment
        self.previous = previous
        self.corruption = corruption
        self.targets = targets

    @classmethod
    def from_manifest(
        cls, *, root: str | Path, split: str, augment: Augment | None = None
    ) -> ClipDataset:
        """Open one split of a dataset made by ``colorize-prepare``.

        Raises:
            DatasetError: No such dataset or split, a file is missing, or the split is empty.
        """
        root = Path(root)
        if split not in SPLITS:
            raise DatasetError(f"split: expected one of {', '.join(SPLITS)}, got {split!r}")
        manifest = load_manifest(root)
        chosen = [record for record in manifest.clips if record.split == split]
        if not chosen:
            raise DatasetError(
                f"{root / 'manifest.json'}: no clip is in the split {split!r}; prepare it again "
                "with --splits or --ratio"
            )
        return cls(clips=[_open(root, record) for record in chosen], augment=augment)

    def with_augment(
        self,
        augment: Augment | None,
        *,
        previous: bool = False,
        corruption: Corruption | None = None,
        targets: Targets | None = None,
    ) -> ClipDataset:
        """Return the same clips, varied by ``augment``, with ``targets``."""
        return ClipDataset(
            clips=self.clips,
            augment=augment,
            previous=previous,
            corruption=corruption,
            targets=targets,
        )

    @property
    def fingerprint(self) -> str:
        """Return a digest of all clips, for checkpoints and tables."""
        text = "\n".join(f"{clip.name} {clip.fingerprint}" for clip in self.clips)
        return hashlib.sha256(text.encode()).hexdigest()

    def runs(self, length: int) -> Int64[np.ndarray, "n 2"]:
        """Return (clip, last frame) of every ``length`` consecutive frames of one shot."""
        return _rows([clip.runs(length) for clip in self.clips])

    def frame(self, clip: int, index: int) -> UInt8[np.ndarray, "h w 3"]:
        """Return one stored frame, as it is."""
        return np.array(self.clips[clip].frames[index])

    def by_clip(self) -> Iterator[tuple[Clip, Iterator[UInt8[np.ndarray, "h w 3"]]]]:
        """Yield each clip with its stored frames in order, for evaluation."""
        for clip in self.clips:
            yield clip, (np.array(frame) for frame in clip.frames)

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
        extra = int(self.previous and not clip.starts_shot(first))
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


def _rows(frames_by_clip: Sequence[Int64[np.ndarray, " _"]]) -> Int64[np.ndarray, "n 2"]:
    """Number the clips: return rows (clip, frame)."""
    rows = [
        np.stack([np.full_like(frames, clip), frames], axis=1)
        for clip, frames in enumerate(frames_by_clip)
    ]
    return np.concatenate(rows) if rows else np.empty((0, 2), dtype=np.int64)


def _open(root: Path, record: ClipRecord) -> Clip:
    """Return the clip of a record, checking that its file is there."""
    path = root / record.file
    if not path.is_file():
        raise DatasetError(f"{path}: missing; run the same colorize-prepare again to make it")
    identity = (record.fingerprint, record.first_frame, record.size, record.fit, record.shots)
    return Clip(
        name=record.name,
        frames=path,
        shape=(record.frames, *record.size, 3),
        shots=record.shots,
        fingerprint=hashlib.sha256(repr(identity).encode()).hexdigest(),
        series=str(root),
    )
