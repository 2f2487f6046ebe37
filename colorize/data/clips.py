"""Colour clips as a dataset: prepared on disk and mapped into memory, or held in arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor
from torch.utils.data import Dataset

from colorize.color import rgb_to_luma
from colorize.data.augment import plain
from colorize.data.manifest import SPLITS, ClipRecord, DatasetError, load_manifest
from colorize.data.sampler import Sample

Frames = UInt8[np.ndarray, "t h w 3"]
# Like colorize.data.augment.Augment: (frames, size=, seed=) -> float32 t h w 3 in [0, 1].
Vary = Callable[..., Float32[np.ndarray, "t h w 3"]]
# Frames t h w 3 in [0, 1] -> tensors by name, whose first axis is t.
Guide = Callable[[Float32[np.ndarray, "t h w 3"]], dict[str, Tensor]]


class Clip:
    """Frames of one clip, sRGB uint8 ``t h w 3``, and the first frames of its shots.

    ``frames`` is an array, or the path of a ``.npy`` file of this ``shape``, which each process
    maps into memory when it first reads a frame; a pickled clip carries the path only.
    """

    def __init__(
        self,
        *,
        name: str,
        frames: Frames | Path,
        shots: Sequence[int] = (0,),
        shape: tuple[int, int, int, int] | None = None,
        fingerprint: str | None = None,
    ) -> None:
        if isinstance(frames, Path) == (shape is None):
            raise ValueError(f"clip {name!r}: give the shape of a file of frames, not of an array")
        self.name = name
        self.source = frames
        self.shape: tuple[int, ...] = shape or np.shape(frames)  # type: ignore[arg-type]
        self.shots = tuple(shots)
        self._fingerprint = fingerprint
        self._mapped: Frames | None = None

    @property
    def count(self) -> int:
        """Return the number of frames."""
        return self.shape[0]

    @property
    def frames(self) -> Frames:
        """Return all frames, read from disk where they are touched.

        Raises:
            DatasetError: The file is not what the clip says.
        """
        if not isinstance(self.source, Path):
            return self.source
        if self._mapped is None:
            self._mapped = _map(self.source, self.shape)
        return self._mapped

    @property
    def fingerprint(self) -> str:
        """Return a digest of what decides the frames: the source's, or of the frames."""
        if self._fingerprint is None:
            digest = hashlib.sha256(repr((self.name, self.shots, self.shape)).encode())
            digest.update(np.ascontiguousarray(self.frames).data)
            self._fingerprint = digest.hexdigest()
        return self._fingerprint

    @property
    def pair_frames(self) -> Int64[np.ndarray, " p"]:
        """Return each frame whose predecessor lies in the same shot."""
        frames = np.arange(1, self.count)
        return frames[~np.isin(frames, self.shots)]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_mapped": None}


class ClipDataset(Dataset):
    """Serve stills and pairs of colour clips with their gray, as :class:`Sample` requests them.

    Make it from clips, or from a prepared dataset with :meth:`from_manifest`. ``augment`` varies
    each sample (:class:`colorize.data.augment.Augment`); without it the largest central box of
    the requested aspect is resized. ``guide`` computes what losses derive from the frames that
    come out (:func:`colorize.data.guides.compute_guides`).
    """

    def __init__(
        self, *, clips: Sequence[Clip], augment: Vary | None = None, guide: Guide | None = None
    ) -> None:
        self.clips = tuple(clips)
        self.augment = augment
        self.guide = guide

    @classmethod
    def from_manifest(
        cls, *, root: str | Path, split: str, augment: Vary | None = None
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

    def with_augment(self, augment: Vary | None, *, guide: Guide | None = None) -> ClipDataset:
        """Return the same clips, varied by ``augment``, with the guides of ``guide``."""
        return ClipDataset(clips=self.clips, augment=augment, guide=guide)

    @property
    def fingerprint(self) -> str:
        """Return a digest of all clips, for checkpoints and tables."""
        text = "\n".join(f"{clip.name} {clip.fingerprint}" for clip in self.clips)
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def stills(self) -> Int64[np.ndarray, "n 2"]:
        """Return (clip, frame) of every frame."""
        return _rows([np.arange(clip.count) for clip in self.clips])

    @cached_property
    def pairs(self) -> Int64[np.ndarray, "p 2"]:
        """Return (clip, second frame) of every two consecutive frames of one shot."""
        return _rows([clip.pair_frames for clip in self.clips])

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
        """Return ``gray`` (t 1 h w), color's luma, ``color`` (t 3 h w) in [0, 1], and guides."""
        stored = self.clips[sample.clip].frames
        frames = np.array(stored[sample.frame - sample.length + 1 : sample.frame + 1])
        if self.augment is None:
            varied = plain(frames, size=sample.size)
        else:
            varied = self.augment(frames, size=sample.size, seed=sample.seed)
        return example(varied) | (self.guide(varied) if self.guide else {})


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
    )


def _map(path: Path, shape: tuple[int, ...]) -> Frames:
    """Map a file of frames into memory."""
    remedy = "run the same colorize-prepare again"
    try:
        frames = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read ({error}); {remedy}") from error
    if frames.dtype != np.uint8 or frames.shape != shape:
        got = f"{frames.dtype} {frames.shape}"
        raise DatasetError(f"{path}: expected uint8 {shape}, got {got}; {remedy}")
    return frames
