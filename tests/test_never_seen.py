"""never_seen.py measures what it says, and its figures and reliability are counted by hand."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from colorize import Colorizer
from colorize.networks.base import Painted
from colorize.networks.prototype.generator import Generator
from tests.colorize import tiny
from tests.colorize.stored import SIZE, prepared
from tests.places import EXPERIMENTS
from tests.scripts import Scripts

pytest.importorskip("stlpips_pytorch", reason="pip install '.[st-lpips]'")


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> Scripts:
    return Scripts(EXPERIMENTS / "never-seen", monkeypatch)


def book(root: Path) -> Path:
    """Two stories of two pages in colour, one of each split; the test story has a gray page too."""
    table = ["story,title,credit,licence,split,source"]
    for number, split in enumerate(("train", "test")):
        folder = root / f"story-{number}"
        folder.mkdir(parents=True)
        table.append(f"story-{number},Title {number},Somebody,CC BY,{split},here")
        levels = np.random.default_rng(number).integers(0, 256, (2, 40, 48, 3), np.uint8)
        levels[:, :, :24] = (200, 60, 20)
        levels[:, :, 24:, 1:] //= 4
        for page, picture in enumerate(levels):
            Image.fromarray(picture).save(folder / f"{page:02d}.png")
    Image.fromarray(np.full((40, 48, 3), 90, np.uint8)).save(root / "story-1" / "02.png")
    (root / "stories.csv").write_text("\n".join(table) + "\n")
    return root


def test_every_kind_is_measured_and_written(
    tmp_path: Path, scripts: Scripts, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from unseen import drawings

    for name, value in {"SHOTS": 1, "FRAMES": 4, "SEEDS": (5,), "CLIP_SIZE": SIZE}.items():
        monkeypatch.setattr(drawings, name, value)
    checkpoint = tiny.write_safetensors(tmp_path / "model.safetensors", size=SIZE)
    given = ("--storybook", book(tmp_path / "book"), "--clips", prepared(tmp_path / "data"))
    words = ("--checkpoint", checkpoint, *given, "--every", 2, "--saw", "a b", "c")
    out = tmp_path / "out"
    assert scripts.run("never_seen", *words, "--device", "cpu", "-o", out) == 0
    written = json.loads((out / "results.json").read_text())
    assert written["provenance"]["saw"] == ["a b", "c"]
    assert str(tmp_path) not in json.dumps(written)
    kinds = written["kinds"]
    assert list(kinds) == ["storybook", "clips", "procedural"]
    assert kinds["storybook"]["mean"]["frames"] == 2  # of the test story, the gray page left out
    assert kinds["storybook"]["credits"] == {"Title 1": "Somebody, CC BY"}
    assert kinds["clips"]["series"]["clip-0"]["frames"] == 4
    assert set(kinds["procedural"]["series"]) == {"pastel, seed 5", "poster, seed 5"}
    shown = capsys.readouterr().out
    assert f"| Title 1 | 2 | {kinds['storybook']['mean']['gray_psnr']:.2f} |" in shown
    assert "no reliability plot" in shown
    assert not (out / "reliability.png").exists()
    sheets = {path.relative_to(out).as_posix() for path in out.rglob("*.png")}
    assert sheets == {"rows/storybook.png", "rows/clips.png", "procedural.png"}
    frames = json.loads((out / "rows" / "clips.json").read_text())["frames"]
    gains = [each["gain"] for name, each in frames.items() if name.startswith("clip-0")]
    assert np.mean(gains) == pytest.approx(kinds["clips"]["series"]["clip-0"]["gain"])


def test_figures_by_hand(scripts: Scripts) -> None:
    from unseen.figures import figures, mean, metrics

    truth = np.zeros((2, 32, 32, 3), np.uint8)
    truth[...] = (200, 100, 50)
    colored = truth.copy()
    colored[0] += 10
    colored[1, ..., 0], colored[1, ..., 1:] = 0, 255
    found = figures(metrics(), colored, truth)
    level = 0.299 * 200 + 0.587 * 100 + 0.114 * 50
    of_gray = 10 * np.log10(255**2 / np.mean([(level - v) ** 2 for v in (200, 100, 50)]))
    assert found[0]["gray_psnr"] == pytest.approx(of_gray, abs=1e-4)
    assert found[0]["psnr"] == pytest.approx(20 * np.log10(25.5), abs=1e-4)
    assert found[0]["gain"] == pytest.approx(20 * np.log10(25.5) - of_gray, abs=1e-3)
    assert [each["worse"] for each in found] == [0, 1]
    assert found[0]["gray_colorfulness"] == pytest.approx(0, abs=1e-4)
    assert found[0]["true_colorfulness"] == pytest.approx(0.3 * np.hypot(100, 100), abs=1e-3)
    assert mean(found)["worse"] == 0.5
    assert mean(found)["frames"] == 2


def test_reliability_by_hand(scripts: Scripts, tmp_path: Path) -> None:
    from unseen.reliability import Reliability, calibration_error, draw

    counted = Reliability()
    counted.add(torch.tensor([[0.01, 0.01, 0.2]]), torch.tensor([[0.03, 0.04, 0.1]]))
    counted.add(torch.tensor([[0.2]]), torch.tensor([[0.3]]))
    counted.add(torch.tensor([[9.0]]), torch.tensor([[0.0]]))  # beyond the bins: in the last
    small, large, last = counted.curve()
    assert (small["pixels"], large["pixels"], last["pixels"]) == (2, 2, 1)
    assert small["expected"] == pytest.approx(0.01)
    assert small["true"] == pytest.approx(((0.03**2 + 0.04**2) / 2) ** 0.5)
    assert large["true"] == pytest.approx(((0.1**2 + 0.3**2) / 2) ** 0.5)
    off = 2 * abs(small["true"] - 0.01) + 2 * abs(large["true"] - 0.2) + 9
    assert calibration_error([small, large, last]) == pytest.approx(off / 5)
    draw({"a": [small, large]}, tmp_path / "plot.png")
    with Image.open(tmp_path / "plot.png") as picture:
        assert min(picture.size) > 300


class Doubtful(Generator):
    """A network that expects to be off by a tenth everywhere."""

    def forward(self, gray: Any, references: Any = None, *, extra: Any = None) -> Painted:
        painted = super().forward(gray, references, extra=extra)
        return replace(painted, provided={"spread": torch.full_like(gray, 0.1)})


def test_a_network_s_own_uncertainty_meets_its_error_at_the_working_size(
    scripts: Scripts,
) -> None:
    from unseen.painting import paint

    torch.manual_seed(0)
    networks = Colorizer(Doubtful(**tiny.CHOICES | {"outputs": 1}), short_side=16, device="cpu")
    frames = np.random.default_rng(0).integers(0, 256, (3, 32, 48, 3), np.uint8)
    frames[:] = frames[:, :1, :1]
    colored, said = paint(networks, frames)
    assert colored.shape == frames.shape
    met = said.against(frames)
    assert met is not None
    expected, true = met
    assert expected.shape == true.shape == (3, 16, 24)
    assert (expected == 0.1).all()
    red, green, blue = np.moveaxis(frames[:, 0, 0] / 255, -1, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    chroma = torch.cat(said.chroma).numpy()[:, :, 8, 12]
    off = chroma - np.stack([(blue - luma) / 1.772, (red - luma) / 1.402], 1)
    np.testing.assert_allclose(true[:, 8, 12], np.sqrt((off**2).mean(1)), atol=1e-5)
    assert not networks.model._forward_hooks
    assert paint(
        Colorizer(tiny.generator(), short_side=16, device="cpu"), frames
    )[1].against(frames) is None  # fmt: skip


def test_a_kind_is_measured_once_by_the_same_weights_and_code(
    scripts: Scripts, tmp_path: Path
) -> None:
    from unseen.drawings import Shot

    never_seen = scripts.module("never_seen")
    checkpoint = tiny.write_safetensors(tmp_path / "model.safetensors", size=SIZE)
    colorizer = Colorizer.load(checkpoint, device="cpu")
    options = argparse.Namespace(output=tmp_path / "out", every=1)
    frames = np.random.default_rng(0).integers(0, 256, (1, 32, 48, 3), np.uint8)
    calls = []

    def shots() -> list[Shot]:
        calls.append(1)
        return [Shot("one", ["0"], frames, [0])]

    arguments = ("procedural", partial(shots), colorizer, options)
    first = never_seen.measured(*arguments, "abc")
    assert never_seen.measured(*arguments, "abc") == first
    assert len(calls) == 1
    never_seen.measured(*arguments, "abd")
    never_seen.measured(*arguments, "abd + local changes")
    assert len(calls) == 3


def test_a_folder_that_is_not_storybook_gives_one_line(
    scripts: Scripts, tmp_path: Path, capsys: Any
) -> None:
    assert scripts.run("never_seen", "--storybook", tmp_path, "-o", tmp_path / "out") == 2
    assert "there is no stories.csv; give Storybook's folder" in capsys.readouterr().err
