"""Small labelled pictures on disk, for tests that need any data at all."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from classify.data.examples import Examples, plain_examples


def noise(seed: int, size: tuple[int, int] = (8, 8), channels: int = 3) -> np.ndarray:
    """A picture of seeded random pixels, ``h w 3`` or ``h w``."""
    shape = (*size, 3) if channels == 3 else size
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def png(pixels: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, format="PNG")
    return content.getvalue()


def tinted(label: int, seed: int, size: tuple[int, int] = (12, 12)) -> np.ndarray:
    """Noise whose red (class 0) or blue (class 1) is bright: easily told apart."""
    pixels = noise(seed, size) // 4
    pixels[..., 2 * label] += 150
    return pixels


def class_folders(
    root: Path, *, classes: tuple[str, ...] = ("cat", "dog"), count: int = 10, start: int = 0
) -> Path:
    """Write ``count`` tinted pictures per class as ``root/CLASS/NUMBER.png``."""
    for label, name in enumerate(classes):
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            seed = 1000 * (start + label) + number
            content = png(tinted(label, seed))
            (root / name / f"{number:03d}.png").write_bytes(content)
    return root


def examples(counts: dict[str, int], size: tuple[int, int] = (6, 5)) -> Examples:
    """Examples of seeded noise, ``counts`` of each class, gray."""
    labels = [label for label, count in enumerate(counts.values()) for _ in range(count)]
    pixels = np.stack([noise(seed, size, channels=1)[None] for seed in range(len(labels))])
    names = [f"{list(counts)[label]}-{number}" for number, label in enumerate(labels)]
    return plain_examples(pixels, labels=labels, names=names, classes=list(counts))
