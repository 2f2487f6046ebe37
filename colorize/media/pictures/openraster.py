"""OpenRaster (``.ora``): a drawing and the colours painted under it, as layers of one file.

Source: freedesktop.org, OpenRaster 0.0.5: a zip archive whose first entry, stored, is ``mimetype``;
``stack.xml`` lists the layers from the top; each is a PNG; ``mergedimage.png`` shows all together.
"""

from __future__ import annotations

import io
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import cv2
import numpy as np
from PIL import Image

from colorize.media.error import MediaError, reason
from colorize.media.frame import Frame, Picture, to_depth
from colorize.media.pictures.coding import decode_picture, encode_picture

SUFFIX = ".ora"
NORMAL, LUMINOSITY = "svg:src-over", "svg:luminosity"
DRAWING, COLORS, DRAFT = "drawing", "colours", "draft"  # names of layers that suggestions have

_MIMETYPE = b"image/openraster"
_LARGEST_SIDE, _MOST_PIXELS = 2**15, 2**27  # of the canvas; a layer's are those of its PNG
_MOST_LAYERS, _LONGEST_STACK, _LARGEST_LAYER = 500, 2**20, 2**29  # bytes, of stack.xml and of a PNG
_DEEPEST = 50  # groups within groups
_THUMBNAIL = 256  # pixels of the long side; the specification allows no more
_HIDDEN = frozenset({"hidden", "collapse"})


class Rgba(NamedTuple):
    """A picture and how opaque it is, of one depth."""

    rgb: Picture
    alpha: np.ndarray


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer to be written: its picture, how it is blended with those below, who may change it."""

    name: str
    rgb: Picture
    alpha: np.ndarray | None = None
    operation: str = NORMAL
    visible: bool = True
    locked: bool = False
    selected: bool = False


@dataclass(frozen=True, eq=False)
class Painting:
    """What was painted in a file: its colours, and the drawing that they lie under, if there is one.

    ``colors`` are all visible layers but the drawing, one over another, transparent where none of
    them shows anything. ``drawing`` is the layer of that name, or one blended by its luminosity.
    """

    colors: Rgba
    drawing: Picture | None = None


@dataclass(frozen=True)
class _Place:
    """A layer of ``stack.xml``, or a group of them: ``layers`` from the bottom."""

    name: str
    source: str | None
    x: int
    y: int
    opacity: float
    visible: bool
    operation: str
    layers: Sequence[_Place] = field(default=())

    @property
    def is_drawing(self) -> bool:
        """Whether it gives the luma alone, and so no colours."""
        return self.operation == LUMINOSITY or self.name.strip().casefold() == DRAWING


def encode_openraster(layers: Sequence[Layer], *, merged: Picture) -> bytes:
    """Return a file of layers of one size, from the top; ``merged`` is how they look together."""
    height, width, _ = merged.shape
    root = ElementTree.Element("image", version="0.0.5", w=str(width), h=str(height))
    stack = ElementTree.SubElement(root, "stack")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("mimetype", _MIMETYPE)
        for number, layer in enumerate(layers):
            source = f"data/layer{number}.png"
            # Booleans as Krita, GIMP and MyPaint write them.
            marks = {"edit-locked": layer.locked, "selected": layer.selected}
            ElementTree.SubElement(
                stack,
                "layer",
                {"name": layer.name, "src": source, "x": "0", "y": "0", "opacity": "1.0"}
                | {"visibility": "visible" if layer.visible else "hidden"}
                | {"composite-op": layer.operation}
                | {name: "true" for name, holds in marks.items() if holds},
            )
            archive.writestr(source, _png(layer.rgb, layer.alpha))
        text = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
        archive.writestr("stack.xml", text)
        archive.writestr("mergedimage.png", _png(merged))
        scale = min(1.0, _THUMBNAIL / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = cv2.resize(merged, size, interpolation=cv2.INTER_AREA)
        archive.writestr("Thumbnails/thumbnail.png", _png(to_depth(small, np.dtype(np.uint8))))
    return content.getvalue()


def _png(rgb: Picture, alpha: np.ndarray | None = None) -> bytes:
    return encode_picture(Path("layer.png"), rgb, alpha, 100)


def read_openraster(path: Path) -> Painting:
    """Return the colours that were painted in a file, without its drawing and its hidden layers.

    A lone layer comes back as it is, pixel by pixel; several lie one over another (``svg:src-over``
    with their opacity), groups too.

    Raises:
        MediaError: It is damaged, too large, or blends colours in a way that is not known here.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(path, archive)
    except MediaError:
        raise
    # All of these are raised on broken archives: by zipfile, zlib, the parser, and Pillow below.
    except (
        OSError,
        ValueError,
        KeyError,
        RuntimeError,
        NotImplementedError,
        EOFError,
        zlib.error,
        zipfile.BadZipFile,
        ElementTree.ParseError,
    ) as error:
        raise MediaError(
            f"{path} is damaged or no OpenRaster file ({reason(error)}); save it again as .ora, or "
            "its colours as a PNG with transparency"
        ) from error


def _read(path: Path, archive: zipfile.ZipFile) -> Painting:
    if "mimetype" in archive.namelist() and _entry(archive, "mimetype", 100).strip() != _MIMETYPE:
        raise MediaError(f"{path} is no OpenRaster file; save it as .ora or PNG")
    text = _entry(archive, "stack.xml", _LONGEST_STACK)
    if b"<!" in text.replace(b"<!--", b""):  # entities could fill the memory
        raise MediaError(f"{path}: stack.xml declares what layers do not need; save it again")
    root = ElementTree.fromstring(text)
    height, width = _whole(root.get("h")), _whole(root.get("w"))
    if not (0 < min(height, width) and max(height, width) <= _LARGEST_SIDE) or (
        height * width > _MOST_PIXELS
    ):
        raise MediaError(
            f"{path} is {width}x{height} pixels: expected 1 to {_LARGEST_SIDE} a side and at most "
            f"{_MOST_PIXELS // 2**20} million in all; scale it down"
        )
    stack = root.find("stack")
    if stack is None or sum(1 for _ in root.iter()) > _MOST_LAYERS:
        raise MediaError(f"{path} has no layers, or more than {_MOST_LAYERS}; merge some")
    places = _places(stack, 0)
    page = _Page(path, archive, (height, width))
    drawings = [each for each in _leaves(places) if each.is_drawing and each.source]
    colors = page.merged([each for each in places if not each.is_drawing])
    drawing = page.layer(drawings[-1]).rgb if drawings else None
    return Painting(colors, drawing)


def _places(stack: ElementTree.Element, depth: int) -> list[_Place]:
    """Return the layers of a stack, from the bottom."""
    if depth > _DEEPEST:
        raise ValueError(f"groups lie more than {_DEEPEST} deep")
    found = []
    for each in reversed(stack):
        if each.tag not in ("layer", "stack"):
            continue
        found.append(
            _Place(
                name=each.get("name", ""),
                source=each.get("src") if each.tag == "layer" else None,
                x=_whole(each.get("x", "0")),
                y=_whole(each.get("y", "0")),
                opacity=min(1.0, max(0.0, float(each.get("opacity", "1")))),
                visible=each.get("visibility", "visible") not in _HIDDEN,
                operation=each.get("composite-op", NORMAL),
                layers=_places(each, depth + 1) if each.tag == "stack" else (),
            )
        )
    return found


def _leaves(places: Sequence[_Place]) -> Iterator[_Place]:
    for each in places:
        yield from _leaves(each.layers)
        yield each


@dataclass(frozen=True)
class _Page:
    """The canvas of a file, and where the pictures of its layers are."""

    path: Path
    archive: zipfile.ZipFile
    size: tuple[int, int]

    def merged(self, places: Sequence[_Place]) -> Rgba:
        """Return layers from the bottom one over another, those that can be seen."""
        whole: Rgba | None = None
        for place in places:
            if not place.visible or place.opacity == 0 or place.is_drawing:
                continue
            if place.operation not in (NORMAL, ""):
                raise MediaError(
                    f"{self.path}: the layer {place.name!r} is blended by {place.operation}, which "
                    "is not known for colours; set its mode to Normal, or merge it with the layer "
                    "below"
                )
            own = self.merged(place.layers) if place.layers else self.layer(place)
            if place.opacity < 1:
                largest = np.iinfo(own.alpha.dtype).max
                faded = np.rint(own.alpha * place.opacity).clip(0, largest)
                own = own._replace(alpha=faded.astype(own.alpha.dtype))
            whole = own if whole is None else _over(own, whole)
        if whole is not None:
            return whole
        return Rgba(np.zeros((*self.size, 3), np.uint8), np.zeros(self.size, np.uint8))

    def layer(self, place: _Place) -> Rgba:
        """Return the picture of a layer, on the canvas."""
        height, width = self.size
        if place.source is None:  # a group of nothing
            return Rgba(np.zeros((height, width, 3), np.uint8), np.zeros(self.size, np.uint8))
        content = _entry(self.archive, place.source, _LARGEST_LAYER)
        _check_sides(content)
        rgb, alpha = decode_picture(self.path / place.source, content)
        if alpha is None:
            alpha = np.full(rgb.shape[:2], np.iinfo(rgb.dtype).max, rgb.dtype)
        if (place.x, place.y) == (0, 0) and rgb.shape[:2] == self.size:
            return Rgba(rgb, alpha)
        inside = Rgba(np.zeros((height, width, 3), rgb.dtype), np.zeros(self.size, rgb.dtype))
        top, left = max(0, place.y), max(0, place.x)
        bottom = min(height, place.y + rgb.shape[0])
        right = min(width, place.x + rgb.shape[1])
        if top < bottom and left < right:
            own = slice(top - place.y, bottom - place.y), slice(left - place.x, right - place.x)
            for plane, given in zip(inside, (rgb, alpha), strict=True):
                plane[top:bottom, left:right] = given[own]
        return inside


def _check_sides(content: bytes) -> None:
    """Refuse a picture that would fill the memory, before it is decoded."""
    with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(content)) as image:
        if max(image.size) > _LARGEST_SIDE or image.width * image.height > _MOST_PIXELS:
            raise ValueError(f"a layer of {image.width}x{image.height} pixels is too large")


def _over(top: Rgba, below: Rgba) -> Rgba:
    """Return one picture over another; where one alone shows, it keeps its values exactly.

    Source: W3C, Compositing and Blending Level 1, section 5.1.
    """
    dtype = np.promote_types(top.rgb.dtype, below.rgb.dtype)
    largest = np.iinfo(dtype).max
    above, under = (to_depth(each.alpha, dtype) / largest for each in (top, below))
    alpha = above + under * (1 - above)
    share = np.divide(above, alpha, out=np.zeros_like(alpha), where=alpha > 0)[..., None]
    colors = [to_depth(each.rgb, dtype).astype(np.float64) for each in (top, below)]
    rgb = share * colors[0] + (1 - share) * colors[1]
    return Rgba(np.rint(rgb).astype(dtype), np.rint(alpha * largest).astype(dtype))


def _entry(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Return an entry of an archive that is no longer than it says, nor than ``most`` bytes."""
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise ValueError(f"there is no {name} in it") from None
    if info.file_size > most:
        raise ValueError(f"{name} has {info.file_size} bytes, more than {most}")
    with archive.open(info) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"{name} has more than {most} bytes")
    return content


def _whole(text: str | None) -> int:
    """Return a whole number, which some programs write as 12.0."""
    number = float(text if text is not None else "nan")
    if not number.is_integer() or abs(number) > 2**31:
        raise ValueError(f"{text!r} in stack.xml is no whole number")
    return int(number)


def draw_frame(drawing: Frame, *, draft: Picture) -> bytes:
    """Return a file to paint a frame in: its drawing above, an empty layer of colours, the draft.

    The drawing gives its luminosity to what is painted below it, which is what becomes of it here;
    Krita and GIMP both know that mode. It is locked, and the draft is hidden.
    """
    gray = drawing.gray()
    largest = int(np.iinfo(drawing.rgb.dtype).max)
    plane = np.rint(gray * largest).astype(drawing.rgb.dtype)
    lines = np.repeat(plane[..., None], 3, axis=2)
    nothing = np.zeros(gray.shape, drawing.rgb.dtype)
    layers = [
        Layer(DRAWING, lines, operation=LUMINOSITY, locked=True),
        Layer(COLORS, np.zeros_like(lines), nothing, selected=True),
        Layer(DRAFT, to_depth(draft, drawing.rgb.dtype), visible=False),
    ]
    return encode_openraster(layers, merged=lines)
