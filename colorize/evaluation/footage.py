"""Bring what is to be measured, a checkpoint's colours or any tool's, shot by shot.

Frames come in batches of one shot, at most ``batch_size`` at a time, so that memory does not depend
on the length of a shot or a film.
"""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from colorize.base.errors import UserError
from colorize.data import Clip, ClipDataset
from colorize.data.references import ReferenceScope, shown_frames
from colorize.imaging.color import rgb_to_luma
from colorize.imaging.geometry import working_size
from colorize.imaging.tensors import to_tensor
from colorize.inference.colorizer import Stream
from colorize.media import Frame, Source
from colorize.media.pictures.folder import picture_files
from colorize.motion.propagation import Tracked, Tracks
from colorize.shots import shot_starts

_WATCHED = 240  # frames of a shot at a time, as in the parts of a job


@runtime_checkable
class Reader(Protocol):
    """Whatever colours the frames of a clip, shot by shot, shown some of them in colour or not."""

    device: torch.device

    @property
    def sequential(self) -> bool:
        """Whether a frame's colours depend on the frame before it."""

    def reset(self) -> None:
        """Start a shot."""

    def show(self, pictures: Sequence[Float[Tensor, "1 3 h w"]], frames: Sequence[int]) -> None:
        """Take the references of the frames to come, and where in the clip they are."""

    def watch(self, gray: Iterator[Float[Tensor, "1 1 h w"]], numbers: Sequence[int]) -> None:
        """See the next frames of the shot, all of them, before some of them are to be coloured."""

    def __call__(
        self, gray: Float[Tensor, "t 1 h w"], numbers: Sequence[int]
    ) -> Float[Tensor, "t k 3 h w"]:
        """Return K colourings in [0, 1] of the frames ``numbers`` of the clip."""


class StreamReader:
    """A :class:`Stream` as a reader."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.device = stream.colorizer.device
        self._tracks: Tracks | None = None
        self._watched: Sequence[int] = ()

    @property
    def sequential(self) -> bool:
        """Whether a frame's colours depend on the frame before it."""
        return self.stream.sequential

    def reset(self) -> None:
        """Start a shot."""
        self.stream.reset()
        self._tracks, self._watched = None, ()

    def show(self, pictures: Sequence[Float[Tensor, "1 3 h w"]], frames: Sequence[int]) -> None:
        """Let the network look at references of the frames to come."""
        colorizer = self.stream.colorizer
        size = working_size(pictures[0].shape[-2:], colorizer.short_side)
        self.stream.references = colorizer.look_at(pictures, size=size)

    def watch(self, gray: Iterator[Float[Tensor, "1 1 h w"]], numbers: Sequence[int]) -> None:
        """Track frames to the references, going on from those watched before in the shot."""
        references = self.stream.references
        if references is None:
            return
        small = torch.cat([self.stream.colorizer.small(frame).cpu() for frame in gray])
        tracks = Tracks(small, before=None if self._tracks is None else self._tracks.state)
        for row, shown in enumerate(references.gray.cpu().split(1)):
            tracks.follow(str(row), shown)
        self._tracks, self._watched = tracks, numbers

    def __call__(
        self, gray: Float[Tensor, "t 1 h w"], numbers: Sequence[int]
    ) -> Float[Tensor, "t k 3 h w"]:
        """Return K colourings of frames; those that were watched go by their tracks."""
        return self.stream(gray, tracked=self._tracked(numbers))

    def _tracked(self, numbers: Sequence[int]) -> Tracked | None:
        references = self.stream.references
        if references is None or self._tracks is None:
            return None
        names = [str(row) for row in range(len(references.gray))]
        rows = [self._watched.index(number) for number in numbers]
        return self._tracks.of(names, rows).to(self.device)


class FootageError(UserError):
    """Two sets of frames that cannot be compared; one line for the user."""


@dataclass(frozen=True)
class Batch:
    """Frames of one shot in order, with their K colourings.

    ``shot`` is the number of the shot's first frame in its clip; ``measured`` are the places in the
    batch that metrics of single frames look at.
    """

    clip: str
    shot: int
    names: list[str]
    measured: list[int]
    gray: Float[Tensor, "b 1 h w"]
    outputs: Float[Tensor, "b k 3 h w"]
    truth: Float[Tensor, "b 3 h w"]

    @property
    def place(self) -> tuple[str, int]:
        """Return what all batches of one shot have in common."""
        return self.clip, self.shot

    def only_measured(self) -> Batch:
        """Return the frames that metrics of single frames look at; there may be none."""
        chosen = self.measured
        return Batch(
            self.clip,
            self.shot,
            [self.names[index] for index in chosen],
            list(range(len(chosen))),
            self.gray[chosen],
            self.outputs[chosen],
            self.truth[chosen],
        )


def colored_clips(
    reader: Reader,
    dataset: ClipDataset,
    *,
    every: int,
    batch_size: int,
    whole: bool,
    references: int = 0,
    scope: ReferenceScope = "clip",
    show: bool = True,
) -> Iterator[Batch]:
    """Colour stored frames as ``colorize`` does, but for the luma of a model that has its own.

    Every ``every``-th frame of a clip is measured. The others are coloured too if ``whole``, or if
    colours depend on the frame before.

    With ``references`` so many frames of each clip, or of each shot by ``scope``, are shown in
    colour (see :func:`colorize.data.references.shown_frames`), or with ``show=False`` only left
    out; they are not measured.
    """
    in_order = whole or reader.sequential
    for clip, shot in _shots(dataset):
        by_shot = shown_frames(clip, count=references, scope=scope)
        shown = by_shot[shot.start]
        if show and shown and (shot.start == 0 or scope == "shot"):
            reader.show([_picture(clip, number, reader.device) for number in shown], shown)
        reader.reset()
        for piece in _pieces(shot, _WATCHED):
            if show and shown:
                pictures = (_picture(clip, number, reader.device) for number in piece)
                reader.watch(map(rgb_to_luma, pictures), piece)
            numbers = [number for number in piece if in_order or number % every == 0]
            for start in range(0, len(numbers), batch_size):
                part = numbers[start : start + batch_size]
                truth = to_tensor(np.stack([clip.frames[at] for at in part]), reader.device)
                gray = rgb_to_luma(truth)
                yield Batch(
                    clip.name,
                    shot.start,
                    [f"{number:06d}" for number in part],
                    [place for place in _on_grid(part, every) if part[place] not in shown],
                    gray,
                    reader(gray, part),
                    truth,
                )


def _shots(dataset: ClipDataset) -> Iterator[tuple[Clip, range]]:
    """Yield the frame numbers of every shot of every clip."""
    for clip in dataset.clips:
        for start, stop in itertools.pairwise([*clip.shots, clip.count]):
            yield clip, range(start, stop)


def _picture(clip: Clip, number: int, device: torch.device) -> Float[Tensor, "1 3 h w"]:
    return to_tensor(np.array(clip.frames[number : number + 1]), device)


def _pieces(numbers: range, length: int) -> Iterator[range]:
    for start in range(0, len(numbers), length):
        yield numbers[start : start + length]


def _on_grid(numbers: Sequence[int], every: int) -> list[int]:
    return [index for index, number in enumerate(numbers) if number % every == 0]


@dataclass(frozen=True)
class _Pair:
    """A coloured frame and the true one."""

    number: int
    name: str
    predicted: Frame
    true: Frame

    @property
    def size(self) -> tuple[int, ...]:
        return self.true.rgb.shape


class PairedFrames:
    """The coloured frames of one clip beside the true ones: by name in folders, else by order.

    Raises:
        FootageError: A name in one folder is missing in the other.
    """

    def __init__(self, clip: str, *, prediction: Source, truth: Source) -> None:
        self.clip = clip
        self.prediction = prediction
        self.truth = truth
        self._by_name = prediction.kind == truth.kind == "folder"
        if self._by_name:
            _check_names(prediction.path, truth.path)

    def batches(
        self,
        *,
        every: int,
        batch_size: int,
        whole: bool,
        device: torch.device,
        leave_out: Container[str] = (),
    ) -> Iterator[Batch]:
        """Yield every ``every``-th pair, or all if ``whole``, as batches of one colouring.

        Where ``whole``, shots are found in the luma of the true frames, which are read twice for
        it. Frames of another size start a shot, and so a batch. Frames whose name without suffix is
        in ``leave_out`` are not measured.

        Raises:
            FootageError: The films differ in length, or two frames in size.
        """
        starts = set(shot_starts(frame.gray() for frame in self.truth)) if whole else {0}
        shot, part = 0, list[_Pair]()
        for pair in self._pairs(1 if whole else every):
            cut = pair.number in starts or bool(part and pair.size != part[-1].size)
            if part and (cut or len(part) == batch_size):
                yield self._batch(part, shot, every, device, leave_out)
                part = []
            shot = pair.number if cut else shot
            part.append(pair)
        if part:
            yield self._batch(part, shot, every, device, leave_out)

    def count(self, *, every: int, leave_out: Container[str] = ()) -> int:
        """Return how many frames are measured."""
        if self.truth.kind != "folder":
            return len(range(0, self.truth.count or 0, every))
        files = picture_files(self.truth.path)[::every]
        return sum(file.stem not in leave_out for file in files)

    def _batch(
        self,
        pairs: Sequence[_Pair],
        shot: int,
        every: int,
        device: torch.device,
        leave_out: Container[str],
    ) -> Batch:
        predicted, truth = (
            torch.cat([to_tensor(frame.rgb[None], device) for frame in frames])
            for frames in ([p.predicted for p in pairs], [p.true for p in pairs])
        )
        measured = [
            place
            for place in _on_grid([pair.number for pair in pairs], every)
            if Path(pairs[place].name).stem not in leave_out
        ]
        names = [pair.name for pair in pairs]
        gray = rgb_to_luma(truth)
        return Batch(self.clip, shot, names, measured, gray, predicted[:, None], truth)

    def _pairs(self, every: int) -> Iterator[_Pair]:
        """Yield every ``every``-th pair; refuse what cannot be compared."""
        for number, (predicted, true) in enumerate(self._both()):
            if predicted is None or true is None:
                raise FootageError(
                    f"{self.prediction.path} and {self.truth.path} differ in length after "
                    f"{number} frames; colour every frame of the truth once"
                )
            if number % every:
                continue
            name = true.name or f"{number:06d}"
            if predicted.rgb.shape != true.rgb.shape:
                raise FootageError(
                    f"{self.prediction.path}: {name} is {_size(predicted)}, but the true frame is "
                    f"{_size(true)}; colour at the size of the truth"
                )
            yield _Pair(number, name, predicted, true)

    def _both(self) -> Iterator[tuple[Frame | None, Frame | None]]:
        if not self._by_name:
            yield from itertools.zip_longest(self.prediction, self.truth)
            return
        # Equal names can stand at other places when their suffixes differ.
        numbers = {file.stem: i for i, file in enumerate(picture_files(self.prediction.path))}
        for true in self.truth:
            number = numbers[Path(true.name).stem]
            yield next(self.prediction.frames(number, number + 1)), true


def pair_clips(prediction: Path, truth: Path) -> Iterator[tuple[str, Path, Path]]:
    """Yield (clip, coloured, true): two folders or films, or each folder of a folder of them."""
    folders = [] if not truth.is_dir() or picture_files(truth) else sorted(truth.iterdir())
    folders = [path for path in folders if path.is_dir() and not path.name.startswith(".")]
    if not folders:
        yield truth.name, prediction, truth
    for folder in folders:
        yield folder.name, prediction / folder.name, folder


def _check_names(prediction: Path, truth: Path) -> None:
    """Refuse two folders whose picture names differ, so that no frame is paired by position."""
    names, expected = (_stems(folder) for folder in (prediction, truth))
    if missing := sorted(expected - names):
        raise FootageError(
            f"{prediction}: {missing[0]} is missing ({len(missing)} of {len(expected)} true "
            "frames have no partner); frames are paired by name"
        )
    if extra := sorted(names - expected):
        raise FootageError(f"{prediction}: {extra[0]} has no partner in {truth}")


def _stems(folder: Path) -> set[str]:
    """Return the picture names of a folder without suffix; refuse one that stands there twice."""
    stems = sorted(file.stem for file in picture_files(folder))
    for one, other in itertools.pairwise(stems):
        if one == other:
            raise FootageError(f"{folder}: {one} is there twice, with two suffixes; keep one")
    return set(stems)


def _size(frame: Frame) -> str:
    height, width = frame.rgb.shape[:2]
    return f"{width}x{height}"
