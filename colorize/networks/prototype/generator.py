"""The generator f: from one gray frame, and what else it may see, to K colourings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from colorize.base.errors import UserError
from colorize.imaging.color import join, rgb_to_chroma
from colorize.networks.base import Inputs, Luma, Network, Painted
from colorize.networks.guided.references import References
from colorize.networks.prototype.inputs import planes_of
from colorize.networks.unet import Normalization, UNet, resize_bilinear
from colorize.pretrained.vgg19 import VGG19

Head = Literal["rgb", "chroma"]

_GRAY_CHANNELS = 3  # the gray frame enters VGG-19 and the hypercolumn three times, as in [L]


class Generator(Network):
    """Colour gray frames K times with a U-Net on the hypercolumn of a frozen VGG-19.

    ``features=None`` leaves the hypercolumn out: the U-Net sees the gray frame alone.
    ``head="rgb"`` predicts 3 planes per colouring ([L]), ``head="chroma"`` the planes (Cb, Cr),
    joined to the gray frame (ours). ``luma="keep"`` gives every colouring exactly the luma of the
    gray frame, which an RGB head loses with ``luma="free"`` ([L]); a chroma head always keeps it.

    ``inputs`` says what the network sees beside the gray frame; see
    :mod:`colorize.networks.prototype.inputs`.

    ``normalization`` is the U-Net's: ``"none"`` ([L]) or ``"batch"`` (ours).

    ``output_gain`` multiplies the initial weights of the last convolution; well below 1, a chroma
    head starts near gray and a short training wastes no steps (ours; [L] has 1).

    ``activation_scale`` divides the taps: ``None`` is ``features.unit``, 255 for Caffe's weights
    as in [L].

    Raises: ValueError for a choice that does not exist or contradicts another.
    Source: Lei & Chen 2019, section 3.1 and released code.
    """

    def __init__(
        self,
        *,
        features: VGG19 | None,
        outputs: int = 4,
        head: Head = "rgb",
        luma: Luma = "free",
        inputs: Inputs = "gray",
        channels: Sequence[int] = (32, 64, 128, 256, 512),
        normalization: Normalization = "none",
        output_gain: float = 1.0,
        activation_scale: float | None = None,
    ) -> None:
        super().__init__()
        check_choices(outputs, head, luma)
        self.outputs = outputs
        self.head = head
        self.luma = luma
        self.inputs = inputs
        extra = planes_of(inputs)
        first = None
        if features is not None:
            first = HypercolumnProjection(
                features=features,
                out_channels=channels[0],
                extra=extra,
                activation_scale=activation_scale,
            )
        planes = 3 if head == "rgb" else 2
        self.unet = UNet(
            in_channels=1 + extra,
            out_channels=planes * outputs,
            channels=channels,
            normalization=normalization,
            first=first,
        )
        with torch.no_grad():
            self.unet.output.weight.mul_(output_gain)

    def forward(
        self,
        gray: Float[Tensor, "b 1 h w"],
        references: References | None = None,
        *,
        extra: Float[Tensor, "b e h w"] | None = None,
    ) -> Painted:
        """Return K RGB colourings of ``gray`` in [0, 1]; they are not clipped.

        ``extra`` holds the planes that ``inputs`` asks for
        (:mod:`colorize.networks.prototype.recurrence` makes them).
        """
        assert references is None, "this network takes none"
        assert (0 if extra is None else extra.shape[1]) == planes_of(self.inputs)
        seen = gray if extra is None else torch.cat([gray, extra.to(gray.dtype)], dim=1)
        planes = rearrange(self.unet(seen), "b (k c) h w -> b k c h w", k=self.outputs)
        planes = planes.to(gray.dtype)  # autocast's bf16 would round the luma joined below
        if self.luma == "free":
            return Painted(planes)
        chroma = planes if self.head == "chroma" else rgb_to_chroma(planes)
        return Painted(join(gray.unsqueeze(1), chroma))


class HypercolumnProjection(nn.Module):
    """Project the hypercolumn of a gray frame by a 1x1 convolution, without ever building it.

    The hypercolumn is the gray frame, three times, and all taps of ``features`` resized
    bilinearly (``align_corners=False``) to the size of the frame: 1475 channels for [L]'s taps.
    ``extra`` planes that stand behind the gray frame are appended to it as they are.
    Bilinear resizing is linear and acts on each channel alone, so each tap is projected by its
    slice of the convolution before it is resized: the same result from a fraction of the work.

    Source: Lei & Chen 2019, section 3.1; Hariharan et al. 2015, section 3.2 (the shortcut).
    """

    def __init__(
        self,
        *,
        features: VGG19,
        out_channels: int,
        extra: int = 0,
        activation_scale: float | None = None,
    ) -> None:
        super().__init__()
        if activation_scale is not None and activation_scale <= 0:
            raise UserError(f"model.activation_scale is {activation_scale}: expected above 0")
        self.features = features
        self.activation_scale = activation_scale
        self.sizes = [_GRAY_CHANNELS, *features.channels.values(), extra]
        self.projection = nn.Conv2d(sum(self.sizes), out_channels, 1)

    @property
    def scale(self) -> float | Tensor:
        """What the taps are divided by."""
        return self.features.unit if self.activation_scale is None else self.activation_scale

    def forward(self, seen: Float[Tensor, "b _ h w"]) -> Float[Tensor, "b c h w"]:
        """Return the projected hypercolumn of the gray frame in [0, 1] and the planes behind it."""
        gray, extra = seen[:, :1], seen[:, 1:]
        repeated = gray.expand(-1, _GRAY_CHANNELS, -1, -1)
        gray_slice, *tap_slices, extra_slice = self.projection.weight.split(self.sizes, dim=1)
        total = functional.conv2d(repeated, gray_slice, self.projection.bias)
        if extra.shape[1]:
            total = total + functional.conv2d(extra, extra_slice)
        taps = self.features(repeated).values()
        for tap, weight in zip(taps, tap_slices, strict=True):
            projected = functional.conv2d(tap, weight / self.scale)
            total = total + resize_bilinear(projected, gray.shape[-2:])
        return total


def check_choices(outputs: int, head: str, luma: str) -> None:
    """Refuse choices that do not exist or contradict each other.

    Raises: ValueError naming the option.
    """
    if outputs < 1:
        raise UserError(f"model.outputs is {outputs}: expected 1 or more")
    if head not in ("rgb", "chroma"):
        raise UserError(f"model.head is {head!r}: expected rgb or chroma")
    if luma not in ("free", "keep"):
        raise UserError(f"model.luma is {luma!r}: expected free or keep")
    if head == "chroma" and luma == "free":
        raise UserError("model.luma is 'free', but model.head=chroma needs model.luma=keep")
