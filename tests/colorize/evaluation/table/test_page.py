"""The page of a table: every figure in its cell, every gap named."""

from __future__ import annotations

import json

import pytest

from colorize.base.columns import Column
from colorize.evaluation.table.comparison import Claim, Comparison, Run
from colorize.evaluation.table.page import Missing, Page, Published

COLUMNS = [
    Column(key="psnr", name="PSNR (dB) ↑", better="higher", digits=2, note="capped at 100 dB"),
    Column(key="lpips", name="LPIPS-like (squeeze) ↓", better="lower", digits=3),
]


def run(row: str, seed: int, psnr: float, lpips: float) -> Run:
    gray = {"psnr": 18.0, "lpips": 0.4}
    return Run(row=row, seed=seed, scores={"psnr": psnr, "lpips": lpips}, gray=gray)


@pytest.fixture
def page() -> Page:
    runs = [
        run("plain", 0, 20.0, 0.30),
        run("plain", 1, 21.0, 0.32),
        run("segment", 0, 19.0, 0.20),
        run("segment", 1, 19.5, 0.21),
    ]
    published = Published(
        source="Table I",
        rows={
            "gray input": {"psnr": 20.0, "lpips": 0.25},
            "plain": {"psnr": 20.5, "lpips": 0.22},
            "segment": {"psnr": 21.0, "lpips": 0.20},
            "lost": {"psnr": 22.0, "lpips": 0.10},
        },
        claims=[
            Claim(text="it helps", row="segment", over=["plain"], metrics=["psnr", "lpips"]),
            Claim(text="of others", row="elsewhere", over=["nowhere"], metrics=["psnr"]),
            Claim(text="best", row="plain", over=["segment", "unasked"], metrics=["psnr"]),
        ],
    )
    return Page(
        title="short",
        comparison=Comparison(runs, {"psnr": "higher", "lpips": "lower"}),
        columns=COLUMNS,
        published=published,
        networks={"plain": "random VGG-19", "segment": "VGG-19 to relu3_1 (normalised)"},
        missing=[Missing(row="lost", seed=0, reason="ran out of a|b")],
        provenance={"command": "colorize-table seed=0,1", "weights": {"model.features": "x"}},
    )


def lines(page: Page, start: str) -> list[str]:
    return [line for line in page.markdown().splitlines() if line.startswith(start)]


def test_all_measures_stand_beside_the_name_of_the_feature_network(page: Page) -> None:
    # 20.5 and 19.25; sqrt(0.5) = 0.71 and 0.5 / sqrt(2) = 0.35
    assert "| plain | random VGG-19 | 2 | 20.50 ± 0.71 | 0.310 ± 0.014 |" in page.markdown()
    assert lines(page, "| segment | VGG-19 to relu3_1 (normalised) | 2 | 19.25 ± 0.35 | 0.205")
    assert lines(page, "| gray input | – | – | 18.00 | 0.400 |")
    assert lines(page, "| lost | – | 0 | – | – |")
    assert "LPIPS-like (squeeze) ↓" in page.markdown()
    assert "- PSNR (dB) ↑: capped at 100 dB." in page.markdown()


def test_gains_over_gray_and_places_stand_beside_the_published_ones(page: Page) -> None:
    assert "| plain | 20.500 ± 0.707 | +2.500 ± 0.707 | 20.500 | +0.500 | 1 / 3 **≠** |" in (
        page.markdown()
    )
    # LPIPS falls: 0.4 - 0.205 and 0.25 - 0.20, both gains
    assert lines(page, "| segment | 0.2050 ± 0.0071 | +0.1950 ± 0.0071 | 0.2000 | +0.0500 | 1 / 2")
    assert lines(page, "| lost | – | – | 22.000 | +2.000 | – / 1")


def test_a_reversed_order_and_the_verdict_on_a_claim_are_written_out(page: Page) -> None:
    (order,) = lines(page, "- PSNR (dB) ↑: published segment better than plain")
    assert "ours the other way round, by -1.250 ± 0.354 (n = 2)" in order
    assert "- “it helps” (segment): **disagrees**" in page.markdown()
    assert "  - psnr, over plain: -1.250 ± 0.354 (n = 2): disagrees" in page.markdown()
    assert "  - lpips, over plain: +0.1050 ± 0.0071 (n = 2): agrees" in page.markdown()
    assert "of others" not in page.markdown()  # a claim about rows of other tables
    # Rows that were not asked for take no lines; 1.25 is the difference of the means.
    assert "- “best [of 2 rows, 1 here]” (plain): **agrees**" in page.markdown()
    assert "  - psnr, over segment: +1.250 ± 0.354 (n = 2): agrees" in page.markdown()
    assert "unasked" not in page.markdown()


def test_what_is_missing_and_how_it_was_made_stand_at_the_end(page: Page) -> None:
    assert "- lost, seed 0: ran out of a|b" in page.markdown()
    assert page.markdown().endswith(
        "- command: colorize-table seed=0,1\n- weights: model.features x\n"
    )


def test_the_json_holds_every_value_and_survives_a_file(page: Page) -> None:
    content = json.loads(json.dumps(page.json(), allow_nan=False))
    psnr = content["rows"]["plain"]["scores"]["psnr"]
    assert psnr["values"] == {"0": 20.0, "1": 21.0}
    assert psnr["mean"] == 20.5
    assert psnr["gain over gray"]["mean"] == pytest.approx(2.5)
    assert content["rows"]["plain"]["network"] == "random VGG-19"
    assert content["missing"] == [{"row": "lost", "seed": 0, "reason": "ran out of a|b"}]
    claim, _ = content["claims"]
    assert claim["verdict"] == "disagrees"
    assert [pair["verdict"] for pair in claim["differences"]] == ["disagrees", "agrees"]
    assert content["order"][0]["first"] == "segment"


def test_a_table_that_nobody_published_shows_its_own_figures_alone(page: Page) -> None:
    alone = Page(**{**vars(page), "published": Published(), "missing": []})
    text = alone.markdown()
    assert "plain" in text
    for absent in ("published", "order differs", "claims", "Missing"):
        assert absent not in text
