"""Colour consecutive frames of a shot at the working size, step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from colorize.base.pieces import pieces
from colorize.base.progress import Task, task
from colorize.imaging.color import rgb_to_chroma
from colorize.imaging.geometry import resize, working_size
from colorize.inference.effort import Effort
from colorize.inference.library import Library
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import Frame
from colorize.motion.estimators import Dis, reference_flow
from colorize.motion.propagation import Propagation
from colorize.motion.smoothing import Held, hold_still
from colorize.networks.guided.references import References
from colorize.networks.prototype.recurrence import State, color_frames

_BOLDEST = 4.0  # times their length, at most, that colours are made stronger
_NETWORK, _HELD, _FLOW = "stream.", "held.", "propagated."


class Coloring:
    """Run the network over the frames of a shot, in pieces that go on from each other.

    ``library`` holds the references of the film, ``effort`` says how much at a time and at which
    size, ``check`` is called between batches and may raise to stop. With ``own_luma`` RGB as the
    network says it comes out, to measure one that predicts it freely as its source does.
    """

    def __init__(
        self,
        colorizer: LoadedNetworks,
        settings: RenderSettings,
        *,
        effort: Effort,
        library: Library | None = None,
        check: Callable[[], None] = lambda: None,
        own_luma: bool = False,
    ) -> None:
        assert not (own_luma and settings.stillness), "what is smoothed is chroma"
        self._colorizer, self._settings, self._effort = colorizer, settings, effort
        self._own_luma = own_luma
        self._library, self._check = library, check
        self._smoothing_flow, self._reference_flow = Dis(), reference_flow()

    def __call__(
        self,
        frames: Sequence[Frame],
        *,
        variant: int | None,
        before: Mapping[str, Tensor],
        names: Sequence[str] = (),
    ) -> tuple[Float[Tensor, "t k _c _h _w"], dict[str, Tensor]]:
        """Return the chroma of frames at the working size, and what the next ones go on from.

        ``variant`` is one of the K outputs (k = 1), None all of them. ``before`` is what the frames
        before in the same shot left; empty at its start. ``names`` are the references of the shot.

        Raises:
            OutOfMemoryError: Memory does not suffice even for one small frame.
        """
        return self._effort.within_memory(lambda: self._color(frames, variant, before, names))

    @torch.inference_mode()
    def _color(
        self,
        frames: Sequence[Frame],
        variant: int | None,
        before: Mapping[str, Tensor],
        names: Sequence[str],
    ) -> tuple[Float[Tensor, "t k _c _h _w"], dict[str, Tensor]]:
        small = self._small(frames)
        if before and before[_NETWORK + "gray"].shape[-2:] != small.shape[-2:]:
            before = {}  # memory ran out in between: the shot starts anew at a smaller size
        batches = pieces(0, len(frames), self._effort.batch_size)
        chosen = [self._nearest(frames, batch, names) for batch in batches]
        flow = self._propagated(small, batches, chosen, before)
        state = self._state_of(before)
        planes = []
        for batch, shown in zip(batches, chosen, strict=True):
            self._check()
            references = self._shown(small, batch, shown, flow, beside=names)
            chroma, state = self._painted(
                small[batch.start : batch.stop], state, references, variant
            )
            planes.append(self._with_own(chroma, frames[batch.start : batch.stop], names))
        assert state is not None, "there are frames"
        smooth, held = self._smoothed(small, torch.cat(planes), before)
        after = _named(_NETWORK, state) | held
        after |= {_FLOW + name: each for name, each in flow.state.items()}
        # Copies: a file of tensors holds none that share memory.
        return smooth, {name: each.cpu().clone() for name, each in after.items()}

    def _small(self, frames: Sequence[Frame]) -> Float[Tensor, "t 1 _h _w"]:
        """Return the gray of frames at the working size, one after the other to bound memory."""
        height, width, _ = frames[0].rgb.shape
        size = working_size((height, width), self._effort.short_side)
        gray = (torch.from_numpy(frame.gray())[None, None] for frame in frames)
        return torch.cat([resize(each, size) for each in gray])

    def _nearest(self, frames: Sequence[Frame], batch: range, names: Sequence[str]) -> list[str]:
        """Return the references of consecutive frames: those nearest to their middle."""
        if self._library is None:
            return []
        near, most = frames[batch[len(batch) // 2]].index, self._settings.references_per_frame
        return self._library.nearest(names, near=near, most=most)

    def _propagated(
        self,
        small: Float[Tensor, "t 1 _h _w"],
        batches: Sequence[range],
        chosen: Sequence[Sequence[str]],
        before: Mapping[str, Tensor],
    ) -> Propagation:
        """Follow each reference from the first batch that it colours to the last."""
        spans: dict[str, range] = {}
        for batch, names in zip(batches, chosen, strict=True):
            for name in names:
                spans[name] = range(spans.get(name, batch).start, batch.stop)
        total = sum(map(len, spans.values()))
        with task("following references", total=total, unit="frame") as bar:
            flow = Propagation(small, before=_under(_FLOW, before), tick=lambda: self._tick(bar))
            for name, span in spans.items():
                assert self._library is not None
                luma = self._library.luma(name, size=(small.shape[-2], small.shape[-1]))
                flow.follow(name, luma.cpu(), frames=span)
        return flow

    def _tick(self, bar: Task) -> None:
        self._check()
        bar.advance()

    def _shown(
        self,
        small: Float[Tensor, "t 1 _h _w"],
        batch: range,
        names: Sequence[str],
        flow: Propagation,
        *,
        beside: Sequence[str],
    ) -> References | None:
        """Return what the frames of a batch are shown, of the references of their shot."""
        if self._library is None or not names:
            return None
        size = (small.shape[-2], small.shape[-1])
        shown = self._library.of(names, size=size, beside=beside)
        found = flow.of(names, batch).to(self._colorizer.device)
        wide = shown.expand(len(batch))
        straight = found.straight
        if straight is None:  # frames are larger than flow is propagated at
            gray = small[batch.start : batch.stop].repeat_interleave(len(names), dim=0)
            pairs = self._reference_flow(gray, wide.luma.flatten(0, 1).cpu())
            straight = pairs.unflatten(0, (len(batch), len(names))).to(self._colorizer.device)
        return replace(wide, flow=straight, propagated=found.propagated)

    def _painted(
        self,
        gray: Float[Tensor, "t 1 _h _w"],
        before: State | None,
        references: References | None,
        variant: int | None,
    ) -> tuple[Float[Tensor, "t k _c _h _w"], State]:
        """Return the network's colours of a batch, and what the next one goes on from."""
        device = self._colorizer.device
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=self._settings.fast):
            colored = color_frames(
                self._colorizer.model,
                gray.to(device).unsqueeze(0),
                before,
                references=references,
                refiner=self._colorizer.refiner if self._settings.refine else None,
                flow=self._colorizer.flow,
                variant=variant,
            )
        shown = colored.shown[0] if self._own_luma else rgb_to_chroma(colored.shown[0])
        if self._settings.vivid and colored.spread is not None:
            shown = _emboldened(shown, colored.spread[0], self._settings.vivid)
        return shown.cpu(), colored.state

    def _with_own(
        self, chroma: Float[Tensor, "t k _c h w"], frames: Sequence[Frame], names: Sequence[str]
    ) -> Float[Tensor, "t k _c h w"]:
        """Give frames that are references themselves their own colours, where these are opaque."""
        if self._library is None or not names:
            return chroma
        for row, frame in enumerate(frames):
            picture = self._library.own(names, frame.index)
            if picture is not None:
                size = (chroma.shape[-2], chroma.shape[-1])
                own, opacity = self._library.colors_of(picture, names, size)
                kept = 1.0 if opacity is None else opacity
                chroma[row] = chroma[row] + kept * (own.cpu() - chroma[row])
        return chroma

    def _smoothed(
        self,
        small: Float[Tensor, "t 1 _h _w"],
        chroma: Float[Tensor, "t k _c _h _w"],
        before: Mapping[str, Tensor],
    ) -> tuple[Float[Tensor, "t k _c _h _w"], dict[str, Tensor]]:
        """Return colours that hold still along the motion, each of the k by itself."""
        if self._settings.stillness == 0:
            return chroma, {}
        planes, states = [], dict[str, Tensor]()
        for k, own in enumerate(chroma.unbind(1)):
            prefix = f"{_HELD}{k}."
            earlier = _under(prefix, before)
            held = Held(**earlier) if earlier else None
            smooth, held = hold_still(
                small,
                own,
                flow=self._smoothing_flow,
                strength=self._settings.stillness,
                before=held,
            )
            planes.append(smooth)
            states |= _named(prefix, held)
        return torch.stack(planes, dim=1), states

    def _state_of(self, before: Mapping[str, Tensor]) -> State | None:
        """Return what the network goes on from, on its device."""
        if not before:
            return None
        earlier = _under(_NETWORK, before)
        return State(*(earlier[name].to(self._colorizer.device) for name in State._fields))


def _emboldened(
    chroma: Float[Tensor, "t k 2 h w"], spread: Float[Tensor, "t 1 h w"], vivid: float
) -> Float[Tensor, "t k 2 h w"]:
    """Return colours as strong as what is there may be, where it is not known what is there.

    What is painted is near the mean of what may be, and so paler than any of it, the more so the
    larger the ``spread`` s, the error of either channel: what may be is of mean square |c|² + 2s².
    With ``vivid`` = 1 colours get its root as their length, at most four times their own.
    """
    square = chroma.square().sum(dim=2, keepdim=True)
    expected = square + 2 * spread.unsqueeze(1).square()
    factor = (expected / square.clamp_min(1e-6)).clamp_max(_BOLDEST**2) ** (vivid / 2)
    return chroma * factor


def _named(prefix: str, state: State | Held) -> dict[str, Tensor]:
    """Return the tensors of a state by name."""
    return {prefix + name: each for name, each in state._asdict().items()}


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose names start with ``prefix``, without it."""
    return {n.removeprefix(prefix): each for n, each in tensors.items() if n.startswith(prefix)}
