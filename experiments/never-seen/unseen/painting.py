"""Colour shots as ``colorize`` does, and keep what the network says of its own errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from colorize.imaging.color import rgb_to_chroma
from colorize.imaging.geometry import resize
from colorize.imaging.tensors import to_tensor
from colorize.inference.colorizer import Colorizer
from colorize.networks.base import Painted

SPREAD = "spread"  # what networks call their uncertainty among what they provide


class Said:
    """What a network said of frames, in order: its chroma, and how far off it expects it to be."""

    def __init__(self) -> None:
        self.chroma: list[Float[Tensor, "b 2 h w"]] = []
        self.spread: list[Float[Tensor, "b 1 h w"]] = []

    def listen(self, model: torch.nn.Module, given: Any, painted: Painted) -> None:
        """Keep what a forward pass provides; a hook of the network."""
        if SPREAD in painted.provided:
            self.chroma.append(rgb_to_chroma(painted.colors[:, 0]).float().cpu())
            self.spread.append(painted.provided[SPREAD].float().cpu())

    def against(
        self, truth: UInt8[np.ndarray, "t h w 3"]
    ) -> tuple[Float[Tensor, "t p q"], Float[Tensor, "t p q"]] | None:
        """Return the expected and the true error of each pixel at the working size, or None.

        Both are the root of the mean square over Cb and Cr, of the network's own colours: before
        they are smoothed along the shot.
        """
        if not self.spread:
            return None
        spread, chroma = torch.cat(self.spread), torch.cat(self.chroma)
        # Where memory ran out a batch came twice; what counts is the last pass.
        spread, chroma = spread[-len(truth) :, 0], chroma[-len(truth) :]
        true = rgb_to_chroma(resize(to_tensor(truth), chroma.shape[-2:]))
        return spread, (chroma - true).square().mean(dim=1).sqrt()


def paint(
    colorizer: Colorizer,
    frames: UInt8[np.ndarray, "t h w 3"],
    *,
    references: Sequence[np.ndarray] | Mapping[int, np.ndarray] = (),
) -> tuple[UInt8[np.ndarray, "t h w 3"], Said]:
    """Return the frames of a shot as ``colorize`` colours them, and what the network said.

    ``references`` are those of :class:`colorize.Colorizer`, h w 3 or h w 4, all of which it is
    shown: none is turned down as unlike.
    """
    said = Said()
    hook = colorizer.model.register_forward_hook(said.listen)
    try:
        colored = colorizer(list(frames), references=references)
    finally:
        hook.remove()
    return np.stack(colored), said
