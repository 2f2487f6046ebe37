"""Colour a part of a shot at the working size: the network, then holding still."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from tqdm import tqdm

from colorize.films.render.effort import Effort
from colorize.films.render.guides import Guides
from colorize.imaging.color import rgb_to_chroma
from colorize.inference.colorizer import Colorizer, resize, working_size
from colorize.media import Frame
from colorize.motion.estimators import Dis
from colorize.motion.propagation import Tracked, Tracks
from colorize.motion.smoothing import Held, hold_still
from colorize.networks.guided.references import ReferenceSet
from colorize.networks.prototype.recurrence import State

_STREAM, _HELD, _TRACKS = "stream.", "held.", "tracks."


class Coloring:
    """The stage of a job that runs the network.

    ``effort`` says how much at a time and at which size, ``refine`` whether the checkpoint's
    refiner is used, ``stillness`` from 0 to 1 how firmly colours hold still along motion. ``check``
    is called between batches and may raise to stop. ``guides`` hold the references of the job,
    ``fast`` computes in bfloat16.
    """

    def __init__(
        self,
        colorizer: Colorizer,
        *,
        effort: Effort,
        refine: bool,
        stillness: float,
        guides: Guides | None = None,
        fast: bool = False,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._colorizer, self._effort = colorizer, effort
        self._refine, self._stillness, self._check = refine, stillness, check
        self._guides, self._fast = guides, fast
        self._flow = Dis()

    def __call__(
        self,
        frames: Sequence[Frame],
        *,
        variant: int,
        before: Mapping[str, Tensor],
        names: Sequence[str] = (),
    ) -> tuple[Float[Tensor, "t 2 _h _w"], dict[str, Tensor]]:
        """Return the chroma of a part at the working size, and what the next part goes on from.

        ``before`` is what the part before in the same shot returned; empty at its start. ``names``
        are the references of the shot.

        Raises:
            JobError: Memory does not suffice even for one small frame.
        """
        return self._effort.within_memory(lambda: self._color(frames, variant, before, names))

    @torch.inference_mode()
    def _color(
        self,
        frames: Sequence[Frame],
        variant: int,
        before: Mapping[str, Tensor],
        names: Sequence[str],
    ) -> tuple[Float[Tensor, "t 2 _h _w"], dict[str, Tensor]]:
        stream = self._colorizer.stream(variant=variant, refine=self._refine, fast=self._fast)
        small = self._small(frames)
        if before and before[_STREAM + "gray"].shape[-2:] != small.shape[-2:]:
            before = {}  # memory ran out in between: the shot starts anew at a smaller size
        stream.state = self._unpack(before)
        batches = [
            range(start, min(start + self._effort.batch_size, len(frames)))
            for start in range(0, len(frames), self._effort.batch_size)
        ]
        chosen = [self._chosen(frames[batch.start : batch.stop], names) for batch in batches]
        tracks = self._track(small, batches, chosen, before)
        planes = []
        for batch, shown in zip(batches, chosen, strict=True):
            self._check()
            stream.references, tracked = self._shown(small, batch, shown, tracks)
            gray = small[batch.start : batch.stop].to(self._colorizer.device)
            chroma = rgb_to_chroma(stream.working(gray, tracked=tracked)[:, 0]).cpu()
            planes.append(self._with_own(chroma, frames[batch.start : batch.stop], names))
        assert stream.state is not None, "the stream has just coloured frames"
        chroma, state = torch.cat(planes), _named(_STREAM, stream.state)
        state |= {_TRACKS + name: each for name, each in tracks.state.items()}
        if self._stillness > 0:
            chroma, held = self._still(small, chroma, before)
            state |= _named(_HELD, held)
        # Copies: a file of tensors holds none that share memory.
        return chroma, {name: each.cpu().clone() for name, each in state.items()}

    def _chosen(self, frames: Sequence[Frame], names: Sequence[str]) -> list[str]:
        """Return the references of consecutive frames: those nearest to their middle."""
        if self._guides is None:
            return []
        return self._guides.nearest(names, near=frames[len(frames) // 2].index)

    def _track(
        self,
        small: Float[Tensor, "t 1 _h _w"],
        batches: Sequence[range],
        chosen: Sequence[Sequence[str]],
        before: Mapping[str, Tensor],
    ) -> Tracks:
        """Track the frames to each reference from the first batch that it colours to the last."""
        earlier = {
            name.removeprefix(_TRACKS): each
            for name, each in before.items()
            if name.startswith(_TRACKS)
        }
        spans: dict[str, range] = {}
        for batch, names in zip(batches, chosen, strict=True):
            for name in names:
                spans[name] = range(spans.get(name, batch).start, batch.stop)
        bar = tqdm(
            total=sum(map(len, spans.values())), desc="tracking references", unit="frame",
            delay=1, leave=False,
        )  # fmt: skip

        def tick() -> None:
            self._check()
            bar.update()

        tracks = Tracks(small, before=earlier, tick=tick)
        with bar:
            for name, frames in spans.items():
                assert self._guides is not None
                shown = self._guides.of([name], size=(small.shape[-2], small.shape[-1]))
                tracks.follow(name, shown.gray.cpu(), frames=frames)
        return tracks

    def _shown(
        self, small: Float[Tensor, "t 1 _h _w"], batch: range, names: Sequence[str], tracks: Tracks
    ) -> tuple[ReferenceSet | None, Tracked | None]:
        """Return what a batch is shown: references, and its tracks to them."""
        if self._guides is None or not names:
            return None, None
        shown = self._guides.of(names, size=(small.shape[-2], small.shape[-1]))
        return shown, tracks.of(names, batch).to(self._colorizer.device)

    def _with_own(
        self, chroma: Float[Tensor, "t 2 h w"], frames: Sequence[Frame], names: Sequence[str]
    ) -> Float[Tensor, "t 2 h w"]:
        """Give frames that are references themselves their own colours."""
        if self._guides is None or not names:
            return chroma
        size = (chroma.shape[-2], chroma.shape[-1])
        for row, frame in enumerate(frames):
            reference = self._guides.own(names, frame.index)
            if reference is not None:
                chroma[row] = self._guides.chroma_of(reference, size)[0]
        return chroma

    def _still(
        self,
        small: Float[Tensor, "t 1 _h _w"],
        chroma: Float[Tensor, "t 2 _h _w"],
        before: Mapping[str, Tensor],
    ) -> tuple[Float[Tensor, "t 2 _h _w"], Held]:
        held = Held(*(before[_HELD + name] for name in Held._fields)) if before else None
        return hold_still(small, chroma, flow=self._flow, strength=self._stillness, before=held)

    def _small(self, frames: Sequence[Frame]) -> Float[Tensor, "t 1 _h _w"]:
        """Return the gray of frames at the working size, one after the other to bound memory."""
        height, width, _ = frames[0].rgb.shape
        size = working_size((height, width), self._effort.short_side)
        gray = (torch.from_numpy(frame.gray())[None, None] for frame in frames)
        return torch.cat([resize(each, size) for each in gray])

    def _unpack(self, before: Mapping[str, Tensor]) -> State | None:
        """Return the state of the stream on the network's device."""
        if not before:
            return None
        return State(*(before[_STREAM + name].to(self._colorizer.device) for name in State._fields))


def _named(prefix: str, state: State | Held) -> dict[str, Tensor]:
    """Return the tensors of a state by name."""
    return {prefix + name: each for name, each in state._asdict().items()}
