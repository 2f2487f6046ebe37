"""holding_still.py leaves out pairs across cuts, and runs on a few frames."""

from __future__ import annotations

import json

import pytest
import torch
from PIL import Image

from tests.colorize import tiny
from tests.colorize.stored import SIZE, prepared
from tests.places import EXPERIMENTS
from tests.scripts import Scripts


@pytest.fixture(autouse=True)
def scripts(monkeypatch):
    return Scripts(EXPERIMENTS / "holding-still", monkeypatch)


def test_pairs_across_a_cut_do_not_count():
    from holding.figures import figures, of_clips

    levels = torch.tensor([0.2] * 6 + [0.7] * 6)[:, None, None, None]
    picture = torch.rand(1, 3, *SIZE, generator=torch.Generator().manual_seed(0))
    truth = levels * picture
    shown = {0.0: truth, 1.0: 0.5 * truth}
    of_shots, of_whole = (
        figures(truth, shown, {0.0: 0.002, 1.0: 0.004}, of_clips(None), shots)
        for shots in ([(0, 6), (6, 12)], [(0, 12)])
    )
    assert of_shots["0"]["warp_rgb"] < 1e-9
    assert of_shots["1"]["cdc"] < 1e-9
    assert of_whole["0"]["warp_rgb"] > 1
    assert of_shots["1"]["milliseconds"] == pytest.approx(4)
    # The mean over frames of the PSNR, which grows by 20 log10(0.7 / 0.2) where it is darker.
    errors = (0.5 * truth[[0, 6]]).square().mean((1, 2, 3))
    assert of_shots["1"]["psnr"] == pytest.approx(float(-10 * errors.log10().mean()), abs=1e-4)


def test_clips_and_cartoons_are_measured_and_drawn(tmp_path, scripts, capsys):
    checkpoint = tiny.write_safetensors(tmp_path / "model.safetensors", size=SIZE)
    words = ("--checkpoint", checkpoint, "--data", prepared(tmp_path / "data"), "--part", 5)
    few = ("--strengths", 0, 0.9, "--shots", 1, "--frames", 6, "-o", tmp_path / "out")
    assert scripts.run("holding_still", *words, *few) == 0
    written = json.loads((tmp_path / "out" / "results.json").read_text())
    assert set(written["clips"]) == {"clip-0", "clip-1", "mean"}
    assert written["cuts"]["joints"] == [0, 8]
    cartoon = written["cartoon"]["mean"]
    assert cartoon["0.9"]["warp_ab"] < 0.5 * cartoon["0"]["warp_ab"]
    assert cartoon["truth"]["warp_ab"] < 0.1 * cartoon["0.9"]["warp_ab"]
    assert cartoon["0.9"]["psnr"] > cartoon["0"]["psnr"] + 1
    assert f"| 0.9 | {cartoon['0.9']['psnr']:.3f} |" in capsys.readouterr().out
    with Image.open(tmp_path / "out" / "strength.png") as picture:
        assert picture.width > picture.height


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--checkpoint", "a"), "--checkpoint and --data go together"),
        (("--strengths", 0.5, 0), "--strengths begin with 0.5: put 0 first"),
        (("--frames", 4), "--frames is 4: CDC compares frames up to 4 apart"),
    ],
)
def test_what_cannot_be_measured_is_refused(words, said, tmp_path, scripts, capsys):
    assert scripts.run("holding_still", "-o", tmp_path, *words) == 2
    assert said in capsys.readouterr().err
