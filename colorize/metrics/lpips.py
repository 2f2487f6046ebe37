"""Measure the learned perceptual distance LPIPS, and find the weights of its network."""

from __future__ import annotations

import warnings

import torch
from jaxtyping import Float
from torch import Tensor, nn

from colorize.base.errors import UserError
from colorize.metrics.diverse import Better
from colorize.pretrained.frozen import CAFFE_MEAN
from colorize.pretrained.weights import Wanted

_WANTED = {
    net: Wanted(
        network=f"{name} (metric.lpips.net={net})",
        option="metric.lpips.weights",
        torchvision=entry,
        otherwise="leave the metric lpips out",
        part="features.",
    )
    for net, name, entry in (
        ("alex", "AlexNet", "AlexNet_Weights.IMAGENET1K_V1"),
        ("vgg", "VGG-16", "VGG16_Weights.IMAGENET1K_V1"),
        ("squeeze", "SqueezeNet 1.1", "SqueezeNet1_1_Weights.IMAGENET1K_V1"),
    )
}
_SMALLEST_SIDE = 32


def lpips(
    prediction: Float[Tensor, "b 3 h w"],
    truth: Float[Tensor, "b 3 h w"],
    *,
    network: nn.Module,
) -> Float[Tensor, " b"]:
    """Return the distance of each frame by ``network``, an ``lpips.LPIPS``; RGB in [0, 1].

    The only place that knows LPIPS's own range, [-1, 1]. The network runs in float32.

    Raises: ValueError when a side is shorter than 32 pixels.
    Source: Zhang et al. 2018, The Unreasonable Effectiveness of Deep Features, eq. 1.
    """
    height, width = truth.shape[-2:]
    if min(height, width) < _SMALLEST_SIDE:
        raise UserError(
            f"LPIPS: frames of {height}x{width} pixels are too small, at least "
            f"{_SMALLEST_SIDE}x{_SMALLEST_SIDE} are needed; evaluate at a larger size or leave the "
            "metric lpips out"
        )
    distance = network(2 * prediction.float() - 1, 2 * truth.float() - 1)
    return distance.double().flatten()


class Lpips(nn.Module):
    """LPIPS v0.1 per frame, by the package ``lpips`` and its trained heads.

    ``net`` is alex, vgg or squeeze. ``weights`` is "torchvision" (downloaded once, then cached) or
    a file, safetensors or a checkpoint of ``torch.save``, with the layout of torchvision's whole
    network or of its ``features``. A safetensors file whose metadata says ``input: BGR 0-255 ...``
    is fed Caffe's input. Whatever is not torchvision's own file is called "LPIPS-like" in ``name``,
    since the heads were trained on torchvision's.

    Raises: PretrainedWeightsError when the weights cannot be had or do not fit the network.
    """

    better: Better = "lower"
    digits: int = 4

    def __init__(self, *, net: str = "alex", weights: str = "torchvision") -> None:
        super().__init__()
        if net not in _WANTED:
            raise UserError(f"metric.lpips.net: expected one of {', '.join(_WANTED)}, got {net!r}")
        found = _WANTED[net].find(weights)
        origin = found.origin()
        own = origin == "torchvision"
        self.name = f"LPIPS ({net}) ↓" if own else f"LPIPS-like ({net}, {origin}) ↓"
        self.note = "" if own else "not comparable with LPIPS published elsewhere"
        self.network = _build_network(net)
        backbone = self.network.get_submodule("net").state_dict()
        # lpips names them slice2.3.weight, torchvision features.3.weight.
        names = {name.split(".", 1)[1]: tensor for name, tensor in backbone.items()}
        found.fill(names, bgr=found.caffe)
        if found.caffe:
            _scale_as_caffe(self.network.get_submodule("scaling_layer"))
        self.network.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> Lpips:
        """Stay in evaluation mode: the dropout in the heads would make the distance random."""
        return super().train(False)

    def forward(
        self, prediction: Float[Tensor, "b 3 h w"], truth: Float[Tensor, "b 3 h w"]
    ) -> Float[Tensor, " b"]:
        """Return the distance of each frame; see :func:`lpips`."""
        return lpips(prediction, truth, network=self.network)


def _build_network(net: str) -> nn.Module:
    """Return the package's network with its trained heads; the backbone is still to be filled."""
    import lpips as package  # it imports torchvision

    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        # lpips 0.1.4 calls torchvision by the old keyword `pretrained`.
        warnings.filterwarnings("ignore", message=r"The parameter 'pretrained' is deprecated")
        warnings.filterwarnings("ignore", message=r"Arguments other than a weight enum")
        return package.LPIPS(net=net, pnet_rand=True, verbose=False)


def _scale_as_caffe(scaling: nn.Module) -> None:
    """Turn LPIPS's input, RGB in [-1, 1], into Caffe's: 0...255 minus the mean."""
    mean = torch.tensor(CAFFE_MEAN)[None, :, None, None]
    scaling.shift, scaling.scale = mean / 127.5 - 1, torch.full_like(mean, 1 / 127.5)
