from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest
import torch

from colorize.base.columns import Column, Mean
from colorize.evaluation.report import Report
from colorize.metrics import BEST, COLORIZED, GRAY, TRUTH
from colorize.metrics.colorfulness import Colorfulness
from colorize.metrics.psnr import Psnr

COLUMNS = (
    Column.of("psnr", Psnr()),
    Column.of("colorfulness", Colorfulness()),
    Column(key="lpips", name="LPIPS (alex) ↓", better="lower", unavailable="no weights here"),
)


def _report() -> Report:
    """Return two clips of one and three frames, so that means of means would be wrong."""
    report = Report(columns=COLUMNS, reference=TRUTH, unranked=frozenset({BEST}))
    report.add(
        clip="short",
        frames=["a 1.png"],
        values={
            GRAY: {"psnr": [20.0], "colorfulness": [0.0]},
            COLORIZED: {"psnr": torch.tensor([30.0]), "colorfulness": torch.tensor([50.0])},
            BEST: {"psnr": [40.0], "colorfulness": [60.0]},
            TRUTH: {"colorfulness": [61.0]},
        },
    )
    report.add(
        clip="long | odd",
        frames=["1", "2", "3"],
        values={
            GRAY: {"psnr": [10.0, 11.0, 12.0], "colorfulness": [0.0, 0.0, 0.0]},
            COLORIZED: {"psnr": [9.0, 8.0, 7.0], "colorfulness": [90.0, 91.0, 92.0]},
            BEST: {"psnr": [13.0, 13.0, 13.0], "colorfulness": [60.0, 60.0, 60.0]},
            TRUTH: {"colorfulness": [61.0, 61.0, 61.0]},
        },
    )
    return report


def _rows(markdown: str) -> list[list[str]]:
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_total_is_the_mean_over_frames_not_over_clips() -> None:
    total = _report().total()
    assert total[COLORIZED]["psnr"] == Mean(54.0, 4)
    assert total[COLORIZED]["psnr"].mean == 13.5  # the mean of the clips' means would be 19
    assert _report().clips()["long | odd"][GRAY]["psnr"] == Mean(33.0, 3)


def test_sums_are_exact_in_any_grouping() -> None:
    values = [1e16, 1.0, -1e16, 1.0]
    report = Report(columns=[Column(key="x", name="x", better="lower")])
    report.add(clip="c", frames=["1", "2", "3", "4"], values={"row": {"x": values}})
    assert report.total()["row"]["x"] == Mean(2.0, 4)


def test_markdown_shows_the_total_first_and_the_best_ranked_row_bold() -> None:
    markdown = _report().markdown({"seed": 3, "weights": {"vgg": "random"}, "checkpoint": None})
    rows = _rows(markdown)
    assert rows[0] == ["", "PSNR (dB) ↑", "Colourfulness (→ truth)", "LPIPS (alex) ↓"]
    assert rows[2:6] == [
        [GRAY, "13.25", "0.0", "n/a"],
        [COLORIZED, "**13.50**", "**80.8**", "n/a"],  # 61 is nearer to 80.8 than to 0
        [BEST, "19.75", "60.0", "n/a"],
        [TRUTH, "–", "61.0", "n/a"],
    ]
    assert rows[8] == ["short", GRAY, "20.00", "0.0", "n/a"]
    assert rows[12] == [r"long \| odd", GRAY, "**11.00**", "0.0", "n/a"]
    assert "Means over 4 frames of 2 clips." in markdown
    assert "- LPIPS (alex) ↓: n/a: no weights here" in markdown
    assert "- PSNR (dB) ↑: identical frames count as 100 dB." in markdown
    assert f"- {BEST}: not ranked." in markdown
    assert "- seed: 3\n- weights: vgg random\n- checkpoint: none\n" in markdown


def test_rows_that_read_alike_are_both_bold_and_a_single_row_is_not() -> None:
    column = Column(key="x", name="X ↓", better="lower", digits=1)
    report = Report(columns=[column])
    report.add(clip="c", frames=["1"], values={"one": {"x": [2.01]}})
    assert _rows(report.markdown())[2] == ["one", "2.0"]
    report.add(clip="c", frames=["1"], values={"two": {"x": [2.04]}, "three": {"x": [2.06]}})
    assert [row[1] for row in _rows(report.markdown())[2:5]] == ["**2.0**", "**2.0**", "2.1"]


def test_closer_without_a_reference_ranks_nothing() -> None:
    report = Report(columns=[Column.of("c", Colorfulness())])
    report.add(clip="c", frames=["1"], values={"one": {"c": [2.0]}, "two": {"c": [3.0]}})
    assert [row[1] for row in _rows(report.markdown())[2:4]] == ["2.0", "3.0"]


def test_the_three_files_agree(tmp_path: Path) -> None:
    paths = _report().write(tmp_path / "new", {"data": "Ну, погоди"})
    assert [path.name for path in paths] == ["results.md", "results.csv", "results.json"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(
        path.name for path in paths
    )
    data = json.loads(paths[2].read_text(encoding="utf-8"))
    assert data["provenance"] == {"data": "Ну, погоди"}
    assert data["metrics"]["lpips"]["unavailable"] == "no weights here"
    assert data["total"][COLORIZED]["psnr"] == {"mean": 13.5, "sum": 54.0, "count": 4}
    assert len(data["frames"]) == 16
    frame = {"clip": "short", "frame": "a 1.png", "variant": COLORIZED}
    assert data["frames"][1] == {**frame, "psnr": 30.0, "colorfulness": 50.0}
    with paths[1].open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert [row["scope"] for row in rows] == ["total"] * 4 + ["clip"] * 8
    assert (rows[1]["variant"], rows[1]["frames"], rows[1]["psnr"]) == (COLORIZED, "4", "13.5")
    assert (rows[11]["clip"], rows[11]["psnr"], rows[11]["lpips"]) == ("long | odd", "", "")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"row": {"psnrr": [1.0]}}, r"no column 'psnrr' for row 'row', expected one of color"),
        ({"row": {"lpips": [1.0]}}, r"no column 'lpips'"),
        ({"row": {"psnr": [1.0, 2.0]}}, r"c, row, psnr: expected 1 values, .* got 2"),
        ({"row": {"psnr": [math.nan]}}, r"c, row, f: psnr is nan"),
    ],
)
def test_wrong_values_are_refused(values: dict[str, dict[str, list[float]]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Report(columns=COLUMNS).add(clip="c", frames=["f"], values=values)


SHOT_COLUMNS = (
    Column.of("psnr", Psnr()),
    Column(key="warp", name="Warp error (→ truth)", better="closer", digits=1, per="pair"),
    Column(key="cdc", name="CDC (→ truth)", better="closer", digits=1, note="of shots", per="shot"),
)


def _shots() -> Report:
    """Return one clip of two shots of 3 frames, every third frame of it measured alone."""
    report = Report(columns=SHOT_COLUMNS, reference=TRUTH, unranked=frozenset({BEST}))
    psnr = {GRAY: {"psnr": [20.0]}, COLORIZED: {"psnr": [25.0]}, BEST: {"psnr": [26.0]}}
    nan = math.nan
    for start in (0, 3):
        frames = [str(start), str(start + 1), str(start + 2)]
        report.add(clip="c", frames=frames[:1], values=psnr)
        values = {
            GRAY: {"warp": torch.tensor([nan, 1.0, 2.0 + start]), "cdc": [nan, nan, 0.0]},
            COLORIZED: {"warp": [nan, 7.0, 7.0 + start], "cdc": [nan, nan, 5.0 + start]},
            TRUTH: {"warp": [nan, 6.0, 6.0], "cdc": [nan, nan, 4.0]},
        }
        report.add_shot(clip="c", frames=frames, values=values)
    return report


def test_pairs_and_shots_have_means_over_their_own_numbers() -> None:
    total = _shots().total()
    assert total[COLORIZED] == {
        "psnr": Mean(50.0, 2),
        "warp": Mean(31.0, 4),
        "cdc": Mean(13.0, 2),
    }
    assert "warp" not in total[BEST]
    assert list(total) == [GRAY, COLORIZED, BEST, TRUTH]


def test_pairs_and_shots_stand_beside_frames_in_every_file(tmp_path: Path) -> None:
    markdown, table, content = (path.read_text() for path in _shots().write(tmp_path))
    rows = _rows(markdown)
    assert rows[2:6] == [
        [GRAY, "20.00", "2.2", "0.0"],  # 0.0 is farther from 4.0 than 6.5
        [COLORIZED, "**25.00**", "**7.8**", "**6.5**"],
        [BEST, "26.00", "–", "–"],
        [TRUTH, "–", "6.0", "4.0"],
    ]
    assert "Means over 2 frames of 1 clip." in markdown
    assert "- Warp error (→ truth): mean over 4 pairs.\n" in markdown
    assert "- CDC (→ truth): of shots; mean over 2 shots.\n" in markdown
    first = next(csv.DictReader(table.splitlines()))
    assert (first["variant"], first["frames"], first["warp"]) == (GRAY, "2", "2.25")
    data = json.loads(content)
    assert data["total"][COLORIZED]["warp"] == {"mean": 7.75, "sum": 31.0, "count": 4}
    assert len(data["frames"]) == 6
    place = {"clip": "c", "variant": COLORIZED}
    assert [row for row in data["shots"] if row["variant"] == COLORIZED] == [
        {**place, "frame": "1", "warp": 7.0},
        {**place, "frame": "2", "warp": 7.0, "cdc": 5.0},
        {**place, "frame": "4", "warp": 7.0},
        {**place, "frame": "5", "warp": 10.0, "cdc": 8.0},
    ]
    assert data["metrics"]["cdc"]["per"] == "shot"


def test_rows_of_unlike_pairs_and_a_shot_measured_twice_are_refused() -> None:
    report = _shots()
    with pytest.raises(ValueError, match=r"c, gray input, 2 is measured twice"):
        report.add_shot(clip="c", frames=["2"], values={GRAY: {"warp": [1.0]}})
    with pytest.raises(ValueError, match=r"c, gray input, 9: warp is inf"):
        report.add_shot(clip="c", frames=["9"], values={GRAY: {"warp": [math.inf]}})
    report.add_shot(clip="c", frames=["8"], values={GRAY: {"warp": [1.0]}})
    with pytest.raises(ValueError, match=r"'gray input' and 'colorized' differ in 1 frames"):
        report.markdown()


def test_a_frame_measured_twice_or_in_one_row_only_is_refused() -> None:
    report = Report(columns=COLUMNS)
    with pytest.raises(ValueError, match=r"no frame was measured"):
        report.markdown()
    report.add(clip="c", frames=["f"], values={"one": {"psnr": [1.0]}, "two": {"psnr": [1.0]}})
    with pytest.raises(ValueError, match=r"c, two, f is measured twice"):
        report.add(clip="c", frames=["f"], values={"two": {"psnr": [1.0]}})
    report.add(clip="c", frames=["g"], values={"two": {"psnr": [1.0]}})
    with pytest.raises(ValueError, match=r"'one' and 'two' differ in 1 frames \(first: c, g\)"):
        report.markdown()
