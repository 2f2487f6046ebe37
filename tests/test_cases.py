"""Films as people really have them: inputs that FFmpeg's own tools make, through the command.

``../shared/cases/*.sh`` make them with Debian's ``ffmpeg`` and ``mkvmerge``. FFmpeg's reading of
input and output (``ffprobe``) is the oracle of counts, times and fields. Tints (case 23)
and the sweep (case 40) are asked where those are tested.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from colorize.films import command
from colorize.media import MediaError, open_source
from tests.colorize.media.films import make_film
from tests.colorize.tiny import write_safetensors
from tests.places import SHARED

CASES = SHARED / "cases"
PROGRAMS = ("ffmpeg", "ffprobe", "mkvmerge")

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not CASES.is_dir(), reason=f"no cases in {CASES}"),
    pytest.mark.skipif(
        not all(map(shutil.which, PROGRAMS)), reason="needs Debian's ffmpeg and mkvtoolnix"
    ),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All inputs but the sweep's."""
    folder = tmp_path_factory.mktemp("cases")
    for script in sorted(CASES.glob("*.sh")):
        if not script.name.startswith("40"):
            subprocess.run(
                ["bash", str(script), str(folder)],
                check=True,
                capture_output=True,
                env={**os.environ, "PY": sys.executable},
            )
    return folder


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_safetensors(tmp_path_factory.mktemp("weights") / "model.safetensors")


def colored(source: Path, output: Path, checkpoint: Path, *more: str) -> None:
    arguments = [str(source), "-o", str(output), "--checkpoint", str(checkpoint), "--device", "cpu"]
    command.main([*arguments, *more])


def seen(path: Path, entries: str) -> list[str]:
    """What ffprobe says of every frame of the picture."""
    asked = ["-select_streams", "v:0", "-show_entries", f"frame={entries}", "-of", "csv=p=0"]
    probe = ["ffprobe", "-v", "error", *asked, str(path)]
    lines = subprocess.run(probe, check=True, capture_output=True, text=True).stdout.splitlines()
    return [line for line in lines if re.match(r"[-0-9N]", line)]


def times(path: Path) -> list[float]:
    return [float(line.split(",")[0]) for line in seen(path, "best_effort_timestamp_time")]


@pytest.mark.parametrize(
    ("name", "count", "step"),
    [
        ("late.ts", 30, 1 / 25),
        ("wrap.ts", 30, 1 / 25),
        ("lost.ts", 50, 1 / 25),
        ("packed.avi", 30, 1 / 25),
        ("rich.mkv", 72, 1001 / 24000),
        ("xdcam.mxf", 15, 1 / 25),
        ("prores_tc.mov", 15, 1 / 25),
        ("dnxhr.mov", 15, 1 / 25),
        ("gray10.mkv", 15, 1 / 25),
        ("gray16.mkv", 15, 1 / 25),
        ("j2k.mxf", 15, 1 / 25),
        ("raw.m2v", 15, 1 / 25),
        ("raw.y4m", 15, 1 / 25),
        ("anim.gif", 15, 1 / 25),
        ("bff_tape.dv", 10, 1 / 25),
    ],
)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_all_frames_at_their_times(
    made: Path, checkpoint: Path, tmp_path: Path, name: str, count: int, step: float, suffix: str
) -> None:
    output = tmp_path / f"out{suffix}"
    colored(made / name, output, checkpoint, "--recolor")
    found = times(output)
    assert len(found) == count
    assert 0 <= found[0] < 0.1
    expected = [found[0] + index * step for index in range(count)]
    assert found == pytest.approx(expected, abs=1.1e-3)


def test_null_frames_keep_their_gaps(made: Path, checkpoint: Path, tmp_path: Path) -> None:
    colored(made / "nullframes.avi", tmp_path / "out.mp4", checkpoint)
    dropped = {5, 6, 20, 33, 34, 35}
    expected = [index / 25 for index in range(50) if index not in dropped]
    assert times(tmp_path / "out.mp4") == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    "name",
    [
        *("dv.avi", "dv.mov", "tape.dv", "mpeg2.mkv", "mpeg2.vob", "mpeg2.ts"),
        *("h264.mkv", "h264.mp4", "h264.ts", "prores.mov", "ffv1.mkv"),
    ],
)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_bottom_field_first(
    made: Path, checkpoint: Path, tmp_path: Path, name: str, suffix: str
) -> None:
    output = tmp_path / f"out{suffix}"
    colored(made / f"bff_{name}", output, checkpoint)
    marks = Counter(line[:3] for line in seen(output, "interlaced_frame,top_field_first"))
    assert marks == {"1,0": 10}


def test_avi_without_a_word_of_fields_stays_progressive(made: Path) -> None:
    """FFV1 in AVI tells no order, and FFmpeg shows it as progressive."""
    assert {line[:1] for line in seen(made / "bff_ffv1.avi", "interlaced_frame")} == {"0"}
    assert not any("interlaced" in note for note in open_source(made / "bff_ffv1.avi").notes)


@pytest.mark.parametrize("codec", ["hevc", "h264"])
def test_levels_of_films_without_chroma(made: Path, codec: str) -> None:
    frames = list(open_source(made / f"gray_{codec}.mp4"))
    assert len(frames) == 8
    levels = frames[4].rgb[32, [16, 48, 80]].mean(axis=1)
    assert levels == pytest.approx([0, 128, 255], abs=2)


@pytest.mark.parametrize("name", ["sizechange.mkv", "shapechange.mkv"])
def test_changes_of_size_and_shape(
    made: Path, checkpoint: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    colored(made / name, tmp_path / "out.mp4", checkpoint)
    count = len(times(tmp_path / "out.mp4"))
    assert count in (49, 50)  # FFmpeg 5 leaves out a frame at the joint that FFmpeg 8 shows
    what = "size to 320×288" if name.startswith("size") else r"shape of its picture to 1\.78:1"
    assert re.search(rf"{name} changes (its|the) {what}", capsys.readouterr().err)


FOLDERS = {
    "white16": (44718, 35209),
    "planar16": (44718, 35209),
    "rgbi16": (44718, 35209),
    "dpi16": (44718, 35209),
    "dpx": (44779, 35234),  # 10 bits: 698.97 and 549.97 of 1023 are 699 and 550
    "white8": (174, 137),
    "tga_": (174, 137),
    "pgm": (174, 137),
    "negative": (174, 137),
}


@pytest.mark.parametrize(("name", "levels"), FOLDERS.items())
def test_scans_keep_depth_and_levels(
    made: Path, checkpoint: Path, tmp_path: Path, name: str, levels: tuple[int, int]
) -> None:
    """Luma of two pixels of the second picture, in and out."""
    folder = made / "still" / name
    frames = list(open_source(folder))
    assert len(frames) == 4
    assert tuple(frames[1].rgb[[5, 100], 5, 0]) == levels
    colored(folder, tmp_path / "out", checkpoint)
    written = list(open_source(tmp_path / "out"))
    assert [frame.name for frame in written] == [frame.name for frame in frames]
    for before, after in zip(frames, written, strict=True):
        assert after.rgb.dtype == before.rgb.dtype
        assert after.kept.dpi == before.kept.dpi
        # To within the rounding of 8 bits, or of 10 in a DPX.
        assert np.abs(after.gray() - before.gray()).max() <= 1.01 / 255


@pytest.mark.parametrize("name", ["from1", "sheet", "print", "flicker"])
def test_folders_of_drawings(made: Path, checkpoint: Path, tmp_path: Path, name: str) -> None:
    colored(made / name / "g", tmp_path / "out", checkpoint)
    assert len(list((tmp_path / "out").glob("*.png"))) == len(list((made / name / "g").iterdir()))


@pytest.mark.parametrize("name", ["in.mkv", "in.avi", "in.mp4"])
def test_the_remedy_for_a_film_that_is_cut_off_works(tmp_path: Path, name: str) -> None:
    """The printed command is run as it is, with the names put in."""
    codec = "mpeg4" if name == "in.avi" else "libx264"
    path = make_film(
        tmp_path / name, count=240, faststart=True, audio=None, size=(192, 256), codec=codec
    )
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(MediaError, match=r"is cut off: .* copy it again, or save") as caught:
        open_source(path)
    [(line,)] = [re.findall(r"`(ffmpeg [^`]*)`", str(caught.value))]
    part = tmp_path / line.split()[-1]
    put = {"FILM": str(path), part.name: str(part)}
    arguments = [put.get(word, word) for word in line.split()]
    subprocess.run([*arguments, "-v", "quiet"], check=True, stdin=subprocess.DEVNULL)
    found = list(open_source(part))
    assert 20 < len(found) < 240
