"""The figures of measure_choice.py, by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from colorize.inference.colorizer import Colorizer
from colorize.inference.engine import ShotEngine
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from tests.colorize import tiny
from tests.colorize.films.drawn import moving_blocks, tinted
from tests.places import EXPERIMENTS
from tests.scripts import Scripts

# (Cb, Cr) of pure red and blue by ITU-R BT.601: Cb = (B - Y') / 1.772, Cr = (R - Y') / 1.402.
RED, BLUE, BLACK = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 0.0, 0.0)
CHROMA = {RED: (-0.299 / 1.772, 0.701 / 1.402), BLUE: (0.886 / 1.772, -0.114 / 1.402)}
TO_BLACK = {name: (cb**2 + cr**2) ** 0.5 for name, (cb, cr) in CHROMA.items()}


@pytest.fixture(scope="module")
def tool() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield Scripts(EXPERIMENTS / "choice", monkeypatch).module("measure_choice")


def _flat(*colors: tuple[float, float, float], size: tuple[int, int] = (36, 64)) -> torch.Tensor:
    """Colourings (t k 3 h w) of two frames, each of one colour."""
    return torch.tensor(colors).view(1, -1, 3, 1, 1).expand(2, -1, -1, *size)


def _shot(tool: ModuleType, **known: Any) -> Any:
    """A shot of two colourings, equal but for what is given."""
    count = 2
    values: dict[str, Any] = {
        "scene": "a",
        "group": "0",
        "figures": {name: np.zeros(count) for name in tool.FIGURES},
        "colorfulness": np.ones(count),
        "flicker": np.ones(count),
        "atypicality": np.ones(count),
        "gray": torch.rand(4, 1, 18, 32, generator=torch.Generator().manual_seed(0)),
        "chroma": torch.zeros(count, 4, 2, 18, 32),
        "shares": torch.full((4,), 0.25),
        "palette": torch.zeros(count, 4, 2),
    }
    return tool.Shot(**values | known)


def test_atypicality_is_the_distance_to_all_others(tool: ModuleType) -> None:
    found = tool.atypicality(_flat(RED, BLACK, BLACK))
    assert found == pytest.approx([2 * TO_BLACK[RED], TO_BLACK[RED], TO_BLACK[RED]])
    half = _flat(RED, BLACK).clone()
    half[:, 0, :, :, :32] = 0  # black in half the places
    assert tool.atypicality(half) == pytest.approx([TO_BLACK[RED] / 2] * 2)


def test_colours_are_compared_where_the_true_ones_are_alike(tool: ModuleType) -> None:
    truth = _flat(RED, size=(4, 4))[:, 0].clone()
    truth[:, :, :, 2:] = torch.tensor(BLUE)[:, None, None]
    shares, palette = tool.palette_of(truth.unsqueeze(1), truth)
    assert sorted(shares[shares > 0].tolist()) == [0.5, 0.5]
    # a, b of red and blue (D65), as published.
    expected = {(80.09, 67.20), (79.19, -107.86)}
    got = {tuple(round(float(v), 2) for v in ab) for ab in palette[0, shares > 0]}
    assert {(round(a), round(b)) for a, b in got} == {(round(a), round(b)) for a, b in expected}


def test_how_far_two_shots_are_apart_weighs_bins_by_the_smaller_share(tool: ModuleType) -> None:
    one = _shot(tool, shares=torch.tensor([0.6, 0.4, 0.0, 0.0]))
    palette = torch.zeros(2, 4, 2)
    palette[1] = torch.tensor([[3.0, 4.0], [0.0, 1.0], [50.0, 0.0], [50.0, 0.0]])
    other = _shot(tool, shares=torch.tensor([0.2, 0.1, 0.7, 0.0]), palette=palette)
    assert tool.apart(one, 0, other, 1) == pytest.approx((0.2 * 5 + 0.1 * 1) / 0.3)
    assert tool.apart(one, 0, other, 0) == 0
    strange = _shot(tool, shares=torch.tensor([0.0, 0.0, 0.0, 1.0]))
    assert np.isnan(tool.apart(one, 0, strange, 0))


def test_shots_like_each_other_settle_on_the_same_colours(tool: ModuleType) -> None:
    blue = torch.tensor(CHROMA[BLUE]).view(2, 1, 1).expand(4, 2, 18, 32)
    plain, swapped = torch.stack([blue * 0, blue]), torch.stack([blue, blue * 0])
    shots = [_shot(tool, chroma=plain), _shot(tool, chroma=swapped)]
    agreement = tool.agreements(shots)
    alike, distances = agreement[1, 0]
    assert alike == pytest.approx(1, abs=1e-3)  # the same gray
    assert distances == pytest.approx(np.array([[1, 0], [0, 1]]) * TO_BLACK[BLUE], abs=1e-4)
    costs = [np.array([0.0, 1.0]), np.array([0.0, 0.1])]
    assert tool.settle(costs, agreement, 0.0) == [0, 0]
    assert tool.settle(costs, agreement, 1.0) == [0, 1]


def test_costs_are_pooled_over_shots_of_the_same_gray(tool: ModuleType) -> None:
    gray = torch.rand(4, 1, 18, 32, generator=torch.Generator().manual_seed(1))
    shots = [_shot(tool), _shot(tool), _shot(tool, gray=1 - gray)]
    costs = [np.array([0.0, 0.3]), np.array([0.2, 0.0]), np.array([1.0, 0.0])]
    assert tool.pooled(shots, costs) == [0, 0, 1]


def test_gains_are_means_over_groups_with_their_standard_error(tool: ModuleType) -> None:
    gains = {"0": [1.0, 3.0], "1": [4.0], "2": [0.0]}
    shots = [
        _shot(tool, group=group, figures={**_shot(tool).figures, "psnr": np.array([20.0, 20 + g])})
        for group, values in gains.items()
        for g in values
    ]
    judged = tool.judge(shots, {tool.DEFAULT: [0] * 4, "other": [1] * 4})
    assert judged[tool.DEFAULT]["psnr_gain"] == [0, 0]
    assert judged["other"]["psnr"] == 22
    # Means of the groups: 2, 4, 0; deviation sqrt(8 / 3), over sqrt(3).
    assert judged["other"]["psnr_gain"] == pytest.approx([2, (8 / 3) ** 0.5 / 3**0.5])
    assert judged["other"]["outputs"] == [0, 4]
    average = tool.average([judged, judged])["other"]["psnr_gain"]
    assert average == pytest.approx([2, (8 / 3) ** 0.5 / 3**0.5 / 2**0.5])


def test_a_shot_is_looked_at_in_all_colourings(tool: ModuleType, tmp_path: Path) -> None:
    path = tiny.write_safetensors(tmp_path / "model.safetensors")
    networks = LoadedNetworks.load(path, device="cpu")
    engine = ShotEngine(networks, RenderSettings(stillness=0.0))
    frames = np.stack([tinted(gray) for gray in moving_blocks((9,))])
    shot = tool.look(engine, frames, "scene", "group")
    # The first pair, by hand: a colouring of each frame alone.
    places = ((np.arange(tool.PAIRS) + 0.5) * 8 / tool.PAIRS).astype(int)
    pairs = [n for place in places for n in (place, place + 1)]
    for k in range(2):
        colored = [Colorizer.load(path, device="cpu")(frames[n], variant=k) for n in pairs]
        errors = (np.stack(colored) / 255 - frames[pairs] / 255) ** 2
        expected = np.mean(-10 * np.log10(errors.mean(axis=(1, 2, 3))))
        assert shot.figures["psnr"][k] == pytest.approx(expected, abs=0.05)
    assert shot.chroma.shape == (2, tool.PAIRS, 2, *tool.THUMBNAIL)
