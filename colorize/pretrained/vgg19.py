"""Give activations of a frozen VGG-19, and find the network's weights."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import VGG19_Weights

from colorize.base.errors import UserError
from colorize.pretrained.downloads import download

Convention = Literal["caffe", "normalised", "torchvision"]

# Convolutions and width of each block; a pooling stands between two blocks (Simonyan & Zisserman
# 2015, table 1, column E).
_BLOCKS = ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512))
_CAFFE_MEAN = (123.68, 116.779, 103.939)  # of R, G, B in 0...255
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_REMEDY = "set features.weights to a file of VGG-19 weights, or choose features=none"


class FeatureWeightsError(UserError):
    """VGG-19 weights that are missing or do not fit; one line that names the remedy."""


@dataclass(frozen=True)
class _Layer:
    """One convolution: its name, torchvision's index in ``features``, and its widths."""

    name: str
    index: int
    in_channels: int
    out_channels: int


def _layers() -> tuple[_Layer, ...]:
    layers, index, width = [], 0, 3
    for block, (count, channels) in enumerate(_BLOCKS, start=1):
        for position in range(1, count + 1):
            layers.append(_Layer(f"conv{block}_{position}", index, width, channels))
            index, width = index + 2, channels  # each convolution is followed by a ReLU
        index += 1  # the pooling
    return tuple(layers)


_LAYERS = _layers()


class VGG19(nn.Module):
    """Frozen VGG-19 that returns chosen activations after ReLU; gradients flow to its input.

    Only the layers up to the deepest of ``taps`` (``conv1_1`` ... ``conv5_4``) are built.
    ``weights`` is one of

    - ``torchvision``: torchvision's ImageNet weights, downloaded once, then cached;
    - a path to a ``.safetensors`` or ``torch.save`` file in the layout of torchvision's network or
      of its ``features``, complete or cut off after some layer;
    - ``checkpoint``: the weights are part of the checkpoint about to be loaded;
    - ``random``: for tests only, and ``label`` says so.

    ``convention`` says how a file's weights were trained; a file does not say it itself:

    - ``caffe``: the original network, BGR in 0...255 minus the ImageNet mean. What the constants
      of [L] (taps divided by 255, the divisors of RankDiv) were made for;
    - ``normalised``: the same input, each ReLU rescaled to a mean of 1 over ImageNet;
    - ``torchvision``: RGB in [0, 1] minus the mean, divided by the standard deviation. Its input
      is 255 * 0.226 = 58 times smaller than Caffe's, and so are activations by as much as its
      training did not make up for in the weights.

    The attribute ``unit`` is what an activation is divided by to be of order one: 255 for Caffe
    ([L]), 1 for the others (ours: their input or activations are of that order by construction).
    Input scaling and unit are part of the state, so a checkpoint describes them.

    ``padding="zeros"`` pads with the mean colour, as all three were trained but for some
    ``normalised`` files, made with ``reflect``.

    Raises: FeatureWeightsError (a ValueError) for missing, damaged or unsuitable weights.
    Source: Simonyan & Zisserman 2015; average pooling as Lei & Chen 2019, released code.
    Differs: pooling keeps the last row and column of odd sizes (TensorFlow's SAME, as [L]).
    """

    scale: Tensor
    shift: Tensor
    unit: Tensor

    def __init__(
        self,
        *,
        weights: str | Path,
        taps: Sequence[str] = ("conv1_2", "conv2_2", "conv3_2", "conv4_2", "conv5_2"),
        pooling: Literal["average", "max"] = "average",
        padding: Literal["zeros", "reflect"] = "zeros",
        convention: Convention | None = None,
    ) -> None:
        super().__init__()
        self.taps = tuple(taps)
        self.layers = _up_to_deepest(self.taps)
        _check_choice("features.pooling", pooling, ("average", "max"))
        _check_choice("features.padding", padding, ("zeros", "reflect"))
        self.pooling = pooling
        self.convention = _resolve_convention(weights, convention)
        self.convolutions = nn.ModuleDict(
            {layer.name: _empty_convolution(layer, padding) for layer in self.layers}
        )
        for name, value in _input_scaling(self.convention).items():
            self.register_buffer(name, value)
        self.ready = str(weights) != "checkpoint"
        self.label = self._fill(str(weights))
        self.register_load_state_dict_post_hook(_mark_ready)
        self.requires_grad_(False).eval()

    @property
    def channels(self) -> dict[str, int]:
        """Number of channels of each tap."""
        widths = {layer.name: layer.out_channels for layer in self.layers}
        return {tap: widths[tap] for tap in self.taps}

    def train(self, mode: bool = True) -> VGG19:
        """Stay in evaluation mode: the network is frozen."""
        return super().train(False)

    def forward(self, rgb: Float[Tensor, "b 3 h w"]) -> dict[str, Float[Tensor, "b _c _h _w"]]:
        """Return the activations of each tap for RGB in [0, 1], at the tap's own resolution.

        Raises: RuntimeError when the weights were to come from a checkpoint that was not loaded.
        """
        if not self.ready:
            raise RuntimeError("VGG19(weights='checkpoint') is used before a checkpoint was loaded")
        activation = rgb * self.scale - self.shift
        found = {}
        for layer in self.layers:
            if layer.name != "conv1_1" and layer.name.endswith("_1"):
                activation = self._pool(activation)
            activation = functional.relu(self.convolutions[layer.name](activation), inplace=True)
            if layer.name in self.taps:
                found[layer.name] = activation
        return {tap: found[tap] for tap in self.taps}

    def _pool(self, activation: Tensor) -> Tensor:
        if self.pooling == "average":
            return functional.avg_pool2d(activation, 2, ceil_mode=True)
        return functional.max_pool2d(activation, 2, ceil_mode=True)

    def _fill(self, weights: str) -> str:
        """Copy the weights into the convolutions, and return the label of logs and tables."""
        if weights == "checkpoint":
            return "VGG-19 (from the checkpoint)"
        if weights == "random":
            _fill_randomly(self.convolutions)
            return "random VGG-19"
        state = _download() if weights == "torchvision" else _read(Path(weights).expanduser())
        state = {name.removeprefix("features."): tensor for name, tensor in state.items()}
        _check_preprocessing(state, self.convention, source=weights)
        self._load(state, source=weights)
        deepest = _deepest(state)
        extent = "" if deepest == _LAYERS[-1].name else f" to {deepest.replace('conv', 'relu')}"
        return f"VGG-19{extent} ({self.convention})"

    def _load(self, state: Mapping[str, Tensor], *, source: str) -> None:
        for layer in self.layers:
            names = [f"{layer.index}.{kind}" for kind in ("weight", "bias")]
            if any(name not in state for name in names):
                _refuse_taps(self.taps, state, source=source)
            weight, bias = (state[name] for name in names)
            if layer.name == "conv1_1" and self.convention != "torchvision":
                weight = weight.flip(1)  # Caffe's networks read BGR, ours is given RGB
            convolution = cast("nn.Conv2d", self.convolutions[layer.name])
            expected = convolution.weight.shape
            if weight.shape != expected or bias.shape != expected[:1]:
                raise FeatureWeightsError(
                    f"{source}: {names[0]} is {tuple(weight.shape)}, expected "
                    f"{tuple(expected)} for {layer.name} of VGG-19; {_REMEDY}"
                )
            convolution.load_state_dict({"weight": weight, "bias": bias})


def _up_to_deepest(taps: tuple[str, ...]) -> tuple[_Layer, ...]:
    """Return the layers needed for ``taps``."""
    names = [layer.name for layer in _LAYERS]
    unknown = [tap for tap in taps if tap not in names]
    if unknown or not taps or len(set(taps)) < len(taps):
        what = f"holds {unknown[0]!r}" if unknown else f"is {list(taps)}"
        raise UserError(f"features.taps {what}: expected different names among {', '.join(names)}")
    return _LAYERS[: 1 + max(names.index(tap) for tap in taps)]


def _resolve_convention(weights: str | Path, convention: Convention | None) -> Convention:
    """Return the convention of ``weights``; for a file it has to be given."""
    if convention is not None:
        _check_choice("features.convention", convention, ("caffe", "normalised", "torchvision"))
        if str(weights) == "torchvision" and convention != "torchvision":
            raise UserError(
                f"features.convention is {convention!r}, but features.weights=torchvision was "
                "trained by torchvision's; leave features.convention out"
            )
        return convention
    if str(weights) == "torchvision":
        return "torchvision"
    if str(weights) in ("random", "checkpoint"):
        return "caffe"  # a checkpoint brings its own scaling in its state
    raise UserError(
        f"features.convention is not set: say how {weights} was trained: caffe, normalised "
        "or torchvision (see colorize.pretrained.vgg19.VGG19)"
    )


def _check_choice(option: str, value: str, valid: tuple[str, ...]) -> None:
    if value not in valid:
        raise UserError(f"{option} is {value!r}: expected {' or '.join(valid)}")


def _empty_convolution(layer: _Layer, padding: str) -> nn.Conv2d:
    """Return an unfilled convolution; unlike the constructor, draws no random numbers."""
    return nn.utils.skip_init(
        nn.Conv2d, layer.in_channels, layer.out_channels, 3, padding=1, padding_mode=padding
    )


def _input_scaling(convention: Convention) -> dict[str, Tensor]:
    """Return what turns RGB in [0, 1] into the network's input, and the unit of its activations."""
    unit = 255.0 if convention == "caffe" else 1.0
    if convention == "torchvision":
        std = torch.tensor(_IMAGENET_STD)
        scale, shift = 1 / std, torch.tensor(_IMAGENET_MEAN) / std
    else:
        scale, shift = torch.full((3,), 255.0), torch.tensor(_CAFFE_MEAN)
    return {
        "scale": scale[:, None, None],
        "shift": shift[:, None, None],
        "unit": torch.tensor(unit),
    }


def _fill_randomly(convolutions: nn.ModuleDict) -> None:
    """Draw He-normal weights, always the same: activations keep the scale of their input."""
    generator = torch.Generator().manual_seed(0)
    for name, values in convolutions.named_parameters():
        if name.endswith("weight"):
            nn.init.kaiming_normal_(values, nonlinearity="relu", generator=generator)
        else:
            nn.init.zeros_(values)


def _mark_ready(module: VGG19, incompatible_keys: object) -> None:
    module.ready = True


def _deepest(state: Mapping[str, Tensor]) -> str:
    """Return the last layer up to which ``state`` has no gap."""
    deepest = "the input"
    for layer in _LAYERS:
        if f"{layer.index}.weight" not in state or f"{layer.index}.bias" not in state:
            break
        deepest = layer.name
    return deepest


def _refuse_taps(taps: Sequence[str], state: Mapping[str, Tensor], *, source: str) -> None:
    names = [layer.name for layer in _LAYERS]
    deepest = _deepest(state)
    held = names[: names.index(deepest) + 1] if deepest in names else []
    lacking = next(tap for tap in taps if tap not in held)
    if not held:
        raise FeatureWeightsError(
            f"{source}: holds no VGG-19 weights (no features.0.weight or 0.weight); {_REMEDY}"
        )
    raise FeatureWeightsError(
        f"{source}: holds no weights for the tap {lacking}; it has {', '.join(held)}: "
        "set features.taps to some of these, or features.weights to a complete file"
    )


def _check_preprocessing(
    state: Mapping[str, Tensor], convention: Convention, *, source: str
) -> None:
    """Refuse a file whose own ``preprocess`` layer is not the input scaling of ``convention``."""
    weight, bias = state.get("preprocess.weight"), state.get("preprocess.bias")
    if weight is None or bias is None:
        return
    expected_weight = 255 * torch.eye(3).flip(0)  # RGB in [0, 1] -> BGR in 0...255
    expected_bias = -torch.tensor(_CAFFE_MEAN).flip(0)
    fits = weight.numel() == 9 and bias.numel() == 3 and convention != "torchvision"
    if not (
        fits
        and torch.allclose(weight.reshape(3, 3), expected_weight, atol=1e-3)
        and torch.allclose(bias.reshape(3), expected_bias, atol=1e-3)
    ):
        raise FeatureWeightsError(
            f"{source}: its preprocess layer is not that of features.convention={convention}; "
            "choose the convention it was trained with, or another file for features.weights"
        )


def _read(path: Path) -> dict[str, Tensor]:
    """Return the convolution tensors of a file, without executing anything in it."""
    if not path.is_file():
        raise FeatureWeightsError(f"{path}: no such file of VGG-19 weights; {_REMEDY}")
    wanted = re.compile(r"(features\.)?(\d+|preprocess)\.(weight|bias)")
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                names = [name for name in file.keys() if wanted.fullmatch(name)]  # noqa: SIM118
                return {name: file.get_tensor(name) for name in names}
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, SafetensorError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise FeatureWeightsError(
            f"{path}: not a readable weights file ({reason}); {_REMEDY}"
        ) from error
    if not isinstance(content, Mapping):
        raise FeatureWeightsError(f"{path}: holds no table of tensors by name; {_REMEDY}")
    return {name: tensor for name, tensor in content.items() if wanted.fullmatch(str(name))}


def _download() -> dict[str, Tensor]:
    """Return torchvision's weights of the convolutions, from its cache or by download."""
    state = download(
        VGG19_Weights.IMAGENET1K_V1,
        option="features.weights",
        remedy=_REMEDY,
        error=FeatureWeightsError,
    )
    return {name: tensor for name, tensor in state.items() if name.startswith("features.")}
