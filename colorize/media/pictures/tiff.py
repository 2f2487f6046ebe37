"""TIFF as scanners write it: any order of planes, white as zero, alpha of both kinds, 16 bits."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from colorize.media.error import MediaError
from colorize.media.frame import Alpha, Picture

if TYPE_CHECKING:
    import tifffile

# TIFF 6.0, PhotometricInterpretation and ExtraSamples.
_WHITE_IS_ZERO, _GRAY, _RGB = 0, 1, 2
_UNSPECIFIED, _ASSOCIATED = 0, 1
_MOST_SAMPLES = 4 * 2 * 89_478_485  # as many pixels as Pillow takes


def is_tiff(content: bytes) -> bool:
    """Return whether a file is a TIFF or BigTIFF, by its first bytes."""
    return content[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def read_deep_tiff(path: Path, content: bytes) -> tuple[Picture, Alpha | None]:
    """Return the upright 16-bit sRGB of a gray or RGB TIFF of 16 or 32 bits, and its alpha.

    Associated alpha is taken out of the colours. A further channel that is not said to be alpha,
    such as infrared, is left out; an RGB file of four channels that says nothing of the fourth is
    taken to have alpha, as OpenCV writes it. Floating point is 0 to 1.

    Raises:
        MediaError: damaged, compressed in a way that cannot be read, or of another kind.
    """
    import tifffile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    try:
        with tifffile.TiffFile(io.BytesIO(content)) as file:
            page: Any = file.pages[0]
            if len(file.pages) > 1 and file.pages[1].shape == page.shape:
                raise MediaError(
                    f"{path} holds {len(file.pages)} pictures; save each as a file of its own"
                )
            samples = _samples(path, page)
            form, extra = int(page.photometric), tuple(map(int, page.extrasamples))
            turn = page.tags.get(274)
            orientation = int(turn.value) if turn else 1
    except MediaError:
        raise
    # Whatever tifffile and the decoders of its compressions raise on a broken file.
    except Exception as error:
        raise MediaError(f"{path} is damaged ({error}); replace or remove it") from error
    colors = 3 if form == _RGB else 1
    pixels = upright(samples[..., :colors], orientation)
    if form == _WHITE_IS_ZERO:
        pixels = 65535 - pixels
    alpha = None
    if samples.shape[2] > colors and (not extra or extra[0] != _UNSPECIFIED):
        alpha = np.ascontiguousarray(upright(samples[..., colors], orientation))
        if extra and extra[0] == _ASSOCIATED:
            pixels = _apart(pixels, alpha)
    rgb = np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))
    return rgb, alpha


def encode_deep_tiff(pixels: np.ndarray, dpi: tuple[float, float] | None) -> bytes:
    """Return a 16-bit TIFF of RGB or RGBA, whose alpha is tagged as not associated."""
    import tifffile

    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        pixels,
        photometric="rgb",
        planarconfig="contig",
        extrasamples=["unassalpha"] if pixels.shape[2] == 4 else None,
        compression="zlib",
        resolution=dpi,
        resolutionunit="inch" if dpi else None,
        metadata=None,
    )
    return buffer.getvalue()


def _samples(path: Path, page: tifffile.TiffPage) -> np.ndarray:
    """Return the samples, ``h w s``, as 16 bits."""
    if int(page.photometric) not in (_WHITE_IS_ZERO, _GRAY, _RGB):
        raise MediaError(f"{path} is neither gray nor RGB; save it as 16-bit PNG")
    if np.prod(page.shape, dtype=float) > _MOST_SAMPLES:
        raise MediaError(f"{path} is damaged (a size of {page.shape}); replace or remove it")
    try:
        samples = page.asarray()
    except ValueError as error:
        if "imagecodecs" not in str(error):
            raise
        samples = _by_opencv(path, page)
    if samples.ndim == 2:
        samples = samples[..., None]
    elif int(page.planarconfig) == 2:
        samples = np.moveaxis(samples, 0, 2)
    colors = 3 if int(page.photometric) == _RGB else 1
    if samples.ndim != 3 or not samples.size or samples.shape[2] < colors:
        raise MediaError(f"{path} is damaged (a shape of {samples.shape}); replace or remove it")
    if samples.dtype.kind == "f":
        if samples.size and np.nanmax(samples) > 1.5:
            raise MediaError(
                f"{path} has samples of floating point beyond 1; save it with 8 or 16 bits a "
                "channel"
            )
        return np.rint(np.clip(np.nan_to_num(samples), 0, 1) * 65535).astype(np.uint16)
    if samples.dtype != np.uint16:
        raise MediaError(f"{path} has samples of kind {samples.dtype}; save it as 16-bit PNG")
    return samples


def _by_opencv(path: Path, page: tifffile.TiffPage) -> np.ndarray:
    """Return the samples of a compression that OpenCV's libtiff knows, such as LZW."""
    import cv2

    content = page.parent.filehandle
    content.seek(0)
    pixels = cv2.imdecode(
        np.frombuffer(content.read(), np.uint8),
        cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION,
    )
    expected = (page.imagelength, page.imagewidth)
    if (
        pixels is None
        or pixels.dtype != np.uint16
        or pixels.shape[:2] != expected
        or (1 if pixels.ndim == 2 else pixels.shape[2]) != page.samplesperpixel
        or int(page.planarconfig) == 2
    ):
        raise MediaError(f"{path} is compressed in an unusual way; save it as 16-bit PNG")
    if pixels.ndim == 3:
        pixels = pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
    return pixels


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Apply an orientation, 1 to 8 (TIFF 6.0, tag 274)."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def _apart(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Divide colours by the alpha that they were multiplied by; what is clear is black."""
    shown = np.maximum(alpha, 1).astype(np.float64)[..., None]
    return np.rint(np.minimum(pixels * (65535 / shown), 65535)).astype(np.uint16)
