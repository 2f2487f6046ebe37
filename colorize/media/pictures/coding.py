"""Decode and encode single pictures: 8 bits by Pillow, 16 bits by OpenCV and tifffile."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from colorize.media.error import MediaError, reason
from colorize.media.frame import NOTHING_KEPT, Alpha, Kept, Picture, to_depth
from colorize.media.pictures.foreign import (
    FOREIGN_SUFFIXES,
    encode_dpx,
    foreign_codec,
    read_foreign,
)
from colorize.media.pictures.tiff import encode_deep_tiff, is_tiff, read_deep_tiff, upright

_OWN_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"})
IMAGE_SUFFIXES = _OWN_SUFFIXES | FOREIGN_SUFFIXES
# Pictures of the others are read alone.
WRITTEN_SUFFIXES = _OWN_SUFFIXES | {".dpx"}
_DEEP_SUFFIXES = frozenset({".png", ".tif", ".tiff", ".dpx"})
_MODES = frozenset(
    {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "I;16"}
    | {"I;16B", "I;16L"}
)
# Formats whose further pictures are an animation or pages; a JPEG's are previews of the first.
_ANIMATED = frozenset({"PNG", "WEBP", "TIFF"})


def written_name(name: str) -> str:
    """Return the name under which a picture is written: PNG where its own format is only read."""
    path = PurePath(name)
    return name if path.suffix.lower() in WRITTEN_SUFFIXES else str(path.with_suffix(".png"))


def read_picture(path: Path) -> tuple[Picture, Alpha | None]:
    """Return the upright sRGB of a picture, and its alpha if it has one; see :func:`read_still`.

    Raises:
        MediaError: see :func:`read_still`.
    """
    rgb, alpha, _ = read_still(path)
    return rgb, alpha


def read_still(path: Path) -> tuple[Picture, Alpha | None, Kept]:
    """Return the upright sRGB of a picture, its alpha if it has one, and what goes along.

    Formats are told by the content. Gray, palette and CMYK become RGB; more than 8 bits a channel
    become 16. Colour profiles are not applied; CMYK is converted as Pillow does it, without a
    profile.

    Raises:
        MediaError: not a picture, cut off, several pictures in one file, or an unknown sample type.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _damaged(path, error) from error
    return _decode(path, content)


def decode_picture(path: Path, content: bytes) -> tuple[Picture, Alpha | None]:
    """Return what :func:`read_picture` does of the content of a file; ``path`` names it in errors.

    Raises:
        MediaError: as :func:`read_still`.
    """
    rgb, alpha, _ = _decode(path, content)
    return rgb, alpha


def _decode(path: Path, content: bytes) -> tuple[Picture, Alpha | None, Kept]:
    try:
        if codec := foreign_codec(path, content):
            found = read_foreign(path, content, codec)
            return found.rgb, found.alpha, Kept(dpx=found.header)
        # Pillow warns of odd tags and large pictures, which are no concern of the user here.
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(content)) as image:
            kept = Kept(dpi=_dots(image))
            deep = _bits(image, content) > 8
            if deep and image.format == "TIFF":
                return *read_deep_tiff(path, content), kept
            _check(path, image)
            image.load()  # OpenCV would fill a cut-off file with gray, Pillow refuses it
            read = _deep_picture(path, image, content) if deep else _flat_picture(image)
            return *read, kept
    except MediaError:
        raise
    except UnidentifiedImageError as error:
        if is_tiff(content):  # gray with alpha, for one
            return *read_deep_tiff(path, content), NOTHING_KEPT
        raise MediaError(
            f"{path} is not a picture that can be read; remove it or save it as 8- or 16-bit PNG"
        ) from error
    # Pillow's decoders raise all of these on broken files.
    except (OSError, SyntaxError, ValueError, TypeError, Image.DecompressionBombError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> MediaError:
    return MediaError(f"{path} is damaged ({reason(error)}); replace or remove it")


def _check(path: Path, image: Image.Image) -> None:
    """Refuse what would be read only in part."""
    pictures = getattr(image, "n_frames", 1)
    if image.format in _ANIMATED and pictures > 1:
        raise MediaError(f"{path} holds {pictures} pictures; save each as a file of its own")
    if image.mode not in _MODES:
        raise MediaError(
            f"{path} has samples of kind {image.mode!r}; save it with 8 or 16 bits a channel"
        )


def _dots(image: Image.Image) -> tuple[float, float] | None:
    """Return the dots an inch that a picture tells; one or none is what is written for none."""
    across, down = image.info.get("dpi", (0, 0))
    return (float(across), float(down)) if min(across, down) > 1 else None


def _bits(image: Image.Image, content: bytes) -> int:
    """Return the bits of a channel, which Pillow hides for RGB of 16 bits."""
    if image.format == "PNG":
        return content[24]  # bit depth in IHDR, the first chunk (PNG specification, 11.2.2)
    if image.format == "TIFF":
        return max(image.tag_v2.get(258, (1,)))  # type: ignore[attr-defined]  # BitsPerSample
    return 8


def _flat_picture(image: Image.Image) -> tuple[Picture, Alpha | None]:
    """Return an 8-bit picture."""
    upright = ImageOps.exif_transpose(image)
    if upright.has_transparency_data:
        rgba = np.asarray(upright.convert("RGBA"))
        return np.ascontiguousarray(rgba[..., :3]), np.ascontiguousarray(rgba[..., 3])
    return np.array(upright.convert("RGB")), None


def _deep_picture(path: Path, image: Image.Image, content: bytes) -> tuple[Picture, Alpha | None]:
    """Return a 16-bit picture."""
    with _silent_opencv():
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        raise MediaError(f"{path} is a 16-bit picture of an unusual kind; save it as 16-bit PNG")
    pixels = upright(pixels, image.getexif().get(0x0112, 1))
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    rgb = np.ascontiguousarray(pixels[..., 2::-1])
    alpha = np.ascontiguousarray(pixels[..., 3]) if pixels.shape[2] == 4 else None
    if alpha is None and "transparency" in image.info:  # one colour named transparent
        clear = (rgb == np.asarray(image.info["transparency"])).all(axis=2)
        alpha = np.where(clear, 0, 65535).astype(np.uint16)
    return rgb, alpha


@contextmanager
def _silent_opencv() -> Iterator[None]:
    """Keep OpenCV's warnings of odd tags from the terminal."""
    log = cv2.utils.logging
    level = log.getLogLevel()
    log.setLogLevel(log.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        log.setLogLevel(level)


def encode_picture(
    path: Path, rgb: Picture, alpha: Alpha | None, quality: int, kept: Kept = NOTHING_KEPT
) -> bytes:
    """Return the file content of a picture in the format that the suffix of ``path`` names.

    PNG and TIFF keep 16 bits and alpha; WebP and BMP keep alpha at 8 bits; JPEG holds neither and
    is written with full-resolution chroma (4:4:4). ``quality``, 1 to 100, is that of JPEG and WebP;
    100 makes a WebP lossless.

    Raises:
        MediaError: an alpha channel for a JPEG or a DPX.
    """
    suffix = path.suffix.lower()
    if suffix in (".jpg", ".jpeg", ".dpx") and alpha is not None:
        form = "DPX" if suffix == ".dpx" else "JPEG"
        raise MediaError(f"{path}: {form} cannot hold transparency; name the output .png instead")
    if suffix == ".dpx":
        return encode_dpx(rgb, kept.dpx)
    if suffix not in _DEEP_SUFFIXES:
        rgb = to_depth(rgb, np.dtype(np.uint8))
        alpha = None if alpha is None else to_depth(alpha, np.dtype(np.uint8))
    pixels = rgb if alpha is None else np.dstack([rgb, alpha])
    # Pillow reads no alpha from the BMP it writes itself; OpenCV writes the header that says so.
    if rgb.dtype == np.uint16 and suffix in (".tif", ".tiff"):
        return encode_deep_tiff(pixels, kept.dpi)
    if rgb.dtype == np.uint16 or suffix == ".bmp":
        content = _encode_opencv(suffix, pixels)
        return _with_dots(content, kept.dpi) if suffix == ".png" and kept.dpi else content
    return _encode_pillow(suffix, pixels, quality, kept.dpi)


def _encode_opencv(suffix: str, pixels: np.ndarray) -> bytes:
    """Encode RGB or RGBA by OpenCV, which orders channels from blue."""
    order = [2, 1, 0] if pixels.shape[2] == 3 else [2, 1, 0, 3]
    _, encoded = cv2.imencode(suffix, np.ascontiguousarray(pixels[..., order]))
    return encoded.tobytes()


def _with_dots(png: bytes, dpi: tuple[float, float]) -> bytes:
    """Put dots an inch into a PNG, behind its head of 33 bytes (pHYs, dots a metre)."""
    across, down = (round(each / 0.0254) for each in dpi)
    chunk = b"pHYs" + struct.pack(">IIB", across, down, 1)
    whole = struct.pack(">I", 9) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return png[:33] + whole + png[33:]


def _encode_pillow(
    suffix: str, pixels: np.ndarray, quality: int, dpi: tuple[float, float] | None
) -> bytes:
    """Encode 8-bit RGB or RGBA by Pillow."""
    options: dict[str, dict[str, Any]] = {
        "PNG": {},
        "JPEG": {"quality": quality, "subsampling": 0},
        "WEBP": {"quality": quality, "lossless": quality == 100, "exact": True},
        "TIFF": {"compression": "tiff_lzw"},
    }
    buffer, form = io.BytesIO(), Image.registered_extensions()[suffix]
    dots = {"dpi": dpi} if dpi and form != "WEBP" else {}
    Image.fromarray(pixels).save(buffer, form, **options[form], **dots)
    return buffer.getvalue()
