"""The shipped weights' colours of three fixed frames, through the whole of ``colorize``.

Whatever is moved or made simpler, these stay. ``python -m tests.colorize.test_golden`` records them
anew, where colours change on purpose: say why in the commit, and what the change gives.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from colorize.cartoon import CartoonSeries
from colorize.films import command as cli

RECORD = Path(__file__).with_name("golden.json")
SIZE = (144, 192)
BLOCKS = (12, 16)  # of the frame, whose mean chroma is recorded
# By number of references: the frames given in colour. Frame 0 comes out with its own colours.
GIVEN = {"0": [], "1": [0], "2": [0, 2]}


def draw(folder: Path) -> np.ndarray:
    """Write three gray frames in 16 bits and the same in colour; return the true colours."""
    series = CartoonSeries(seed=9300, size=SIZE, shots=3, frames_per_shot=12, effects=False)
    frames = series.color(1)[[0, 5, 10]]
    for name in ("gray", "color"):
        (folder / name).mkdir(parents=True)
    for index, rgb in enumerate(frames):
        luma = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2GRAY)
        deep = np.rint(luma * 65535).astype(np.uint16)
        cv2.imwrite(str(folder / "gray" / f"frame_{index:04d}.png"), deep)
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(folder / "color" / f"frame_{index:04d}.png"), bgr)
    return frames


def colored(folder: Path, given: list[int]) -> list[list[float]]:
    """Return the mean Cb and Cr of every block of every frame, as ``colorize`` colours them."""
    output = folder / f"out-{len(given)}"
    references = [
        word
        for index in given
        for word in ("--reference", str(folder / "color" / f"frame_{index:04d}.png"))
    ]
    cli.main([str(folder / "gray"), "-o", str(output), "--device", "cpu", *references])
    return [chroma_of(path) for path in sorted(output.glob("*.png"))]


def chroma_of(path: Path) -> list[float]:
    blue, green, red = cv2.split(cv2.imread(str(path), cv2.IMREAD_UNCHANGED) / 65535)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    planes = ((blue - luma) / 1.772, (red - luma) / 1.402)
    small = [cv2.resize(plane, BLOCKS[::-1], interpolation=cv2.INTER_AREA) for plane in planes]
    return np.round(np.stack(small).ravel(), 6).tolist()


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("golden")
    draw(folder)
    return folder


@pytest.mark.parametrize("count", GIVEN)
def test_colours_are_those_that_were_recorded(count, drawn):
    expected = np.array(json.loads(RECORD.read_text())[count])
    difference = np.abs(np.array(colored(drawn, GIVEN[count])) - expected)
    assert np.abs(expected).max() > 0.1
    # Optical flow and the best match are decisions, which another processor's rounding may turn at
    # single pixels; all else agrees.
    assert np.quantile(difference, 0.95) <= 1e-4
    assert difference.max() <= 0.02


def test_the_recorded_colours_are_nearer_to_the_truth_with_every_reference(tmp_path):
    record = {count: np.array(values) for count, values in json.loads(RECORD.read_text()).items()}
    frames = draw(tmp_path)
    true = np.array([truth_of(rgb) for rgb in frames])
    errors = [np.square(record[count] - true)[1].mean() for count in GIVEN]
    assert errors[0] > 2 * errors[1] > errors[2]


def truth_of(rgb: np.ndarray) -> list[float]:
    red, green, blue = cv2.split(rgb.astype(float) / 255)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    planes = ((blue - luma) / 1.772, (red - luma) / 1.402)
    small = [cv2.resize(plane, BLOCKS[::-1], interpolation=cv2.INTER_AREA) for plane in planes]
    return np.stack(small).ravel().tolist()


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        draw(Path(name))
        record = {count: colored(Path(name), given) for count, given in GIVEN.items()}
    RECORD.write_text(json.dumps(record) + "\n")
