"""Sum the chosen losses, each by its weight, and keep every term by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from colorize.base.errors import UserError
from colorize.losses.base import Loss, Outputs, Targets, Truth


class NonFiniteLossError(UserError):
    """A loss became NaN or infinite; training stops before the step that would spread it."""


class Objective(nn.Module):
    """The weighted sum of the losses of one network (see :mod:`colorize.losses`)."""

    def __init__(self, losses: Mapping[str, Loss]) -> None:
        super().__init__()
        if not losses:
            raise UserError("no loss was chosen: pass for example loss=[rank_diversity]")
        self.losses = cast("Mapping[str, Loss]", nn.ModuleDict(dict(losses)))

    @property
    def needs(self) -> frozenset[str]:
        """Names of the targets that any chosen loss needs."""
        return frozenset().union(*(loss.needs for loss in self.losses.values()))

    def forward(self, outputs: Outputs, truth: Truth, targets: Targets) -> Terms:
        """Return the weighted sum and every unweighted term."""
        terms = {name: loss(outputs, truth, targets) for name, loss in self.losses.items()}
        weighted = [self.losses[name].weight * value for name, value in terms.items()]
        return Terms(total=torch.stack(weighted).sum(), by_name=terms)


@dataclass(frozen=True)
class Terms:
    """The weighted total, and the unweighted value of each loss by its name."""

    total: Float[Tensor, ""]
    by_name: Mapping[str, Float[Tensor, ""]]

    def __add__(self, other: Terms) -> Terms:
        """Join the terms of two objectives of one step."""
        return Terms(self.total + other.total, {**self.by_name, **other.by_name})

    def raise_if_not_finite(self, *, step: int) -> None:
        """Stop on a NaN or infinite total, naming the terms at fault.

        Raises:
            NonFiniteLossError: With the step, each bad term and what to try.
        """
        if torch.isfinite(self.total):
            return
        bad = {n: float(v.detach()) for n, v in self.by_name.items() if not torch.isfinite(v)}
        named = ", ".join(f"{name} = {value}" for name, value in bad.items()) or "the weighted sum"
        raise NonFiniteLossError(
            f"loss is not finite at step {step}: {named}; no step was taken. Resume from the last "
            "checkpoint with a lower optimizer.learning_rate or trainer.gradient_clip_val=1"
        )
