from __future__ import annotations

import pytest

from colorize.base.columns import Column, Mean, cells, markdown_table, plural
from colorize.metrics.distribution import ColorDistribution
from colorize.metrics.psnr import Psnr

TABLE = {
    "gray": {"x": Mean(2.0, 4)},  # 0.5
    "first": {"x": Mean(9.0, 3)},  # 3.0
    "second": {"x": Mean(4.0, 1)},
    "truth": {"x": Mean(3.4, 1)},
    "empty": {},
}


def _written(better: str, **others: object) -> dict[str, str]:
    column = Column(key="x", name="X", better=better, digits=1, **others)
    return cells(column, TABLE, reference="truth", aside={"truth"})


@pytest.mark.parametrize(
    ("better", "best"), [("higher", "second"), ("lower", "gray"), ("closer", "first")]
)
def test_the_best_of_the_ranked_rows_is_bold(better: str, best: str) -> None:
    plain = {"gray": "0.5", "first": "3.0", "second": "4.0", "truth": "3.4", "empty": "–"}
    assert _written(better) == plain | {best: f"**{plain[best]}**"}


def test_a_column_that_cannot_be_measured_says_so_in_every_row() -> None:
    assert set(_written("lower", unavailable="no weights").values()) == {"n/a"}


def test_an_unknown_order_is_refused() -> None:
    column = Column(key="x", name="X", better="lower")
    object.__setattr__(column, "better", "low")  # past the type check of the tests
    with pytest.raises(ValueError, match=r"better is higher, lower or closer, got 'low'"):
        cells(column, TABLE, reference=None, aside=())


def test_a_column_takes_what_its_metric_says() -> None:
    frame, shot = Column.of("psnr", Psnr()), Column.of("cdc", ColorDistribution())
    assert (frame.name, frame.digits, frame.per) == ("PSNR (dB) ↑", 2, "frame")
    assert (shot.better, shot.per) == ("closer", "shot")


def test_texts_fit_a_markdown_table() -> None:
    table = markdown_table(["", "X"], [["a | b\nc", "1"]], text_columns=1)
    assert table == "|  | X |\n| --- | --: |\n| a \\| b c | 1 |"
    assert (plural(1, "pair"), plural(0, "pair")) == ("1 pair", "0 pairs")
