"""Time each loss, forward and backward for four outputs, as a share of the generator's step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from benchmarks.networks import generator_steps
from benchmarks.timing import Setting, print_shares, print_target
from colorize.cartoon import CartoonSeries
from colorize.data.targets.compute import TARGETS, compute_targets
from colorize.data.targets.settings import TargetSettings
from colorize.losses import Bilateral, Refinement, Segment, SegmentUniformity, Temporal

_OUTPUTS = 4
_TARGET = 0.1  # the largest share of the generator's step that the Segment loss should take


def segment(setting: Setting) -> dict[str, Any]:
    """Time the Segment loss of single frames against the generator's own step on them."""
    color, targets = cartoon(setting, frames=1)
    steps = generator_steps(setting, color)
    times = setting.medians({**steps, "Segment loss": loss_run(Segment(), color, targets)})
    print_shares("segment (forward and backward of the loss alone)", times)
    for name in steps:
        share = times["Segment loss"] / times[name]
        print_target(f"share of the step with {name.split(', ')[1]}", share, _TARGET, "{:.1%}")
    return {"seconds": times}


def losses(setting: Setting) -> dict[str, Any]:
    """Time the losses on consecutive pairs against the generator's step with L1 on them."""
    color, targets = cartoon(setting, frames=2)
    baseline, *_ = generator_steps(setting, color).items()
    chosen: tuple[nn.Module, ...] = (
        Segment(), SegmentUniformity(), Bilateral(), Temporal(), Refinement(),
    )  # fmt: skip
    runs = {type(loss).__name__: loss_run(loss, color, targets) for loss in chosen}
    times = setting.medians(dict([baseline]) | runs)
    print_shares("losses of a pair (forward and backward of each alone)", times)
    return {"seconds": times}


def cartoon(
    setting: Setting, *, frames: int
) -> tuple[Float[Tensor, "b t 3 h w"], dict[str, Tensor]]:
    """Return clips of ``frames`` frames, one per shot of a procedural cartoon, with all targets."""
    series = CartoonSeries(
        seed=setting.seed, size=setting.size, shots=setting.batch_size, frames_per_shot=frames,
        effects=False,
    )  # fmt: skip
    clips = [series.shot(index).color for index in range(setting.batch_size)]
    targets = [compute_targets(clip, TARGETS, TargetSettings()) for clip in clips]
    color = torch.stack([rearrange(torch.from_numpy(c), "t h w c -> t c h w") for c in clips]) / 255
    together = {name: torch.stack([of_clip[name] for of_clip in targets]) for name in targets[0]}
    together |= _of_the_refiner(color)
    return color.to(setting.device), {
        n: target.to(setting.device) for n, target in together.items()
    }


def _of_the_refiner(color: Float[Tensor, "b t 3 h w"]) -> dict[str, Tensor]:
    """Return what a step of the refinement network hands to its loss; random, which costs alike."""
    warped, unrefined = _outputs(color), _outputs(color)
    return {"warped": warped, "unrefined": unrefined, "flicker": warped[..., :1, :, :] > 0.5}


def _outputs(color: Float[Tensor, "b t 3 h w"]) -> Float[Tensor, "b t k 3 h w"]:
    return torch.rand_like(color.unsqueeze(2).expand(-1, -1, _OUTPUTS, -1, -1, -1))


def loss_run(
    loss: nn.Module, color: Float[Tensor, "b t 3 h w"], targets: Mapping[str, Tensor]
) -> Callable[[], None]:
    """Return what runs a loss forward and backward."""
    outputs = _outputs(color).requires_grad_()

    def run() -> None:
        outputs.grad = None
        loss(outputs, color, targets).backward()

    return run
