"""Remarks about a source, one line each."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageCms

from colorize.media import open_source
from tests.colorize.media.films import gray_ramp, make_film

PICTURE = np.full((4, 6, 3), 90, np.uint8)


def write_streams(path: Path, *, formats: list[str], codec: str = "ffv1") -> Path:
    """Write a film of several video streams."""
    with av.open(str(path), "w") as film:
        streams = [film.add_stream(codec, rate=Fraction(24)) for _ in formats]
        for stream, name in zip(streams, formats, strict=True):
            stream.height, stream.width, stream.pix_fmt = 48, 64, name
        for stream in streams:
            frame = av.VideoFrame.from_ndarray(gray_ramp((48, 64), 0), format="rgb24")
            film.mux(stream.encode(frame.reformat(format=stream.pix_fmt)))
            film.mux(stream.encode())
    return path


def write_with_data(path: Path) -> Path:
    """Add a stream of timed metadata to a film."""
    first = make_film(path.with_name("first.ts"), count=4, audio=None)
    with av.open(str(first)) as old, av.open(str(path), "w") as new:
        video = new.add_stream_from_template(old.streams.video[0])
        data = new.add_data_stream("klv")
        for packet in old.demux(video=0):
            if packet.size:
                packet.stream = video
                new.mux(packet)
        packet = av.Packet(b"telemetry")
        packet.pts = packet.dts = 3000
        packet.time_base, packet.stream = Fraction(1, 90000), data
        new.mux(packet)
    return path


def test_plain_sources_need_no_remark(tmp_path: Path) -> None:
    assert open_source(make_film(tmp_path / "in.mp4", count=2)).notes == ()
    Image.fromarray(PICTURE).save(tmp_path / "a.png")
    assert open_source(tmp_path / "a.png").notes == ()


@pytest.mark.parametrize(
    ("formats", "message"),
    [
        (["yuv420p", "yuv420p"], r"in\.mkv holds 2 video streams: only the first is coloured"),
        (["yuva420p"], r"in\.mkv is partly transparent: its alpha channel is left out"),
    ],
)
def test_films(tmp_path: Path, formats: list[str], message: str) -> None:
    (note,) = open_source(write_streams(tmp_path / "in.mkv", formats=formats)).notes
    assert re.search(message, note)
    assert "\n" not in note


def test_data_tracks(tmp_path: Path) -> None:
    (note,) = open_source(write_with_data(tmp_path / "in.ts")).notes
    assert re.search(r"in\.ts holds data tracks", note)


def test_a_colour_profile_other_than_srgb(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(PICTURE).save(tmp_path / "srgb.png", icc_profile=srgb)
    Image.fromarray(PICTURE).save(tmp_path / "frames" / "1.png", icc_profile=lab)
    assert open_source(tmp_path / "srgb.png").notes == ()
    (note,) = open_source(tmp_path / "frames").notes
    assert re.search(r"1\.png has a colour profile other than sRGB, .* convert it to sRGB", note)
