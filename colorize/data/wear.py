"""Wear gray frames as prints and transfers of old films are worn."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32

# Largest of each: logarithm to base 2 of the gamma, what black is lifted and white is lowered by,
# darkness of the corners, blur and grain (standard deviations, in pixels and of luma), scratches
# and specks, and how coarsely JPEG may quantise.
_GAMMA, _FLARE, _VIGNETTE, _BLUR, _GRAIN = 0.7, 0.2, 0.5, 1.2, 0.06
_SCRATCHES, _SPECKS, _QUALITY = 3, 12, (15, 80)

Gray = Float32[np.ndarray, "h w"]


def worn(gray: Gray, random: np.random.Generator) -> Gray:
    """Return a gray frame in [0, 1] after a random half of what happens to old films.

    In this order: another gamma, fading, darker corners, blur, grain, scratches with specks of
    dust, and the artefacts of JPEG.
    """
    gamma, fading, corners, blur, grain, scratches, coded = random.random(7) < (
        0.6, 0.4, 0.2, 0.25, 0.4, 0.15, 0.2,
    )  # fmt: skip
    if gamma:
        gray = gray ** (2 ** random.uniform(-_GAMMA, _GAMMA))
    if fading:
        low, high = random.uniform(0, _FLARE), 1 - random.uniform(0, _FLARE)
        gray = low + (high - low) * gray
    if corners:
        gray = gray * _vignette(gray.shape, random.uniform(0, _VIGNETTE))
    if blur:
        gray = cv2.GaussianBlur(gray, (0, 0), random.uniform(0.3, _BLUR))
    if grain:
        noise = random.standard_normal(gray.shape, dtype=np.float32)
        gray = gray + np.float32(random.uniform(0, _GRAIN)) * noise
    if scratches:
        gray = _scratched(gray, random)
    gray = np.clip(gray, 0, 1).astype(np.float32)
    return _coded(gray, int(random.integers(*_QUALITY))) if coded else gray


def _vignette(shape: tuple[int, ...], darkness: float) -> Gray:
    """Return a factor of 1 in the middle that falls with the square of the way to the corners."""
    rows, columns = (np.linspace(-1, 1, side, dtype=np.float32) for side in shape)
    way = (rows[:, None] ** 2 + columns[None] ** 2) / 2
    return (1 - np.float32(darkness) * way).astype(np.float32)


def _scratched(gray: Gray, random: np.random.Generator) -> Gray:
    """Return a frame with bright or dark lines from top to bottom, and specks."""
    height, width = gray.shape
    marked = gray.copy()
    for _ in range(int(random.integers(1, _SCRATCHES + 1))):
        x, tone = int(random.integers(width)), float(random.choice([0.05, 0.95]))
        cv2.line(marked, (x, 0), (x + int(random.integers(-2, 3)), height), tone)
    for _ in range(int(random.integers(_SPECKS + 1))):
        place = int(random.integers(width)), int(random.integers(height))
        tone = float(random.choice([0.05, 0.95]))
        cv2.circle(marked, place, int(random.integers(1, 3)), tone, thickness=-1)
    return marked


def _coded(gray: Gray, quality: int) -> Gray:
    """Return a frame in [0, 1] as JPEG of a quality has it."""
    scaled = np.rint(gray * 255).astype(np.uint8)
    _, file = cv2.imencode(".jpg", scaled, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(file, cv2.IMREAD_GRAYSCALE)
    assert decoded is not None, "it was encoded a line ago"
    return (decoded.astype(np.float32) / np.float32(255)).astype(np.float32)
