"""What losses say of themselves is true: the targets they look at, the frames they compare."""

from __future__ import annotations

import pytest
import torch

import colorize.losses
from colorize.losses import Loss, RankDiversity
from tests.colorize.losses.family import random_step

CLASSES = [each for each in vars(colorize.losses).values() if isinstance(each, type)]
LOSSES = [each for each in CLASSES if each is not Loss]


def made(loss: type[Loss]) -> Loss:
    return loss(features=None) if loss is RankDiversity else loss()


def step(frames: int) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
    outputs, truth, targets = random_step(1, frames, 2, size=(8, 12))
    chroma = torch.linspace(-0.3, 0.3, frames * 2 * 8 * 12).view(frames, 2, 8, 12)
    spread = torch.full((frames, 1, 8, 12), 5.0)  # so much that its logarithm is above 0
    of_network = {"fused": chroma, "attended": chroma[..., ::4, ::4]}
    of_network |= {"own": chroma, "own_spread": spread, "spread": spread}
    members = {"bold": 3 * chroma, "kept": 3 * chroma, "kept_spread": spread}
    of_network |= {name: each.unsqueeze(1) for name, each in members.items()}
    of_network |= {"group": torch.zeros(1, dtype=torch.int64)}
    return outputs, truth, targets | of_network | {"served": torch.ones(frames, dtype=torch.bool)}


def test_there_are_the_losses_of_the_package() -> None:
    assert len(LOSSES) == 11
    assert all(issubclass(each, Loss) for each in LOSSES)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_looks_at_what_it_needs_and_at_nothing_else(loss: type[Loss]) -> None:
    outputs, truth, targets = step(3)
    needed = {name: targets[name] for name in loss.needs}
    assert float(made(loss)(outputs, truth, needed)) > 0
    for name in loss.needs:
        with pytest.raises(KeyError, match=name):
            made(loss)(outputs, truth, {each: needed[each] for each in loss.needs - {name}})


@pytest.mark.parametrize("loss", [each for each in LOSSES if each.trains == "generator"])
def test_a_loss_acts_on_as_many_frames_as_it_states_and_on_no_fewer(loss: type[Loss]) -> None:
    values = [float(made(loss)(*step(frames))) for frames in (1, 2, 3)]
    assert [value > 0 for value in values] == [frames >= loss.frames for frames in (1, 2, 3)]


def test_a_weight_is_kept_and_one_unless_said() -> None:
    assert all(made(loss).weight == 1.0 for loss in LOSSES)
    assert all(loss(weight=2.5).weight == 2.5 for loss in LOSSES if loss is not RankDiversity)
    assert RankDiversity(features=None, weight=2.5).weight == 2.5
