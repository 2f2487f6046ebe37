"""The script for a lent GPU: rehearsed on the CPU, its limits, and what it does in trouble."""

from __future__ import annotations

import csv
import importlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from colorize.cartoon import CartoonSeries
from colorize.data import PreparedClips, Stories
from colorize.media import open_source, write_video
from tests.documented import check_command, commands
from tests.places import ROOT, TOOLS

SCRIPT = TOOLS / "on_cuda.py"
PAGE = ROOT / "docs/guide/gpu.md"


@pytest.fixture(autouse=True)
def _tools(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))


def call(*words, folder, **variables):
    """Run the script as whoever has a machine without a card does."""
    variables = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1", **variables}
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, words)],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=900,
    )


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rehearsed")
    done = call("--rehearse", "--results", folder / "results", folder=folder)
    return folder / "results", done


def test_a_rehearsal_brings_every_stage_to_its_end(rehearsed):
    folder, done = rehearsed
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((folder / "results.json").read_text())
    assert list(results["stages"]) == ["tests", "speed", "train", "table"]
    assert {stage["status"] for stage in results["stages"].values()} == {"done"}
    assert results["machine"]["card"] is None
    tests, train = results["stages"]["tests"], results["stages"]["train"]
    assert tests["failed"] == 0
    assert tests["skipped"] > 100  # each was collected, and found no card
    assert train["epochs"] == 1
    assert float(train["history"][-1]["val/psnr/mean"]) > 10


def test_a_rehearsal_takes_every_figure(rehearsed):
    folder, _ = rehearsed
    figures = json.loads((folder / "speed.json").read_text())
    assert not [figure for figure in figures if "error" in figure]
    told = " ".join(figure["what"] for figure in figures)
    for word in ("f with the", "f without the", "g, ", "RankDiv", "Segment", "Temporal", "film"):
        assert word in told
    assert {f"guided network, {n}" for n in ("0 r", "1 r", "4 r")} <= {
        figure["what"][:19] for figure in figures
    }
    (training,) = (figure for figure in figures if figure["what"].startswith("training, "))
    assert 0 < training["device_busy"] <= 1
    assert all(figure["frames_per_second"] > 0 for figure in figures if figure is not training)


def test_a_rehearsal_leaves_few_files_and_a_page(rehearsed):
    folder, _ = rehearsed
    names = {path.name for path in folder.iterdir()}
    shared = {"results.json", "report.md"}
    assert names == shared | {
        *("logs.tar.gz", "speed.json", "model.safetensors", "resume.tar", "table.tar.gz"),
    }
    with tarfile.open(folder / "logs.tar.gz") as archive:
        assert archive.getnames() == ["speed.log", "table.log", "tests.log", "train.log"]
    page = (folder / "report.md").read_text()
    assert "no card, on the CPU" in page
    assert "| guided network, 4 references" in page
    assert "### What Table I of the paper claims" in page
    with tarfile.open(folder / "resume.tar") as archive:
        assert "runs/demo/checkpoints/last.ckpt" in archive.getnames()


def test_the_plan_fits_thirteen_minutes_and_each_call_what_one_may_take():
    plan = importlib.import_module("gpu.plan")
    chosen = plan.Plan()
    calls = [sum(chosen.limits[name] for name in each) + chosen.preparing for each in plan.CALLS]
    assert sum(calls) == chosen.total() <= plan.BUDGET == 780
    assert max(calls) <= 540  # of the 600 seconds of a command
    assert sorted(name for each in plan.CALLS for name in each) == sorted(plan.STAGES)
    assert chosen.minutes("train", 230) == pytest.approx(160 / 60)


def test_the_guide_shows_the_two_calls_and_their_limits():
    plan = importlib.import_module("gpu.plan")
    shown = [words for words in commands(PAGE) if "--results" in words and "--stages" in words]
    assert [words[words.index("--stages") + 1] for words in shown] == [
        ",".join(each) for each in plan.CALLS
    ]
    for stage, seconds in plan.Plan().limits.items():
        assert f"| `{stage}` | {seconds} s |" in PAGE.read_text()


def test_what_is_trained_are_settings_that_there_are():
    plan = importlib.import_module("gpu.plan").Plan()
    minutes = "trainer.max_minutes=2.5"
    check_command(["colorize-train", f"experiment={plan.recipe}", *plan.training, minutes])
    rows = f"rows=[{','.join(plan.rows)}]"
    check_command(["colorize-table", *plan.table, rows, "seed=0", minutes])


HANGING = """
import signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], stderr=-3)
print(child.pid, flush=True)
try:
    time.sleep(600)
except KeyboardInterrupt:
    print("kept", flush=True)
    time.sleep(600)
"""


def limited(tmp_path, program, **choices):
    processes = importlib.import_module("gpu.processes")
    return processes.run_limited(
        [sys.executable, "-c", program],
        log=tmp_path / "log",
        folder=tmp_path,
        environment=os.environ,
        **{"seconds": 60.0, **choices},
    )


def test_what_hangs_may_keep_what_it_has_and_is_killed_with_its_children(tmp_path):
    ended = limited(tmp_path, HANGING, seconds=4.0, grace=1.0)
    assert ended.status == "stopped"
    assert 3 <= ended.seconds < 30
    child, kept = (tmp_path / "log").read_text().split()
    assert kept == "kept"
    deadline = time.monotonic() + 20
    while alive(int(child)):
        assert time.monotonic() < deadline, "the child outlived its group"
        time.sleep(0.05)


def alive(process):
    state = Path(f"/proc/{process}/stat")
    try:
        return state.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_how_a_command_ended_is_told(tmp_path):
    assert limited(tmp_path, "print('well')").status == "done"
    failed = limited(tmp_path, "raise SystemExit(3)")
    assert (failed.status, failed.code) == ("failed", 3)
    assert (tmp_path / "log").read_text() == "well\n"


@pytest.fixture
def stages():
    return importlib.import_module("gpu.stages")


def given(stages, tmp_path, **changes):
    plan = importlib.import_module("gpu.plan")
    (tmp_path / "results").mkdir(exist_ok=True)
    return stages.Call(
        **{
            "root": ROOT,
            "work": tmp_path,
            "results": tmp_path / "results",
            "device": "cpu",
            "plan": plan.Plan(),
            "variables": {},
            "ends": time.monotonic() + 1000,
            **changes,
        }
    )


def test_a_stage_that_fails_stops_no_other_and_each_is_written_at_once(
    stages, tmp_path, monkeypatch
):
    report = importlib.import_module("gpu.report")
    results = report.Results(tmp_path, {"card": "a card"})
    written = []

    def speed(_):
        written.append(json.loads((tmp_path / "results.json").read_text())["stages"])
        return {"status": "done", "figures": []}

    monkeypatch.setitem(stages.RUNS, "tests", lambda _: 1 / 0)
    monkeypatch.setitem(stages.RUNS, "speed", speed)
    stages.run_stages(given(stages, tmp_path), ["tests", "speed"], results.write)
    assert written[0]["tests"]["status"] == "failed"
    assert "ZeroDivisionError" in written[0]["tests"]["reason"]
    assert results.stages["speed"]["status"] == "done"
    assert not results.complete
    assert "## tests: failed (ZeroDivisionError" in (tmp_path / "report.md").read_text()


def test_an_interruption_ends_the_call_and_so_does_its_time(stages, tmp_path, monkeypatch):
    seen = {}
    monkeypatch.setitem(stages.RUNS, "tests", lambda _: {"status": "interrupted"})
    stages.run_stages(given(stages, tmp_path), ["tests", "speed"], seen.__setitem__)
    assert list(seen) == ["tests"]
    over = given(stages, tmp_path, ends=time.monotonic())
    stages.run_stages(over, ["speed", "table"], seen.__setitem__)
    assert [seen[name]["status"] for name in ("speed", "table")] == ["left out", "left out"]


def test_what_pytest_said_is_counted_even_of_a_run_that_was_killed(stages, tmp_path):
    log = tmp_path / "tests.log"
    log.write_text(
        "tests/a.py::test_one[b c] PASSED   [ 20%]\n"
        "tests/a.py::test_two FAILED        [ 40%]\n"
        "tests/a.py::test_three SKIPPED (there is no CUDA device) [ 60%]\n"
        "tests/a.py::test_four ERROR [ 80%]\n"
        "tests/a.py::test_five "
    )
    assert stages.verdicts(log) == {
        "passed": 1,
        "skipped": 1,
        "failed": 2,
        "failures": ["tests/a.py::test_four", "tests/a.py::test_two"],
    }


def test_a_run_that_takes_too_much_memory_begins_again_with_half_the_batch(
    stages, tmp_path, monkeypatch
):
    (tmp_path / "data/penny-and-chip").mkdir(parents=True)
    (tmp_path / "data/penny-and-chip/manifest.json").touch()
    tried = []

    def run(_, stage, command, **__):
        (size,) = [word for word in command if word.startswith("sampling.batch_size=")][-1:]
        tried.append(size.partition("=")[2])
        message = "torch.OutOfMemoryError: CUDA out of memory" if len(tried) < 3 else ""
        (tmp_path / f"results/{stage}.log").write_text(message)
        return SimpleNamespace(status="done" if len(tried) == 3 else "failed", code=0, seconds=1.0)

    monkeypatch.setattr(stages.Call, "run", run)
    result = stages.run_train(given(stages, tmp_path))
    assert tried == ["32", "16", "8"]
    assert (result["status"], result["settings"]) == ("done", ["sampling.batch_size=8"])


def test_a_run_that_goes_on_takes_more_minutes_than_before(stages, tmp_path, monkeypatch):
    run, manifest = tmp_path / "runs/committee", tmp_path / "data/penny-and-chip/manifest.json"
    for path in (run / "checkpoints/last.ckpt", manifest):
        path.parent.mkdir(parents=True)
        path.write_text("whole")
    (run / "minutes.json").write_text('{"minutes": 2.5}')
    told = []

    def ended(_, stage, command, **__):
        told.extend(command)
        return SimpleNamespace(status="done", code=0, seconds=1.0)

    monkeypatch.setattr(stages.Call, "run", ended)
    result = stages.run_train(given(stages, tmp_path))
    (minutes,) = (float(w.partition("=")[2]) for w in told if w.startswith("trainer.max_min"))
    assert minutes == pytest.approx(2.5 + 160 / 60, abs=0.1)
    assert result["resumed"]
    assert result["files"] == ["resume.tar"]
    with tarfile.open(tmp_path / "results/resume.tar") as archive:
        kept = json.load(archive.extractfile("runs/committee/minutes.json"))
    assert kept["minutes"] == pytest.approx(minutes, abs=1e-3)


def test_long_files_are_cut_and_put_together_again(stages, tmp_path):
    machine = importlib.import_module("gpu.machine")
    content = io.BytesIO()
    (tmp_path / "weights").write_bytes(np.random.default_rng(0).bytes(5000))
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.add(tmp_path / "weights", "runs/weights")
    names = stages.cut(content.getvalue(), tmp_path / "resume.tar", size=4096)
    assert names == ["resume.tar.00", "resume.tar.01", "resume.tar.02"]
    machine.extract([tmp_path / name for name in names], tmp_path / "there")
    assert (tmp_path / "there/runs/weights").read_bytes() == (tmp_path / "weights").read_bytes()


def test_a_machine_without_a_card_is_refused_in_one_line(tmp_path):
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "pack.json").write_text('{"archives": {}}')
    done = call("--folder", pack, folder=tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "sees no CUDA device: run where nvidia-smi shows a card" in line
    assert not (tmp_path / "on-cuda/results.json").exists()


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "pack.json is missing: make the pack with --pack"),
        ({"pack.json": '{"archives": {"data": ["data.tar"]}}'}, "data.tar is missing: the pack"),
    ],
)
def test_a_pack_that_is_not_whole_is_refused_in_one_line(tmp_path, files, told):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    done = call("--folder", tmp_path, folder=tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert told in line


def test_a_stage_that_there_is_not_is_refused(tmp_path):
    done = call("--stages", "tests,sped", folder=tmp_path)
    assert done.returncode == 2
    assert "'sped' is no stage; valid: tests, speed, train, table" in done.stderr


def test_a_figure_that_fails_is_kept_with_its_reason_and_stops_no_other(tmp_path):
    module = importlib.import_module("gpu.figures")
    figures = module.Figures(tmp_path / "speed.json", device="cpu", seconds=60.0, repeated=1)

    def out_of_memory():
        raise torch.OutOfMemoryError("CUDA out of memory")

    figures.take("too large", out_of_memory)
    figures.section("broken", lambda: 1 / 0)
    figures.time("sound", lambda: lambda: time.sleep(0.01), frames=5)
    figures.seconds = 0.0
    figures.take("late", lambda: {"seconds": 1.0})
    first, second, third, last = json.loads((tmp_path / "speed.json").read_text())
    assert first == {"what": "too large", "error": "out of memory"}
    assert second["what"] == "broken, after 0 figures"
    assert second["error"].startswith("ZeroDivisionError")
    assert third["frames_per_second"] == pytest.approx(5 / third["seconds"])
    assert third["seconds"] >= 0.01
    assert last["error"] == "left out: the time was over"


@pytest.fixture
def machine(monkeypatch):
    """The module, which asks for a package of no use that no machine has."""
    module = importlib.import_module("gpu.machine")
    monkeypatch.setattr(module, "NEEDED", {"einops": "einops", "of_no_use": "of-no-use"})
    monkeypatch.delitem(sys.modules, "of_no_use", raising=False)
    return module


def wheels(folder):
    """Write the archive of a wheel of no use, and of one of a package that is there."""
    pack = importlib.import_module("gpu.pack")
    made = []
    for name in ("of_no_use", "einops"):
        made.append(folder / f"{name}-1.0-py3-none-any.whl")
        about = f"{name}-1.0.dist-info"
        with zipfile.ZipFile(made[-1], "w") as wheel:
            wheel.writestr(f"{name}.py", "ANSWER = 42\n")
            wheel.writestr(
                f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
            )
            wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")  # fmt: skip # noqa: E501
            wheel.writestr(f"{about}/RECORD", "")
    pack.squeeze(made, folder / "wheels.tar.xz")
    return folder / "wheels.tar.xz"


@pytest.mark.parametrize("pip", [True, False])
def test_what_is_missing_is_installed_without_a_network(machine, tmp_path, monkeypatch, pip):
    monkeypatch.setattr(sys, "path", list(sys.path))
    if not pip:
        broken = SimpleNamespace(returncode=1, stderr="No module named pip")
        monkeypatch.setattr(machine.subprocess, "run", lambda *_, **__: broken)
    assert machine.missing() == ["of-no-use"]
    site = tmp_path / "there/site"
    assert machine.install(wheels(tmp_path), site) == ["of_no_use-1.0-py3-none-any.whl"]
    assert machine.missing() == []
    assert not (site / "einops.py").exists()  # the machine has its own
    assert importlib.import_module("of_no_use").ANSWER == 42


def test_what_neither_the_machine_nor_the_pack_has_is_named(machine):
    with pytest.raises(machine.NotReady, match="lacks of-no-use: run the script with a Python"):
        machine.examine(ROOT, dict(os.environ), device="cpu")


def test_a_place_that_cannot_be_written_to_is_passed_by(machine, tmp_path):
    (tmp_path / "file").touch()
    place = machine.writable(tmp_path / "file/below")
    try:
        assert place.is_dir()
        assert tmp_path not in place.parents
    finally:
        place.rmdir()
    wanted = machine.writable(tmp_path / "new")
    assert wanted.parent == tmp_path / "new"


def test_results_of_two_calls_stand_on_one_page(tmp_path):
    report = importlib.import_module("gpu.report")
    for name, stage in (("first", "tests"), ("second", "train")):
        folder = tmp_path / name
        folder.mkdir()
        about = {"card": f"card of the {name}", "cores": 16, "torch": "2.11", "commit": "abc"}
        result = {"status": "done", "seconds": 2.0, "passed": 7}
        result |= {"recipe": "committee", "minutes": 2.5, "epochs": 9, "files": ["model"]}
        report.Results(folder, about).write(stage, result)
    words = ("--report", "first", "second", "--results", "page.md")
    assert call(*words, folder=tmp_path).returncode == 0
    page = (tmp_path / "page.md").read_text()
    assert page.index("**card of the first**") < page.index("**card of the second**")
    assert page.index("## tests: done") < page.index("## train: done")
    assert "7 passed" in page
    assert "2.5 minutes in all, 9 epochs" in page


def drawn(folder):
    """Write a folder of clips, pages and weights as ../shared has them."""
    clips, book = folder / "data/penny-and-chip", folder / "data/storybook"
    (clips / "clips").mkdir(parents=True)
    rows = []
    for number, split in enumerate(("train", "val", "test")):
        series = CartoonSeries(seed=number, size=(216, 384), shots=1, frames_per_shot=6)
        write_video(clips / f"clips/{split}.mp4", iter(series.color(0)), rate=Fraction(24))
        rows.append({"clip": f"{split}.mp4", "split": split, "first_frame": 2})
    write_rows(clips / "clips.csv", rows)
    stories = []
    for number, split in enumerate(("train", "train", "val")):
        story = book / f"s{number}"
        story.mkdir(parents=True)
        for page in range(4):
            rgb = CartoonSeries(
                seed=10 * number + page, size=(256, 320), shots=1, frames_per_shot=1
            )
            Image.fromarray(next(iter(rgb.color(0)))).save(story / f"{page}.jpg", quality=95)
        stories.append({"story": story.name, "credit": "drawn", "split": split})
    write_rows(book / "stories.csv", stories)
    (folder / "weights").mkdir()
    for name in ("vgg19_normalised_to_relu3_1", "squeezenet1_1_features_caffe"):
        (folder / f"weights/{name}.safetensors").write_bytes(name.encode())
    return folder


def write_rows(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return drawn(tmp_path_factory.mktemp("shared"))


def packed(shared, folder, **choices):
    pack = importlib.import_module("gpu.pack")
    choices = {"stages": ("train", "table"), "wheels": [], "resume": [], **choices}
    return pack.pack_up(folder, data=shared, **choices)


def test_what_is_packed_is_there_what_it_was_here(shared, tmp_path, capsys, stages):
    machine = importlib.import_module("gpu.machine")
    assert packed(shared, tmp_path / "pack") == 0
    assert "of 64 MiB" in capsys.readouterr().out
    said = machine.unpack(tmp_path / "pack", tmp_path)
    assert said["stages"] == ["train", "table"]
    variables = machine.environment(ROOT, tmp_path, device="cpu")
    assert stages._prepare(given(stages, tmp_path, variables=variables), "train") is None
    clips = PreparedClips(root=str(tmp_path / "data/penny-and-chip"))
    for split in ("train", "val", "test"):
        (clip,) = clips.split(split).clips
        with open_source(shared / f"data/penny-and-chip/clips/{split}.mp4") as source:
            truth = [frame.rgb for frame in source.frames()][2:]
        assert len(clip.frames) == len(truth) == 4  # less than two seconds
        for found, frame in zip(clip.frames, truth, strict=True):
            small = cv2.resize(frame, (192, 108), interpolation=cv2.INTER_AREA)
            assert cv2.PSNR(np.ascontiguousarray(found), small) > 36
    pages = Stories(root=str(tmp_path / "data/storybook")).split("train").clips
    assert [page.name for page in pages][:2] == ["s0/0", "s0/1"]
    assert len(pages) == 8  # those of val stay
    assert pages[0].frames.shape == (1, 144, 180, 3)
    weights = tmp_path / "weights/vgg19_normalised_to_relu3_1.safetensors"
    assert weights.read_bytes() == b"vgg19_normalised_to_relu3_1"


def test_as_many_pages_travel_as_there_is_room_for(shared, tmp_path, capsys, monkeypatch):
    pack = importlib.import_module("gpu.pack")
    assert pack.thinned(list("abcdefgh"), 0.5) == ["b", "d", "f", "h"]
    assert pack.thinned(list("abcdefgh"), 0.25) == ["d", "h"]
    packed(shared, tmp_path / "whole")
    whole = sum(path.stat().st_size for path in (tmp_path / "whole").iterdir())
    checkout = pack.tracked_size(ROOT)
    monkeypatch.setattr(pack, "LIMIT", checkout + whole + pack._ROOM - 20_000)
    capsys.readouterr()
    assert packed(shared, tmp_path / "thinned") == 0
    told = capsys.readouterr().out
    count = int(told.partition("pages: ")[2].split()[0])
    assert 0 < count < 8
    monkeypatch.setattr(pack, "LIMIT", checkout)
    with pytest.raises(pack.NotReady, match="too large even without pages"):
        packed(shared, tmp_path / "none")


def test_a_story_none_of_whose_pages_travel_is_not_listed(shared, tmp_path):
    pack = importlib.import_module("gpu.pack")
    files = pack._pages(shared / "data/storybook", room=1_000_000)
    sizes = [len(content) for name, content in files.items() if name.endswith(".webp")]
    one = max(sizes) + 1024 + len(files["data/storybook/stories.csv"]) + 200
    kept = pack._pages(shared / "data/storybook", room=one)
    for name, content in kept.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (page,) = Stories(root=str(tmp_path / "data/storybook")).split("train").clips
    assert page.name == "s1/0"  # the fifth of eight, where less than a quarter travels


def test_the_first_call_needs_no_data_and_the_second_says_where_it_looked(tmp_path):
    assert packed(tmp_path / "nowhere", tmp_path / "pack", stages=("tests", "speed")) == 0
    pack = importlib.import_module("gpu.pack")
    with pytest.raises(pack.NotReady, match="nowhere/data is missing: --data DIR"):
        packed(tmp_path / "nowhere", tmp_path / "pack")


def test_a_run_of_an_earlier_call_travels_in_its_parts(rehearsed, shared, tmp_path, stages):
    machine = importlib.import_module("gpu.machine")
    content = (rehearsed[0] / "resume.tar").read_bytes()
    parts = [tmp_path / name for name in stages.cut(content, tmp_path / "resume.tar", size=50_000)]
    assert len(parts) > 1
    packed(shared, tmp_path / "pack", stages=("tests",), resume=parts)
    machine.unpack(tmp_path / "pack", tmp_path / "there")
    assert (tmp_path / "there/runs/demo/checkpoints/last.ckpt").is_file()


def test_whoever_stops_the_script_stops_its_stage_and_keeps_what_there_is(tmp_path):
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), "--rehearse", "--results", str(tmp_path / "results")],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert any(line.startswith("tests: at most") for line in process.stdout)
        deadline, log = time.monotonic() + 60, tmp_path / "results/tests.log"
        while not (log.is_file() and log.stat().st_size):  # pytest has begun
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 1
    results = json.loads((tmp_path / "results/results.json").read_text())
    assert results["stages"]["tests"]["status"] == "interrupted"
    assert list(results["stages"]) == ["tests"]
