"""Measure the shift-tolerant perceptual distance ST-LPIPS, with the weights of its own package."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from colorize.base.errors import UserError
from colorize.metrics.diverse import Better
from colorize.pretrained.weights import PretrainedWeightsError

_PACKAGE, _FILE = "stlpips_pytorch", "weights/vST0.0/alex_shift_tolerant.pth"
_EXTRA = "pip install stlpips-pytorch==0.0.2, or leave the metric st_lpips out"
_SMALLEST_SIDE = 32
# Places of the convolutions in the package's list of layers, and where each tapped slice ends.
_SLICES = ((0, 3), (3, 7), (7, 11), (11, 13), (13, 15))
_TINY = 1e-10  # keeps the direction of an activation of zeros finite, as the package does


def st_lpips(
    prediction: Float[Tensor, "b 3 h w"],
    truth: Float[Tensor, "b 3 h w"],
    *,
    network: ShiftTolerantAlexNet,
) -> Float[Tensor, " b"]:
    """Return the distance of each frame by ``network``; RGB in [0, 1], computed in float32.

    It is the sum over the five taps of the mean over places of the weighted squared difference of
    the activations, each scaled to unit length.

    Raises: UserError when a side is shorter than 32 pixels.
    Source: Ghildyal and Liu 2022, Shift-tolerant Perceptual Similarity Metric, section 3.
    """
    height, width = truth.shape[-2:]
    if min(height, width) < _SMALLEST_SIDE:
        raise UserError(
            f"ST-LPIPS: frames of {height}x{width} pixels are too small, at least "
            f"{_SMALLEST_SIDE}x{_SMALLEST_SIDE} are needed; evaluate at a larger size or leave the "
            "metric st_lpips out"
        )
    pairs = zip(network(prediction.float()), network(truth.float()), network.heads, strict=True)
    distance = torch.stack(
        [
            functional.conv2d((_directed(own) - _directed(other)).square(), head).mean((1, 2, 3))
            for own, other, head in pairs
        ]
    ).sum(dim=0)
    return distance.double()


def _directed(activations: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    length = activations.square().sum(dim=1, keepdim=True).sqrt()
    return activations / (length + _TINY)


class Blur(nn.Module):
    """Halve activations after a binomial blur of 3 by 3, their edges mirrored by two pixels."""

    filter: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("filter", torch.zeros(channels, 1, 3, 3))

    def forward(self, planes: Float[Tensor, "b c _h _w"]) -> Float[Tensor, "b c h w"]:
        """Return the blurred planes at every second place."""
        padded = functional.pad(planes, (2, 2, 2, 2), mode="reflect")
        return functional.conv2d(padded, self.filter, stride=2, groups=planes.shape[1])


class ShiftTolerantAlexNet(nn.Module):
    """AlexNet that convolves at every pixel and blurs before it subsamples, and its trained heads.

    Source: Ghildyal and Liu 2022, section 3 (anti-aliased strided convolution, blur after pooling,
    reflected borders), as their package ``stlpips-pytorch`` 0.0.2 builds its ``shift_tolerant``
    network. Its modules import packages that it does not ask for; only its weights are used.
    """

    def __init__(self) -> None:
        super().__init__()
        # In the package's order, so that its names are the places here.
        self.layers = nn.ModuleList(
            [
                nn.Conv2d(3, 64, 11, padding=2), Blur(64), nn.ReLU(),
                nn.MaxPool2d(3, 1), Blur(64), nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(),
                nn.MaxPool2d(3, 1), Blur(192), nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
                nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
                nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(),
            ]
        )  # fmt: skip
        self.heads = nn.ParameterList(
            torch.zeros(1, channels, 1, 1) for channels in (64, 192, 384, 256, 256)
        )
        self.register_buffer("shift", torch.zeros(1, 3, 1, 1))
        self.register_buffer("scale", torch.ones(1, 3, 1, 1))

    shift: Tensor
    scale: Tensor

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor]) -> ShiftTolerantAlexNet:
        """Return the network with tensors by the package's names.

        Raises: PretrainedWeightsError when they are not those of this network.
        """
        network = cls()
        own = network.state_dict()
        names = _package_names()
        shapes = {names[name]: tuple(tensor.shape) for name, tensor in own.items()}
        found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
        if shapes != found:
            wrong = sorted(name for name in shapes | found if shapes.get(name) != found.get(name))
            raise PretrainedWeightsError(
                f"{_PACKAGE}: its file {_FILE} is not the network that this metric knows (first: "
                f"{wrong[0]} is {found.get(wrong[0], 'missing')}, expected "
                f"{shapes.get(wrong[0], 'none')}); {_EXTRA}"
            )
        network.load_state_dict({name: tensors[names[name]] for name in own})
        return network.requires_grad_(False).eval()

    def forward(self, rgb: Float[Tensor, "b 3 h w"]) -> list[Float[Tensor, "b _ _ _"]]:
        """Return the activations at the five taps of pictures in [0, 1]."""
        # LPIPS's own input range is [-1, 1].
        planes, taps = (2 * rgb - 1 - self.shift) / self.scale, []
        for start, stop in _SLICES:
            for place in range(start, stop):
                planes = self.layers[place](planes)
            taps.append(planes)
        return taps


def _package_names() -> dict[str, str]:
    """Return the package's name of every tensor, by its name here."""
    names = {"shift": "scaling_layer.shift", "scale": "scaling_layer.scale"}
    for number, (start, stop) in enumerate(_SLICES, start=1):
        names[f"heads.{number - 1}"] = f"lin{number - 1}.model.1.weight"
        for place in range(start, stop):
            for own, other in (("weight", "weight"), ("bias", "bias"), ("filter", "filt")):
                names[f"layers.{place}.{own}"] = f"net.slice{number}.{place}.{other}"
    return names


class StLpips(nn.Module):
    """ST-LPIPS (AlexNet) per frame, with the trained weights of the package ``stlpips-pytorch``.

    It hardly minds shifts by a pixel or two, which LPIPS does. The package is an optional extra
    (``pip install '.[st-lpips]'``); only its file of weights is read.

    Raises: PretrainedWeightsError when the package is absent, or its weights are damaged or others.
    """

    name = "ST-LPIPS (alex) ↓"
    better: Better = "lower"
    digits: int = 4
    note: str = ""

    def __init__(self) -> None:
        super().__init__()
        self.network = ShiftTolerantAlexNet.of(_weights())
        self.eval()

    def train(self, mode: bool = True) -> StLpips:
        """Stay in evaluation mode: the network is frozen."""
        return super().train(False)

    def forward(
        self, prediction: Float[Tensor, "b 3 h w"], truth: Float[Tensor, "b 3 h w"]
    ) -> Float[Tensor, " b"]:
        """Return the distance of each frame; see :func:`st_lpips`."""
        return st_lpips(prediction, truth, network=self.network)


def _weights() -> dict[str, Tensor]:
    """Return the tensors of the package's file."""
    try:
        file = resources.files(_PACKAGE).joinpath(_FILE)
        with resources.as_file(file) as path:
            return torch.load(path, map_location="cpu", weights_only=True)
    except ModuleNotFoundError as error:
        raise PretrainedWeightsError(
            f"metric st_lpips: the package stlpips-pytorch is not installed; {_EXTRA}"
        ) from error
    except Exception as error:  # whatever torch.load says of a damaged file
        raise PretrainedWeightsError(
            f"metric st_lpips: {_PACKAGE}/{_FILE} cannot be read ({type(error).__name__}); "
            "install stlpips-pytorch 0.0.2 anew, or leave the metric st_lpips out"
        ) from error
