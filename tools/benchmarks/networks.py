"""Time the hypercolumn's shortcut, and a training step of the generator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from benchmarks.timing import Setting, print_speedups
from colorize.imaging.color import rgb_to_luma
from colorize.losses import RankDiversity
from colorize.networks.prototype.generator import Generator, HypercolumnProjection, resize_bilinear

# The largest difference at which the shortcut counts as exact.
TOLERANCE = 1e-5


def hypercolumn(setting: Setting) -> dict[str, Any]:
    """Time the projection of the hypercolumn, with the shortcut and without it."""
    projection = HypercolumnProjection(features=setting.features, out_channels=32)
    projection = projection.to(setting.device)
    gray = torch.rand(setting.batch_size, 1, *setting.size, device=setting.device)
    with torch.inference_mode():
        difference = float((projection(gray) - naive_hypercolumn(projection, gray)).abs().max())
        times = setting.medians(
            {
                "naive: resize, concatenate, project": lambda: naive_hypercolumn(projection, gray),
                "shortcut: project, resize": lambda: projection(gray),
            }
        )
    print_speedups("hypercolumn, forward, VGG-19 included", times)
    print(f"  largest difference {difference:.1e} (allowed {TOLERANCE:.0e})")
    return {"seconds": times, "largest_difference": difference}


def naive_hypercolumn(
    projection: HypercolumnProjection, gray: Float[Tensor, "b 1 h w"]
) -> Float[Tensor, "b c h w"]:
    """Resize every tap to full size, concatenate, and project: the baseline of the shortcut."""
    repeated = gray.expand(-1, 3, -1, -1)
    taps = projection.features(repeated).values()
    resized = [resize_bilinear(tap / projection.scale, gray.shape[-2:]) for tap in taps]
    return projection.projection(torch.cat([repeated, *resized], dim=1))


def step(setting: Setting) -> dict[str, Any]:
    """Time forward and backward of the generator with an L1 loss, and with RankDiv in its place."""
    color = torch.rand(setting.batch_size, 1, 3, *setting.size, device=setting.device)
    plain = Generator(features=None).to(setting.device)
    times = setting.medians(
        {
            **generator_steps(setting, color),
            "U-Net on gray alone, L1": lambda: _step(plain, color, _difference),
        }
    )
    print_speedups("step (forward and backward)", times)
    return {"seconds": times}


def generator_steps(
    setting: Setting, color: Float[Tensor, "b t 3 h w"]
) -> dict[str, Callable[[], None]]:
    """Return what runs a step of the default generator with an L1 loss, and one with RankDiv."""
    generator = Generator(features=setting.features).to(setting.device)
    loss = RankDiversity(features=setting.features)
    return {
        "generator, L1": lambda: _step(generator, color, _difference),
        "generator, RankDiv": lambda: _step(generator, color, lambda o, c: loss(o, c, {})),
    }


def _step(
    model: Generator,
    color: Float[Tensor, "b t 3 h w"],
    objective: Callable[[Tensor, Tensor], Tensor],
) -> None:
    model.zero_grad(set_to_none=True)
    outputs = model(rgb_to_luma(color).flatten(0, 1)).colors
    objective(outputs.unflatten(0, color.shape[:2]), color).backward()


def _difference(
    outputs: Float[Tensor, "b t k 3 h w"], color: Float[Tensor, "b t 3 h w"]
) -> Float[Tensor, ""]:
    return (outputs - color.unsqueeze(2)).abs().mean()
