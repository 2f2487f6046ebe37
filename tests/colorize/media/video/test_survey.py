"""What one reading of a whole film finds."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from colorize.media.video.survey import survey
from tests.colorize.media.films import copy_film, frame_times, gray_ramp, make_film


def write_sizes(path: Path, sizes: list[tuple[int, int]], shapes: list[Fraction]) -> Path:
    """Join MPEG-2 recordings of several sizes and shapes, 25 frames each, as one transport stream.

    Times go on from one to the next.
    """
    whole = b""
    for number, (size, shape) in enumerate(zip(sizes, shapes, strict=True)):
        part = path.with_name(f"part-{number}.ts")
        options = {"output_ts_offset": str(number)}
        with av.open(str(part), "w", container_options=options) as film:
            video = film.add_stream("mpeg2video", rate=25)
            (video.height, video.width), video.pix_fmt = size, "yuv420p"
            video.codec_context.sample_aspect_ratio = shape
            for index in range(25):
                frame = av.VideoFrame.from_ndarray(gray_ramp(size, index), format="rgb24")
                film.mux(video.encode(frame.reformat(format="yuv420p")))
            film.mux(video.encode())
        whole += part.read_bytes()
    path.write_bytes(whole)
    return path


def test_a_film_of_two_sizes_is_scaled_to_the_first(tmp_path: Path) -> None:
    path = write_sizes(tmp_path / "in.ts", [(96, 128), (72, 64)], [Fraction(1)] * 2)
    with av.open(str(path)) as film:
        count = sum(1 for _ in film.decode(video=0))
    source = copy_film(path, tmp_path / "out.mkv")
    assert count in (49, 50)
    assert len(frame_times(tmp_path / "out.mkv")) == count
    frames = list(source)
    assert {frame.rgb.shape for frame in frames} == {(96, 128, 3)}
    error = frames[-1].rgb.astype(int) - gray_ramp((96, 128), 0)
    assert np.abs(np.median(error)) < 6  # the same ramp, whatever its size
    assert any(
        re.search(
            r"in\.ts changes its size to 64×72 at [01]\.\d+ s \(frame 2[3-6]\): all frames are "
            r"scaled to 128×96$",
            note,
        )
        for note in source.notes
    )


def test_a_change_of_shape_is_told(tmp_path: Path) -> None:
    shapes = [Fraction(12, 11), Fraction(16, 11)]
    source = copy_film(
        write_sizes(tmp_path / "in.ts", [(288, 352)] * 2, shapes), tmp_path / "out.mp4"
    )
    (note,) = [each for each in source.notes if "the shape of its picture" in each]
    assert re.search(
        r"shape of its picture to 1\.78:1 near [01]\.\d\d s: .* as 1\.33:1, as it", note
    )
    with av.open(str(tmp_path / "out.mp4")) as film:
        assert film.streams.video[0].sample_aspect_ratio == shapes[0]


def test_a_film_is_decoded_once_for_all_questions(tmp_path: Path) -> None:
    path = make_film(tmp_path / "in.mp4", count=3)
    assert survey(path) is survey(path)
    before = survey(path)
    make_film(path, count=5)
    assert (len(before.times), len(survey(path).times)) == (3, 5)
