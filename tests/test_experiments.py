"""Scripts beside the records of experiments explain themselves and run on something tiny."""

from __future__ import annotations

import json
import math
import sys

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from lightning import seed_everything
from PIL import Image

from colorize.base.config import config_directory, register_schema
from colorize.inference.library import ColoredPicture, Library
from colorize.inference.loaded import LoadedNetworks
from colorize.media import Frame
from colorize.training.objective import Objective
from colorize.training.settings import TrainConfig
from colorize.training.train import assemble
from tests.colorize import tiny
from tests.colorize.films.drawn import moving_blocks, tinted
from tests.colorize.stored import prepared
from tests.places import EXPERIMENTS
from tests.scripts import Scripts

SCRIPTS = sorted(EXPERIMENTS.glob("*/*.py"))
TINY = ["debug=tiny", "model.channels=[4,4,4]", "loss=[rank_diversity,segment,temporal]"]


@pytest.fixture
def beside(monkeypatch):
    """Return a function: the scripts of the experiment of that name."""
    return lambda experiment: Scripts(EXPERIMENTS / experiment, monkeypatch)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_help_says_what_a_script_is_for(path, beside, capsys):
    assert beside(path.parent.name).run(path.stem, "--help") == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: {path.stem}")
    assert len(shown.splitlines()) > 5


def test_upsampling_is_compared_and_drawn(beside, tmp_path, capsys):
    report, crops = tmp_path / "report.json", tmp_path / "crops.png"
    given = tmp_path / "given.png"
    Image.fromarray(np.full((96, 128, 3), (200, 90, 40), np.uint8)).save(given)
    small = ("--size", 96, 128, "--short-side", 24, "--cartoons", 1, "--frames", given)
    run = beside("upsampling").run
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


def test_the_memory_of_upsampling_is_at_least_its_result(beside):
    beside("upsampling")
    from comparison.speed import mebibytes, seconds

    times = seconds((64, 96), short_side=16, repetitions=1)
    assert {"bilinear and join", "bilateral"} <= set(times)
    assert min(times.values()) > 0
    assert mebibytes("bilateral", (1024, 2048), short_side=64) > 0.9 * 2 * 4 * 2  # MiB of float32


def expected_signals(config) -> dict[tuple[str, str], dict[str, float]]:
    """Return value and gradient norms of each loss alone, by one backward pass of an objective."""
    seed_everything(config.seed, verbose=False)
    task, loaders = assemble(config)
    found = {}
    for batch in loaders.train_dataloader():
        for name, loss in task.objective.losses.items():
            task.zero_grad()
            outputs = task(batch).colors.unflatten(0, batch["gray"].shape[:2])
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


def test_gradient_shares_are_those_of_each_loss_alone(beside, tmp_path, capsys):
    report = tmp_path / "shares.json"
    assert beside("table1").run("gradient_shares", *TINY, "--batches", 1, "--json", report) == 0
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


def test_gradient_shares_are_those_of_a_trained_network(beside, tmp_path):
    small = ["debug=tiny", "model.channels=[4,4]", "model.outputs=2", "model.normalization=none"]
    trained = tiny.write_safetensors(tmp_path / "trained.safetensors", seed=3)
    values = []
    for init in ("null", trained):
        report = tmp_path / "shares.json"
        words = [*small, "--batches", 1, "--json", report, f"init={init}"]
        assert beside("table1").run("gradient_shares", *words) == 0
        values.append(json.loads(report.read_text())["rows"][0]["value"])
    assert values[0] != pytest.approx(values[1], rel=0.01)


def test_the_suggested_weight_gives_the_share_that_was_asked_for(beside):
    tool = beside("table1").module("gradient_shares")
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
def test_gradient_shares_refuses_in_one_line(settings, message, beside, capsys):
    assert beside("table1").run("gradient_shares", "debug=tiny", *settings) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1
    assert errors[0].startswith(message)


def test_the_comparison_measures_each_row_on_the_same_frames(beside, monkeypatch):
    tool = beside("beat-the-prototype").module("beat_the_prototype")
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


def test_flow_is_measured_by_the_colours_that_it_moves(beside, tmp_path, capsys):
    root, output = prepared(tmp_path / "data"), tmp_path / "flow.json"
    options = ("--split", "test", "--references", 2, "--every", 2, "-o", output)
    assert beside("reference").run("measure_flow", "--root", root, *options) == 0
    printed = capsys.readouterr().out
    assert "| DIS, fine |" in printed
    assert "| DIS, fine, carried along the shot |" in printed
    measured = json.loads(output.read_text())
    assert {row["frames"] for row in measured.values()} == {2 * 2}  # 0 and 4: 2 and 6 are shown
    for row in measured.values():
        assert row["best"] > row["nearest"] > 15


def test_gains_stand_beside_the_likeness_they_come_with(beside):
    rows = [("same clip", 0.93, 4.0), ("same clip", 0.95, 2.0), ("other clip", 0.72, -1.0)]
    lines = beside("reference").module("measure_likeness").table(rows).splitlines()
    assert lines[2:] == [
        "| 0.70 – 0.75 | 1 | -1.00 | -1.00 | -1.00 |",
        "| 0.92 – 1.00 | 2 | +3.00 | +2.20 | +3.80 |",
    ]


def test_a_reference_is_scored_by_what_it_gains(beside, tmp_path):
    path = tiny.write_reference_safetensors(tmp_path / "model.safetensors")
    networks = LoadedNetworks.load(path, device="cpu")
    truth = Frame(0, "", tinted(moving_blocks((1,))[0]))
    tool = beside("reference").module("measure_likeness")
    known = Library(networks, [ColoredPicture("itself", lambda: truth)])
    alone, shown = tool.score(networks, truth, None), tool.score(networks, truth, known)
    assert 5 < alone < shown < 100


def test_ways_to_fuse_stand_beside_each_other(beside, tmp_path, capsys):
    path = tiny.write_reference_safetensors(tmp_path / "model.safetensors")
    root, output = prepared(tmp_path / "data"), tmp_path / "evidence.json"
    options = ("--split", "test", "--counts", 1, 2, "--every", 2, "--json", output)
    run = beside("reference").run
    assert run("measure_evidence", "--root", root, "--checkpoint", path, *options) == 0
    assert "| kind by kind | " in capsys.readouterr().out
    measured = json.loads(output.read_text())
    # The tiny network proposes straight and propagated flow: two of one kind, already with one.
    assert measured["all alike"]["1"] != measured["kind by kind"]["1"]
    assert all(5 < value < 60 for way in measured.values() for value in way.values())


def test_all_proposals_alike_are_a_mean_by_hand(beside):
    alike = beside("reference").module("measure_evidence").alike
    scores = torch.zeros(1, 3, 1, 2, 2)
    chroma = torch.tensor([0.3, 0.3, -0.3])[None, :, None, None, None].expand(1, 3, 2, 2, 2)
    fused = alike(scores, chroma, (2, 1))
    assert fused.chroma[0, 0, 0, 0] == pytest.approx(0.1)
    assert fused.evidence[0, 0, 0, 0] == pytest.approx(0.75)


def test_photographs_are_coloured_beside_gray_and_truth(beside, tmp_path, capsys):
    path = tiny.write_safetensors(tmp_path / "model.safetensors")
    sheet = tmp_path / "sheet.png"
    run = beside("reference").run
    assert run("try_photographs", "--checkpoint", path, "-o", sheet) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split(" | ")[0] for row in rows] == [
        *("| astronaut", "| chelsea", "| coffee", "| rocket"),
    ]
    with Image.open(sheet) as picture:
        assert picture.height > 4 * 100


def test_frames_with_and_without_a_reference_are_drawn(beside, tmp_path, monkeypatch):
    tool = beside("beat-the-prototype").module("beat_the_prototype")
    path = tiny.write_reference_safetensors(tmp_path / "model.safetensors")
    series = ("data.size=[32,48]", "data.train=1", "data.val=1", "data.test=1")
    monkeypatch.setattr(tool, "SERIES", ("data=cartoon", *series, "data.frames_per_shot=6"))
    monkeypatch.setattr(sys, "argv", ["x", "--ours", str(path), "--every", "2"])
    tool.draw(tool._parse(), tmp_path)
    with Image.open(tmp_path / "frames.png") as picture:
        assert picture.width > 5 * 200
        shown = np.asarray(picture).astype(int)
    assert np.ptp(shown, axis=2).max() > 20
