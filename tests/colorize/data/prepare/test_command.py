from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from colorize.data.manifest import DatasetError, Manifest, load_manifest
from colorize.data.prepare.command import main
from colorize.data.splits import PreparedClips
from tests.places import SHARED

REAL = SHARED / "data" / "penny-and-chip"


def picture(seed: int, size: tuple[int, int]) -> np.ndarray:
    """Large soft blots of colour."""
    blots = np.random.default_rng(seed).integers(30, 226, (4, 6, 3)).astype(np.uint8)
    return cv2.resize(blots, size[::-1], interpolation=cv2.INTER_LINEAR)


def drawing(seed: int, frames: int, size: tuple[int, int] = (72, 128)) -> np.ndarray:
    """Two still shots of ``frames`` frames each, with a gray square whose level is the index."""
    clip = np.repeat(np.stack([picture(seed, size), picture(seed + 100, size)]), frames, axis=0)
    for index, frame in enumerate(clip):
        frame[:16, :16] = 8 * index
    return clip


def write_video(path: Path, frames: np.ndarray, rate: Fraction = Fraction(24)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "10"})
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def write_folder(path: Path, frames: np.ndarray) -> Path:
    path.mkdir(parents=True)
    for index, frame in enumerate(frames):
        Image.fromarray(frame).save(path / f"{index + 1}.png")  # 10.png after 9.png
    return path


def run(*arguments: object) -> int:
    return main([str(argument) for argument in (*arguments, "--workers", 1)])


def stored(root: Path, name: str) -> np.ndarray:
    return np.load(root / "frames" / f"{name}.npy")


def by_name(manifest: Manifest) -> dict[str, Any]:
    return {clip.name: clip for clip in manifest.clips}


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A folder of two videos, and a folder of frames beside it."""
    write_video(tmp_path / "films" / "walk.mp4", drawing(1, 8), Fraction(24000, 1001))
    write_video(tmp_path / "films" / "Säge 2.mp4", drawing(2, 6))
    write_folder(tmp_path / "stills", drawing(3, 6))
    return tmp_path / "films"


def test_videos_and_folders_become_a_dataset(films: Path, capsys: pytest.CaptureFixture) -> None:
    root = films.parent / "data"
    assert run(films, films.parent / "stills", "-o", root, "--size", "36x64") == 0
    manifest = load_manifest(root)
    clips = by_name(manifest)
    assert list(clips) == sorted(["walk", "Säge 2", "stills"])
    assert [clips[name].frames for name in ("walk", "Säge 2", "stills")] == [16, 12, 12]
    assert [clips[name].shots for name in ("walk", "Säge 2", "stills")] == [(0, 8), (0, 6), (0, 6)]
    assert clips["walk"].rate == "24000/1001"
    assert clips["stills"].rate is None
    assert "3 clips" in capsys.readouterr().out
    # Halved by the area filter: the mean of blocks of four pixels.
    blocks = drawing(3, 6).reshape(12, 36, 2, 64, 2, 3).mean(axis=(2, 4))
    assert np.abs(stored(root, "stills") - blocks).max() <= 0.5
    # H.264 loses a little, but order and colours are those of the film.
    blocks = drawing(1, 8).reshape(16, 36, 2, 64, 2, 3).mean(axis=(2, 4))
    assert np.abs(stored(root, "walk") - blocks).mean() < 4
    levels = stored(root, "walk")[:, 3, 3].mean(axis=1)
    assert np.abs(levels - 8 * np.arange(16)).max() < 4
    # No clip is for validation: the last shot of the clip whose last shot is longest is.
    opened = PreparedClips(root=root)
    assert [clip.name for clip in opened.split("val").clips] == ["walk"]
    assert len(opened.split("val")) == 8
    assert len(opened.split("train")) == 40 - 8


def test_processes_give_what_one_process_gives(films: Path) -> None:
    sources = (films, films.parent / "stills")
    one, two = films.parent / "one", films.parent / "two"
    assert run(*sources, "-o", one, "--size", "36x64") == 0
    arguments = [*map(str, sources), "-o", str(two), "--size", "36x64", "--workers", "2"]
    assert main(arguments) == 0
    assert load_manifest(one) == load_manifest(two)
    for name in by_name(load_manifest(one)):
        np.testing.assert_array_equal(stored(one, name), stored(two, name))


def test_another_aspect_is_cropped_at_the_centre_or_stretched(tmp_path: Path) -> None:
    wide = np.zeros((2, 40, 120, 3), np.uint8)
    wide[:, :, 40:80] = 255  # a white square at the centre
    source = write_folder(tmp_path / "wide", wide)
    assert run(source, "-o", tmp_path / "crop", "--size", "20x20") == 0
    assert (stored(tmp_path / "crop", "wide") == 255).all()
    assert run(source, "-o", tmp_path / "stretch", "--size", "20x20", "--fit", "stretch") == 0
    assert 0.25 < (stored(tmp_path / "stretch", "wide")[..., 0] > 127).mean() < 0.4
    # 41 of 40 lines: less than 2 % would be cut, so the border is kept.
    almost = np.zeros((1, 100, 101, 3), np.uint8)
    almost[:, :, 0] = 255
    assert (
        run(write_folder(tmp_path / "almost", almost), "-o", tmp_path / "a", "--size", "50x50") == 0
    )
    assert (stored(tmp_path / "a", "almost")[:, :, 0] > 90).all()


def test_first_frames_are_left_out_before_shots_are_sought(films: Path) -> None:
    root = films.parent / "data"
    table = films.parent / "clips.csv"
    table.write_text("clip,split,first_frame,note\nwalk.mp4,test,3,x\nSäge 2,train,,\n")
    assert run(films, "-o", root, "--size", "36x64", "--splits", table, "--first-frame", 2) == 0
    clips = by_name(load_manifest(root))
    walk, saw = clips["walk"], clips["Säge 2"]
    assert (walk.split, walk.first_frame, walk.frames, walk.shots) == ("test", 3, 13, (0, 5))
    assert (saw.split, saw.first_frame, saw.frames, saw.shots) == ("train", 2, 10, (0, 4))
    assert abs(int(stored(root, "walk")[0, 3, 3, 0]) - 24) < 4


def identity(root: Path, name: str) -> tuple[int, int]:
    file = (root / "frames" / f"{name}.npy").stat()
    return file.st_ino, file.st_mtime_ns


def test_a_source_more_or_changed_is_done_alone(films: Path) -> None:
    root, stills = films.parent / "data", films.parent / "stills"
    assert run(films, "-o", root, "--size", "36x64") == 0
    before = {name: identity(root, name) for name in ("walk", "Säge 2")}
    splits = {clip.name: clip.split for clip in load_manifest(root).clips}
    # Neither the size nor the films need to be named again.
    assert run(stills, "-o", root) == 0
    clips = by_name(load_manifest(root))
    assert len(clips) == 3
    assert clips["stills"].size == (36, 64)
    assert {name: identity(root, name) for name in before} == before
    assert {name: clips[name].split for name in splits} == splits
    write_video(films / "walk.mp4", drawing(9, 5))
    assert run(films, "-o", root) == 0
    assert identity(root, "Säge 2") == before["Säge 2"]
    assert by_name(load_manifest(root))["walk"].frames == 10
    assert len(load_manifest(root).clips) == 3
    assert run(films / "walk.mp4", "-o", root, "--prune") == 0
    assert [clip.name for clip in load_manifest(root).clips] == ["walk"]
    assert {file.name for file in (root / "frames").iterdir()} == {"walk.npy", "walk.json"}


def test_other_settings_redo_a_clip(films: Path) -> None:
    root, film = films.parent / "data", films / "walk.mp4"
    for arguments, shape in (
        (("--size", "36x64"), (16, 36, 64, 3)),
        (("--size", "18x32"), (16, 18, 32, 3)),
        (("--first-frame", 4), (12, 18, 32, 3)),
    ):
        assert run(film, "-o", root, *arguments) == 0
        assert stored(root, "walk").shape == shape
        before = identity(root, "walk")
        assert run(film, "-o", root, *arguments) == 0
        assert run(film, "-o", root) == 0
        assert identity(root, "walk") == before


def test_clips_that_stay_must_fit_the_new_size(films: Path, capsys: pytest.CaptureFixture) -> None:
    root = films.parent / "data"
    assert run(films, "-o", root, "--size", "36x64") == 0
    with pytest.raises(SystemExit) as stop:
        run(films / "walk.mp4", "-o", root, "--size", "18x32")
    assert stop.value.code == 2
    assert "'Säge 2' was prepared at 36x64 (crop), not 18x32" in capsys.readouterr().err


def test_equal_names_are_told_apart_for_good(films: Path) -> None:
    root = films.parent / "data"
    other = write_video(films.parent / "more" / "walk.mp4", drawing(7, 4))
    assert run(films / "walk.mp4", "-o", root, "--size", "36x64") == 0
    assert run(other, "-o", root) == 0
    assert run(other, films / "walk.mp4", "-o", root) == 0
    clips = by_name(load_manifest(root))
    assert {name: clip.frames for name, clip in clips.items()} == {"walk": 16, "walk-2": 8}
    moved = films / "moved"
    moved.mkdir()
    (films / "walk.mp4").rename(moved / "walk.mp4")
    before = identity(root, "walk")
    assert run(moved, "-o", root) == 0
    assert len(load_manifest(root).clips) == 2
    assert identity(root, "walk") == before


def test_unreadable_sources_are_named_and_skipped(
    films: Path, capsys: pytest.CaptureFixture
) -> None:
    root, whole = films.parent / "data", (films / "walk.mp4").read_bytes()
    (films / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    (films / "text.mp4").write_text("not a film")
    (films.parent / "empty").mkdir()
    short = write_folder(films.parent / "short", drawing(4, 1))
    command = (films, films.parent / "empty", short, "-o", root, "--size", "36x64")
    assert run(*command, "--first-frame", 3) == 1
    lines = capsys.readouterr().err.splitlines()
    skipped = sorted(line for line in lines if line.startswith("skipped: "))
    assert len(skipped) == 4
    for name in ("films/cut.mp4", "empty", "short: no frame is left after the first 3", "text.mp4"):
        assert sum(name in line for line in skipped) == 1
    assert sorted(by_name(load_manifest(root))) == ["Säge 2", "walk"]
    assert not list((root / "frames").glob(".*"))
    assert run(*command, "--first-frame", 3, "--skip-unreadable") == 0
    with pytest.raises(SystemExit) as stop:
        run(films / "text.mp4", "-o", films.parent / "none", "--skip-unreadable")
    assert stop.value.code == 2
    assert not (films.parent / "none" / "manifest.json").exists()


def lines(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_two_folders_are_enough(films: Path, capsys: pytest.CaptureFixture) -> None:
    root = films.parent / "data"
    stills = films.parent / "stills"
    assert run("--train", films, "--test", stills, "-o", root, "--size", "36x64") == 0
    splits = {clip.name: clip.split for clip in load_manifest(root).clips}
    assert splits == {"walk": "train", "Säge 2": "train", "stills": "test"}
    shown = capsys.readouterr().out
    # Two shots of 8 and of 6 frames, and two of 6: 7 + 7 + 5 + 5 pairs, 6 + 6 + 4 + 4 triples.
    assert lines(shown)[1:5] == [
        ["split", "clips", "shots", "frames", "pairs", "triples", "jumps"],
        ["train", "2", "4", "28", "24", "20", "0"],
        ["val", "0", "0", "0", "0", "0", "0"],
        ["test", "1", "2", "12", "10", "8", "0"],
    ]
    assert "no val: the last shots of training clips serve" in shown
    assert "trained on: 1 of walk" in shown
    assert len(PreparedClips(root=root).split("test")) == 12
    # One more source says no split: it is for training beside those that do.
    more = write_folder(films.parent / "more", drawing(5, 3))
    assert run(more, "--test", stills, "-o", root) == 0
    assert by_name(load_manifest(root))["more"].split == "train"


def test_folders_called_train_and_test_say_their_split(tmp_path: Path) -> None:
    for number, place in enumerate(("train/a", "train/b", "test/a")):
        write_folder(tmp_path / "frames" / place, drawing(number, 3))
    assert run(tmp_path / "frames", "-o", tmp_path / "data", "--size", "36x64") == 0
    clips = load_manifest(tmp_path / "data").clips
    found = {str(Path(clip.path).relative_to(tmp_path)): clip.split for clip in clips}
    assert found == {
        "frames/train/a": "train",
        "frames/train/b": "train",
        "frames/test/a": "test",
    }


def test_a_jump_in_frame_numbers_ends_a_shot(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    folder = tmp_path / "clip"
    folder.mkdir()
    still = picture(1, (72, 128))
    for number in (210, 211, 212, 213, 291, 292):  # one drawing: no cut can be seen
        Image.fromarray(still).save(folder / f"f_{number}.png")
    assert run(folder, "-o", tmp_path / "data", "--size", "36x64") == 0
    (clip,) = load_manifest(tmp_path / "data").clips
    assert (clip.shots, clip.jumps) == ((0, 4), (4,))
    shown = capsys.readouterr().out
    assert ["train", "1", "2", "6", "4", "2", "1"] in lines(shown)
    assert "clip: the numbers of its files jump before frame 4: a shot ends there" in shown
    # Left-out frames are counted before: of 213, 291, 292 the second starts a shot.
    assert run(folder, "-o", tmp_path / "data", "--first-frame", 3) == 0
    (clip,) = load_manifest(tmp_path / "data").clips
    assert (clip.shots, clip.jumps) == ((0, 1), (1,))


def test_what_cannot_be_trained_is_said(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    folder = tmp_path / "clip"
    folder.mkdir()
    for number in (1, 30, 77):
        Image.fromarray(picture(number, (72, 128))).save(folder / f"{number}.png")
    assert run("--test", folder, "-o", tmp_path / "data", "--size", "36x64") == 0
    assert "no train: nothing can be trained on it" in capsys.readouterr().out
    assert run("--train", folder, "-o", tmp_path / "data") == 0
    shown = capsys.readouterr().out
    assert "no test: colorize-evaluate and colorize-table have nothing to measure" in shown
    assert "cannot be trained on it: temporal and refinement, for no shot of train has 2" in shown
    assert "cannot be trained on it: temporal_second_order, for no shot of train has 3" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["FILMS", "--ratio", "0.8,0.1,0.1"],
            "--ratio 0.8,0.1,0.1 leaves no clip for val and test: it needs 7 clips, and there "
            "are 2; give more, or name folders instead: --train FOLDER --test FOLDER",
        ),
        (["FILMS", "--test", "FILMS"], None),
        (["--train", "FILMS", "--test", "FILMS/walk.mp4"], "is named for train and for test"),
        (["--test", "FILMS", "--splits", "x.csv"], "--splits and --test both say splits"),
        (["--test", "FILMS", "--ratio", "1,0,0"], "--ratio does nothing beside folders"),
        ([], "no source is given"),
    ],
)
def test_splits_that_cannot_be_are_refused_before_anything_is_written(
    films: Path, arguments: list[str], message: str | None, capsys: pytest.CaptureFixture
) -> None:
    root = films.parent / "data"
    given = [each.replace("FILMS", str(films)) for each in arguments]
    if message is None:  # named twice, but for one split
        assert run(*given, "-o", root, "--size", "36x64") == 0
        assert {clip.split for clip in load_manifest(root).clips} == {"test"}
        return
    with pytest.raises(SystemExit) as stop:
        run(*given, "-o", root)
    assert stop.value.code == 2
    errors = capsys.readouterr().err
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    assert message in errors
    assert not root.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--size", "144"], "expected HEIGHTxWIDTH of at least 16x16"),
        (["--ratio", "0.5,0.1,0.1"], "shares TRAIN,VAL,TEST whose sum is 1"),
        (["--ratio", "1,0,0", "--splits", "x.csv"], "not allowed with"),
        (["--workers", "0"], "'0' is not a positive whole number"),
        (["--splits", "nowhere.csv"], "nowhere.csv: No such file"),
    ],
)
def test_wrong_arguments_end_at_once(
    films: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit) as stop:
        main([str(films), "-o", str(films.parent / "data"), *arguments])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
    assert not (films.parent / "data").exists()


def test_help_teaches(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith("Turn colour films and frame folders into a dataset")
    assert "colorize-prepare --train frames/some --test frames/others" in text
    assert "(default 144x256)" in text


def test_a_path_that_is_not_there_changes_nothing(
    films: Path, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit) as stop:
        run(films, films.parent / "flims", "-o", films.parent / "data")
    assert stop.value.code == 2
    assert "flims: no such file or folder" in capsys.readouterr().err
    assert not (films.parent / "data").exists()


def test_finished_clips_without_a_manifest_are_not_redone(films: Path) -> None:
    root = films.parent / "data"
    assert run(films, "-o", root, "--size", "36x64") == 0
    whole = load_manifest(root)
    before = identity(root, "Säge 2")
    # As after a kill: no manifest, one clip half-written.
    (root / "manifest.json").unlink()
    (root / "frames" / "walk.json").unlink()
    (root / "frames" / "walk.npy").unlink()
    (root / "frames" / ".walk.npy.77.part").write_bytes(b"half")
    assert run(films, "-o", root, "--size", "36x64") == 0
    assert identity(root, "Säge 2") == before
    assert load_manifest(root) == whole
    assert not list((root / "frames").glob(".*"))


def test_a_killed_run_is_continued(tmp_path: Path) -> None:
    long = np.tile(drawing(5, 4, (48, 64)), (300, 1, 1, 1))
    write_video(tmp_path / "films" / "a.mp4", drawing(1, 4))
    write_video(tmp_path / "films" / "b.mp4", long)
    root = tmp_path / "data"
    arguments = [str(tmp_path / "films"), "-o", str(root), "--size", "540x960"]
    command = [sys.executable, "-m", "colorize.data.prepare.command", *arguments]
    process = subprocess.Popen(
        [*command, "--workers", "2"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    first, part = root / "frames" / "a.json", list[Path]()
    deadline = time.monotonic() + 120
    while not (first.exists() and part) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
        part = list((root / "frames").glob(".b.npy*.part")) if first.exists() else []
    assert process.poll() is None, "the run ended before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.wait()
    _wait_for_no_growth(part[0])
    assert not (root / "manifest.json").exists()
    before = identity(root, "a")
    small = write_video(tmp_path / "films" / "b.mp4", drawing(2, 4))
    assert small.exists()
    assert run(tmp_path / "films", "-o", root, "--size", "540x960") == 0
    assert identity(root, "a") == before
    assert [clip.frames for clip in load_manifest(root).clips] == [8, 8]
    assert not list((root / "frames").glob(".*"))


def _wait_for_no_growth(path: Path) -> None:
    """Workers end with their parent: what they were writing stops to grow."""
    sizes = [-1, path.stat().st_size]
    for _ in range(100):
        time.sleep(0.2)
        sizes.append(path.stat().st_size)
        if sizes[-1] == sizes[-2] == sizes[-3]:
            return
    raise AssertionError("a worker outlived the killed command")


def test_ctrl_c_is_one_line_and_keeps_finished_clips(tmp_path: Path) -> None:
    write_video(tmp_path / "films" / "a.mp4", drawing(1, 4))
    write_video(tmp_path / "films" / "b.mp4", np.tile(drawing(5, 4, (48, 64)), (300, 1, 1, 1)))
    root = tmp_path / "data"
    arguments = [str(tmp_path / "films"), "-o", str(root), "--size", "540x960", "--workers", "2"]
    process = subprocess.Popen(
        [sys.executable, "-m", "colorize.data.prepare.command", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell's background job ignores Ctrl-C, and so would everything it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not (root / "frames" / "a.json").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert errors.strip().splitlines()[-1].startswith("stopped; the same command continues")
    assert {file.name for file in (root / "frames").iterdir()} == {"a.npy", "a.json"}


def test_a_full_disk_is_one_line(films: Path, capsys: pytest.CaptureFixture) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))  # bytes of a file
    try:
        with pytest.raises(SystemExit) as stop:
            run(films, "-o", films.parent / "data")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert stop.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith("npy: File too large")
    assert not list((films.parent / "data" / "frames").iterdir())


def test_dark_and_repeated_frames_are_kept_and_counted(tmp_path: Path) -> None:
    frames = np.zeros((6, 40, 40, 3), np.uint8)
    frames[0] = frames[1] = 200
    frames[2] = 100
    source = write_folder(tmp_path / "clip", frames)
    assert run(source, "-o", tmp_path / "data", "--size", "20x20") == 0
    (clip,) = load_manifest(tmp_path / "data").clips
    assert (clip.frames, clip.dark_frames, clip.repeated_frames) == (6, 3, 3)


def test_the_split_cannot_be_redrawn_by_accident(
    films: Path, capsys: pytest.CaptureFixture
) -> None:
    root = films.parent / "data"
    assert run(films, "-o", root, "--size", "36x64", "--seed", 1) == 0
    assert run(films, "-o", root) == 0
    with pytest.raises(SystemExit):
        run(films, "-o", root, "--seed", 2)
    assert "seed 1; to split it anew, delete its manifest.json" in capsys.readouterr().err


def test_the_manifest_states_its_conventions(films: Path) -> None:
    root = films.parent / "data"
    assert run(films, "-o", root, "--size", "36x64") == 0
    content = json.loads((root / "manifest.json").read_text(encoding="utf-8"))
    assert (content["format"], content["version"]) == ("tooncolor-dataset", 1)
    assert content["colors"]["axes"] == "t h w 3"
    assert content["clips"][0]["file"] == "frames/Säge 2.npy"
    content["clips"][0].pop("frames")
    (root / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(DatasetError, match=r"damaged, .*frames"):
        load_manifest(root)


@pytest.mark.shared
def test_a_real_clip_from_its_first_own_frame(tmp_path: Path) -> None:
    clip = REAL / "clips" / "bedtime.mp4"
    if not clip.is_file():
        pytest.skip("the real clips of ../shared are not here")
    assert run(clip, "-o", tmp_path, "--size", "36x64", "--first-frame", 48) == 0
    (record,) = load_manifest(tmp_path).clips
    assert (record.frames, record.rate, record.shots) == (144, "24", (0,))
    assert record.repeated_frames > 100  # the clip is almost static
