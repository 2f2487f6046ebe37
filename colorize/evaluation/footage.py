"""Bring what is to be measured, a checkpoint's colours or any tool's, shot by shot.

Frames come in batches of one shot, at most ``batch_size`` at a time, so that memory does not depend
on the length of a shot or a film.
"""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from colorize.base.errors import UserError
from colorize.data import Clip, ClipDataset
from colorize.data.references import ReferenceScope, shown_frames
from colorize.imaging.color import rgb_to_luma
from colorize.imaging.tensors import to_tensor
from colorize.inference.choice import Span, choose_references
from colorize.inference.engine import ShotEngine
from colorize.inference.library import ColoredPicture, Library
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import Frame, Source
from colorize.media.numbering import jumps
from colorize.media.pictures.folder import picture_files
from colorize.networks.prototype.recurrence import is_sequential
from colorize.shots import shot_starts


@runtime_checkable
class Reader(Protocol):
    """Whatever colours the frames of a clip, shot by shot, shown some of them in colour or not."""

    device: torch.device

    @property
    def needs_all(self) -> bool:
        """Whether a frame's colours depend on the frames around it in its shot."""

    def open(self, clip: Clip, shown: Mapping[int, Sequence[int]]) -> None:
        """See which frames of a clip are shown in colour, by the first frame of each shot."""

    def __call__(self, start: int, frames: Iterator[Frame]) -> Iterator[Float[Tensor, "k 3 h w"]]:
        """Yield K colourings in [0, 1] of frames, in order, of the shot from ``start`` on."""


class EngineReader:
    """A shot engine as a reader: as ``colorize`` colours a film of which some frames are given."""

    def __init__(
        self,
        networks: LoadedNetworks,
        settings: RenderSettings,
        *,
        batch_size: int = 4,
        own_luma: bool = False,
    ) -> None:
        self.networks, self.settings, self.device = networks, settings, networks.device
        self._engine_of = partial(
            ShotEngine, networks, settings, batch_size=batch_size, own_luma=own_luma
        )
        self._engine, self._names = self._engine_of(), dict[int, tuple[str, ...]]()

    @property
    def needs_all(self) -> bool:
        """Whether colours are smoothed, flow is propagated, or the network goes on from frames."""
        guided = self._engine.library is not None
        refiner = self.networks.refiner if self.settings.refine else None
        sequential = is_sequential(self.networks.model, refiner)
        return guided or self.settings.stillness > 0 or sequential

    def open(self, clip: Clip, shown: Mapping[int, Sequence[int]]) -> None:
        """Choose for every shot among the frames that are shown, as ``colorize`` does."""
        numbers = sorted(set(itertools.chain.from_iterable(shown.values())))
        if not numbers:
            self._engine, self._names = self._engine_of(), {}
            return
        pictures = [ColoredPicture(f"{n:06d}", partial(_frame, clip, n), n) for n in numbers]
        library = Library(self.networks, pictures)
        spans = [Span(*span) for span in clip.spans]
        chosen = choose_references(
            spans, library, lambda wanted: (_frame(clip, n) for n in sorted(wanted))
        )
        self._engine = self._engine_of(library=library)
        self._names = {span.start: names for span, names in zip(spans, chosen, strict=True)}

    def __call__(self, start: int, frames: Iterator[Frame]) -> Iterator[Float[Tensor, "k 3 h w"]]:
        """Yield K colourings in [0, 1] of the frames of a shot."""
        for colored in self._engine(frames, names=self._names.get(start, ())):
            yield to_tensor(np.stack([frame.rgb for frame in colored]), self.device)


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

    def only_measured(self) -> Batch:
        """Return the frames that metrics of single frames look at; there may be none."""
        chosen = self.measured
        return replace(
            self,
            names=[self.names[index] for index in chosen],
            measured=list(range(len(chosen))),
            gray=self.gray[chosen],
            outputs=self.outputs[chosen],
            truth=self.truth[chosen],
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
    """Colour stored frames as ``colorize`` does.

    Every ``every``-th frame of a clip is measured. The others are coloured too if ``whole``, or if
    colours depend on the frames around.

    With ``references`` so many frames of each clip, or of each shot by ``scope``, are shown in
    colour (see :func:`colorize.data.references.shown_frames`), or with ``show=False`` only left
    out; they are not measured.
    """
    for clip in dataset.clips:
        by_shot = shown_frames(clip, count=references, scope=scope)
        reader.open(clip, by_shot if show else {})
        for start, stop in clip.spans:
            numbers = range(start, stop)
            if not (whole or reader.needs_all):
                numbers = [number for number in numbers if number % every == 0]  # type: ignore[assignment]
            colored = reader(start, (_frame(clip, number) for number in numbers))
            for part in _parts(zip(numbers, colored, strict=True), batch_size):
                places = [number for number, _ in part]
                truth = to_tensor(np.stack([clip.frames[n] for n in places]), reader.device)
                yield Batch(
                    clip=clip.name,
                    shot=start,
                    names=[f"{number:06d}" for number in places],
                    measured=[
                        index
                        for index, number in enumerate(places)
                        if number % every == 0 and number not in by_shot[start]
                    ],
                    gray=rgb_to_luma(truth),
                    outputs=torch.stack([outputs for _, outputs in part]),
                    truth=truth,
                )


def _parts(items: Iterable[tuple[int, Tensor]], size: int) -> Iterator[list[tuple[int, Tensor]]]:
    left = iter(items)
    while part := list(itertools.islice(left, size)):
        yield part


def _frame(clip: Clip, number: int) -> Frame:
    return Frame(number, f"{number:06d}", np.array(clip.frames[number]))


class _Pair(NamedTuple):
    """A coloured frame and the true one."""

    number: int
    name: str
    predicted: Frame
    true: Frame


class PairedFrames:
    """The coloured frames of one clip beside the true ones: by name in folders, else by order.

    Raises:
        UserError: A name in one folder is missing in the other.
    """

    def __init__(self, clip: str, *, prediction: Source, truth: Source) -> None:
        self.clip, self.prediction, self.truth = clip, prediction, truth
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
        it, and end where the numbers of a folder's files jump. Frames of another size start a shot,
        and so a batch. Frames whose name without suffix is in ``leave_out`` are not measured.

        Raises:
            UserError: The films differ in length, or two frames in size.
        """
        for shot, pairs in self._parts(every, batch_size, whole):
            numbers, names, *both = zip(*pairs, strict=True)
            predicted, truth = (
                torch.cat([to_tensor(frame.rgb[None], device) for frame in frames])
                for frames in both
            )
            measured = [
                place
                for place, (number, name) in enumerate(zip(numbers, names, strict=True))
                if number % every == 0 and Path(name).stem not in leave_out
            ]
            gray = rgb_to_luma(truth)
            yield Batch(self.clip, shot, list(names), measured, gray, predicted[:, None], truth)

    def _parts(
        self, every: int, batch_size: int, whole: bool
    ) -> Iterator[tuple[int, Sequence[_Pair]]]:
        """Yield pairs of one shot and size, at most ``batch_size``, with the shot's first frame."""
        starts = {0}
        if whole:
            starts |= set(shot_starts(frame.gray() for frame in self.truth))
        if whole and self.truth.kind == "folder":
            starts |= set(jumps([file.name for file in picture_files(self.truth.path)]))
        shot, part = 0, list[_Pair]()
        for pair in self._pairs(1 if whole else every):
            sizes = {each.true.rgb.shape for each in (*part[-1:], pair)}
            cut = pair.number in starts or len(sizes) > 1
            if part and (cut or len(part) == batch_size):
                yield shot, part
                part = []
            shot = pair.number if cut else shot
            part.append(pair)
        if part:
            yield shot, part

    def count(self, *, every: int, leave_out: Container[str] = ()) -> int:
        """Return how many frames are measured."""
        if self.truth.kind != "folder":
            return len(range(0, self.truth.count or 0, every))
        files = picture_files(self.truth.path)[::every]
        return sum(file.stem not in leave_out for file in files)

    def _pairs(self, every: int) -> Iterator[_Pair]:
        """Yield every ``every``-th pair; refuse what cannot be compared."""
        for number, (predicted, true) in enumerate(self._both()):
            if predicted is None or true is None:
                raise UserError(
                    f"{self.prediction.path} and {self.truth.path} differ in length after "
                    f"{number} frames; colour every frame of the truth once"
                )
            if number % every:
                continue
            name = true.name or f"{number:06d}"
            if predicted.rgb.shape != true.rgb.shape:
                raise UserError(
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
        raise UserError(
            f"{prediction}: {missing[0]} is missing ({len(missing)} of {len(expected)} true "
            "frames have no partner); frames are paired by name"
        )
    if extra := sorted(names - expected):
        raise UserError(f"{prediction}: {extra[0]} has no partner in {truth}")


def _stems(folder: Path) -> set[str]:
    """Return the picture names of a folder without suffix; refuse one that stands there twice."""
    stems = sorted(file.stem for file in picture_files(folder))
    for one, other in itertools.pairwise(stems):
        if one == other:
            raise UserError(f"{folder}: {one} is there twice, with two suffixes; keep one")
    return set(stems)


def _size(frame: Frame) -> str:
    height, width = frame.rgb.shape[:2]
    return f"{width}x{height}"
