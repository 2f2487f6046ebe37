"""Tables of a checkpoint and of two folders of frames, against NumPy; and what is refused."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from colorize.cartoon import CartoonSeries
from colorize.data import CartoonClips
from colorize.evaluation import command
from colorize.metrics import BEST, FIRST, GRAY, MEAN, TRUTH
from colorize.metrics.distribution import ColorDistribution
from colorize.metrics.warp_error import WarpError
from tests.colorize.media.films import make_film
from tests.colorize.tiny import write_safetensors

CARTOON = {"size": [32, 48], "train": 1, "val": 1, "test": 1, "frames_per_shot": 3}
DATA = ["data=cartoon", *(f"data.{key}={value}" for key, value in CARTOON.items())]
LUMA = np.array([0.299, 0.587, 0.114])


def evaluate_in(folder: Path, *overrides: str) -> Path:
    """Evaluate in a working folder with overrides; return the folder of the results."""
    common = ["metric=[psnr]", "output=results", "device=cpu"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("HYDRA_FULL_ERROR", "1")  # set by the entry: restore it afterwards
        patch.setattr(sys, "argv", ["colorize-evaluate", *common, *overrides])
        command.main()
    return folder / "results"


@pytest.fixture
def run(tmp_path: Path, capsys):
    """Return a function: evaluate with overrides, give the folder of the results."""

    def main(*overrides: str) -> Path:
        folder = evaluate_in(tmp_path, *overrides)
        capsys.readouterr()
        return folder

    return main


@pytest.fixture
def error_line(run, capsys):
    """Return a function: evaluate with overrides that cannot work, give the error line."""

    def main(*overrides: str) -> str:
        with pytest.raises(SystemExit) as stopped:
            run(*overrides)
        assert stopped.value.code == 2
        errors = capsys.readouterr().err
        assert errors.startswith("error: ")
        assert errors.count("\n") == 1, errors
        return errors

    return main


def psnr(first: np.ndarray, second: np.ndarray) -> float:
    """PSNR in dB of two pictures in [0, 1]."""
    return float(-10 * np.log10(np.mean((first - second) ** 2)))


def total(folder: Path) -> dict[str, float]:
    """PSNR by row, from the CSV."""
    with (folder / "results.csv").open() as file:
        return {
            row["variant"]: float(row["psnr"])
            for row in csv.DictReader(file)
            if row["scope"] == "total"
        }


def frames(folder: Path) -> dict[tuple[str, str, str], float]:
    """PSNR by clip, frame and row, from the JSON."""
    content = json.loads((folder / "results.json").read_text())
    return {(row["clip"], row["frame"], row["variant"]): row["psnr"] for row in content["frames"]}


def random_pictures(seed: int, count: int, size: tuple[int, int] = (8, 12)) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).integers(0, 256, (count, *size, 3), dtype=np.uint8))


def write(folder: Path, pictures: dict[str, np.ndarray]) -> Path:
    folder.mkdir(parents=True)
    for name, picture in pictures.items():
        Image.fromarray(picture).save(folder / name)
    return folder


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return write_safetensors(tmp_path_factory.mktemp("model") / "model.safetensors")


@pytest.fixture(scope="module")
def measured_split(checkpoint: Path, tmp_path_factory) -> Path:
    return evaluate_in(tmp_path_factory.mktemp("split"), f"checkpoint={checkpoint}", *DATA)


def test_a_checkpoint_on_a_split(measured_split: Path) -> None:
    folder = measured_split
    names = {path.name for path in folder.iterdir()}
    assert names == {"results.json", "results.csv", "results.md", "sheet.png"}
    (clip,) = CartoonClips(**CARTOON).split("test").clips
    truth = np.asarray(clip.frames) / 255
    grays = [psnr((frame @ LUMA)[..., None], frame) for frame in truth]
    measured = frames(folder)
    assert [measured[clip.name, f"{i:06d}", "gray input"] for i in range(3)] == pytest.approx(
        grays, abs=1e-3
    )
    rows = total(folder)
    assert rows["gray input"] == pytest.approx(np.mean(grays), abs=1e-3)
    best = rows["best of K (per-frame oracle by PSNR)"]
    assert best > rows["mean over K"]
    assert len(measured) == 3 * 4
    text = (folder / "results.md").read_text()
    assert "procedural cartoon, seed 0, 32x48, split test, every 1. frame" in text
    assert "step 7, seed 5, commit 0123abc" in text
    with Image.open(folder / "sheet.png") as sheet:
        assert sheet.height > 3 * 213  # a row per frame
        assert sheet.width > 4 * 320  # input, two colourings, truth


def test_every_second_frame_in_batches_of_one(run, checkpoint: Path, measured_split: Path) -> None:
    options = ["every=2", "batch_size=1", "sheet_rows=0"]
    folder = run(f"checkpoint={checkpoint}", *DATA, *options)
    whole, part = frames(measured_split), frames(folder)
    assert {frame for _, frame, _ in part} == {"000000", "000002"}
    assert part == pytest.approx({key: whole[key] for key in part}, abs=1e-3)
    assert not (folder / "sheet.png").exists()  # sheet_rows=0


def test_identical_folders_are_at_the_ceiling(run, tmp_path: Path) -> None:
    pictures = {f"{i}.png": picture for i, picture in enumerate(random_pictures(0, 3))}
    truth = write(tmp_path / "truth", pictures)
    shutil.copytree(truth, tmp_path / "same")
    folder = run("prediction=same", "truth=truth")
    rows = total(folder)
    assert rows["colorized"] == 100
    grays = [psnr((p / 255 @ LUMA)[..., None], p / 255) for p in pictures.values()]
    assert rows["gray input"] == pytest.approx(np.mean(grays), abs=1e-3)
    assert (folder / "sheet.png").is_file()


def test_frames_are_paired_by_name_not_by_position(run, tmp_path: Path) -> None:
    one, other = random_pictures(0, 2)
    # Sorted with their suffixes, a.k.png stands before a.png, but a.bmp before a.k.bmp.
    write(tmp_path / "truth", {"a.png": one, "a.k.png": other})
    write(tmp_path / "tool", {"a.bmp": one, "a.k.bmp": other})
    assert total(run("prediction=tool", "truth=truth"))["colorized"] == 100


def test_coloured_folders_against_numpy(run, tmp_path: Path) -> None:
    names = ["f 10.png", "f 2.png", "f 1.png", "f 3.png"]
    predicted = dict(zip(names, random_pictures(1, 4), strict=True))
    true = dict(zip(names, random_pictures(2, 4), strict=True))
    write(tmp_path / "tool", predicted)
    write(tmp_path / "truth", true)
    measured = frames(run("prediction=tool", "truth=truth"))
    for name in names:
        expected = psnr(predicted[name] / 255, true[name] / 255)
        assert measured["truth", name, "colorized"] == pytest.approx(expected, abs=1e-3)
    part = frames(run("prediction=tool", "truth=truth", "every=2"))
    assert {frame for _, frame, _ in part} == {"f 1.png", "f 3.png"}


def test_folders_of_clips_are_paired_by_name(run, tmp_path: Path) -> None:
    for number, clip in enumerate(("b", "a")):
        pictures = {f"{i}.png": p for i, p in enumerate(random_pictures(number, 2))}
        write(tmp_path / "truth" / clip, pictures)
        write(tmp_path / "tool" / clip, pictures)
    (tmp_path / "truth" / ".cache").mkdir()
    (tmp_path / "truth" / "notes.txt").write_text("made on Monday")
    measured = frames(run("prediction=tool", "truth=truth"))
    assert {clip for clip, _, _ in measured} == {"a", "b"}
    assert {value for (_, _, row), value in measured.items() if row == "colorized"} == {100}


def test_two_films_are_paired_by_order(run, tmp_path: Path) -> None:
    make_film(tmp_path / "true.mp4", count=4, audio=None)
    shutil.copy(tmp_path / "true.mp4", tmp_path / "tool.mp4")
    measured = frames(run("prediction=tool.mp4", "truth=true.mp4"))
    assert measured["true.mp4", "000003", "colorized"] == 100
    assert len(measured) == 4 * 2


FILM_METRICS = "metric=[psnr,segment_spread,warp_error,distribution]"
FILM = {**CARTOON, "frames_per_shot": 5, "test": 2}
FILM_DATA = ["data=cartoon", *(f"data.{key}={value}" for key, value in FILM.items())]


def means(folder: Path) -> dict[str, dict[str, float]]:
    """Means by row and metric, from the JSON."""
    total = json.loads((folder / "results.json").read_text())["total"]
    return {row: {key: m["mean"] for key, m in keys.items()} for row, keys in total.items()}


def test_clip_metrics_take_all_frames_of_a_shot_and_frame_metrics_every_nth(
    run, checkpoint: Path
) -> None:
    folder = run(
        f"checkpoint={checkpoint}",
        *FILM_DATA,
        FILM_METRICS,
        "every=4",
        "batch_size=4",
        "sheet_rows=0",
    )
    data = json.loads((folder / "results.json").read_text())
    assert list(data["total"]) == [GRAY, MEAN, FIRST, BEST, TRUTH]
    mean = data["total"][MEAN]
    assert (mean["psnr"]["count"], mean["segment_spread"]["count"]) == (2 * 2, 2 * 2)
    assert (mean["warp_error_rgb"]["count"], mean["distribution"]["count"]) == (2 * 4, 2)
    assert set(data["total"][BEST]) == {"psnr", "segment_spread"}
    expected = {"warp_error_rgb": [], "warp_error_ab": [], "distribution": []}
    for clip in CartoonClips(**FILM).split("test").clips:
        truth = torch.from_numpy(np.array(clip.frames)).permute(0, 3, 1, 2).float() / 255
        motion = WarpError().prepare(truth)
        expected["warp_error_rgb"] += WarpError().observe(truth, motion)[1:].tolist()
        expected["warp_error_ab"] += WarpError(space="ab").observe(truth, motion)[1:].tolist()
        cdc = ColorDistribution()
        expected["distribution"].append(cdc.conclude(cdc.observe(truth, None))[-1].item())
    own = data["total"][TRUTH]
    for key, values in expected.items():
        assert own[key]["mean"] == pytest.approx(np.mean(values), rel=1e-5)
    assert data["total"][GRAY]["warp_error_ab"]["mean"] == pytest.approx(0, abs=1e-4)
    text = (folder / "results.md").read_text()
    assert "flow (dis) and visibility of the true frames" in text
    assert "mean over 8 pairs." in text


def test_frames_of_another_tool_have_clip_metrics_that_see_flicker_but_no_cut(
    run, tmp_path: Path
) -> None:
    series = CartoonSeries(seed=3, size=(32, 48), shots=2, frames_per_shot=8, effects=False)
    truth = [*series.color(0), *series.color(1)]
    flicker = [frame // (1 + number % 2) for number, frame in enumerate(truth)]
    for name, pictures in (("truth", truth), ("steady", truth), ("flicker", flicker)):
        write(tmp_path / name, {f"{i:02d}.png": frame for i, frame in enumerate(pictures)})
    steady, flickering = (
        means(run(f"prediction={name}", "truth=truth", "sheet_rows=0", FILM_METRICS))
        for name in ("steady", "flicker")
    )
    for key in ("warp_error_rgb", "warp_error_ab", "distribution"):
        assert steady["colorized"][key] == pytest.approx(steady[TRUTH][key])
        assert flickering["colorized"][key] > 2 * steady["colorized"][key]
    data = json.loads((tmp_path / "results" / "results.json").read_text())
    assert data["total"]["colorized"]["warp_error_rgb"]["count"] == 14
    assert data["total"]["colorized"]["distribution"]["count"] == 2


def test_the_refiner_is_measured_or_left_out_and_the_header_says_which(
    run, measured_split: Path, tmp_path: Path
) -> None:
    both = write_safetensors(tmp_path / "both.safetensors", refiner={"channels": [4, 4]})
    data = [*DATA, f"checkpoint={both}", "sheet_rows=0"]
    refined = run(*data)
    values = total(refined)
    text = (refined / "results.md").read_text()
    assert "main network and refinement at a short side of 32" in text
    alone = run(*data, "refine=false")
    assert "main network alone at a short side of 32" in (alone / "results.md").read_text()
    assert total(alone)[MEAN] != pytest.approx(values[MEAN], abs=1e-3)
    # The same main network, from a checkpoint without a refiner.
    assert total(alone) == pytest.approx(total(measured_split), abs=1e-3)


def folders(root: Path, predicted: dict, true: dict) -> None:
    write(root / "tool", predicted)
    write(root / "truth", true)


def test_a_missing_partner_is_named(error_line, tmp_path: Path) -> None:
    one, other = random_pictures(0, 2)
    folders(tmp_path, {"1.png": one}, {"1.png": one, "2.png": other})
    line = error_line("prediction=tool", "truth=truth")
    assert "tool: 2 is missing (1 of 2 true frames have no partner)" in line


def test_a_frame_too_many_is_named(error_line, tmp_path: Path) -> None:
    one, other = random_pictures(0, 2)
    folders(tmp_path, {"1.png": one, "2.png": other}, {"1.png": one})
    assert "tool: 2 has no partner in truth" in error_line("prediction=tool", "truth=truth")


def test_a_name_with_two_suffixes_is_refused(error_line, tmp_path: Path) -> None:
    one, other = random_pictures(0, 2)
    folders(tmp_path, {"1.png": one, "1.bmp": other}, {"1.png": one})
    assert "tool: 1 is there twice" in error_line("prediction=tool", "truth=truth")


def test_a_missing_clip_is_named_before_anything_is_measured(error_line, tmp_path: Path) -> None:
    (picture,) = random_pictures(0, 1)
    write(tmp_path / "truth" / "a", {"1.png": picture})
    write(tmp_path / "truth" / "b", {"1.png": picture})
    write(tmp_path / "tool" / "a", {"1.png": picture})
    line = error_line("prediction=tool", "truth=truth")
    assert f"{Path('tool') / 'b'} does not exist" in line


def test_another_size_is_refused(run, tmp_path: Path, capsys) -> None:
    (small,), (large,) = random_pictures(0, 1), random_pictures(0, 1, size=(10, 20))
    folders(tmp_path, {"1.png": small}, {"1.png": large})
    with pytest.raises(SystemExit) as stopped:
        run("prediction=tool", "truth=truth")
    assert stopped.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]  # after the bar
    assert last.startswith("error: tool: 1.png is 12x8, but the true frame is 20x10")
    assert not (tmp_path / "results" / "results.json").exists()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["prediction=tool"], "prediction and truth go together"),
        (["truth=truth"], "prediction and truth go together"),
        (
            ["prediction=tool", "truth=truth", "checkpoint=model.safetensors"],
            "prediction and checkpoint are two things to measure",
        ),
        ([], "nothing to evaluate: pass checkpoint=FILE data=cartoon"),
        (["data=cartoon"], "nothing to evaluate: pass checkpoint=FILE data=cartoon"),
        (["checkpoint=absent.ckpt"], "data is not set: pass data=cartoon"),
        (["checkpoint=absent.ckpt", *DATA], "absent.ckpt: no such checkpoint"),
        (["checkpoint=absent.ckpt", *DATA, "every=0"], "every is 0: expected 1 or more"),
        (["batch_size=0"], "batch_size is 0: expected 1 or more"),
        (["prediction=tool", "truth=tool", "refine=true"], "prediction and refine are two things"),
        (["metric=[warp_error]", "metric.warp_error_rgb.space=lab"], "did you mean 'ab'"),
        (
            [
                "metric=[warp_error]",
                "metric.warp_error_rgb.flow.method=raft_small",
                "metric.warp_error_rgb.flow.weights=absent",
            ],
            "flow.weights=absent: no such file",
        ),
        (["prediction=tool", "truth=absent"], "absent does not exist"),
        (["device=gpu"], "'gpu'"),
        (["metric=[psrn]"], "'psnr'"),
        (["chekpoint=a"], "'checkpoint'"),
    ],
)
def test_a_mistake_is_one_line(error_line, tmp_path: Path, overrides, message: str) -> None:
    write(tmp_path / "tool", {"1.png": random_pictures(0, 1)[0]})
    assert message in error_line(*overrides)


def test_an_unknown_split_is_one_line(error_line, checkpoint: Path) -> None:
    line = error_line(f"checkpoint={checkpoint}", *DATA, "split=exam")
    assert "split is 'exam': expected train, val or test" in line


def test_a_refiner_that_is_not_there_is_one_line(error_line, checkpoint: Path) -> None:
    line = error_line(f"checkpoint={checkpoint}", *DATA, "refine=true")
    assert "holds no refinement network" in line


def test_free_rgb_is_measured_as_it_is_or_with_the_luma_kept(
    run, error_line, tmp_path: Path
) -> None:
    path = write_safetensors(tmp_path / "free.safetensors", head="rgb", luma="free")
    data = [*DATA, f"checkpoint={path}", "sheet_rows=0"]
    kept = total(run(*data, "stillness=0"))
    own = total(run(*data, "stillness=0", "own_luma=true"))
    assert own[MEAN] != pytest.approx(kept[MEAN], abs=0.05)
    line = error_line(*data, "own_luma=true")
    assert "own_luma measures RGB as the network says it, which is not smoothed" in line
    assert "pass stillness=0" in line


def test_a_network_that_keeps_the_luma_takes_own_luma_as_nothing_said(
    run, checkpoint: Path
) -> None:
    values = [
        total(run(f"checkpoint={checkpoint}", *DATA, "sheet_rows=0", *words))
        for words in ([], ["own_luma=true"])
    ]
    assert values[0] == values[1]
