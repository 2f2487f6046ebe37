"""Colorize gray frames with a trained checkpoint; needs neither Hydra nor Lightning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from colorize.base.errors import UserError
from colorize.imaging import color
from colorize.imaging.upsampling import upsample_chroma
from colorize.inference.checkpoints import Checkpoint, build_networks, load_checkpoint
from colorize.motion.estimators import FlowEstimator, build_flow_estimator, reference_flow
from colorize.motion.propagation import Tracked
from colorize.networks.base import Luma
from colorize.networks.guided.network import GuidedNetwork, References
from colorize.networks.guided.references import ReferenceSet, bind, likeness, look_at
from colorize.networks.prototype.recurrence import State, color_frames, is_sequential
from colorize.networks.prototype.refiner import Refiner
from colorize.pretrained.weights import PretrainedWeightsError

Device = str


class Colorizer:
    """A trained generator, and refiner where there is one: gray frames of any size to K colourings.

    Frames are coloured at a working size and joined to the original luma at full size: the short
    side is scaled to ``short_side`` pixels (default: the short side of the training size).
    ``flow_weights`` replaces the file of RAFT's weights that the checkpoint names.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        device: Device = "auto",
        short_side: int | None = None,
        flow_weights: str | None = None,
    ):
        self.checkpoint = checkpoint
        self.device = choose_device(device)
        self.short_side = short_side or min(checkpoint.size)
        model, refiner = build_networks(checkpoint)
        self.model = model.to(self.device).to(memory_format=torch.channels_last)
        self.refiner: Refiner | None = None
        self.flow: FlowEstimator | None = None
        if refiner is not None:
            self.refiner = refiner.to(self.device).to(memory_format=torch.channels_last)
            flow = refiner_flow(refiner, weights=flow_weights)
            self.flow = flow.to(self.device) if isinstance(flow, nn.Module) else flow

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        device: Device = "auto",
        short_side: int | None = None,
        flow_weights: str | None = None,
    ) -> Colorizer:
        """Load a checkpoint file.

        Raises:
            CheckpointError: The file is missing, damaged, or not a colorization checkpoint.
        """
        return cls(
            load_checkpoint(path), device=device, short_side=short_side, flow_weights=flow_weights
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
        """Whether the model can be shown coloured reference frames."""
        return isinstance(self.model, GuidedNetwork)

    def look_at(
        self, pictures: Sequence[Float[Tensor, "1 3 _h _w"]], *, size: tuple[int, int]
    ) -> ReferenceSet:
        """Prepare reference frames, RGB in [0, 1], for frames of the working ``size``.

        Raises:
            ValueError: The model takes no references.
        """
        if not isinstance(self.model, GuidedNetwork):
            raise UserError(
                f"{self.checkpoint.path}: this model takes no references; leave --reference out, "
                "or train one with model=guided"
            )
        return look_at(self.model, pictures, size=size)

    def likeness(
        self, gray: Float[Tensor, "1 1 h w"], references: ReferenceSet
    ) -> Float[Tensor, " r"]:
        """Return how much of a frame at the working size each reference shows, 0 to 1."""
        assert isinstance(self.model, GuidedNetwork)
        return likeness(self.model, gray, references)

    def check_variant(self, variant: int) -> None:
        """Refuse a variant that this model does not have.

        Raises:
            ValueError: ``variant`` is not in 0 … K-1.
        """
        if not 0 <= variant < self.outputs:
            raise UserError(f"variant is {variant}: this model has 0 to {self.outputs - 1}")

    def stream(
        self,
        *,
        refine: bool | None = None,
        variant: int | None = None,
        references: ReferenceSet | None = None,
        fast: bool = False,
    ) -> Stream:
        """Return what colours the frames of a shot in order.

        ``refine=False`` leaves the refiner out; ``None`` takes it where there is one. ``variant``
        colours one of the K outputs alone. ``references`` (:meth:`look_at`) show the colours.
        ``fast`` computes in bfloat16, which is faster on GPUs and on CPUs that have instructions
        for it (AVX-512 BF16, AMX), and slower on others.

        Raises:
            ValueError: ``refine=True`` without a refiner, or a variant that there is not.
        """
        if refine and self.refiner is None:
            raise UserError(
                f"{self.checkpoint.path}: holds no refinement network; leave refine=true out"
            )
        if variant is not None:
            self.check_variant(variant)
        return Stream(
            self,
            refined=refine is not False,
            variant=variant,
            references=references,
            fast=fast,
        )

    @torch.inference_mode()
    def variants(self, gray: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b k 3 h w"]:
        """Return all K colourings in [0, 1] of single frames, as if each were a shot of its own.

        A model that keeps the luma has its chroma joined to ``gray``; one that predicts RGB freely
        has the luma of its own ([L], for measuring).
        """
        small = self.small(gray).unsqueeze(1)
        return enlarge(color_frames(self.model, small).shown[:, 0], gray, luma=self.model.luma)

    @torch.inference_mode()
    def __call__(
        self, gray: Float[Tensor, "b 1 h w"], *, variant: int = 0
    ) -> Float[Tensor, "b 3 h w"]:
        """Return colouring ``variant`` (0 … K-1) of single frames, their luma equal to ``gray``."""
        small = self.small(gray).unsqueeze(1)
        outputs = color_frames(self.model, small, variant=variant).shown[:, 0]
        return enlarge(outputs, gray, luma="keep")[:, 0]

    def small(self, gray: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b 1 _h _w"]:
        """Return frames at the working size, on the device of the network."""
        return resize(gray.to(self.device), working_size(gray.shape[-2:], self.short_side))


class Stream:
    """Colour the frames of one shot after another, each part of a shot going on from the last."""

    def __init__(
        self,
        colorizer: Colorizer,
        *,
        refined: bool,
        variant: int | None,
        references: ReferenceSet | None = None,
        fast: bool = False,
    ) -> None:
        self.colorizer = colorizer
        self.fast = fast
        self.references = references
        self.reference_flow = reference_flow()
        self.refiner = colorizer.refiner if refined else None
        self.variant = variant
        self._state: State | None = None

    @property
    def sequential(self) -> bool:
        """Whether a frame's colours depend on the frame before it."""
        return is_sequential(self.colorizer.model, self.refiner)

    def reset(self) -> None:
        """Forget the frames so far: the next one starts a shot."""
        self._state = None

    @property
    def state(self) -> State | None:
        """What the next frame of the shot goes on from; None at its start."""
        return self._state

    @state.setter
    def state(self, state: State | None) -> None:
        self._state = state

    @torch.inference_mode()
    def __call__(
        self,
        gray: Float[Tensor, "t 1 h w"],
        *,
        keep_luma: bool = False,
        tracked: Tracked | None = None,
    ) -> Float[Tensor, "t k 3 h w"]:
        """Return the colourings in [0, 1] of the next t frames of the shot.

        ``keep_luma`` gives also a model that predicts RGB freely the luma of ``gray``. Frames of
        another size start a shot. ``tracked`` as in :meth:`working`.
        """
        shown = self.working(self.colorizer.small(gray), tracked=tracked)
        own = self.colorizer.model.luma if self.refiner is None else self.refiner.luma
        return enlarge(shown, gray, luma="keep" if keep_luma else own)

    @torch.inference_mode()
    def working(
        self, small: Float[Tensor, "t 1 h w"], *, tracked: Tracked | None = None
    ) -> Float[Tensor, "t k 3 h w"]:
        """Return the colourings of the next t frames at the working size, not clipped.

        ``small`` are frames of that size on the network's device (:meth:`Colorizer.small`),
        ``tracked`` their tracks to the references, if they were followed.
        """
        if self._state is not None and self._state.gray.shape[-2:] != small.shape[-2:]:
            self.reset()
        references = self._bound(small, tracked)
        with torch.autocast(small.device.type, dtype=torch.bfloat16, enabled=self.fast):
            colored = color_frames(
                self.colorizer.model,
                small.unsqueeze(0),
                self._state,
                references=references,
                refiner=self.refiner,
                flow=self.colorizer.flow,
                variant=self.variant,
            )
        self._state = colored.state
        return colored.shown[0]

    def _bound(self, small: Float[Tensor, "t 1 h w"], tracked: Tracked | None) -> References | None:
        """Return the references of frames at the working size."""
        if self.references is None or len(self.references.gray) == 0:
            return None
        return bind(self.references, small, flow=self.reference_flow, tracked=tracked)


def enlarge(
    outputs: Float[Tensor, "b k 3 _h _w"], gray: Float[Tensor, "b 1 h w"], *, luma: Luma
) -> Float[Tensor, "b k 3 h w"]:
    """Bring colours of the working size to the frames' own size, in [0, 1].

    ``luma="keep"``: the chroma follows the edges of ``gray`` and is joined to it; ``"free"``: RGB
    is resized bilinearly.
    """
    gray = gray.to(outputs.device)
    if luma == "free":
        full = resize(outputs.flatten(0, 1), gray.shape[-2:])
        return full.unflatten(0, outputs.shape[:2]).clamp(0, 1)
    planes = rearrange(color.rgb_to_chroma(outputs), "b k c h w -> b (k c) h w")
    chroma = rearrange(upsample_chroma(planes, gray), "b (k c) h w -> b k c h w", c=2)
    return color.join_in_gamut(gray.unsqueeze(1), chroma)


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


def working_size(size: Sequence[int], short_side: int) -> tuple[int, int]:
    """Return ``size`` scaled so that its short side is ``short_side``; never enlarged."""
    height, width = size
    scale = min(1.0, short_side / min(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def resize(images: Float[Tensor, "b c _h _w"], size: Sequence[int]) -> Float[Tensor, "b c h w"]:
    """Resize bilinearly, with a filter as wide as the reduction when shrinking."""
    if tuple(images.shape[-2:]) == tuple(size):
        return images
    return functional.interpolate(images, size=tuple(size), mode="bilinear", antialias=True)


def choose_device(name: Device) -> torch.device:
    """Return the device called ``name``; ``auto`` is CUDA where there is one, else the CPU.

    Raises:
        ValueError: No such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f"--device is {name!r}: expected auto, cpu, cuda or cuda:N") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UserError(f"--device is {name!r}, but PyTorch sees no CUDA device; try --device cpu")
    return device
