"""Every tool explains itself and runs on something tiny; what it states is checked by hand."""

from __future__ import annotations

import importlib.util
import json
import math
import runpy
import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from lightning import seed_everything
from PIL import Image

from colorize.base.config import config_directory, register_schema
from colorize.media import open_source
from colorize.training.objective import Objective
from colorize.training.settings import TrainConfig
from colorize.training.train import assemble
from tests.colorize import tiny
from tests.colorize.stored import prepared
from tests.places import TOOLS

SCRIPTS = sorted(path.stem for path in TOOLS.glob("*.py"))
TINY = ["debug=tiny", "model.channels=[4,4,4]", "loss=[rank_diversity,segment,temporal]"]


@pytest.fixture(autouse=True)
def _as_a_script(monkeypatch):
    """Let tools import what stands beside them, and put back the seed that they set."""
    monkeypatch.syspath_prepend(str(TOOLS))
    monkeypatch.setenv("PL_GLOBAL_SEED", "0")


@pytest.fixture
def run(monkeypatch):
    """Return a function: run a tool in this process, and return its exit code."""

    def start(name: str, *words: object) -> int:
        monkeypatch.setattr(sys, "argv", [name, *map(str, words)])
        try:
            runpy.run_path(str(TOOLS / f"{name}.py"), run_name="__main__")
        except SystemExit as end:
            return int(end.code or 0)
        return 0

    return start


def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"tool_{name}", TOOLS / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded  # dataclasses look their module up
    spec.loader.exec_module(loaded)
    return loaded


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_says_what_a_tool_is_for(name, run, capsys):
    assert run(name, "--help") == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: {name}")
    assert len(shown.splitlines()) > 5


def test_the_benchmark_prints_and_writes_every_ratio(run, tmp_path, capsys):
    report = tmp_path / "speed.json"
    small = ("--size", 32, 32, "--taps", "conv1_2", "--repetitions", 1, "--json", report)
    assert run("benchmark", *small, "--film", 48, 64) == 0
    written, shown = json.loads(report.read_text()), capsys.readouterr().out
    names = {"hypercolumn", "step", "segment", "losses", "targets", "screening", "pipeline"}
    names.add("guided")
    assert set(written) == names | {"setting"}
    whole, decoding = written["screening"]["seconds"].values()
    assert whole > decoding
    assert written["screening"]["pictures_per_second"] == pytest.approx(16 / whole)
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


def test_the_share_of_exact_distances_is_counted_by_hand():
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


def test_upsampling_is_compared_and_drawn(run, tmp_path, capsys):
    report, crops = tmp_path / "report.json", tmp_path / "crops.png"
    given = tmp_path / "given.png"
    Image.fromarray(np.full((96, 128, 3), (200, 90, 40), np.uint8)).save(given)
    small = ("--size", 96, 128, "--short-side", 24, "--cartoons", 1, "--frames", given)
    assert run("compare_upsampling", *small, "--sheet", crops, "--json", report) == 0
    shown, rows = capsys.readouterr().out, json.loads(report.read_text())["scores"]
    assert "ink on flat fills from 24, as a network" in shown
    assert len(rows) == 4 * 3 * 5  # kinds, conditions, methods
    score = {(row["kind"], row["condition"], row["method"]): row for row in rows}
    stripes = [score["stripes of one luma", "exact", m] for m in ("bilinear", "bilateral")]
    assert stripes[1]["fills_beside_edges"] < 0.2 * stripes[0]["fills_beside_edges"]
    # One colour without an edge: nothing to get wrong, and no pixel beside an edge to count.
    flat = score["given frames", "exact", "bilateral"]
    assert flat["delta_e"] < 1e-3
    assert flat["fills_beside_edges"] is None
    with Image.open(crops) as picture:
        assert min(picture.size) > 100


def test_the_memory_of_upsampling_is_at_least_its_result():
    from upsampling.speed import mebibytes, seconds

    times = seconds((64, 96), short_side=16, repetitions=1)
    assert {"bilinear and join", "bilateral"} <= set(times)
    assert min(times.values()) > 0
    assert mebibytes("bilateral", (1024, 2048), short_side=64) > 0.9 * 2 * 4 * 2  # MiB of float32


def test_the_demo_gives_one_frame_a_shot_in_colour(tmp_path):
    # The demo itself is two commands, each with tests of its own.
    module("demo").draw_shots(tmp_path, shots=2, frames=3)
    names = ("truth", "gray", "references")
    truth, gray, given = (list(open_source(tmp_path / name)) for name in names)
    assert [frame.name for frame in truth] == [frame.name for frame in gray]
    assert [frame.name for frame in given] == ["shot-000_000.png", "shot-001_000.png"]
    np.testing.assert_array_equal(given[1].rgb, truth[3].rgb)
    assert len(truth) == 6
    luma = truth[0].rgb.astype(float) @ [0.299, 0.587, 0.114]
    assert np.abs(gray[0].rgb - luma[..., None]).max() <= 0.51
    assert np.ptp(truth[0].rgb, axis=2).max() > 0


def expected_signals(config) -> dict[tuple[str, str], dict[str, float]]:
    """Return value and gradient norms of each loss alone, by one backward pass of an objective."""
    seed_everything(config.seed, verbose=False)
    task, loaders = assemble(config)
    found = {}
    for batch in loaders.train_dataloader():
        for name, loss in task.objective.losses.items():
            task.zero_grad()
            outputs = task(batch)
            outputs.retain_grad()
            terms = Objective({name: loss})(outputs, batch["color"], batch)
            terms.total.backward()
            squares = [p.grad.square().sum() for p in task.parameters() if p.grad is not None]
            kind = "stills" if batch["gray"].shape[1] == 1 else "clips"
            found[kind, name] = {
                "weighted_value": float(terms.total.detach()),
                "at_outputs": float(outputs.grad.square().sum().sqrt()),
                "at_parameters": math.sqrt(float(sum(squares))),
            }
    return found


def test_gradient_shares_are_those_of_each_loss_alone(run, tmp_path, capsys):
    report = tmp_path / "shares.json"
    assert run("gradient_shares", *TINY, "--batches", 1, "--json", report) == 0
    shown, rows = capsys.readouterr().out, json.loads(report.read_text())["rows"]
    register_schema("train", TrainConfig)
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        counts = ["sampling.stills=2", "sampling.pairs=2"]  # one batch of each
        expected = expected_signals(compose("train", overrides=[*TINY, *counts]))
    assert {(row["kind"], row["loss"]) for row in rows} == set(expected)
    for row in rows:
        signal = expected[row["kind"], row["loss"]]
        assert {name: row[name] for name in signal} == pytest.approx(signal, rel=1e-3)
        reference = expected[row["kind"], "rank_diversity"]["at_outputs"]
        assert row["share_at_outputs"] == pytest.approx(signal["at_outputs"] / reference, rel=1e-3)
        assert f"{row['share_at_outputs']:.2%}" in shown
    temporal = {row["kind"]: row for row in rows if row["loss"] == "temporal"}
    assert temporal["stills"]["weight_for"] == {"0.1": None, "0.3": None}
    assert temporal["clips"]["share_at_outputs"] > 0


def test_gradient_shares_are_those_of_a_trained_network(run, tmp_path):
    small = ["debug=tiny", "model.channels=[4,4]", "model.outputs=2", "model.normalization=none"]
    trained = tiny.write_safetensors(tmp_path / "trained.safetensors", seed=3)
    values = []
    for init in ("null", trained):
        report = tmp_path / "shares.json"
        words = [*small, "--batches", 1, "--json", report, f"init={init}"]
        assert run("gradient_shares", *words) == 0
        values.append(json.loads(report.read_text())["rows"][0]["value"])
    assert values[0] != pytest.approx(values[1], rel=0.01)


def test_the_suggested_weight_gives_the_share_that_was_asked_for():
    tool = module("gradient_shares")
    signals = [
        tool.Signal(kind="stills", loss=loss, value=1.0, at_outputs=norm, at_parameters=norm)
        for loss, norms in (("rank_diversity", (30.0, 50.0)), ("segment", (0.2, 0.6)))
        for norm in norms
    ]
    weights = {"rank_diversity": 2.0, "segment": 5.0}
    reference, segment = tool.table(signals, weights, shares=[0.1])
    assert reference["at_outputs"] == pytest.approx(2 * 40)
    assert segment["at_outputs"] == pytest.approx(5 * 0.4)
    assert segment["share_at_outputs"] == pytest.approx(2 / 80)
    assert segment["weight_for"]["0.1"] == pytest.approx(0.1 * 80 / 0.4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["loss=[segment]"], "error: loss has no rank_diversity"),
        (["sampling.stil=3"], "error: unknown setting sampling.stil"),
        (["loss=[rank_diversity,segmint]"], "error: there is no config loss/segmint"),
    ],
)
def test_gradient_shares_refuses_in_one_line(settings, message, run, capsys):
    assert run("gradient_shares", "debug=tiny", *settings) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1
    assert errors[0].startswith(message)


def test_shipped_weights_are_half_as_large_and_colour_the_same(run, tmp_path, capsys):
    checkpoint = tiny.write_reference_safetensors(tmp_path / "model.safetensors")
    picture = tmp_path / "gray.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (48, 64), np.uint8)).save(picture)
    assert run("ship_weights", checkpoint, "--folder", tmp_path, "--check", picture) == 0
    shown = capsys.readouterr().out
    assert "differs by at most 0." in shown
    shipped = tmp_path / "default.safetensors"
    assert shipped.stat().st_size < 0.6 * checkpoint.stat().st_size


def test_the_comparison_measures_each_row_on_the_same_frames(monkeypatch):
    tool = module("beat_the_prototype")
    monkeypatch.setattr(sys, "argv", ["x", "--root", "DATA", "--adapted", "A", "--raft", "R"])
    rows = {row.name: row for row in tool.rows(tool._parse())}
    assert rows["ours, automatic"].settings == ("checkpoint=default",)
    assert rows["4: moved by RAFT"].settings == (
        *("baseline=moved", "reference_frames=4"),
        *("flow=raft_small", "flow_weights=R"),
    )
    assert rows["4 left out: ours adapted, automatic"].settings == (
        *("checkpoint=A", "reference_frames=4", "show_references=false"),
    )
    names = {tool.slug(tool._parse(), row) for row in rows.values()}
    assert len(names) == len(rows) == 1 + 3 + 3 * 5 + 1 + 3
    measured = {
        "ours": {"mean": {"psnr": 21.5, "lpips": 0.25}, "gray": {"psnr": 18.0}},
        "other": {"mean": {"psnr": 19.0}, "gray": {"psnr": 18.0}},
    }
    for row in measured.values():
        row |= {"frames_per_second": 3.0, "truth": {}}
    lines = tool.table(measured).splitlines()
    assert lines[2:] == [
        "| gray | 18.00 | – | – |",
        "| ours | 21.50 | 0.250 | 3.0 |",
        "| other | 19.00 | – | 3.0 |",
    ]


def test_flow_is_measured_by_the_colours_that_it_moves(run, tmp_path, capsys):
    root, output = prepared(tmp_path / "data"), tmp_path / "flow.json"
    options = ("--split", "test", "--references", 2, "--every", 2, "-o", output)
    assert run("measure_flow", "--root", root, *options) == 0
    printed = capsys.readouterr().out
    assert "| DIS, fine |" in printed
    assert "| DIS, fine, carried along the shot |" in printed
    measured = json.loads(output.read_text())
    assert {row["frames"] for row in measured.values()} == {2 * 2}  # 0 and 4: 2 and 6 are shown
    for row in measured.values():
        assert row["best"] > row["nearest"] > 15


def test_gains_stand_beside_the_likeness_they_come_with():
    rows = [("same clip", 0.93, 4.0), ("same clip", 0.95, 2.0), ("other clip", 0.72, -1.0)]
    lines = module("measure_likeness").table(rows).splitlines()
    assert lines[2:] == [
        "| 0.70 – 0.75 | 1 | -1.00 | -1.00 | -1.00 |",
        "| 0.92 – 1.00 | 2 | +3.00 | +2.20 | +3.80 |",
    ]
