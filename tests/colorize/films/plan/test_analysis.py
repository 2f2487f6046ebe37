"""What a look through a source finds, and which frames stand for a shot."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from colorize.films.plan.analysis import look_through, luma_bytes, middle
from colorize.films.plan.manifest import Shot
from colorize.imaging.color import rgb_to_luma
from colorize.media import open_source
from tests.colorize.media.films import gray_ramp


@pytest.mark.parametrize(
    ("shot", "expected"),
    [
        (Shot(7, 8), 7),
        (Shot(0, 2), 1),
        (Shot(10, 13), 11),
        (Shot(100, 180), 140),
    ],
)
def test_a_shot_is_shown_by_its_middle(shot: Shot, expected: int) -> None:
    assert middle(shot) == expected


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A folder with a change of size, one of depth, and a picture in colour."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(3):
        Image.fromarray(gray_ramp((40, 60), number)).save(folder / f"{number}.png")
    for number in range(3, 6):
        Image.fromarray(gray_ramp((60, 40), number)).save(folder / f"{number}.png")
    deep = gray_ramp((60, 40), 6)[..., 0].astype(np.uint16) * 257
    cv2.imwrite(str(folder / "6.png"), deep)
    random = np.random.default_rng(0)
    noise = cv2.resize(random.integers(0, 255, (5, 5, 3), dtype=np.uint8), (60, 40))
    Image.fromarray(noise).save(folder / "7.png")
    return folder


def test_another_size_or_depth_starts_a_shot(mixed: Path) -> None:
    found = look_through(open_source(mixed))
    assert found.count == 8
    assert {0, 3, 6, 7} <= set(found.starts)
    assert found.colored == (*[False] * 7, True)
    assert found.spans()[-1] == (7, 8)
    assert found.is_colored(7, 8)
    assert not found.is_colored(5, 8)  # one of three frames


def test_looking_luma_is_that_of_the_project(mixed: Path) -> None:
    for frame in open_source(mixed):
        rgb = torch.from_numpy(frame.rgb.astype(np.float64)).permute(2, 0, 1)
        luma = rgb_to_luma(rgb)[0].numpy() * 255 / np.iinfo(frame.rgb.dtype).max
        assert np.abs(luma_bytes(frame) - luma).max() <= 1
