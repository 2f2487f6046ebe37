"""Small valid files of every kind, to be damaged."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import tifffile
from PIL import Image

from tests.colorize.media.films import gray_ramp, make_film

SIZE = (48, 64)
FILMS = {
    "a.mp4": {"count": 8},
    "faststart.mp4": {"count": 8, "faststart": True},
    "a.mov": {"count": 9, "pixel_format": "yuv420p10le"},
    "a.mkv": {"count": 10, "audio": "libmp3lame", "subtitles": "subrip"},
    "a.webm": {"count": 8, "codec": "libvpx-vp9", "audio": "libopus"},
    "a.avi": {"count": 12, "codec": "mpeg4", "audio": "libmp3lame"},
    "a.ts": {"count": 11, "codec": "mpeg2video", "audio": "mp2"},
}


def pictures() -> dict[str, bytes]:
    """Return the files of all kinds of pictures by their names."""
    rgb = gray_ramp(SIZE, 3)
    gray, deep = rgb[..., 0], rgb.astype(np.uint16) * 257 + 5
    _, deep_png = cv2.imencode(".png", deep)
    _, deep_tiff = cv2.imencode(".tif", deep[..., 0])
    return {
        "rgb.png": _encoded(Image.fromarray(rgb), "PNG"),
        "deep.png": deep_png.tobytes(),
        "alpha.png": _encoded(Image.fromarray(np.dstack([rgb, gray])), "PNG"),
        "palette.png": _encoded(Image.fromarray(rgb).quantize(16), "PNG"),
        "gray.png": _encoded(Image.fromarray(gray), "PNG"),
        "rgb.jpg": _encoded(Image.fromarray(rgb), "JPEG"),
        "cmyk.jpg": _encoded(Image.fromarray(rgb).convert("CMYK"), "JPEG"),
        "rgb.webp": _encoded(Image.fromarray(rgb), "WEBP"),
        "rgb.tif": _encoded(Image.fromarray(rgb), "TIFF"),
        "deep.tif": deep_tiff.tobytes(),
        "planes.tif": _scan(np.moveaxis(deep, 2, 0), photometric="rgb", planarconfig="separate"),
        "white.tif": _scan(deep[..., 0], photometric="miniswhite", compression="zlib"),
        "rgb.bmp": _encoded(Image.fromarray(rgb), "BMP"),
    }


def _scan(samples: np.ndarray, **choices: str) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, samples, **choices)
    return buffer.getvalue()


def films(folder: Path) -> dict[str, bytes]:
    """Return the files of all kinds of films by their names; ``folder`` is for their making."""
    return {
        name: make_film(folder / name, size=SIZE, **choices).read_bytes()
        for name, choices in FILMS.items()
    }


def _encoded(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()
