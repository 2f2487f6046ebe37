"""Measure the learned perceptual distance LPIPS, and find the weights of its network."""

from __future__ import annotations

import hashlib
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path

import lpips as package
import torch
import torchvision
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from colorize.base.errors import UserError
from colorize.metrics.diverse import Better
from colorize.pretrained.downloads import download

_WEIGHTS = {
    "alex": torchvision.models.AlexNet_Weights.IMAGENET1K_V1,
    "vgg": torchvision.models.VGG16_Weights.IMAGENET1K_V1,
    "squeeze": torchvision.models.SqueezeNet1_1_Weights.IMAGENET1K_V1,
}
_REMEDY = (
    "set metric.lpips.weights to a file of the network's weights (for metric.lpips.net={net}), "
    "or leave the metric lpips out"
)
_CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)
_SMALLEST_SIDE = 32
_UNREADABLE = (OSError, RuntimeError, EOFError, pickle.UnpicklingError, SafetensorError)


class LpipsWeightsError(UserError):
    """The network's weights are missing or do not fit; one line that names the remedy."""


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

    Raises: LpipsWeightsError when the weights cannot be had or do not fit the network.
    """

    better: Better = "lower"
    digits: int = 4

    def __init__(self, *, net: str = "alex", weights: str = "torchvision") -> None:
        super().__init__()
        if net not in _WEIGHTS:
            raise UserError(f"metric.lpips.net: expected one of {', '.join(_WEIGHTS)}, got {net!r}")
        state, label, caffe = _load_weights(net, weights)
        self.name = f"{label} ↓"
        self.note = (
            "" if label == f"LPIPS ({net})" else "not comparable with LPIPS published elsewhere"
        )
        self.network = _build_network(net)
        _load_backbone(self.network.get_submodule("net"), state, net=net, source=weights)
        if caffe:
            self.network.scaling_layer = _CaffeScaling()
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


class _CaffeScaling(nn.Module):
    """Turn LPIPS's input, RGB in [-1, 1], into Caffe's: BGR in 0...255 minus the mean."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        mean = torch.tensor(_CAFFE_MEAN_BGR)[None, :, None, None]
        self.register_buffer("mean", mean, persistent=False)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        return 127.5 * (image.flip(1) + 1) - self.mean


def _build_network(net: str) -> nn.Module:
    """Return the package's network with its trained heads; the backbone is still to be loaded."""
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        # lpips 0.1.4 calls torchvision by the old keyword `pretrained`.
        warnings.filterwarnings("ignore", message=r"The parameter 'pretrained' is deprecated")
        warnings.filterwarnings("ignore", message=r"Arguments other than a weight enum")
        return package.LPIPS(net=net, pnet_rand=True, verbose=False)


def _load_backbone(
    backbone: nn.Module, state: Mapping[str, Tensor], *, net: str, source: str
) -> None:
    """Copy torchvision-named weights into the slices of lpips, and let nothing be missing."""
    # lpips names them slice2.3.weight, torchvision features.3.weight.
    names = {name.split(".", 1)[1]: name for name in backbone.state_dict()}
    missing = sorted(set(names) - set(state))
    if missing:
        raise LpipsWeightsError(
            f"{source}: not the weights of {net}, {len(missing)} of {len(names)} tensors are "
            f"missing (first: features.{missing[0]}); {_REMEDY.format(net=net)}"
        )
    try:
        backbone.load_state_dict({names[key]: state[key] for key in names})
    except RuntimeError as error:
        raise LpipsWeightsError(
            f"{source}: a tensor's shape does not fit {net}; {_REMEDY.format(net=net)}"
        ) from error


def _load_weights(net: str, weights: str) -> tuple[dict[str, Tensor], str, bool]:
    """Return the backbone's tensors, the metric's label, and whether it takes Caffe's input."""
    if weights == "torchvision":
        return _features(_download(net)), f"LPIPS ({net})", False
    path = Path(weights)
    if not path.is_file():
        raise LpipsWeightsError(f"{path}: no such file of LPIPS weights; {_REMEDY.format(net=net)}")
    state, description = _read(path, net)
    if description.startswith("BGR 0-255"):
        return _features(state), f"LPIPS-like ({net}, Caffe weights)", True
    if description:
        raise LpipsWeightsError(
            f"{path}: its metadata asks for an unknown input {description!r}, expected none "
            f"(torchvision's) or 'BGR 0-255 ...' (Caffe's); {_REMEDY.format(net=net)}"
        )
    # torchvision's file names end in the first eight digits of the file's SHA-256.
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if _WEIGHTS[net].url.endswith(f"-{digest[:8]}.pth"):
        return _features(state), f"LPIPS ({net})", False
    return _features(state), f"LPIPS-like ({net}, {path.name})", False


def _read(path: Path, net: str) -> tuple[dict[str, Tensor], str]:
    """Return the tensors of a file and what its metadata says of the input, or ""."""
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                description = (file.metadata() or {}).get("input", "")
                return {key: file.get_tensor(key) for key in file.keys()}, description  # noqa: SIM118
        return torch.load(path, map_location="cpu", weights_only=True), ""
    except _UNREADABLE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise LpipsWeightsError(
            f"{path}: not a readable weights file ({reason}); {_REMEDY.format(net=net)}"
        ) from error


def _features(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the ``features`` of a whole network's state, or the state if it holds nothing else."""
    prefix = "features."
    if any(key.startswith(prefix) for key in state):
        return {key[len(prefix) :]: state[key] for key in state if key.startswith(prefix)}
    return dict(state)


def _download(net: str) -> dict[str, Tensor]:
    """Return torchvision's weights, from its cache or by download."""
    return download(
        _WEIGHTS[net],
        option="metric.lpips.weights",
        remedy=_REMEDY.format(net=net),
        error=LpipsWeightsError,
    )
