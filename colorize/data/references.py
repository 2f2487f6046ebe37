"""Serve frames together with coloured references, as a film is coloured by a few frames of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor
from torch.utils.data import Dataset, default_collate

from colorize.base.errors import UserError
from colorize.base.pieces import middles
from colorize.data.augment import Augment, Geometry
from colorize.data.clip import Clip
from colorize.data.clips import ClipDataset, example
from colorize.data.masks import draw_hints, draw_parts
from colorize.data.recolor import draw_recoloring
from colorize.data.sampler import Sample
from colorize.data.validation import ValidationFrames
from colorize.data.wear import worn
from colorize.imaging.color import join, rgb_to_chroma, rgb_to_luma
from colorize.motion.estimators import reference_flow
from colorize.motion.propagation import Propagation
from colorize.networks.guided.references import References

# What every sample holds for losses, beside what they derive from its frames.
OF_SAMPLES = frozenset({"group"})

_PLACES = ("shot", "clip", "series", "anywhere")
_SEED = 1  # beside a sample's own seed, which the augmentation draws from
_LIKE_TARGET = 0.8  # of the references of a frame come from the place drawn for all of them
_NEARBY = 0.4  # of references from the same shot are close in time …
_NEARBY_RATE = 0.08  # … by a geometric distribution in frames
_GRAIN = 0.06  # largest standard deviation


@dataclass(frozen=True)
class ReferenceSampling:
    """How references are drawn for training; all but the limits are probabilities.

    Args:
        none: A frame has no reference, and is coloured from memory.
        counts: Of 1, 2, … references, relative to each other.
        shot, clip, series: Where references come from: the frame's own shot, its clip, another
            clip of its series. The rest comes from anywhere, and misleads.
        recolor: Frame and references get other colours together (not those that mislead).
        same_view: A reference is cut and mirrored as the frame is.
        mirror: One cut in its own way is mirrored against the frame.
        fade: The luma of the references of a frame differs, as that of another print.
        gamma: Largest logarithm to base 2 of the gamma by which it does, ±.
        flare: Most that black is lifted by there, and white is lowered by.
        grain: Frame and references are grainy, each for itself.
        hints: A frame shows a few of its own colours: dots, strokes and fills.
        parts: A reference shows parts of its picture only.
        wear: The frame is worn as old film is (:mod:`colorize.data.wear`); references are not.
        propagated: Flow to the references is propagated along the shot, as in use; else it is the
            one found straight.
        window: Frames before and after that it is propagated over.
        validation: References in validation: evenly spaced frames of the clip, or its first.
    """

    none: float = 0.25
    counts: Sequence[float] = (0.55, 0.2, 0.1, 0.15)
    shot: float = 0.6
    clip: float = 0.15
    series: float = 0.17
    recolor: float = 0.65
    same_view: float = 0.6
    mirror: float = 0.1
    fade: float = 0.15
    gamma: float = 0.25
    flare: float = 0.0
    grain: float = 0.0
    hints: float = 0.0
    parts: float = 0.0
    wear: float = 0.0
    propagated: float = 0.25
    window: int = 2
    validation: int = 1

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in ("counts", "gamma", "window", "validation"):
                continue
            if not 0 <= value <= 1:
                raise UserError(f"references.{field.name}: expected 0 to 1, got {value}")
        if self.shot + self.clip + self.series > 1 + 1e-9:
            raise UserError("references: shot, clip and series are above 1 together")
        if not self.counts or min(self.counts) < 0 or sum(self.counts) <= 0:
            raise UserError(
                f"references.counts is {list(self.counts)}: expected weights of 1, 2, … references"
            )
        for name, least in (("validation", 1), ("window", 0)):
            if getattr(self, name) < least:
                raise UserError(
                    f"references.{name}: expected {least} or more, got {getattr(self, name)}"
                )


class ReferencedClips(Dataset):
    """Frames of colour clips, each with references drawn as ``sampling`` says.

    Frames are varied by ``augment``. Collate batches with :func:`collate`.
    """

    def __init__(
        self, dataset: ClipDataset, *, augment: Augment | None, sampling: ReferenceSampling
    ) -> None:
        if augment is not None and (augment.tone or augment.hue):
            raise UserError(
                "augment.tone and augment.hue do not act on frames with references: set both to 0; "
                "references.recolor and references.fade vary colours and luma"
            )
        self.dataset = ClipDataset(clips=dataset.clips, augment=augment)
        self.sampling = sampling
        names: dict[str, list[int]] = {}
        for index, clip in enumerate(dataset.clips):
            names.setdefault(clip.series, []).append(index)
        self._series = {index: names[clip.series] for index, clip in enumerate(dataset.clips)}

    def __getitem__(self, sample: Sample) -> dict[str, Any]:
        """Return ``gray`` (t 1 h w), ``color`` (t 3 h w) and their ``references``.

        ``group`` tells who drew the clip, -1 of frames in other colours. All t frames of a sample
        have the same references, those drawn for its last.
        """
        random = np.random.default_rng([sample.seed, _SEED])
        geometry = self._geometry(sample.clip, sample, sample.seed)
        first = sample.frame - sample.length + 1
        own = self._frames(sample.clip, first, sample.length, geometry)
        chosen, misleading = self._choose(sample, random)
        views = (self._view(number, sample, geometry, random) for number, _ in chosen)
        others = [
            self._frames(number, frame, 1, view)
            for (number, frame), view in zip(chosen, views, strict=True)
        ]
        color = torch.cat([own, *others])
        luma, chroma = rgb_to_luma(color), rgb_to_chroma(color)
        recolored = random.random() < self.sampling.recolor
        hinted = random.random() < self.sampling.hints
        recolored &= bool(others or hinted) and not misleading
        if recolored:
            chroma = draw_recoloring(random)(luma, chroma)
        gray, seen = luma.split([len(own), len(others)])
        true, shown = chroma.split([len(own), len(others)])
        if random.random() < self.sampling.fade:
            seen = self._faded(seen, random)
        if random.random() < self.sampling.grain:
            strength = random.uniform(0, _GRAIN)
            gray, seen = (_grainy(each, strength, random) for each in (gray, seen))
        if random.random() < self.sampling.wear:
            gray = torch.from_numpy(
                np.stack([worn(each, random) for each in gray[:, 0].clamp(0, 1).numpy()])[:, None]
            )
        seen, shown, mask = self._parts(others, seen, shown, random)
        if hinted:  # of the last frame, for all: the only one where most samples have one
            hints = draw_hints(_bytes(own[-1]), random)
            seen, shown = torch.cat([seen, gray[-1:]]), torch.cat([shown, true[-1:]])
            mask = torch.cat([mask, torch.from_numpy(hints)[None, None]])
        around, at = gray, range(len(gray))
        if others and random.random() < self.sampling.propagated:
            around, at = self._around(sample, geometry)
        masked = bool((mask < 1).any())
        references = References.of(seen, shown, mask=mask if masked else None)
        return {
            "gray": gray,
            "color": join(gray, true),
            "references": refer(around, references, frames=at),
            "group": torch.tensor(-1 if recolored else self.dataset.clips[sample.clip].group),
        }

    def _faded(
        self, luma: Float32[Tensor, "_r 1 h w"], random: np.random.Generator
    ) -> Float32[Tensor, "_r 1 h w"]:
        """Return the luma of references as another print has it."""
        exponent = 2 ** random.uniform(-self.sampling.gamma, self.sampling.gamma)
        low, high = random.uniform(0, self.sampling.flare, 2) * (1, -1) + (0, 1)
        return low + (high - low) * luma.clamp(0, 1) ** exponent

    def _parts(
        self,
        pictures: Sequence[Tensor],
        luma: Float32[Tensor, "_r 1 h w"],
        chroma: Float32[Tensor, "_r 2 h w"],
        random: np.random.Generator,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return luma, chroma and mask of references, some of which show parts of them only.

        Half of these are cut out and lie on white, as a picture with transparency is read.
        """
        mask = torch.ones_like(luma)
        for row, picture in enumerate(pictures):
            if random.random() < self.sampling.parts:
                mask[row, 0] = torch.from_numpy(draw_parts(_bytes(picture[0]), random))
                if random.random() < 0.5:
                    luma = luma.clone()
                    luma[row] = torch.where(mask[row] > 0, luma[row], 1.0)
        return luma, chroma * mask, mask

    def _around(
        self, sample: Sample, geometry: Geometry
    ) -> tuple[Float32[Tensor, "_t 1 h w"], range]:
        """Return the gray frames around a sample in its shot, and where it stands among them."""
        start, stop = self.dataset.clips[sample.clip].shot_of(sample.frame)
        first = sample.frame - sample.length + 1
        begin = max(start, first - self.sampling.window)
        end = min(stop, sample.frame + 1 + self.sampling.window)
        color = self._frames(sample.clip, begin, end - begin, geometry)
        return rgb_to_luma(color), range(first - begin, first - begin + sample.length)

    def _view(
        self, clip: int, sample: Sample, own: Geometry, random: np.random.Generator
    ) -> Geometry:
        """Return how a reference is cut: as the frame is, or in its own way."""
        clips = self.dataset.clips
        same = random.random() < self.sampling.same_view
        seed, mirrored = int(random.integers(2**62)), random.random() < self.sampling.mirror
        if same and clips[clip].shape[1:3] == clips[sample.clip].shape[1:3]:
            return own
        return replace(self._geometry(clip, sample, seed), flip=own.flip ^ bool(mirrored))

    def _geometry(self, clip: int, sample: Sample, seed: int) -> Geometry:
        _, height, width, _ = self.dataset.clips[clip].shape
        source = (height, width)
        if self.dataset.augment is None:
            return Geometry.central(source, sample.size)
        return self.dataset.augment.draw(source, size=sample.size, seed=seed).geometry

    def _frames(
        self, clip: int, first: int, count: int, geometry: Geometry
    ) -> Float32[Tensor, "t 3 h w"]:
        stored = np.array(self.dataset.clips[clip].frames[first : first + count])
        return example(geometry.pictures(stored))["color"]

    def _choose(
        self, sample: Sample, random: np.random.Generator
    ) -> tuple[list[tuple[int, int]], bool]:
        """Return (clip, frame) of each reference, and whether they mislead."""
        settings = self.sampling
        if random.random() < settings.none:
            return [], False
        weights = np.array(settings.counts, dtype=float)
        count = 1 + int(random.choice(len(weights), p=weights / weights.sum()))
        known = [settings.shot, settings.clip, settings.series]
        chances = np.array([*known, max(0.0, 1 - sum(known))])
        place = _PLACES[int(random.choice(4, p=chances / chances.sum()))]
        chosen = []
        for _ in range(count):
            where = place if random.random() < _LIKE_TARGET else "series"
            chosen.append(self._place(sample, where, random))
        return chosen, place == "anywhere"

    def _place(self, sample: Sample, where: str, random: np.random.Generator) -> tuple[int, int]:
        clips = self.dataset.clips
        if where in ("series", "anywhere"):
            among = self._series[sample.clip] if where == "series" else range(len(clips))
            number = int(random.choice(among))
            return number, int(random.integers(clips[number].count))
        clip = clips[sample.clip]
        if clip.count == 1:  # a page of a story
            return self._place(sample, "series", random)
        if where == "clip":
            return sample.clip, int(random.integers(clip.count))
        start, stop = clip.shot_of(sample.frame)
        if random.random() < _NEARBY:
            step = int(random.geometric(_NEARBY_RATE)) * int(random.choice([-1, 1]))
            return sample.clip, int(np.clip(sample.frame + step, start, stop - 1))
        return sample.clip, int(random.integers(start, stop))


class ReferencedValidation(Dataset):
    """The frames of :class:`ValidationFrames`, with evenly spaced frames of their clip."""

    def __init__(self, frames: ValidationFrames, *, count: int) -> None:
        self.frames = frames
        self.count = count

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return the frame as it is, and its ``references``."""
        item: dict[str, Any] = self.frames[index]
        sample, dataset = self.frames.samples[index], self.frames.dataset
        places = evenly_spaced(dataset.clips[sample.clip].count, self.count)
        color = torch.cat(
            [dataset[replace(sample, frame=frame, length=1)]["color"] for frame in places]
        )
        references = References.of(rgb_to_luma(color), rgb_to_chroma(color))
        return item | {"references": refer(item["gray"], references)}


def _grainy(
    luma: Float32[Tensor, "_t 1 h w"], strength: float, random: np.random.Generator
) -> Float32[Tensor, "_t 1 h w"]:
    """Add noise of a standard deviation to frames in [0, 1]."""
    noise = random.standard_normal(tuple(luma.shape), dtype=np.float32)
    return (luma + strength * torch.from_numpy(noise)).clamp(0, 1)


def _bytes(picture: Float32[Tensor, "3 h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """Return a picture in [0, 1] as OpenCV takes it."""
    scaled = (picture * 255).round().clamp(0, 255).byte()
    return np.ascontiguousarray(scaled.permute(1, 2, 0).numpy())


def evenly_spaced(frames: int, count: int) -> list[int]:
    """Return ``count`` frames of a clip: its first alone, or the middles of equal parts."""
    if count == 1:
        return [0]
    return middles(frames, count)


ReferenceScope = Literal["clip", "shot"]


def shown_frames(clip: Clip, *, count: int, scope: ReferenceScope) -> dict[int, list[int]]:
    """Return the frames of a clip that are shown in colour, by the first frame of each shot.

    With ``scope="clip"`` all shots have the ``count`` frames of :func:`evenly_spaced`; with
    ``"shot"`` each has as many of its own: the middles of its equal parts.
    """
    if count < 1:
        return {start: [] for start, _ in clip.spans}
    if scope == "clip":
        return dict.fromkeys((start for start, _ in clip.spans), evenly_spaced(clip.count, count))
    shown = {}
    for start, stop in clip.spans:
        shown[start] = [start + place for place in middles(stop - start, count)]
    return shown


def refer(
    gray: Float32[Tensor, "_t 1 h w"],
    references: References,
    *,
    frames: Sequence[int] | None = None,
) -> References:
    """Return the references of consecutive frames of a shot, with flow as in use.

    ``references`` are those of one frame. ``frames`` are the places of the frames that are wanted
    among ``gray`` (None: all of them); flow is propagated along all.
    """
    places = range(len(gray)) if frames is None else frames
    wide = references.expand(len(places))
    if not references.total:
        none = gray.new_zeros(len(places), 0, 2, *gray.shape[-2:])
        return replace(wide, flow=none, propagated=none)
    flow = Propagation(gray)
    names = [str(column) for column in range(references.total)]
    for name, luma in zip(names, references.luma[0].split(1), strict=True):
        flow.follow(name, luma)
    found = flow.of(names, places)
    straight = found.straight
    if straight is None:  # frames are larger than flow is propagated at
        pairs = gray[list(places)].repeat_interleave(len(names), dim=0)
        straight = reference_flow()(pairs, wide.luma.flatten(0, 1)).unflatten(0, (-1, len(names)))
    alone = len(gray) == len(places) == 1
    return replace(wide, flow=straight, propagated=straight if alone else found.propagated)


def collate(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return a batch; ``references`` are those of its b t frames in order."""
    rest = [{name: each for name, each in item.items() if name != "references"} for item in items]
    references = References.collate([item["references"] for item in items])
    return {**default_collate(rest), "references": references}
