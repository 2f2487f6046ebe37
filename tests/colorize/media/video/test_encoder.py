"""Settings of the encoders: the same bits on any machine, and what each container can hold."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from colorize.media import MediaError, VideoLook
from colorize.media.video.encoder import CONTAINERS, Encoder, Encoding

LOOK = VideoLook(time_base=Fraction(1, 24), rate=Fraction(24))


def moving(size: tuple[int, int], count: int) -> list[np.ndarray]:
    """Noise that moves, so that an encoder has choices to make."""
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    return [np.roll(noise // (1 + i % 3), (i, 2 * i), axis=(0, 1)) for i in range(count)]


def encoded(suffix: str, size: tuple[int, int], count: int = 24) -> list[bytes]:
    encoding = Encoding.choose(Path(f"out{suffix}"), size=size, look=LOOK)
    context = av.CodecContext.create(encoding.codec, "w")
    encoding.configure(context, quality=60)
    encoder = Encoder(Path("out"), encoding, context)
    packets = []
    for index, rgb in enumerate(moving(size, count)):
        packets += encoder.encode(rgb, Fraction(index, 24), None)
    return [bytes(packet) for packet in [*packets, *encoder.flush()]]


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".avi"])
def test_bits_do_not_depend_on_the_number_of_cores(suffix: str) -> None:
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2:
        pytest.skip("needs a choice of cores")
    cores = os.sched_getaffinity(0)
    several = encoded(suffix, (160, 272))
    os.sched_setaffinity(0, {min(cores)})
    try:
        alone = encoded(suffix, (160, 272))
    finally:
        os.sched_setaffinity(0, cores)
    assert len(several) == 24
    assert alone == several


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_parameter_sets_lie_where_the_container_wants_them(suffix: str) -> None:
    encoding = Encoding.choose(Path(f"out{suffix}"), size=(48, 64), look=LOOK)
    context = av.CodecContext.create(encoding.codec, "w")
    encoding.configure(context, quality=90)
    context.open()
    first = encoded(suffix, (48, 64), count=2)[0]
    sequence = b"\x00\x00\x01\x67"  # a sequence parameter set (ITU-T H.264, 7.3.1)
    within, before = sequence in first, sequence in (context.extradata or b"")
    expected = {".avi": (True, False), ".ts": (True, False), ".webm": (False, False)}
    assert (within, before) == expected.get(suffix, (False, True))


def test_matroska_clock_and_pixel_formats() -> None:
    deep = VideoLook(time_base=Fraction(1, 1000), rate=Fraction(24), bits=10)
    even = Encoding.choose(Path("a.MP4"), size=(48, 64), look=deep)
    assert (even.pixel_format, even.clock.tick) == ("yuv420p10le", Fraction(1, 3000))
    odd = Encoding.choose(Path("a.mkv"), size=(48, 63), look=LOOK)
    assert (odd.pixel_format, odd.clock.tick) == ("yuv444p", Fraction(1, 24))


def test_refusals() -> None:
    with pytest.raises(MediaError, match=r"a\.xyz: films are written as \.mp4 .*; name one"):
        Encoding.choose(Path("a.xyz"), size=(48, 64), look=LOOK)
    fields = VideoLook(time_base=Fraction(1, 25), rate=Fraction(25), fields="tff")
    with pytest.raises(MediaError, match=r"a\.webm: .* interlaced film; name the output \.mkv"):
        Encoding.choose(Path("a.webm"), size=(48, 64), look=fields)
