"""Networks ready to colour: on their device, with the size that they work at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from colorize.base.devices import choose_device
from colorize.base.errors import UserError
from colorize.imaging.color import rgb_to_chroma, rgb_to_luma
from colorize.imaging.geometry import fit, resize, working_size
from colorize.imaging.hints import spread_hints
from colorize.imaging.paper import paper
from colorize.imaging.tensors import to_tensor
from colorize.inference.checkpoints import Checkpoint, build_networks, load_checkpoint
from colorize.inference.shipped import resolve
from colorize.media import Frame
from colorize.media.frame import opacity
from colorize.motion.estimators import FlowEstimator, build_flow_estimator
from colorize.networks.base import Network
from colorize.networks.guided.network import GuidedNetwork
from colorize.networks.guided.references import References
from colorize.networks.prototype.recurrence import is_sequential
from colorize.networks.prototype.refiner import Refiner
from colorize.pretrained.weights import PretrainedWeightsError

Loaded = TypeVar("Loaded", bound="LoadedNetworks")
_DOT = 0.003  # of a frame: parts that are smaller on the mean are dots
_TRUST = 0.25  # in what the network says by one fill, of what it says of itself
_SPREAD = 0.1  # error of chroma that is expected of networks that do not tell it


class Unhinted(NamedTuple):
    """A frame as it is painted without its hints: its chroma, and the error expected of it."""

    chroma: Float[Tensor, "1 2 h w"]
    spread: Float[Tensor, "1 1 h w"]


class Completed(NamedTuple):
    """A frame of which hints showed parts, in all its colours, and how unsure these are.

    ``unsure`` is the error of chroma that is expected: 0 where hints are, less where they reach.
    """

    references: References
    unsure: Float[Tensor, "1 1 h w"]


class LoadedNetworks:
    """A generator, and a refiner where there is one, on a device.

    Frames are coloured at a working size and joined to the original luma at full size: the short
    side is scaled to ``short_side`` pixels. ``flow`` is the estimator that the refiner is used
    with, ``checkpoint`` what they were loaded from.
    """

    def __init__(
        self,
        model: Network,
        refiner: Refiner | None = None,
        *,
        short_side: int,
        device: str | torch.device = "auto",
        flow: FlowEstimator | None = None,
        checkpoint: Checkpoint | None = None,
    ):
        self.device = choose_device(device) if isinstance(device, str) else device
        self.short_side = short_side
        self.checkpoint = checkpoint
        self.model = model.to(self.device).to(memory_format=torch.channels_last)
        self.refiner: Refiner | None = None
        self.flow: FlowEstimator | None = None
        if refiner is not None:
            self.refiner = refiner.to(self.device).to(memory_format=torch.channels_last)
            assert flow is not None, "a refiner warps by flow"
            self.flow = flow.to(self.device) if isinstance(flow, nn.Module) else flow

    @classmethod
    def load(
        cls: type[Loaded],
        path: str | Path = "default",
        *,
        device: str = "auto",
        short_side: int | None = None,
        flow_weights: str | None = None,
    ) -> Loaded:
        """Load a checkpoint file, or weights that come with this package by their name.

        ``short_side`` None is that of the training. ``flow_weights`` replaces the file of RAFT's
        weights that the refiner names.

        Raises:
            CheckpointError: The file is missing, damaged, or not a colorization checkpoint.
        """
        checkpoint = load_checkpoint(resolve(path))
        model, refiner = build_networks(checkpoint)
        return cls(
            model,
            refiner,
            short_side=short_side or min(checkpoint.size),
            device=device,
            flow=None if refiner is None else refiner_flow(refiner, weights=flow_weights),
            checkpoint=checkpoint,
        )

    @property
    def outputs(self) -> int:
        """K, the number of different colourings."""
        return self.model.outputs

    @property
    def sequential(self) -> bool:
        """Whether a frame's colours depend on the frame before it: a shot must go in order."""
        return is_sequential(self.model, self.refiner)

    @property
    def takes_references(self) -> bool:
        """Whether the model can be shown coloured references."""
        return "references" in self.model.takes

    @property
    def tells_spread(self) -> bool:
        """Whether the model says what errors it expects of its colours."""
        return isinstance(self.model, GuidedNetwork) and self.model.tells_spread

    def check_variant(self, variant: int) -> None:
        """Refuse a variant that this model does not have.

        Raises:
            UserError: ``variant`` is not in 0 … K-1.
        """
        if not 0 <= variant < self.outputs:
            raise UserError(f"variant is {variant}: this model has 0 to {self.outputs - 1}")

    def small(self, gray: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b 1 _h _w"]:
        """Return frames at the working size, on the device of the networks."""
        return resize(gray.to(self.device), working_size(gray.shape[-2:], self.short_side))

    @torch.inference_mode()
    def look_at(
        self,
        pictures: Sequence[Frame],
        *,
        size: tuple[int, int],
        numbers: Sequence[int | None] | None = None,
        drawings: Sequence[Frame | None] | None = None,
    ) -> References:
        """Prepare coloured pictures as the references of a frame worked at ``size``.

        ``numbers`` are those of the frames that they show, None for other pictures. What is
        transparent in a picture shows nothing; the drawing there is that of ``drawings``, the
        frames themselves in black and white, None where there is none. Neither does the white paper
        around the figures of a picture that is no frame.

        Raises:
            UserError: The model takes no references.
        """
        guided = self._guided()
        luma, chroma, keys, masks = [], [], [], []
        nothing: list[Any] = [None] * len(pictures)
        for picture, drawing, number in zip(
            pictures, drawings or nothing, numbers or nothing, strict=True
        ):
            rgb, mask = opaque_colors(picture, lambda planes: fit(planes.to(self.device), size))
            if mask is None and drawing is None and number is None:
                mask = _off_paper(rgb)
            luma.append(rgb_to_luma(rgb))
            if mask is not None and drawing is not None:
                own = torch.from_numpy(drawing.gray())[None, None]
                luma[-1] = (resize if number is not None else fit)(own.to(self.device), size)
            chroma.append(rgb_to_chroma(rgb))
            keys.append(guided.keys(luma[-1]))
            masks.append(mask)
        shown = None
        if any(mask is not None for mask in masks):
            shown = torch.cat(
                [
                    torch.ones_like(plane) if mask is None else mask
                    for mask, plane in zip(masks, luma, strict=True)
                ]
            )
        references = References.of(torch.cat(luma), torch.cat(chroma), mask=shown, frame=numbers)
        return references.with_keys(torch.cat(keys))

    @torch.inference_mode()
    def complete(
        self,
        hints: References,
        others: Sequence[References] = (),
        *,
        without: Callable[[], Unhinted] | None = None,
    ) -> Completed:
        """Return a frame of which ``hints`` show parts as a reference in all its colours.

        The network paints it by the hints and by ``others``; where hints are fills, not dots, also
        ``without`` them (None: :meth:`without_hints`). Each of the two counts by the error that it
        expects, the first one the more the more separate fills there are, so that a coat that is
        painted first does not colour the wall behind it. Then the hints are spread to the next
        lines, as far as that is not sure (:func:`colorize.imaging.hints.spread_hints`). What they
        show stays.
        """
        steps = self._guided().paint(hints.luma[0], References.joined([hints, *others]))
        painted, spread = steps.chroma, steps.spread
        if spread is None:
            spread = torch.full_like(steps.trust, _SPREAD)
        elif (fills := _fills(hints.shown[0, 0, 0])) > 0:
            alone = without() if without else self.without_hints(hints, others)
            # What the network says by a single fill is hardly more than what that is; many together
            # tell it what it sees.
            precision, other = _TRUST * fills * spread**-2, alone.spread**-2
            share = precision / (precision + other)
            painted = share * painted + (1 - share) * alone.chroma
            spread = (share * spread**2 + (1 - share) * alone.spread**2).sqrt()
        luma, chroma, shown, prior, unsure = (
            np.ascontiguousarray(planes.float().permute(1, 2, 0).cpu().numpy())
            for planes in (
                hints.luma[0, 0], hints.chroma[0, 0], hints.shown[0, 0], painted[0], spread[0]
            )
        )  # fmt: skip
        # The third channel is the share that hints have in each pixel.
        spreading = spread_hints(
            luma[..., 0],
            np.concatenate([chroma, np.ones_like(unsure)], axis=2),
            shown[..., 0] > 0.5,
            prior=np.concatenate([prior, np.zeros_like(unsure)], axis=2),
            spread=unsure[..., 0],
        )
        planes = torch.from_numpy(spreading).permute(2, 0, 1)[None].to(hints.chroma)
        finished = replace(hints, chroma=planes[:, None, :2], mask=None)
        return Completed(finished, spread.to(planes) * (1 - planes[:, 2:].clamp(0, 1)))

    @torch.inference_mode()
    def without_hints(self, hints: References, others: Sequence[References] = ()) -> Unhinted:
        """Return how a frame is painted by others than its hints: see :meth:`complete`."""
        return self._guess(hints.luma[0], References.joined(others) if others else None)

    @torch.inference_mode()
    def unsure(
        self, gray: Float[Tensor, "1 1 h w"], references: References | None
    ) -> Float[Tensor, "1 1 h w"]:
        """Return the error of chroma that is expected of a frame at the working size.

        Raises:
            UserError: The model takes no references.
        """
        return self._guess(gray.to(self.device), references).spread

    def _guess(self, gray: Float[Tensor, "1 1 h w"], references: References | None) -> Unhinted:
        """Return a frame as it is painted by references, with the error expected of that."""
        steps = self._guided().paint(gray, references)
        spread = torch.full_like(steps.trust, _SPREAD) if steps.spread is None else steps.spread
        return Unhinted(steps.chroma, spread)

    @torch.inference_mode()
    def places(self, gray: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b d p q"]:
        """Return how frames in [0, 1] look, place by place, to the network's frozen features.

        They are unit vectors on a grid of a quarter of the size, that of frames padded to the right
        and below to a multiple of 16.

        Raises:
            UserError: The model takes no references.
        """
        return self._guided().places(gray.to(self.device))

    @torch.inference_mode()
    def likeness(self, gray: Float[Tensor, "1 1 h w"], references: References) -> list[float]:
        """Return how much of a frame at the working size each reference shows, 0 to 1.

        It is the mean over the frame's places of the best match's cosine.
        """
        guided = self._guided()
        keys = guided.keys(gray)
        return [
            float(guided.likeness(keys, references.picked([column])))
            for column in range(references.total)
        ]

    def _guided(self) -> GuidedNetwork:
        if not isinstance(self.model, GuidedNetwork):
            named = f"{self.checkpoint.path}: " if self.checkpoint else ""
            raise UserError(
                f"{named}this model takes no references; leave --reference out, or train one with "
                "model=guided"
            )
        return self.model


def _fills(shown: Float[Tensor, "h w"]) -> int:
    """Return how many separate parts of a frame are shown; 0 if they are dots, not fills."""
    plane = (shown > 0.5).to(torch.uint8).cpu().numpy()
    count = cv2.connectedComponents(plane, connectivity=8)[0] - 1
    return count if plane.mean() > count * _DOT else 0


def opaque_colors(
    picture: Frame, scaled: Callable[[Tensor], Tensor]
) -> tuple[Float[Tensor, "1 3 h w"], Float[Tensor, "1 1 h w"] | None]:
    """Return a picture in [0, 1] as ``scaled`` resizes it, and how opaque it is (None: wholly).

    What a file holds under full transparency is arbitrary: nothing of it is mixed into what is
    opaque beside it, and white stands in its place.
    """
    rgb, mask = to_tensor(picture.rgb[None]), opacity(picture)
    if mask is None:
        return scaled(rgb), None
    shown = torch.from_numpy(mask)[None, None]
    weights = scaled(shown)
    colors = (scaled(rgb * shown) / weights.clamp_min(1e-6)).clamp(0, 1)
    return torch.where(weights > 0, colors, 1.0), weights


def _off_paper(rgb: Float[Tensor, "1 3 h w"]) -> Float[Tensor, "1 1 h w"] | None:
    """Return what of a picture is not the paper of a sheet, None where it is no sheet."""
    found = paper(np.ascontiguousarray(rgb[0].permute(1, 2, 0).cpu().numpy()))
    return None if found is None else torch.from_numpy(~found)[None, None].to(rgb)


def refiner_flow(refiner: Refiner, *, weights: str | None = None) -> FlowEstimator:
    """Return the estimator of flow between gray frames that a refiner is used with.

    Raises:
        PretrainedWeightsError: RAFT's weights are not where the refiner, or ``weights``, says.
    """
    try:
        return build_flow_estimator(
            method=refiner.flow_method, weights=weights or refiner.flow_weights, input="gray"
        )
    except PretrainedWeightsError as error:
        raise PretrainedWeightsError(
            f"the refinement network uses the flow {refiner.flow_method}: {error}; or pass "
            "--flow-weights FILE to colorize, or leave it out with --no-refine (refine=false)"
        ) from error
