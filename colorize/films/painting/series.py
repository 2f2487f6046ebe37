"""A palette with examples: small painted frames that carry characters to the next episode."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8

from colorize.base.errors import UserError
from colorize.base.files import write_atomically
from colorize.films.painting.layer import Layer, painted
from colorize.films.painting.palette import Palette, palette_of
from colorize.media import Frame

SUFFIX = ".json"
SIDE = 360  # pixels of an example's short side, at most
MOST = 64  # examples
_LONGEST = 4 * SIDE  # pixels of the other side
_LETTERS = 80
_BYTES = 64 * 2**20  # of a file
_EXAMPLE = re.compile(r"(?P<file>.+\.json)#(?P<number>[1-9][0-9]*)")


@dataclass(frozen=True)
class Example:
    """A gray frame with what is painted on it: the swatch at each pixel, 0 where nothing is."""

    name: str
    gray: UInt8[np.ndarray, "h w"]
    layer: Layer

    @property
    def drawing(self) -> Frame:
        """The frame as it was, in black and white."""
        return Frame(0, self.name, np.ascontiguousarray(np.repeat(self.gray[..., None], 3, 2)))

    def picture(self, palette: Palette) -> Frame:
        """Return what is painted, in the colours of a palette; all else is transparent."""
        return painted(self.drawing, self.layer, palette)


def example_of(frame: Frame, layer: Layer, name: str) -> Example:
    """Return an example of a painted frame of any size."""
    gray = np.rint(frame.gray() * 255).astype(np.uint8)
    scale = min(1.0, SIDE / min(gray.shape), _LONGEST / max(gray.shape))
    size = [max(1, round(scale * side)) for side in reversed(gray.shape)]
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    return Example(name, small, cv2.resize(layer, size, interpolation=cv2.INTER_NEAREST))


@dataclass(frozen=True)
class Series:
    """The palette of a series, and frames painted with it.

    Raises:
        UserError: An example is too large, shows nothing, or has a swatch that there is not; two
            have the same name; there are too many.
    """

    palette: Palette
    examples: tuple[Example, ...] = ()

    def __post_init__(self) -> None:
        if len(self.examples) > MOST:
            raise UserError(
                f"{len(self.examples)} examples: expected at most {MOST}; leave some out"
            )
        known = {each.id for each in self.palette.swatches}
        names = set[str]()
        for each in self.examples:
            what = f"example {each.name}"
            if not 0 < len(each.name) <= _LETTERS or not each.name.isprintable():
                raise UserError(
                    f"example {each.name!r}: expected a name of 1 to {_LETTERS} letters"
                )
            if each.name in names:
                raise UserError(f"two examples are called {each.name}; rename one")
            if each.gray.shape != each.layer.shape:
                raise UserError(f"{what}: its frame and its layer differ in size")
            if min(each.gray.shape) > SIDE or max(each.gray.shape) > _LONGEST:
                height, width = each.gray.shape
                raise UserError(
                    f"{what} has {width}×{height} pixels: expected a short side of at most {SIDE}"
                )
            used = set(np.unique(each.layer).tolist()) - {0}
            if not used:
                raise UserError(f"{what} shows nothing painted; leave it out")
            if used - known:
                raise UserError(
                    f"{what} is painted with swatch {min(used - known)}, which the palette has not"
                )
            names.add(each.name)

    def encoded(self) -> bytes:
        """Return it as JSON: the palette's, with examples."""
        examples = [
            {"name": each.name, "frame": _packed(each.gray), "layer": _packed(each.layer)}
            for each in self.examples
        ]
        content = {**self.palette.content(), "examples": examples}
        return json.dumps(content, indent=1, ensure_ascii=False).encode()

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        write_atomically(path, self.encoded())


def read_series(path: Path) -> Series:
    """Return what :meth:`Series.write` wrote; a palette alone has no examples.

    Raises:
        UserError: There is none, or it is damaged.
    """
    try:
        if path.stat().st_size > _BYTES:
            raise UserError(f"{path} is larger than {_BYTES >> 20} MiB: it is no palette")
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); name a palette") from error
    except ValueError as error:
        raise UserError(f"{path} is no palette: it is no JSON ({error})") from error
    palette = palette_of(content, path)
    entries = content.get("examples", [])
    if not isinstance(entries, list) or len(entries) > MOST:
        raise UserError(f"{path}: examples: expected a list of at most {MOST}")
    try:
        return Series(palette, tuple(_example(each, n) for n, each in enumerate(entries, 1)))
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def example_paths(path: Path) -> list[tuple[str, str, str]]:
    """Return of each example of a file its name, the path it is read again by, and a digest.

    Raises:
        UserError: The file is damaged, or has no examples.
    """
    series = read_series(path)
    if not series.examples:
        raise UserError(f"{path} has no examples: save it from frames painted with this palette")
    found = []
    for number, each in enumerate(series.examples, 1):
        picture = each.picture(series.palette)
        assert picture.alpha is not None
        digest = hashlib.sha256(each.gray.tobytes() + picture.rgb.tobytes())
        digest.update(picture.alpha.tobytes() + str(picture.rgb.shape).encode())
        found.append((f"{path.name}: {each.name}", f"{path}#{number}", digest.hexdigest()))
    return found


def is_example(path: str) -> bool:
    """Return whether a path is that of an example, as :func:`example_paths` says it."""
    return _EXAMPLE.fullmatch(path) is not None


def read_example(path: str) -> tuple[Frame, Frame]:
    """Return the picture and the drawing of an example by its path.

    Raises:
        UserError: The file is damaged, or has no such example any more.
    """
    match = _EXAMPLE.fullmatch(path)
    assert match is not None, "it is the path of an example"
    file, number = Path(match["file"]), int(match["number"])
    try:
        series = _kept(file, file.stat().st_mtime_ns)
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror}); name a palette") from error
    if number > len(series.examples):
        raise UserError(f"{file} has no example {number} any more; give --palette {file} again")
    example = series.examples[number - 1]
    return example.picture(series.palette), example.drawing


@lru_cache(maxsize=4)
def _kept(path: Path, _: int) -> Series:
    """Return a file's content while it stays the same."""
    return read_series(path)


def _packed(picture: np.ndarray) -> str:
    return base64.b64encode(cv2.imencode(".png", picture)[1].tobytes()).decode()


def _example(entry: Any, number: int) -> Example:
    if not isinstance(entry, Mapping) or set(entry) != {"name", "frame", "layer"}:
        raise UserError(f"example {number}: expected name, frame and layer")
    if not all(isinstance(value, str) for value in entry.values()):
        raise UserError(f"example {number}: expected texts")
    name = entry["name"]
    gray, layer = (
        _unpacked(entry[key], f"{key} of example {number}") for key in ("frame", "layer")
    )
    if gray.dtype != np.uint8 or layer.dtype != np.uint16:
        raise UserError(f"example {number}: expected a frame of 8 bits and a layer of 16")
    return Example(name, gray, layer)


def _unpacked(text: str, what: str) -> np.ndarray:
    """Return a gray PNG, whose size is looked at before it is unpacked."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UserError(f"{what} is no base64") from error
    width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
    if content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR":
        raise UserError(f"{what} is no PNG")
    if not 0 < min(width, height) <= SIDE or max(width, height) > _LONGEST:
        raise UserError(f"{what} has {width}×{height} pixels: expected a short side up to {SIDE}")
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None or picture.ndim != 2:
        raise UserError(f"{what} is damaged: expected a gray PNG")
    return picture
