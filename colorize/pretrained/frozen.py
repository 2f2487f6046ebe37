"""Fill a network with the weights of others, freeze it, and scale pictures to its input."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from colorize.pretrained.weights import Wanted, Weights

CAFFE_MEAN = (123.68, 116.779, 103.939)  # of R, G, B in 0...255
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Pretrained(nn.Module):
    """A frozen network that others trained; its attribute ``label`` is its name in logs and tables.

    A subclass states the weights ``wanted``, builds its layers, and calls :meth:`take` with its
    ``weights``, which are one of

    - ``torchvision``: torchvision's ImageNet weights, downloaded once, then cached;
    - a path to a ``.safetensors`` or ``torch.save`` file in the layout of torchvision's network or
      of its ``features``;
    - ``checkpoint``: the weights are part of the checkpoint about to be loaded;
    - ``random``: for tests only, and ``label`` says so.

    ``scale`` and ``shift`` turn RGB in [0, 1] into the network's input, ``rgb * scale - shift``;
    they are part of the state, so that a checkpoint describes them.

    Raises: PretrainedWeightsError (a ValueError) for missing, damaged or unsuitable weights.
    """

    wanted: ClassVar[Wanted]
    label: str
    scale: Tensor
    shift: Tensor

    def __init__(self) -> None:
        super().__init__()
        scale, shift = input_scaling(caffe=True)  # a checkpoint brings its own
        self.register_buffer("scale", scale)
        self.register_buffer("shift", shift)

    def train(self, mode: bool = True) -> Pretrained:
        """Stay in evaluation mode: the network is frozen."""
        return super().train(False)

    def take(self, weights: str | Path) -> None:
        """Fill the network as ``weights`` says, and freeze it."""
        self.ready = str(weights) != "checkpoint"
        if str(weights) == "checkpoint":
            self.label = f"{self.wanted.network} (from the checkpoint)"
        elif str(weights) == "random":
            self._fill_randomly()
            self.label = f"random {self.wanted.network}"
        else:
            self.label = f"{self.wanted.network}{self._fill(self.wanted.find(weights))}"
        self.register_load_state_dict_post_hook(_mark_ready)
        self.requires_grad_(False).eval()

    def require_weights(self) -> None:
        """Refuse to run on weights that were to come from a checkpoint.

        Raises: RuntimeError when none was loaded.
        """
        if not self.ready:
            name = type(self).__name__
            raise RuntimeError(f"{name}(weights='checkpoint') is used before one was loaded")

    def _fill(self, found: Weights) -> str:
        """Copy the weights that were found; return what the label says of them."""
        raise NotImplementedError

    def _fill_randomly(self) -> None:
        """Draw He-normal weights, always the same: activations keep the scale of their input."""
        generator = torch.Generator().manual_seed(0)
        for name, values in self.named_parameters():
            if name.endswith("weight"):
                nn.init.kaiming_normal_(values, nonlinearity="relu", generator=generator)
            else:
                nn.init.zeros_(values)


def input_scaling(*, caffe: bool) -> tuple[Tensor, Tensor]:
    """Return ``scale`` and ``shift``, 3 1 1, from RGB in [0, 1] to Caffe's or torchvision's input.

    Caffe's is 0...255 minus the mean, torchvision's [0, 1] minus the mean by the deviation. Both
    are RGB: the first convolution of weights trained on BGR is turned as it is filled.
    """
    if caffe:
        scale, shift = torch.full((3,), 255.0), torch.tensor(CAFFE_MEAN)
    else:
        scale = 1 / torch.tensor(IMAGENET_STD)
        shift = torch.tensor(IMAGENET_MEAN) * scale
    return scale[:, None, None], shift[:, None, None]


def _mark_ready(network: nn.Module, incompatible_keys: object) -> None:
    network.ready = True  # type: ignore[assignment]
