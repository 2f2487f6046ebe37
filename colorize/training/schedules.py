"""How the learning rate goes over a run, as a factor of what is set."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import torch

Schedule = Literal["constant", "cosine"]


def learning_rate_factor(
    step: int,
    steps: int,
    *,
    schedule: str = "constant",
    warmup_steps: int = 0,
    time_share: float = 0.0,
) -> float:
    """Return the factor at ``step`` of ``steps``: rising linearly, then constant or to zero.

    ``cosine`` falls along half a cosine from the end of the rise to the last step (Loshchilov &
    Hutter 2017, SGDR, without restarts). Where a run has minutes as well, ``time_share`` is the
    share of them that is over, and the cosine follows whichever is further.
    """
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    if schedule == "constant":
        return 1.0
    done = (step - warmup_steps) / max(1, steps - warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, max(done, time_share))))


def scheduled(
    optimizer: torch.optim.Optimizer,
    *,
    steps: int,
    schedule: str,
    warmup_steps: int,
    time_share: Callable[[], float] = lambda: 0.0,
) -> dict[str, Any]:
    """Return an optimizer with its learning rate by step, as Lightning takes the two."""

    def factor(step: int) -> float:
        return learning_rate_factor(
            step,
            steps,
            schedule=schedule,
            warmup_steps=warmup_steps,
            time_share=time_share(),
        )

    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}
