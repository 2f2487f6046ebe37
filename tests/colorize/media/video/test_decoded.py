"""Levels of films stored without chroma."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from colorize.media import open_sink, open_source

LIMITED, FULL, SILENT = 1, 2, 0


def make_gray(path: Path, codec: str, levels: list[int], pixels: str, range_tag: int) -> Path:
    """Write bands of stored levels, 32 columns each, without chroma."""
    deep = pixels != "gray"
    stored = np.repeat(np.array(levels, np.uint16 if deep else np.uint8), 32)
    picture = np.repeat(stored[None], 64, axis=0)
    options = {"x265-params": "lossless=1:log-level=none"} if codec == "libx265" else {}
    with av.open(str(path), "w") as film:
        video = film.add_stream(codec, rate=25, options=options)
        video.height, video.width, video.pix_fmt = *picture.shape, pixels
        if range_tag:
            video.codec_context.color_range = range_tag
        for index in range(3):
            frame = av.VideoFrame.from_ndarray(picture, format=pixels)
            frame.pts = index
            if range_tag:
                frame.color_range = range_tag
            film.mux(video.encode(frame))
        film.mux(video.encode())
    return path


def bands(path: Path) -> list[int]:
    """The middle of each band of the first frame."""
    rgb = next(iter(open_source(path))).rgb
    assert (rgb == rgb[..., :1]).all()
    return [int(value) for value in rgb[32, 16::32, 0]]


@pytest.mark.parametrize(
    ("codec", "pixels", "levels", "tag", "expected"),
    [
        ("libx265", "gray", [16, 126, 235], LIMITED, [0, 128, 255]),
        ("libx265", "gray10le", [64, 504, 940], LIMITED, [0, 32917, 65535]),
        ("libx265", "gray", [0, 126, 255], FULL, [0, 126, 255]),
        ("ffv1", "gray", [16, 126, 235], SILENT, [16, 126, 235]),
        ("ffv1", "gray10le", [0, 512, 1023], SILENT, [0, 32800, 65535]),
        ("ffv1", "gray16le", [0, 4660, 65535], SILENT, [0, 4660, 65535]),
    ],
)
def test_levels_of_gray_films(
    tmp_path: Path, codec: str, pixels: str, levels: list[int], tag: int, expected: list[int]
) -> None:
    """(504 - 64) / 876 = 0.50228 of 65535 is 32917; 512 / 1023 is 32800."""
    assert bands(make_gray(tmp_path / "in.mkv", codec, levels, pixels, tag)) == expected


def test_a_gray_film_comes_out_with_all_its_levels(tmp_path: Path) -> None:
    source = open_source(make_gray(tmp_path / "in.mp4", "libx265", [16, 126, 235], "gray", LIMITED))
    with open_sink(tmp_path / "out.mp4", like=source, quality=100) as sink:
        for frame in source:
            sink.write(frame)
    assert bands(tmp_path / "out.mp4") == pytest.approx([0, 128, 255], abs=2)
