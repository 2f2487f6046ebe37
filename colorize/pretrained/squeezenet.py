"""Give activations of a frozen SqueezeNet at three depths: what frames are matched by."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torchvision.models import SqueezeNet1_1_Weights, squeezenet1_1

from colorize.base.errors import UserError
from colorize.pretrained.downloads import download

# The last fire modules at strides 4, 8 and 16, as indices of torchvision's ``features``.
_TAPS = (4, 7, 12)
_CAFFE_MEAN = (123.68, 116.779, 103.939)  # of R, G, B in 0...255
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_REMEDY = "set model.features.weights to a file of SqueezeNet 1.1 weights"


class SqueezeNetWeightsError(UserError):
    """SqueezeNet weights that are missing or do not fit; one line that names the remedy."""


class SqueezeNet(nn.Module):
    """Frozen SqueezeNet 1.1 that returns activations at strides 4, 8 and 16.

    Its attribute ``channels`` is (128, 256, 512). ``weights`` is one of

    - ``torchvision``: torchvision's ImageNet weights, downloaded once, then cached;
    - a path to a ``.safetensors`` file in the layout of torchvision's network or its ``features``;
      one whose metadata says ``input: BGR 0-255 …`` is fed Caffe's input;
    - ``checkpoint``: the weights are part of the checkpoint about to be loaded;
    - ``random``: for tests only, and ``label`` says so.

    Input scaling is part of the state, so that a checkpoint describes it.

    Raises: SqueezeNetWeightsError (a ValueError) for missing, damaged or unsuitable weights.
    Source: Iandola et al. 2016, version 1.1 of the released code.
    Differs: the first convolution is padded by the edge of the frame, so that activations lie where
    their pixels do.
    """

    scale: Tensor
    shift: Tensor
    channels = (128, 256, 512)
    strides = (4, 8, 16)

    def __init__(self, *, weights: str | Path) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[], enabled=str(weights) != "random"):
            self.layers = squeezenet1_1(weights=None).features
        caffe, self.label = self._fill(str(weights))
        mean = _CAFFE_MEAN if caffe else tuple(255 * value for value in _IMAGENET_MEAN)
        scale = (255.0,) * 3 if caffe else tuple(1 / value for value in _IMAGENET_STD)
        shift = mean if caffe else tuple(m / 255 * s for m, s in zip(mean, scale, strict=True))
        self.register_buffer("scale", torch.tensor(scale)[:, None, None])
        self.register_buffer("shift", torch.tensor(shift)[:, None, None])
        self.ready = str(weights) != "checkpoint"
        self.register_load_state_dict_post_hook(_mark_ready)
        self.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> SqueezeNet:
        """Stay in evaluation mode: the network is frozen."""
        return super().train(False)

    def forward(self, gray: Float[Tensor, "b 1 h w"]) -> list[Float[Tensor, "b _c _h _w"]]:
        """Return the activations of gray frames in [0, 1] at strides 4, 8 and 16.

        Raises: RuntimeError when the weights were to come from a checkpoint that was not loaded.
        """
        if not self.ready:
            raise RuntimeError("SqueezeNet(weights='checkpoint') is used before one was loaded")
        seen = gray.expand(-1, 3, -1, -1) * self.scale - self.shift
        activation = nn.functional.pad(seen, (1, 1, 1, 1), mode="replicate")
        taps = []
        for index, layer in enumerate(self.layers):
            activation = layer(activation)
            if index in _TAPS:
                taps.append(activation)
        return taps

    def _fill(self, weights: str) -> tuple[bool, str]:
        """Fill the layers; return whether they take Caffe's input, and the label of logs."""
        if weights == "checkpoint":
            return True, "SqueezeNet 1.1 (from the checkpoint)"
        if weights == "random":
            return True, "random SqueezeNet"
        if weights == "torchvision":
            state: Mapping[str, Tensor] = download(
                SqueezeNet1_1_Weights.IMAGENET1K_V1,
                option="model.features.weights",
                remedy=_REMEDY,
                error=SqueezeNetWeightsError,
            )
            description = ""
        else:
            state, description = _read(Path(weights).expanduser())
        named = {name.removeprefix("features."): tensor for name, tensor in state.items()}
        wanted = self.layers.state_dict()
        wrong = [
            name
            for name, tensor in wanted.items()
            if name not in named or named[name].shape != tensor.shape
        ]
        if wrong:
            raise SqueezeNetWeightsError(
                f"{weights}: not the weights of SqueezeNet 1.1, {len(wrong)} of {len(wanted)} "
                f"tensors are missing or of another shape (first: {wrong[0]}); {_REMEDY}"
            )
        caffe = description.startswith("BGR 0-255")
        # Caffe's networks read BGR; gray frames are the same in either order.
        self.layers.load_state_dict({name: named[name] for name in wanted})
        if caffe:
            with torch.no_grad():
                self.layers[0].weight.copy_(named["0.weight"].flip(1))
        return caffe, f"SqueezeNet 1.1 ({'Caffe' if caffe else 'torchvision'})"


def _mark_ready(network: nn.Module, incompatible: object) -> None:
    network.ready = True  # type: ignore[assignment]


def _read(path: Path) -> tuple[dict[str, Tensor], str]:
    """Return the tensors of a file and what its metadata says of the input, or ""."""
    if not path.is_file():
        raise SqueezeNetWeightsError(f"{path}: no such file; {_REMEDY}")
    try:
        with safe_open(path, framework="pt") as file:
            description = (file.metadata() or {}).get("input", "")
            return {key: file.get_tensor(key) for key in file.keys()}, description  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise SqueezeNetWeightsError(
            f"{path}: not a readable safetensors file ({error}); {_REMEDY}"
        ) from error
