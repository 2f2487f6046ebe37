"""The task: its loss, its L2, its augmentation, and what it refuses."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional

from classify.augment import Augment
from classify.models import Mnist
from classify.task import ClassificationTask, LossError


def task(**settings) -> ClassificationTask:
    torch.manual_seed(0)
    model = settings.pop("model", None) or Mnist(classes=3, size=(8, 8))
    made = ClassificationTask(model=model, **({"learning_rate": 0.01} | settings))
    made.logged = {}
    made.log = lambda name, value, **_: made.logged.update({name: value.item()})
    made.trainer = SimpleNamespace(estimated_stepping_batches=10, global_step=3, current_epoch=0)
    return made


def batch(count: int = 6) -> dict:
    random = torch.Generator().manual_seed(1)
    pictures = torch.randint(0, 256, (count, 1, 8, 8), dtype=torch.uint8, generator=random)
    return {"pictures": pictures, "labels": torch.arange(count) % 3, "seed": 4}


def test_the_loss_is_cross_entropy_of_pictures_in_unit_range() -> None:
    made = task()
    logits = made.model(batch()["pictures"] / 255)
    chances = torch.exp(logits) / torch.exp(logits).sum(1, keepdim=True)
    expected = -torch.log(chances[range(6), batch()["labels"]]).mean()
    torch.testing.assert_close(made.training_step(batch(), 0), expected)
    correct = (logits.argmax(1) == batch()["labels"]).float().mean()
    assert made.logged["train/loss"] == pytest.approx(expected.item())
    assert made.logged["train/accuracy"] == pytest.approx(float(correct))


def test_validation_neither_varies_nor_smooths() -> None:
    made = task(augment=Augment(shift=0.3), label_smoothing=0.2)
    made.validation_step(batch(), 0)
    expected = functional.cross_entropy(made(batch()["pictures"]), batch()["labels"])
    assert made.logged["val/loss"] == pytest.approx(expected.item())
    assert made.training_step(batch(), 0).item() != pytest.approx(expected.item())


def test_augmentation_draws_from_the_batch_alone() -> None:
    made = task(augment=Augment(shift=0.3))
    losses = [made.training_step(batch() | {"seed": seed}, 0).item() for seed in (4, 4, 5)]
    assert losses[0] == losses[1] != losses[2]


def test_l2_is_the_gradient_of_keras_penalty_on_kernels_only() -> None:
    made = task(l2=0.1, model=nn.Sequential(nn.Flatten(), nn.Linear(64, 3)))
    kernels, others = made.configure_optimizers()["optimizer"].param_groups
    weight = made.model[1].weight
    penalty = 0.1 * weight.square().sum()
    (gradient,) = torch.autograd.grad(penalty, weight)
    torch.testing.assert_close(gradient, kernels["weight_decay"] * weight.detach())
    assert others["weight_decay"] == 0
    assert [parameter.ndim for parameter in others["params"]] == [1]


def test_the_schedule_warms_up_and_ends_at_zero() -> None:
    made = task(schedule="cosine", warmup_steps=2)
    scheduler = made.configure_optimizers()["lr_scheduler"]["scheduler"]
    rates = [scheduler.lr_lambdas[0](step) for step in (0, 1, 2, 6, 10)]
    assert rates == pytest.approx([0.5, 1.0, 1.0, 0.5 * (1 + math.cos(math.pi / 2)), 0.0])


def test_dropout_draws_from_the_batch_alone() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 30), nn.Dropout(0.5), nn.Linear(30, 3))
    made = task(model=model)
    losses = []
    for seed in (4, 4, 5):
        torch.rand(7)  # whatever else draws numbers in between
        losses.append(made.training_step(batch() | {"seed": seed}, 0).item())
    assert losses[0] == losses[1] != losses[2]


def test_a_loss_that_is_not_finite_is_refused_before_the_step() -> None:
    made = task()
    with torch.no_grad():
        made.model.output.bias[0] = math.nan
    with pytest.raises(LossError, match=r"loss is not finite at step 3: cross_entropy is nan"):
        made.training_step(batch(), 0)


def test_impossible_settings() -> None:
    with pytest.raises(ValueError, match=r"optimizer: learning_rate, l2 and label_smoothing are"):
        task(label_smoothing=1.0)
    with pytest.raises(ValueError, match=r"optimizer\.schedule is 'cosin': expected constant or"):
        task(schedule="cosin")
