"""Run the generator f, and the refiner g where there is one, over consecutive frames of a shot.

Training looks at single frames and pairs; use, validation and evaluation go through a shot in
order, and what a frame needs of the ones before it travels in a :class:`State`. A shot starts with
no state: its first frame sees itself as the gray frame before, no colourized frame, and is not
refined.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from einops import repeat
from jaxtyping import Float
from torch import Tensor

from colorize.base.errors import UserError
from colorize.imaging.color import displayable
from colorize.imaging.segments import segment_planes
from colorize.motion.estimators import FlowEstimator
from colorize.networks.base import Network
from colorize.networks.guided.network import References
from colorize.networks.prototype.generator import Luma
from colorize.networks.prototype.inputs import previous_planes
from colorize.networks.prototype.refiner import Refiner, refinement_evidence


class State(NamedTuple):
    """The last frame of a shot so far: gray, coloured by f, and as shown; all in [0, 1]."""

    gray: Float[Tensor, "b 1 h w"]
    outputs: Float[Tensor, "b k 3 h w"]
    shown: Float[Tensor, "b k 3 h w"]


class Colored(NamedTuple):
    """Frames coloured by f (``outputs``, not clipped), and the same as ``shown``.

    Without a refiner these are the outputs themselves; with one, the first frame of a shot as f
    gives it and the others refined, all in [0, 1]. ``state`` continues the shot. ``spread`` is the
    error of chroma that the network expects, None where it tells none.
    """

    outputs: Float[Tensor, "b t k 3 h w"]
    shown: Float[Tensor, "b t k 3 h w"]
    state: State
    spread: Float[Tensor, "b t 1 h w"] | None = None


def color_frames(
    model: Network,
    gray: Float[Tensor, "b t 1 h w"],
    before: State | None = None,
    *,
    references: References | None = None,
    refiner: Refiner | None = None,
    flow: FlowEstimator | None = None,
    variant: int | None = None,
) -> Colored:
    """Colour t consecutive frames of b shots that go on from ``before`` (None: they start here).

    ``variant`` picks one of the K outputs (k = 1 in the result, and in ``before``); everything
    that depends on the frame before follows that one output. ``refiner`` needs ``flow``, the
    estimator of backward flow between gray frames. ``references`` are for a model that takes them;
    they are those of the b t frames in order.
    """
    if references is not None and "references" not in model.takes:
        raise UserError("references need a model that takes them (model=guided)")
    outputs, spread = _main(model, gray, before, variant, references)
    last = displayable(outputs[:, -1], gray[:, -1], luma=model.luma)
    if refiner is None:
        return Colored(outputs, outputs, State(gray[:, -1], last, last), spread)
    assert flow is not None
    shown = _refined(refiner, flow, model.luma, gray, outputs, before)
    return Colored(outputs, shown, State(gray[:, -1], last, shown[:, -1]))


def is_sequential(model: Network, refiner: Refiner | None) -> bool:
    """Return whether the colours of a frame depend on the frame before it."""
    return refiner is not None or model.inputs in ("gray_pair", "gray_previous")


def gray_before(
    gray: Float[Tensor, "b t 1 h w"], before: State | None
) -> Float[Tensor, "b t 1 h w"]:
    """Return the gray frame before each frame; a frame that starts a shot is its own."""
    first = gray[:, :1] if before is None else before.gray.unsqueeze(1)
    return torch.cat([first, gray[:, :-1]], dim=1)


def segment_planes_of(gray: Float[Tensor, "*b 1 h w"]) -> Float[Tensor, "*b 2 h w"]:
    """Return :func:`segment_planes` of every frame, on the device of ``gray``."""
    frames = gray.reshape(-1, *gray.shape[-2:]).cpu().numpy()
    planes = torch.from_numpy(np.stack([segment_planes(frame) for frame in frames]))
    return planes.to(gray).reshape(*gray.shape[:-3], 2, *gray.shape[-2:])


def _main(
    model: Network,
    gray: Float[Tensor, "b t 1 h w"],
    before: State | None,
    variant: int | None,
    references: References | None,
) -> tuple[Float[Tensor, "b t k 3 h w"], Float[Tensor, "b t 1 h w"] | None]:
    """Return f's colourings, all frames at once where no frame waits for the one before.

    Beside them stands the error of chroma that it expects, if it tells one.
    """
    if model.inputs == "gray_previous":
        return _one_by_one(model, gray, before, variant), None
    extra = None
    if model.inputs == "gray_pair":
        extra = gray_before(gray, before).flatten(0, 1)
    elif model.inputs == "gray_segments":
        extra = segment_planes_of(gray).flatten(0, 1)
    painted = model(gray.flatten(0, 1), references, extra=extra)
    outputs, spread = painted.colors.float(), painted.provided.get("spread")
    picked = outputs if variant is None else outputs[:, variant : variant + 1]
    if spread is not None:
        spread = spread.float().unflatten(0, gray.shape[:2])
    return picked.unflatten(0, gray.shape[:2]), spread


def _one_by_one(
    model: Network, gray: Float[Tensor, "b t 1 h w"], before: State | None, variant: int | None
) -> Float[Tensor, "b t k 3 h w"]:
    """Colour frame after frame; each output k sees its own colouring of the frame before.

    One pass of the network for every k: outputs that saw each other would grow alike.
    """
    chains = range(model.outputs) if variant is None else [variant]
    previous = None if before is None else before.outputs
    frames = []
    for frame in gray.unbind(1):
        seen = frame.new_zeros(len(frame), len(chains), 3, *frame.shape[-2:])
        seen = (seen if previous is None else previous).flatten(0, 1)
        known = torch.full((len(seen),), previous is not None, device=gray.device)
        repeated = repeat(frame, "b c h w -> (b k) c h w", k=len(chains))
        outputs = model(repeated, extra=previous_planes(seen, known)).colors.float()
        outputs = outputs.unflatten(0, (len(frame), len(chains)))
        own = torch.stack([outputs[:, i, k] for i, k in enumerate(chains)], dim=1)
        previous = displayable(own, frame, luma=model.luma)
        frames.append(own)
    return torch.stack(frames, dim=1)


def _refined(
    refiner: Refiner,
    flow: FlowEstimator,
    luma: Luma,
    gray: Float[Tensor, "b t 1 h w"],
    outputs: Float[Tensor, "b t k 3 h w"],
    before: State | None,
) -> Float[Tensor, "b t k 3 h w"]:
    """Return all frames in [0, 1], refined one after another, each k by its own frame before."""
    shown: list[Float[Tensor, "b k 3 h w"]] = []
    previous_gray, previous = (None, None) if before is None else (before.gray, before.shown)
    for frame, output in zip(gray.unbind(1), outputs.unbind(1), strict=True):
        color = displayable(output, frame, luma=luma)
        if previous is not None and previous_gray is not None:
            backward = flow(frame, previous_gray)
            refined = refine(refiner, frame, previous_gray, color, previous, backward)
            color = displayable(refined, frame, luma=refiner.luma)
        shown.append(color)
        previous_gray, previous = frame, color
    return torch.stack(shown, dim=1)


def refine(
    refiner: Refiner,
    gray: Float[Tensor, "b 1 h w"],
    previous_gray: Float[Tensor, "b 1 h w"],
    color: Float[Tensor, "b k 3 h w"],
    previous_color: Float[Tensor, "b k 3 h w"],
    flow: Float[Tensor, "b 2 h w"],
) -> Float[Tensor, "b k 3 h w"]:
    """Return the K colourings of a frame, refined by those of the frame before; not clipped.

    Both are in [0, 1], ``flow`` is backward between the gray frames.
    """
    count = color.shape[1]
    wide = [repeat(each, "b c h w -> (b k) c h w", k=count) for each in (gray, previous_gray, flow)]
    evidence = refinement_evidence(
        color.flatten(0, 1),
        previous_color.flatten(0, 1),
        *wide,
        threshold=refiner.threshold,
    )
    return refiner(evidence.planes, wide[0]).float().unflatten(0, (-1, count))
