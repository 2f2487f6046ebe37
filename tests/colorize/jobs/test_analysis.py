"""What a look through a source finds, and which frames stand for a shot."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from colorize.color import rgb_to_luma
from colorize.jobs.analysis import look_through, luma_bytes, sample_places, take_samples
from colorize.jobs.manifest import Shot
from colorize.media import open_source
from colorize.predict import Colorizer
from tests.colorize.media.films import gray_ramp
from tests.colorize.tiny import write_safetensors


@pytest.mark.parametrize(
    ("shot", "expected"),
    [
        (Shot(0, 1), [(0, 0)]),
        (Shot(7, 8), [(7, 7)]),
        (Shot(0, 2), [(0, 1)]),
        (Shot(10, 13), [(10, 11)]),
        (Shot(0, 8), [(0, 1), (2, 3), (4, 5), (6, 7)]),
        (Shot(100, 180), [(109, 110), (129, 130), (149, 150), (169, 170)]),
    ],
)
def test_pairs_are_spread_over_a_shot(shot: Shot, expected: list[tuple[int, int]]) -> None:
    assert sample_places(shot, 4) == expected


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


def test_samples_are_those_frames_in_all_colours(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(20):
        Image.fromarray(gray_ramp((40, 60), number)).save(folder / f"{number}.png")
    model = write_safetensors(tmp_path / "model.safetensors")
    colorizer = Colorizer.load(model, device="cpu", short_side=20)
    source = open_source(folder)
    shots = [Shot(0, 12), Shot(12, 13), Shot(13, 20)]
    samples = list(take_samples(source, shots, colorizer, pairs=2, refine=False))
    assert [tuple(sample.outputs.shape) for sample in samples] == [
        (2, 2, 2, 3, 20, 30),
        (1, 2, 2, 3, 20, 30),
        (2, 2, 2, 3, 20, 30),
    ]
    frames = list(source)
    for shot, sample in zip(shots, samples, strict=True):
        for place, gray, outputs in zip(
            sample_places(shot, 2), sample.gray, sample.outputs, strict=True
        ):
            for index, small, colored in zip(place, gray, outputs, strict=True):
                full = torch.from_numpy(frames[index].gray())[None, None]
                assert torch.equal(small[None], colorizer.small(full))
                # A chroma head keeps the luma, so that each of the K has that of the frame.
                assert torch.allclose(rgb_to_luma(colored), small.expand(2, 1, -1, -1), atol=1e-5)
    assert (samples[0].outputs[:, :, 0] - samples[0].outputs[:, :, 1]).abs().max() > 0.02
