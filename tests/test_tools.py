"""Every tool explains itself and runs on something tiny; what it states is checked by hand."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from PIL import Image

from colorize.inference.checkpoints import build_networks, export, load_checkpoint
from colorize.media import open_source
from tests.colorize import tiny
from tests.places import TOOLS
from tests.scripts import Scripts

SCRIPTS = sorted(path.stem for path in TOOLS.glob("*.py"))


@pytest.fixture
def tools(monkeypatch):
    return Scripts(TOOLS, monkeypatch)


@pytest.fixture
def run(tools):
    """Return a function: run a tool in this process, and return its exit code."""
    return tools.run


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_says_what_a_tool_is_for(name, run, capsys):
    assert run(name, "--help") == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: {name}")
    assert len(shown.splitlines()) > 5


@pytest.fixture
def small_benchmarks(tools, monkeypatch):
    """Let what the benchmark measures at sizes of its own be tiny."""
    from benchmarks import guided, live, pipeline, screening

    for module, settings in (
        (guided, {"_SIZE": (64, 80), "_PROTOTYPE_SIZE": (32, 32), "_FRAMES": 2}),
        (live, {"_SIZE": (64, 96)}),
        (pipeline, {"_WORKING": (32, 48), "_SHOTS": 2, "_FRAMES": 6, "_CHANNELS": [4, 8]}),
        (screening, {"_PICTURES": 2, "_SIZE": (64, 48)}),
    ):
        for name, value in settings.items():
            monkeypatch.setattr(module, name, value)


def test_the_benchmark_prints_and_writes_every_ratio(small_benchmarks, run, tmp_path, capsys):
    report = tmp_path / "speed.json"
    small = ("--size", 32, 32, "--taps", "conv1_2", "--repetitions", 1, "--json", report)
    assert run("benchmark", *small, "--film", 48, 64) == 0
    written, shown = json.loads(report.read_text()), capsys.readouterr().out
    names = {"hypercolumn", "step", "segment", "losses", "targets", "screening", "pipeline"}
    names |= {"guided", "live"}
    assert set(written) == names | {"setting"}
    whole, decoding = written["screening"]["seconds"].values()
    assert whole > decoding
    assert written["screening"]["pictures_per_second"] == pytest.approx(2 / whole)
    assert written["hypercolumn"]["largest_difference"] <= 1e-5
    for name, measured in written.items():
        if name != "setting":
            assert all(seconds > 0 for seconds in measured["seconds"].values())
            assert all(line in shown for line in measured["seconds"])
    assert {"Segment", "Bilateral", "Temporal", "SegmentUniformity", "Refinement"} <= set(
        written["losses"]["seconds"]
    )
    seconds = written["segment"]["seconds"]
    share = seconds["Segment loss"] / seconds["generator, RankDiv"]
    assert f"share of the step with RankDiv: {share:.1%} (target 10.0%" in shown
    assert 0.5 < written["targets"]["exact_distances_found"] <= 1
    *stages, serial, overlapping = written["pipeline"]["seconds"].values()
    assert serial == pytest.approx(sum(stages))
    assert written["pipeline"]["gain"] == pytest.approx(serial / overlapping)


def test_divisors_need_frames_and_come_from_those_with_colour(run, tmp_path, capsys):
    options = ("--only", "divisors", "--size", 24, 32, "--taps", "conv1_1", "--every", 1)
    assert run("benchmark", *options) == 2
    assert "--only divisors needs --frames FILE" in capsys.readouterr().err
    color = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)
    Image.fromarray(color).save(tmp_path / "color.png")
    Image.fromarray(np.repeat(color[..., :1], 3, axis=2)).save(tmp_path / "gray.png")
    pictures = [tmp_path / "color.png", tmp_path / "gray.png"]
    assert run("benchmark", *options, "--frames", *pictures) == 0
    assert "mean of 1 frames" in capsys.readouterr().out
    assert run("benchmark", *options, "--frames", pictures[1]) == 2
    assert "no frame that has colour" in capsys.readouterr().err


def test_the_share_of_exact_distances_is_counted_by_hand(tools):
    from benchmarks.targets import share_found

    color = torch.zeros(1, 3, 1, 4)
    exact = torch.tensor([[0, 1, 2, 3], [1, 0, 1, 2]], dtype=torch.int32).view(1, 2, 1, 4)
    assert share_found(color, exact, exact) == 1
    other = exact.clone()
    other[0, 1, 0, 1] = 2  # as near as pixel 0, on the other side
    other[0, 1, 0, 3] = 0  # three pixels off instead of one
    assert share_found(color, exact, other) == pytest.approx(7 / 8)


def test_a_cartoon_is_rendered_as_a_strip(run, tmp_path):
    strip = tmp_path / "strip.png"
    words = ("-o", strip, "--size", 32, 48, "--shots", 1, "--frames", 2, "--columns", 2)
    assert run("render_cartoon", *words, "--show", "segments") == 0
    with Image.open(strip) as picture:
        assert picture.size == (2 * 2 * 48, 32)


def test_the_demo_gives_one_frame_a_shot_in_colour(tools, tmp_path):
    # The demo itself is two commands, each with tests of its own.
    tools.module("demo").draw_shots(tmp_path, shots=2, frames=3)
    names = ("truth", "gray", "references")
    truth, gray, given = (list(open_source(tmp_path / name)) for name in names)
    assert [frame.name for frame in truth] == [frame.name for frame in gray]
    assert [frame.name for frame in given] == ["shot-000_000.png", "shot-001_000.png"]
    np.testing.assert_array_equal(given[1].rgb, truth[3].rgb)
    assert len(truth) == 6
    luma = truth[0].rgb.astype(float) @ [0.299, 0.587, 0.114]
    assert np.abs(gray[0].rgb - luma[..., None]).max() <= 0.51
    assert np.ptp(truth[0].rgb, axis=2).max() > 0


def test_shipped_weights_are_half_as_large_and_colour_the_same(run, tmp_path, capsys):
    checkpoint = tiny.write_reference_safetensors(tmp_path / "model.safetensors")
    picture = tmp_path / "gray.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (48, 64), np.uint8)).save(picture)
    assert run("ship_weights", checkpoint, "--folder", tmp_path, "--check", picture) == 0
    shown = capsys.readouterr().out
    assert "differs by at most 0." in shown
    shipped = tmp_path / "default.safetensors"
    assert shipped.stat().st_size < 0.6 * checkpoint.stat().st_size


def test_the_unguided_part_of_another_run_is_shipped_with_the_rest(run, tmp_path, capsys):
    first, second, other = (tmp_path / f"{name}.safetensors" for name in ("a", "b", "c"))
    tiny.write_reference_safetensors(first, tells_spread=True)
    tiny.write_reference_safetensors(second, unguided="committee", tells_spread=True)
    assert run("ship_weights", first, "--folder", tmp_path, "--unguided", second) == 0
    shipped = load_checkpoint(tmp_path / "default.safetensors")
    one, two = load_checkpoint(first), load_checkpoint(second)
    assert shipped.model == two.model
    assert shipped.description["unguided"] == two.description
    for name, weight in shipped.weights.items():
        expected = (two if name.startswith("unguided.") else one).weights[name]
        torch.testing.assert_close(weight.float(), expected.float(), rtol=1e-3, atol=1e-3)
    build_networks(shipped)
    seen = "matcher.features.layers.0.weight"
    changed = {**two.weights, seen: two.weights[seen] + 1}
    export(dataclasses.replace(two, weights=changed), other)
    with pytest.raises(ValueError, match=r"c\.safetensors: its features are not those of"):
        run("ship_weights", first, "--folder", tmp_path, "--unguided", other)
