"""Rows over seeds: means, paired differences and verdicts, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from colorize.evaluation.table.comparison import Claim, Comparison, Run, Spread

BETTER = {"psnr": "higher", "lpips": "lower", "colour": "closer"}


def run(row: str, seed: int, psnr: float, lpips: float = 0.5, colour: float = 30.0) -> Run:
    return Run(
        row=row,
        seed=seed,
        scores={"psnr": psnr, "lpips": lpips, "colour": colour},
        gray={"psnr": 18.0, "lpips": 0.4, "colour": 0.0},
        truth={"colour": 50.0},
    )


@pytest.fixture
def comparison() -> Comparison:
    runs = [
        run("plain", 0, 20.0, 0.30, 45.0),
        run("plain", 1, 21.0, 0.34, 41.0),
        run("segment", 0, 20.5, 0.20, 56.0),
        run("segment", 1, 21.75, 0.22, 60.0),
        run("segment", 2, 30.0, 0.10, 50.0),  # no partner: not part of a paired difference
    ]
    return Comparison(runs, BETTER)


def test_the_spread_is_the_mean_and_the_sample_deviation() -> None:
    values = np.random.default_rng(0).normal(20, 3, 7)
    spread = Spread.of(values.tolist())
    assert spread is not None
    assert spread.mean == pytest.approx(values.mean())
    assert spread.deviation == pytest.approx(values.std(ddof=1))
    assert Spread.of([3.0]) == Spread(3.0, None, 1)
    assert Spread.of([]) is None


def test_rows_keep_their_order_and_their_seeds(comparison: Comparison) -> None:
    assert comparison.rows == ["plain", "segment"]
    assert [each.seed for each in comparison.of("segment")] == [0, 1, 2]


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("psnr", [2.0, 3.0]),  # 20 - 18, 21 - 18
        ("lpips", [0.1, 0.06]),  # 0.4 - 0.30, 0.4 - 0.34
        ("colour", [45.0, 41.0]),  # 50 away from the truth before, 5 and 9 away now
    ],
)
def test_the_gain_over_gray_is_positive_where_it_is_better(
    comparison: Comparison, metric: str, expected: list[float]
) -> None:
    gain = comparison.gain("plain", metric)
    assert gain is not None
    assert gain.mean == pytest.approx(np.mean(expected))
    assert gain.deviation == pytest.approx(np.std(expected, ddof=1))


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("psnr", [0.5, 0.75]),
        ("lpips", [0.10, 0.12]),
        ("colour", [-1.0, -1.0]),  # 6 away instead of 5, 10 instead of 9
    ],
)
def test_differences_are_paired_by_seed(
    comparison: Comparison, metric: str, expected: list[float]
) -> None:
    pair = comparison.paired(metric, "segment", "plain")
    assert pair.advantage is not None
    assert pair.advantage.count == 2
    assert pair.advantage.mean == pytest.approx(np.mean(expected))
    assert pair.advantage.deviation == pytest.approx(np.std(expected, ddof=1), abs=1e-12)
    assert pair.verdict == ("agrees" if np.mean(expected) > 0 else "disagrees")


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [
        ([1.0, 1.1], "agrees"),
        ([-1.0, -1.1], "disagrees"),
        ([1.0, -0.5], "within the spread of seeds"),  # 0.25 against a deviation of 1.06
        ([0.0, 0.0], "within the spread of seeds"),
        ([0.001], "agrees"),  # one seed has no spread
        ([], "not measured"),
    ],
)
def test_the_verdict_compares_the_mean_with_the_spread(
    differences: list[float], verdict: str
) -> None:
    runs = [run("one", seed, 20 + value) for seed, value in enumerate(differences)]
    runs += [run("other", seed, 20.0) for seed in range(3)]
    assert Comparison(runs, BETTER).paired("psnr", "one", "other").verdict == verdict


def test_a_claim_holds_only_where_all_its_differences_agree(comparison: Comparison) -> None:
    def verdict(*metrics: str, over: str = "plain") -> str:
        claim = Claim(text="better", row="segment", over=[over], metrics=list(metrics))
        return comparison.judge(claim)[0]

    assert verdict("psnr", "lpips") == "agrees"
    assert verdict("psnr", "lpips", "colour") == "disagrees"
    assert verdict("psnr", over="absent") == "not measured"
    assert verdict("ssim") == "not measured"


def test_pairs_in_another_order_than_published_are_found(comparison: Comparison) -> None:
    same = {"plain": {"psnr": 20.0, "lpips": 0.3}, "segment": {"psnr": 20.4, "lpips": 0.2}}
    assert comparison.reversed_pairs(same) == []
    other = {"plain": {"psnr": 20.0, "lpips": 0.1}, "segment": {"psnr": 20.4, "lpips": 0.2}}
    (pair,) = comparison.reversed_pairs(other)
    assert (pair.metric, pair.first, pair.second) == ("lpips", "plain", "segment")
    assert pair.advantage is not None
    assert pair.advantage.mean == pytest.approx(-0.11)
