"""hints.py: the optimisation against systems solved by hand, dots where they belong, a tiny run."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.colorize import tiny
from tests.colorize.stored import SIZE, prepared
from tests.places import EXPERIMENTS
from tests.scripts import Scripts
from tests.test_never_seen import book


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> Scripts:
    return Scripts(EXPERIMENTS / "never-seen", monkeypatch)


def dense(luma: np.ndarray, chroma: np.ndarray, marked: np.ndarray) -> np.ndarray:
    """Solve the system pixel by pixel, as its authors' program builds it."""
    height, width = luma.shape
    matrix, values = np.eye(luma.size), np.zeros((luma.size, 2))
    for y in range(height):
        for x in range(width):
            row = y * width + x
            if marked[y, x]:
                values[row] = chroma[y, x]
                continue
            around = [
                (v, u)
                for v in range(max(0, y - 1), min(height, y + 2))
                for u in range(max(0, x - 1), min(width, x + 2))
            ]
            window = np.array([luma[each] for each in around])
            others = [each for each in around if each != (y, x)]
            squares = np.array([(luma[each] - luma[y, x]) ** 2 for each in others])
            spread = 0.6 * np.mean((window - window.mean()) ** 2)
            spread = max(spread, -squares.min() / np.log(0.01), 2e-6)
            weights = np.exp(-squares / spread)
            for each, weight in zip(others, weights / weights.sum(), strict=True):
                matrix[row, each[0] * width + each[1]] -= weight
    return np.linalg.solve(matrix, values).reshape(height, width, 2)


def test_the_optimisation_solves_the_dense_system() -> None:
    from unseen.optimization import spread

    generator = np.random.default_rng(0)
    luma, chroma = generator.random((5, 6)), generator.uniform(-0.3, 0.3, (5, 6, 2))
    marked = np.zeros((5, 6), bool)
    marked[1, 1] = marked[3, 4] = marked[0, 5] = True
    got = spread(luma, chroma, marked)
    np.testing.assert_allclose(got, dense(luma, chroma, marked), atol=1e-10)
    np.testing.assert_allclose(got[marked], chroma[marked], atol=1e-12)


def test_on_flat_luma_colours_run_evenly_between_marks_and_stop_at_edges() -> None:
    from unseen.optimization import spread

    chroma = np.zeros((1, 5, 2))
    chroma[0, 0], chroma[0, 4] = (0.2, -0.1), (-0.2, 0.3)
    marked = np.array([[True, False, False, False, True]])
    flat = spread(np.full((1, 5), 0.5), chroma, marked)
    steps = np.linspace(0, 1, 5)[None, :, None]
    expected = chroma[:, :1] + steps * (chroma[:, 4:] - chroma[:, :1])
    np.testing.assert_allclose(flat, expected, atol=1e-12)
    edge = np.tile([0.2, 0.2, 0.2, 0.8, 0.8, 0.8], (4, 1))
    marks = np.zeros((4, 6), bool)
    marks[1, 0] = marks[2, 5] = True
    colors = np.zeros((4, 6, 2))
    colors[1, 0], colors[2, 5] = (0.2, 0.0), (-0.2, 0.1)
    sides = spread(edge, colors, marks)
    np.testing.assert_allclose(sides[:, :3], np.broadcast_to(colors[1, 0], (4, 3, 2)), atol=0.02)
    np.testing.assert_allclose(sides[:, 3:], np.broadcast_to(colors[2, 5], (4, 3, 2)), atol=0.02)
    assert not spread(edge, colors, np.zeros((4, 6), bool)).any()


def test_a_dot_lies_in_the_middle_of_the_worst_region() -> None:
    from unseen.dots import next_dot, with_alpha

    error = np.zeros((40, 60))
    error[5:20, 10:25] = 0.1
    error[30:33, 40:44] = 0.3  # higher, but small
    marked = np.zeros(error.shape, bool)
    rows, columns = next_dot(error, marked)
    assert (rows.start, rows.stop) == (11, 14)
    assert (columns.start, columns.stop) == (16, 19)
    # Once that is coloured, the other is worst; a region at the edge has its dot within the frame.
    error[5:20, 10:25] = 0
    marked[rows, columns] = True
    rows, columns = next_dot(error, marked)
    assert abs(rows.start + 1 - 31) <= 1
    assert abs(columns.start + 1 - 41.5) <= 1
    corner = np.zeros((40, 60))
    corner[:2, :2] = 1
    rows, columns = next_dot(corner, np.zeros(error.shape, bool))
    assert (rows.start, columns.start) == (0, 0)
    shown = with_alpha(np.full((40, 60, 3), 7, np.uint8), marked)
    assert (shown[..., 3] == 255).sum() == 9
    assert (shown[marked] == (7, 7, 7, 255)).all()


def test_dots_go_where_the_result_is_wrong_and_carry_true_colours(scripts: Scripts) -> None:
    script = scripts.module("hints")
    truth = np.full((24, 36, 3), (90, 110, 130), np.uint8)
    truth[:, 18:] = (200, 80, 60)
    given = []

    def method(picture: np.ndarray, dotted: np.ndarray, marked: np.ndarray) -> np.ndarray:
        """Leave the left half as it is, and the right half gray until a dot falls on it."""
        given.append(marked.sum())
        assert np.abs(dotted[marked].astype(int) - picture[marked]).max(initial=0) <= 2
        result = picture.copy()
        if not marked[:, 18:].any():
            gray = result[:, 18:] @ [0.299, 0.587, 0.114]
            result[:, 18:] = np.round(gray)[..., None]
        return result

    found, placed = script.ask(truth, method, (0, 1))
    assert given == [0, 9]
    assert placed[0][1].start >= 18
    assert (found[0] != truth).any()
    np.testing.assert_array_equal(found[1], truth)
    once_more = script.again(truth, method, placed, (0, 1))
    np.testing.assert_array_equal(once_more[0], found[0])
    np.testing.assert_array_equal(once_more[1], truth)


def test_pictures_are_dotted_and_written(
    tmp_path: Path, scripts: Scripts, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from unseen import drawings

    pytest.importorskip("stlpips_pytorch", reason="pip install '.[st-lpips]'")
    for name, value in {"SEEDS": (5,), "FRAMES": 1, "CLIP_SIZE": SIZE}.items():
        monkeypatch.setattr(drawings, name, value)
    script = scripts.module("hints")
    monkeypatch.setattr(script, "COUNTS", (0, 1, 2))
    monkeypatch.setattr(script, "SHOWN", (0, 1, 2))
    checkpoint = tiny.write_reference_safetensors(tmp_path / "model.safetensors")
    given = ("--storybook", book(tmp_path / "book"), "--clips", prepared(tmp_path / "data"))
    words = ("--checkpoint", checkpoint, *given, "--device", "cpu", "-o", tmp_path / "out")
    monkeypatch.setattr(sys, "argv", ["hints", *map(str, words)])
    script.main()
    written = json.loads((tmp_path / "out" / "hints.json").read_text())["kinds"]
    assert {kind: each["pictures"] for kind, each in written.items()} == {
        "storybook": 1, "clips": 4, "procedural": 4,
    }  # fmt: skip
    for each in written.values():
        values = each["psnr"]
        # Without dots the optimisation leaves all gray; two dots of true colour are better.
        assert values["optimisation"]["0"] == values["optimisation, the network's dots"]["0"]
        assert values["optimisation"]["2"] != values["optimisation"]["0"]
        assert values["network"]["0"] != values["network"]["2"]
    assert "| network |" in capsys.readouterr().out
    assert (tmp_path / "out" / "hints.png").is_file()
    assert (tmp_path / "out" / "rows" / "hints-clips.png").is_file()
