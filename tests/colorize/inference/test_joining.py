"""Full-size frames: chroma along the edges of their luma, which stays; what is given as it is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from colorize.imaging.geometry import working_size
from colorize.imaging.upsampling import upsample_chroma
from colorize.inference.joining import Joining, to_integers
from colorize.inference.library import ColoredPicture, Library
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import Frame
from tests.colorize.films.drawn import tinted
from tests.colorize.tiny import generator

LUMA = np.array([0.299, 0.587, 0.114])
CPU = torch.device("cpu")


def frame(size: tuple[int, int], number: int = 0, *, seed: int = 3) -> Frame:
    """A 16-bit gray frame far from black and white: nothing is clipped."""
    gray = np.random.default_rng(seed).integers(26000, 39000, size, dtype=np.uint16)
    return Frame(number, "", np.repeat(gray[..., None], 3, axis=2))


def noise(*size: int) -> Tensor:
    return 0.2 * (torch.rand(*size, generator=torch.Generator().manual_seed(3)) - 0.5)


def chroma(rgb: np.ndarray) -> np.ndarray:
    """(Cb, Cr) of ``h w 3`` in 16 bits."""
    scaled = rgb / 65535
    luma = scaled @ LUMA
    return np.stack([(scaled[..., 2] - luma) / 1.772, (scaled[..., 0] - luma) / 1.402])


@pytest.mark.parametrize("saturation", [1.0, 0.5])
def test_chroma_is_spread_along_the_edges_of_the_luma(saturation: float) -> None:
    given, small = frame((75, 101)), noise(1, 2, 32, 43)
    joining = Joining(RenderSettings(saturation=saturation), device=CPU)
    (joined,) = joining([given], small, before={})
    luma = torch.from_numpy(given.gray())[None, None]
    expected = upsample_chroma(small, luma)[0].numpy() * saturation
    assert np.abs(expected).max() > 0.03
    np.testing.assert_allclose(chroma(joined.rgb), expected, rtol=0, atol=3e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (37, 53), (5, 211), (300, 401)])
def test_the_luma_of_any_frame_stays(size: tuple[int, int]) -> None:
    given = frame(size)
    joining = Joining(RenderSettings(), device=CPU)
    (joined,) = joining([given], noise(1, 2, *working_size(size, 16)), before={})
    assert joined.rgb.shape == given.rgb.shape
    assert np.abs(chroma(joined.rgb)).max() > 0.003
    np.testing.assert_allclose(joined.rgb @ LUMA, given.rgb[..., 0], atol=1)


def test_pixels_that_do_not_change_are_repeated_to_the_bit_also_by_a_later_call() -> None:
    first = frame((64, 96))
    moved = first.rgb.copy()
    moved[:8, :8] = 60000
    frames = [first, Frame(1, "", moved), Frame(2, "", first.rgb)]
    planes = noise(3, 2, 64, 96)  # other colours in every frame
    whole = Joining(RenderSettings(), device=CPU)
    a, b, c = whole(frames, planes, before={})
    assert np.array_equal(a.rgb[40:], b.rgb[40:])
    assert np.array_equal(b.rgb[40:], c.rgb[40:])
    assert not np.array_equal(a.rgb[:8, :8], b.rgb[:8, :8])
    parts, later = (Joining(RenderSettings(), device=CPU) for _ in range(2))
    list(parts(frames[:1], planes[:1], before={}))
    again = list(later(frames[1:], planes[1:], before=parts.state))
    assert [np.array_equal(x.rgb, y.rgb) for x, y in zip(again, (b, c), strict=True)] == [True] * 2
    loose = Joining(RenderSettings(stillness=0.0), device=CPU)
    d, e, _ = loose(frames, planes, before={})
    assert not np.array_equal(d.rgb[40:], e.rgb[40:])
    assert loose.state == {}


def library(colored: Frame) -> Library:
    networks = LoadedNetworks(generator(), short_side=32, device=CPU)
    return Library(networks, [ColoredPicture("own", lambda: colored, frame=1)])


def test_a_frame_that_is_given_comes_out_as_it_is() -> None:
    gray = np.random.default_rng(0).integers(70, 180, (24, 40), dtype=np.uint8)
    given = Frame(1, "", np.repeat(gray[..., None], 3, axis=2))
    own = Frame(0, "", tinted(gray))
    settings = RenderSettings(saturation=0.2)
    joining = Joining(settings, device=CPU, library=library(own))
    (joined,) = joining([given], noise(1, 2, 12, 20), before={}, names=["own"])
    assert np.abs(joined.rgb.astype(int) - own.rgb).max() <= 1
    (other,) = joining([given], noise(1, 2, 12, 20), before={}, names=[])
    assert np.abs(other.rgb.astype(int) - own.rgb).max() > 20


def test_a_frame_that_is_given_in_part_keeps_the_networks_colours_elsewhere() -> None:
    gray = np.random.default_rng(0).integers(70, 180, (24, 40), dtype=np.uint8)
    given = Frame(1, "", np.repeat(gray[..., None], 3, axis=2))
    alpha = np.full(gray.shape, 255, dtype=np.uint8)
    alpha[:, 20:] = 0
    rgb = tinted(gray)
    rgb[:, 20:] = (255, 0, 255)
    planes = noise(1, 2, 12, 20)
    settings = RenderSettings(stillness=0.0)
    joining = Joining(settings, device=CPU, library=library(Frame(0, "", rgb, alpha)))
    (joined,) = joining([given], planes, before={}, names=["own"])
    (free,) = Joining(settings, device=CPU)([given], planes, before={})
    assert np.abs(joined.rgb[:, :20].astype(int) - rgb[:, :20]).max() <= 1
    assert np.array_equal(joined.rgb[:, 20:], free.rgb[:, 20:])


def test_free_rgb_is_resized_and_nothing_else() -> None:
    given = frame((32, 48))
    planes = torch.rand(1, 3, 32, 48, generator=torch.Generator().manual_seed(1)) * 1.2 - 0.1
    joining = Joining(RenderSettings(stillness=0.0), device=CPU, own_luma=True)
    (joined,) = joining([given], planes, before={})
    expected = planes[0].clamp(0, 1).permute(1, 2, 0).numpy() * 65535
    assert np.abs(joined.rgb - expected).max() <= 0.51


def test_integers_are_rounded() -> None:
    images = (
        torch.tensor([0.0, 0.4999 / 255, 0.5001 / 255, 1.0]).view(1, 1, 2, 2).expand(1, 3, 2, 2)
    )
    assert to_integers(images, np.dtype(np.uint8))[0, ..., 0].tolist() == [[0, 0], [1, 255]]
    assert to_integers(images, np.dtype(np.uint16)).max() == 65535
