from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from colorize.metrics.colorfulness import (
    Colorfulness,
    ColorfulnessError,
    colorfulness,
    colorfulness_error,
)


def test_half_red_half_green_by_hand() -> None:
    frame = torch.zeros(1, 3, 2, 2)
    frame[0, 0, :, 0] = 1  # red: rg 255, yb 127.5
    frame[0, 1, :, 1] = 1  # green: rg -255, yb 127.5
    # Signed rg: mean 0, spread 255; yb: mean 127.5, spread 0. (Unsigned rg would have no spread.)
    assert colorfulness(frame).item() == pytest.approx(255 + 0.3 * 127.5)


def test_one_colour_by_hand() -> None:
    frame = torch.tensor([0.8, 0.4, 0.2]).reshape(1, 3, 1, 1).expand(1, 3, 4, 4)
    # No spread; rg = 102, yb = 153 - 51 = 102.
    assert colorfulness(frame).item() == pytest.approx(0.3 * math.hypot(102, 102), rel=1e-6)


def test_it_equals_a_plain_numpy_computation() -> None:
    frames = torch.rand(3, 3, 7, 9, generator=torch.Generator().manual_seed(4))
    expected = []
    for frame in frames.double().numpy() * 255:
        red_green = frame[0] - frame[1]
        yellow_blue = 0.5 * (frame[0] + frame[1]) - frame[2]
        spread = np.sqrt(np.var(red_green) + np.var(yellow_blue))
        centre = np.sqrt(np.mean(red_green) ** 2 + np.mean(yellow_blue) ** 2)
        expected.append(spread + 0.3 * centre)
    values = colorfulness(frames)
    np.testing.assert_allclose(values.numpy(), expected, rtol=1e-12)
    torch.testing.assert_close(colorfulness(frames[2:]), values[2:])


def test_the_error_has_no_sign_and_the_metrics_state_their_order() -> None:
    vivid = torch.rand(1, 3, 6, 6, generator=torch.Generator().manual_seed(5))
    gray = torch.full_like(vivid, 0.4)
    value = colorfulness(vivid).item()
    assert value > 50
    assert colorfulness_error(gray, vivid).item() == pytest.approx(value)
    assert ColorfulnessError()(vivid, gray).item() == pytest.approx(value)
    assert Colorfulness()(vivid, gray).item() == value
    assert (Colorfulness().better, ColorfulnessError().better) == ("closer", "lower")
