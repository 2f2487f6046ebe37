"""Colour the second episode of a procedural series with and without the palette of the first.

  python experiments/painting/series.py -o experiments/painting

The first four shots are episode 1: one frame of each is an example in which the fills of the
characters are painted, each in its mean true colour, and nothing else. The next four shots are
episode 2, coloured automatically, and with the examples as --palette gives them. Writes
series.json with the PSNR of the frames, and of the pixels of the characters alone.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from colorize.base.errors import one_line_errors
from colorize.base.files import write_atomically
from colorize.cartoon.series import CartoonSeries
from colorize.films.painting.palette import Palette
from colorize.films.painting.series import Example, Series
from colorize.imaging.color import rgb_to_luma
from colorize.imaging.tensors import to_tensor
from colorize.inference.engine import ShotEngine
from colorize.inference.library import ColoredPicture, Library
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import Frame

SEEDS, SIZE, EPISODE = (421, 422), (180, 320), 4


def frame(series: CartoonSeries, index: int, ids: dict) -> tuple[np.ndarray, np.ndarray]:
    """Return luma of a frame, and the swatch of each pixel's paint, 0 for sets."""
    shot = series.shot(index)
    gray = cv2.cvtColor(shot.color[1], cv2.COLOR_RGB2GRAY)
    _, stage = series._stage(index)
    swatch = np.zeros(int(shot.segments.max()) + 1, np.uint16)
    for key, number in stage.sheet._segments.items():
        if number >= len(swatch):
            continue
        if "ink" not in key[1:] and key[0] in series.characters and "shadow" not in key[1:]:
            swatch[number] = ids.setdefault((key[0], key[-1]), len(ids) + 1)
    segments = shot.segments[1]
    return (gray / 255).astype(np.float32), swatch[segments]


def same(picture: Frame) -> Frame:
    """Return a picture as it is."""
    return picture


def first_episode(series: CartoonSeries, ids: dict) -> Series:
    """Return the painted examples of the first shots."""
    shown = [frame(series, index, ids) for index in range(EPISODE)]
    colors = [series.color(index)[1] for index in range(EPISODE)]
    palette, numbers = Palette(), {}
    for number in range(1, len(ids) + 1):
        pixels = [each[layer == number] for each, (_, layer) in zip(colors, shown, strict=True)]
        mean = np.concatenate(pixels).mean(0) if any(map(len, pixels)) else np.zeros(3)
        color = "#" + bytes(round(each) for each in mean).hex()
        palette, swatch = palette.added(color, f"paint {number}")
        numbers[number] = swatch.id
    examples = []
    for index, (luma, layer) in enumerate(shown):
        if layer.any():
            gray = np.rint(luma * 255).astype(np.uint8)
            examples.append(Example(f"shot {index}", gray, layer))
    return Series(palette, tuple(examples))


def gray_frames(pictures: np.ndarray) -> list[Frame]:
    """Return frames in black and white."""
    luma = rgb_to_luma(to_tensor(pictures))[:, 0].numpy()
    gray = np.rint(luma * 255).astype(np.uint8)
    return [Frame(n, str(n), np.repeat(each[..., None], 3, 2)) for n, each in enumerate(gray)]


def decibels(error: float) -> float:
    """Return PSNR of a mean squared error of bytes."""
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def measure(seed: int, colorizer: LoadedNetworks) -> dict[str, float]:
    """Return PSNR with and without the palette."""
    series = CartoonSeries(seed=seed, size=SIZE, shots=2 * EPISODE, frames_per_shot=3)
    ids: dict = {}
    own = first_episode(series, ids)
    pictures = [
        ColoredPicture(each.name, partial(same, each.picture(own.palette)), None,
                       partial(same, each.drawing))
        for each in own.examples
    ]  # fmt: skip
    errors: dict[str, list[float]] = {}
    for index in range(EPISODE, 2 * EPISODE):
        true = series.color(index)
        characters = frame(series, index, ids)[1] > 0
        grays = gray_frames(true)
        for name, given in (("gray", None), ("automatic", []), ("palette", pictures)):
            found = grays
            if given is not None:
                library = Library(colorizer, given)
                engine = ShotEngine(colorizer, RenderSettings(), library=library)
                names = [each.name for each in given]
                found = [each[0] for each in engine(grays, names=names, variant=0)]
            squares = [np.square(each.rgb.astype(float) - own_truth).mean(-1)
                       for each, own_truth in zip(found, true, strict=True)]  # fmt: skip
            errors.setdefault(name, []).append(float(np.mean(squares)))
            if characters.any():
                errors.setdefault(f"{name}, characters", []).append(
                    float(squares[1][characters].mean())
                )
    return {name: decibels(float(np.mean(each))) for name, each in errors.items()}


def main() -> None:
    """Run the measurement."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    colorizer = LoadedNetworks.load("default", device="cpu")
    found = {str(seed): measure(seed, colorizer) for seed in SEEDS}
    print(json.dumps(found, indent=1))
    content = json.dumps(found, indent=1).encode()
    write_atomically(options.output / "series.json", content)


if __name__ == "__main__":
    with one_line_errors():
        main()
