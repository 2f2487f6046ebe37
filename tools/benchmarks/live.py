"""Time what somebody waits for who paints: the draft of a frame after a stroke, and its regions."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.timing import Setting, print_speedups, print_target
from colorize.cartoon import CartoonSeries
from colorize.imaging.fills import find_regions
from colorize.inference.draft import draft
from colorize.inference.engine import ShotEngine
from colorize.inference.library import ColoredPicture, Library
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import Frame

_SIZE = (360, 640)
_DOTS = 10
_TARGET = 0.7  # seconds, two cores


def live(setting: Setting) -> dict[str, Any]:
    """Time a frame after a stroke, with and without other references, by the shipped weights.

    The baseline is the engine that colours films, asked for the same frame by the same hints.
    """
    networks = LoadedNetworks.load(device=setting.device)
    colors = CartoonSeries(seed=9301, size=_SIZE, shots=1, frames_per_shot=12).color(0)
    frame, settings = Frame(6, "", _gray(colors[6])), RenderSettings()
    whole = ColoredPicture("whole", lambda: Frame(0, "", colors[0]), 0)

    def given(others: list[ColoredPicture]) -> tuple[Library, list[str]]:
        """Return what has just been painted: nothing is known of it yet."""
        picture = _dots(colors[6])
        hints = ColoredPicture("hints", lambda: picture, 6, lambda: frame)
        library = Library(networks, [hints, *others])
        return library, list(library.pictures)

    def drafted(others: list[ColoredPicture]) -> None:
        library, names = given(others)
        draft(networks, settings, frame, library, names)

    def rendered() -> None:
        library, names = given([])
        list(ShotEngine(networks, settings, library=library)([frame], names=names))

    luma = frame.gray()
    times = setting.medians(
        {
            "the film's engine": rendered,
            "draft": lambda: drafted([]),
            "draft beside a coloured frame": lambda: drafted([whole]),
            "its regions, once a frame": lambda: find_regions(luma),
        }
    )
    print_speedups(f"a frame of {_SIZE[1]}x{_SIZE[0]} with {_DOTS} dots", times)
    print_target("draft, s", times["draft"], _TARGET, "{:.2f}")
    return {"seconds": times}


def _gray(rgb: np.ndarray) -> np.ndarray:
    luma = (rgb @ np.array([0.299, 0.587, 0.114])).round().astype(np.uint8)
    return np.repeat(luma[..., None], 3, axis=2)


def _dots(rgb: np.ndarray) -> Frame:
    """Return a frame of which some squares of 8 pixels are opaque."""
    alpha = np.zeros(_SIZE, np.uint8)
    random = np.random.default_rng(0)
    for y, x in zip(
        random.integers(0, _SIZE[0] - 8, _DOTS),
        random.integers(0, _SIZE[1] - 8, _DOTS),
        strict=True,
    ):
        alpha[y : y + 8, x : x + 8] = 255
    return Frame(0, "", rgb, alpha)
