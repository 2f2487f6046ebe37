"""The pictures of a table hold a panel for each metric and a curve for each row."""

import io

import numpy as np
import pytest
from PIL import Image

from colorize.base.columns import Column
from colorize.evaluation.table import pictures
from colorize.evaluation.table.comparison import Comparison, Run
from colorize.evaluation.table.pictures import draw_histories, draw_table


def decoded(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def blue_dots(picture):
    """Count the pixels in matplotlib's full blue, the colour of the diamonds."""
    return int((np.abs(picture - (31, 119, 180)).max(axis=-1) < 4).sum())


def comparison(*rows):
    runs = [
        Run(row=row, seed=0, scores={"psnr": 20.0 + place}, gray={"psnr": 18.0})
        for place, row in enumerate(rows)
    ]
    return Comparison(runs, {"psnr": "higher", "ssim": "higher"})


def column(key):
    return Column(key=key, name=key, better="higher")


def test_the_table_has_a_mark_for_every_row_and_four_panels_abreast():
    one = decoded(draw_table(comparison("a"), [column("psnr")]))
    three = decoded(draw_table(comparison("a", "b", "c"), [column("psnr")]))
    assert blue_dots(three) > 2.5 * blue_dots(one) > 0
    four = decoded(draw_table(comparison("a"), [column("psnr")] * 4))
    five = decoded(draw_table(comparison("a"), [column("psnr")] * 5))
    assert four.shape[1] == five.shape[1]
    assert five.shape[0] == pytest.approx(2 * four.shape[0], abs=2)


def test_a_metric_that_no_row_has_leaves_its_panel_empty():
    assert blue_dots(decoded(draw_table(comparison("a"), [column("ssim")]))) == 0


def test_every_row_has_a_curve_of_its_own_colour():
    flat = {
        ("one", 0): [(1, 1.0), (2, 1.0)],
        ("other", 0): [(1, 2.0), (2, 2.0)],
        ("other", 1): [(1, 3.0), (2, 3.0)],
    }
    picture = decoded(draw_histories(flat, title="val/psnr/mean"))
    blue, orange = (
        (np.abs(picture - color).max(axis=-1) < 4).sum()
        for color in ((31, 119, 180), (255, 127, 14))
    )
    assert orange > 1.2 * blue > 0  # two seeds, of which one is dotted


def test_gray_is_a_line_from_side_to_side():
    points = [(1, 1.0), (2, 3.0)]
    with_gray = decoded(draw_histories({("one", 0): points}, gray=[(1, 2.0), (2, 2.0)], title="t"))
    without = decoded(draw_histories({("one", 0): points}, title="t"))

    def widest(picture):  # of the rows of pixels in the gray of a dashed line
        return (np.abs(picture - 128).max(axis=-1) < 3).sum(axis=1).max()

    assert widest(with_gray) > 0.5 * with_gray.shape[1] > widest(without)


def test_epochs_are_whole_and_every_line_is_named(monkeypatch):
    drawn = []
    monkeypatch.setattr(pictures, "_png", lambda figure: drawn.append(figure) or b"")
    histories = {(row, seed): [(1, 1.0), (2, 2.0)] for row in ("a", "b") for seed in (0, 7)}
    draw_histories(histories, gray=[(1, 0.5)], title="score")
    draw_histories({("a", 0): [(1, 1.0)]}, title="score")  # a single epoch shows as a mark
    two, one = (figure.axes[0] for figure in drawn)
    labels = [text.get_text() for text in drawn[0].legends[0].get_texts()]
    assert labels == ["a, seed 0", "a, seed 7", "b, seed 0", "b, seed 7", "gray input"]
    looks = {(line.get_color(), line.get_linestyle()) for line in two.lines[:4]}
    assert len(looks) == 4
    for axes in (one, two):
        low, high = axes.get_xlim()
        ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
        assert ticks
        assert all(tick == round(tick) for tick in ticks)
    assert one.lines[0].get_marker() == "o"
