"""The factor of the learning rate by step, by hand."""

import math

import pytest
import torch

from colorize.training.schedules import learning_rate_factor, scheduled


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {0: 1.0, 7: 1.0, 20: 1.0}),
        ({"warmup_steps": 4}, {0: 0.25, 1: 0.5, 3: 1.0, 4: 1.0, 20: 1.0}),
        ({"schedule": "cosine"}, {0: 1.0, 5: (2 + math.sqrt(2)) / 4, 10: 0.5, 20: 0.0, 25: 0.0}),
        ({"schedule": "cosine", "warmup_steps": 4}, {0: 0.25, 3: 1.0, 4: 1.0, 12: 0.5, 20: 0.0}),
        ({"schedule": "cosine", "warmup_steps": 20}, {19: 1.0, 20: 1.0, 21: 0.0}),
    ],
)
def test_the_factor_by_step(settings, expected):
    factors = {step: learning_rate_factor(step, 20, **settings) for step in expected}
    assert factors == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("step", "time_share", "expected"),
    [
        (0, 0.5, 0.5),  # the clock is further
        (10, 0.25, 0.5),  # the steps are
        (10, 1.0, 0.0),
        (3, 2 / 3, 0.25),
    ],
)
def test_a_cosine_follows_the_clock_where_that_is_further(step, time_share, expected):
    factor = learning_rate_factor(step, 20, schedule="cosine", time_share=time_share)
    assert factor == pytest.approx(expected, abs=1e-12)


def test_the_clock_changes_neither_the_rise_nor_a_constant_rate():
    factor = learning_rate_factor(1, 20, schedule="cosine", warmup_steps=4, time_share=0.9)
    assert factor == pytest.approx(0.5)
    assert learning_rate_factor(5, 20, time_share=0.9) == 1


def test_an_optimizer_asks_the_clock_at_every_step():
    shares = iter([0.0, 0.5, 1.0])
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    both = scheduled(
        optimizer,
        steps=1000,
        schedule="cosine",
        warmup_steps=0,
        time_share=lambda: next(shares),
    )
    rates = [optimizer.param_groups[0]["lr"]]
    for _ in range(2):
        optimizer.step()
        both["lr_scheduler"]["scheduler"].step()
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.5, 0.25, 0.0], abs=1e-12)


def test_an_optimizer_gets_its_rate_by_step():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    both = scheduled(optimizer, steps=20, schedule="cosine", warmup_steps=4)
    assert both["optimizer"] is optimizer
    assert both["lr_scheduler"]["interval"] == "step"
    rates = []
    for _ in range(20):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        both["lr_scheduler"]["scheduler"].step()
    assert rates[:5] == pytest.approx([0.125, 0.25, 0.375, 0.5, 0.5])
    assert rates[12] == pytest.approx(0.25)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0, abs=1e-12)
