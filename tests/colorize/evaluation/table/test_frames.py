"""The sheet of a table shows, of the same frames, what each row's checkpoint makes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from colorize.data import Clip, ClipDataset
from colorize.evaluation.table import frames
from colorize.imaging.contact_sheet import contact_sheet
from colorize.inference.colorizer import Colorizer
from colorize.inference.settings import RenderSettings
from tests.colorize.tiny import write_safetensors

WEIGHTS = np.array([0.299, 0.587, 0.114])


def clips(count: int, length: int = 5, shots: tuple[int, ...] = (0,)) -> ClipDataset:
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (count, length, 32, 48, 3), dtype=np.uint8)
    made = [Clip(name=f"clip-{n}", frames=each, shots=shots) for n, each in enumerate(pictures)]
    return ClipDataset(clips=made)


@pytest.fixture
def drawn(monkeypatch):
    """Return a function: draw, and give back what was laid out, by column title."""

    def draw(checkpoints: dict[str, Path], dataset: ClipDataset, count: int):
        seen = {}

        def keep(lines, *, column_titles, row_titles):
            cells = [list(column) for column in zip(*lines, strict=True)]
            seen.update(zip(column_titles, cells, strict=True), names=row_titles)
            return contact_sheet(lines, column_titles=column_titles, row_titles=row_titles)

        monkeypatch.setattr(frames, "contact_sheet", keep)
        sheet = frames.draw_frames(checkpoints, dataset, count=count)
        assert sheet.shape[2] == 3
        return seen

    return draw


def test_every_row_colours_the_last_frame_of_the_start_of_a_shot(tmp_path: Path, drawn) -> None:
    plain = write_safetensors(tmp_path / "plain.safetensors")
    refined = write_safetensors(tmp_path / "refined.safetensors", refiner={"channels": [4, 4]})
    dataset = clips(1)
    seen = drawn({"a_plain": plain, "refined": refined}, dataset, 1)
    assert list(seen) == ["input", "a plain", "refined", "truth", "names"]
    pictures = dataset.clips[0].frames
    np.testing.assert_array_equal(seen["truth"][0], pictures[4])
    gray = pictures @ WEIGHTS / 255
    assert np.abs(seen["input"][0][..., 0] - gray[4] * 255).max() <= 0.51
    settings = RenderSettings(stillness=0.0)
    for name, path in (("a plain", plain), ("refined", refined)):
        colorizer = Colorizer.load(path, device="cpu")
        expected = colorizer(list(pictures), settings=settings)[4]
        np.testing.assert_array_equal(seen[name][0], expected)
    assert np.abs(seen["refined"][0].astype(int) - seen["a plain"][0]).max() > 10


def test_clips_are_spread_evenly_and_a_shot_is_not_left(tmp_path: Path, drawn) -> None:
    path = write_safetensors(tmp_path / "plain.safetensors")
    dataset = clips(6, length=4, shots=(0, 2))
    seen = drawn({"row": path}, dataset, 3)
    assert seen["names"] == ["clip-1", "clip-3", "clip-5"]
    np.testing.assert_array_equal(seen["truth"][1], dataset.clips[3].frames[1])
    assert drawn({"row": path}, clips(2), 9)["names"] == ["clip-0", "clip-1"]
