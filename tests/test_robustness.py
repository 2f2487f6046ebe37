"""robustness.py wears films as it says, scores colours by hand, and runs on something tiny."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import shift

from tests.colorize import tiny
from tests.colorize.stored import SIZE, prepared
from tests.places import EXPERIMENTS
from tests.scripts import Scripts
from tests.test_never_seen import book

LUMA = np.array([0.299, 0.587, 0.114])


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> Scripts:
    return Scripts(EXPERIMENTS / "never-seen", monkeypatch)


def muted(count: int = 2) -> np.ndarray:
    """Frames whose chroma fits with any luma that is not extreme."""
    generator = np.random.default_rng(4)
    return generator.integers(110, 150, (count, 24, 32, 3)).astype(np.uint8)


def chroma(frames: np.ndarray) -> np.ndarray:
    luma = frames / 255 @ LUMA
    return np.stack([frames[..., 2] / 255 - luma, frames[..., 0] / 255 - luma])


def test_a_print_has_another_luma_and_the_same_chroma() -> None:
    from unseen import wear

    frames = muted()
    got = wear.printed(frames, gamma=1.8)
    np.testing.assert_allclose(got / 255 @ LUMA, (frames / 255 @ LUMA) ** 1.8, atol=0.003)
    np.testing.assert_allclose(chroma(got), chroma(frames), atol=0.005)
    other = wear.developed(frames, gamma=1.8)
    np.testing.assert_array_equal(other, np.round(255 * (frames / 255) ** 1.8))


def test_flicker_multiplies_the_luma_of_a_frame_alike() -> None:
    from unseen import wear

    frames = muted(6)
    got = wear.flickering(frames, most=0.18, rng=np.random.default_rng(1))
    ratio = (got / 255 @ LUMA) / (frames / 255 @ LUMA)
    gains = ratio.mean((1, 2))
    np.testing.assert_allclose(ratio, np.broadcast_to(gains[:, None, None], ratio.shape), atol=0.01)
    assert np.abs(gains - 1).max() <= 0.185
    assert gains.std() > 0.05
    np.testing.assert_allclose(chroma(got), chroma(frames), atol=0.005)


def test_weave_shifts_each_frame_by_a_part_of_its_size() -> None:
    from unseen import wear

    rows, columns = np.mgrid[:60, :200]
    smooth = 128 + 60 * np.sin(rows / 7.0) * np.cos(columns / 9.0)
    frames = np.repeat(smooth[None, ..., None].round().astype(np.uint8), 3, axis=3)
    frames = np.repeat(frames, 3, axis=0)
    got = wear.weaving(frames, most=0.05, rng=np.random.default_rng(2))
    drawn = np.random.default_rng(2)
    for frame, moved in zip(frames, got, strict=True):
        dx, dy = drawn.uniform(-0.05, 0.05, 2) * (200, 60)
        expected = shift(frame[..., 0].astype(float), (dy, dx), order=1)
        np.testing.assert_allclose(moved[12:-12, 12:-12, 0], expected[12:-12, 12:-12], atol=4)
        assert np.abs(moved[12:-12, 12:-12, 0].astype(float) - frame[12:-12, 12:-12, 0]).max() > 8


def test_grain_has_its_deviation_in_luma_and_none_in_chroma() -> None:
    from unseen import wear

    frames = np.full((4, 60, 80, 3), (120, 130, 140), np.uint8)
    got = wear.grainy(frames, sigma=0.06, rng=np.random.default_rng(3))
    noise = (got - frames.astype(float)) / 255 @ LUMA
    assert noise.std() == pytest.approx(0.06, rel=0.03)
    assert abs(noise.mean()) < 0.005
    assert (noise[0] != noise[1]).mean() > 0.9
    np.testing.assert_allclose(chroma(got), chroma(frames), atol=0.006)


def test_scores_by_hand() -> None:
    from unseen import scoring

    truth = np.full((1, 8, 8, 3), (120, 120, 120), np.uint8)
    # Only another luma: the colours are as true as can be.
    assert scoring.psnr_of_colors(truth + 40, truth)[0] > 45
    tinted = truth.copy()
    tinted[..., 0] = 160  # Cr = 0.701 * 40 / 255 / 1.402, and R - Y' = 0.701 * 40
    off = np.array([0.701, -0.299, -0.299]) * 40 / 255
    expected = -10 * np.log10(np.square(off).mean())
    assert scoring.psnr_of_colors(tinted, truth)[0] == pytest.approx(expected, abs=0.01)
    mask = np.zeros((1, 8, 8), bool)
    mask[0, :2] = True
    half = truth.copy()
    half[0, 0] = (200, 60, 60)
    assert scoring.within(half, truth, mask, distance=10) == 0.5
    assert scoring.within(half, truth, ~mask, distance=10) == 1
    error = np.mean(np.square(np.array([80, -60, -60]) / 255)) / 2
    assert scoring.psnr_within(half, truth, mask) == pytest.approx(-10 * np.log10(error))


def test_a_cut_out_shows_what_the_mask_shows() -> None:
    from unseen import scoring

    picture = np.arange(10 * 12 * 3, dtype=np.uint8).reshape(10, 12, 3)
    mask = np.zeros((10, 12), bool)
    mask[4:7, 5:7] = True
    mask[5, 5] = False
    cut = scoring.cut_out(picture, mask, margin=6)
    assert cut.shape == (3 + 12, 2 + 12, 4)
    np.testing.assert_array_equal(cut[6:9, 6:8, :3], picture[4:7, 5:7])
    assert cut[..., 3].sum() == 255 * 5
    white = scoring.on_white(cut)
    np.testing.assert_array_equal(white[7, 6], (255, 255, 255))
    np.testing.assert_array_equal(white[6, 6], picture[4, 5])


def test_all_parts_run_and_are_written(
    tmp_path: Path, scripts: Scripts, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from unseen import drawings

    monkeypatch.setattr(drawings, "CLIP_SIZE", SIZE)
    script = scripts.module("robustness")
    few = {"SHOTS": 4, "WORN_SHOTS": 1, "AROUND": 2, "LOOKS": ("pastel",)}
    for name, value in few.items():
        monkeypatch.setattr(script, name, value)
    checkpoint = tiny.write_reference_safetensors(tmp_path / "model.safetensors")
    given = ("--storybook", book(tmp_path / "book"), "--clips", prepared(tmp_path / "data"))
    out = tmp_path / "out"
    words = ("--checkpoint", checkpoint, *given, "--device", "cpu", "--every", 2, "-o", out)
    monkeypatch.setattr(sys, "argv", ["robustness", *map(str, words), "--every-page", "1"])
    script.main()
    written = json.loads((out / "robustness.json").read_text())
    worn = written["worn"]["Penny & Chip"]
    assert next(iter(worn)) == "clean"
    assert len(worn) == 6
    # The second frame before and the second after the middle, of each of two clips.
    assert worn["clean"]["frames"] == 4
    assert worn["clean"]["loss"] == 0
    assert worn["grain of 0.06"]["loss"] == pytest.approx(
        worn["clean"]["psnr"] - worn["grain of 0.06"]["psnr"]
    )
    assert len({each["psnr"] for each in worn.values()}) == 6
    page = written["another page"]
    assert page["pages"] == 2
    assert min(page["automatic"], page["shown"]) > 5
    sheets = written["hero's sheet"]
    assert list(sheets) == ["pastel"]
    for each in sheets.values():
        assert each["pixels"] > 100
        assert each["on white"]["background"] != each["automatic"]["background"]
    shown = capsys.readouterr().out
    assert f"| clean | {worn['clean']['psnr']:.2f} |" in shown
