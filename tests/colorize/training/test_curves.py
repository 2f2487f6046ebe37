"""The picture of a run, by what its axes hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from colorize.training.curves import draw_curves

TABLE = """\
epoch,step,seconds,lr-Adam,train/rank_diversity/still,train/total,val/psnr/gray,val/psnr/mean,val/mse_lab/mean
1,10,3.5,0.001,8.5,4.25,18.0,,210
2,20,3.25,0.0005,6.5,3.25,18.0,19.5,
3,30,3.0,0,5.5,2.75,18.0,22.25,150
"""


@pytest.fixture
def drawn(tmp_path: Path, monkeypatch) -> tuple[Path, Figure]:
    figures = []
    save = Figure.savefig

    def keep(figure: Figure, *arguments, **options) -> None:
        figures.append(figure)
        save(figure, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", keep)
    (tmp_path / "history.csv").write_text(TABLE)
    draw_curves(tmp_path / "history.csv", tmp_path / "curves.png")
    return tmp_path / "curves.png", figures[0]


def test_losses_share_a_panel_and_each_metric_has_its_own(drawn) -> None:
    _, figure = drawn
    assert [axes.get_title() for axes in figure.axes] == ["training loss", "psnr", "mse_lab"]
    labels = [[line.get_label() for line in axes.lines] for axes in figure.axes]
    assert labels == [["rank_diversity/still", "total"], ["gray", "mean"], ["mean"]]
    assert all(axes.get_xlabel() == "epoch" for axes in figure.axes)
    assert [line.get_linestyle() for line in figure.axes[1].lines] == ["--", "-"]


def test_lines_hold_the_values_of_the_table_and_skip_missing_ones(drawn) -> None:
    _, figure = drawn
    lines = [line.get_xydata().tolist() for axes in figure.axes for line in axes.lines]
    assert lines == [
        [[1, 8.5], [2, 6.5], [3, 5.5]],
        [[1, 4.25], [2, 3.25], [3, 2.75]],
        [[1, 18], [2, 18], [3, 18]],
        [[2, 19.5], [3, 22.25]],
        [[1, 210], [3, 150]],
    ]


def test_the_picture_is_a_png_with_three_panels(drawn) -> None:
    path, _ = drawn
    with Image.open(path) as image:
        assert (image.format, image.size) == ("PNG", (3 * 550, 396))
        pixels = np.array(image.convert("L"))
    for panel in range(3):  # ink in each, not a blank sheet
        assert (pixels[:, 550 * panel : 550 * (panel + 1)] < 100).mean() > 0.005
    assert sorted(file.name for file in path.parent.iterdir()) == ["curves.png", "history.csv"]


def test_one_epoch_alone_can_be_drawn(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text("".join(TABLE.splitlines(keepends=True)[:2]))
    draw_curves(tmp_path / "history.csv", tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as image:
        assert image.size == (3 * 550, 396)
