"""What the page asks for while somebody paints: a frame at once, and which frames to paint."""

from __future__ import annotations

import base64
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from colorize.app.reel import encode
from colorize.app.tasks.models import Models
from colorize.base.errors import UserError
from colorize.films.painting.layer import LOOKUP, check_layer, painted, read_layer
from colorize.films.painting.palette import Palette, read_palette
from colorize.films.plan.manifest import Reference
from colorize.films.plan.references import colored_picture
from colorize.imaging.fills import find_regions
from colorize.inference.draft import draft
from colorize.inference.library import ColoredPicture, Library
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.recognition import Example, Recognizer
from colorize.inference.settings import RenderSettings
from colorize.media import Frame, open_source

_FRAMES = 64  # of a film that are kept
_UNSURE = 0.12  # error of chroma that is shown as white


class Easel:
    """What is kept between drafts of one film: frames, and what the network knows of references."""

    def __init__(self, source: Path, colorizer: LoadedNetworks) -> None:
        self._source = source
        self._frames: OrderedDict[int, Frame] = OrderedDict()
        self._pictures: dict[tuple[str, str], ColoredPicture] = {}
        self.library = Library(colorizer, [])

    def frame(self, number: int) -> Frame:
        """Return a frame of the film.

        Raises:
            UserError: There is none of this number.
            MediaError: It cannot be read.
        """
        if number not in self._frames:
            with open_source(self._source) as source:
                found = next(iter(source.frames(number, number + 1)), None)
            if found is None:
                raise UserError(f"there is no frame {number}")
            self._frames[number] = found
            while len(self._frames) > _FRAMES:
                self._frames.popitem(last=False)
        self._frames.move_to_end(number)
        return self._frames[number]

    def show(self, layers: Sequence[Mapping[str, Any]], references: Sequence[Mapping[str, Any]],
             palette: Palette) -> list[str]:  # fmt: skip
        """Take what is painted, and other references; return their names in the library."""
        pictures = {}
        for each in layers:
            number, key = each["frame"], ("", each["key"])
            drawing = partial(self.frame, number)
            read = partial(self._painted, number, Path(each["path"]), palette)
            new = ColoredPicture(f"frame {number}", read, number, drawing)
            pictures[key] = self._pictures.get(key, new)
        for each in references:
            reference = Reference(**each)
            key, at = (reference.name, reference.digest), reference.frame
            new = colored_picture(reference, None if at is None else partial(self.frame, at))
            pictures[key] = self._pictures.get(key, new)
        self._pictures = pictures
        self.library = self.library.renewed(pictures.values())
        return list(self.library.pictures)

    def _painted(self, number: int, path: Path, palette: Palette) -> Frame:
        frame, layer = self.frame(number), read_layer(path)
        check_layer(layer, frame, palette)
        return painted(frame, layer, palette)


def draft_frame(
    models: Models,
    *,
    source: str,
    frame: int,
    checkpoint: str,
    device: str,
    settings: Mapping[str, Any],
    palette: str | None,
    layers: Sequence[Mapping[str, Any]],
    references: Sequence[Mapping[str, Any]],
    short_side: int,
) -> dict[str, Any]:
    """Return a frame as it will be: ``picture``, a JPEG, and ``unsure``, a gray PNG, in base64.

    ``layers`` are painted frames of its shot (``frame``, ``path``, ``key`` of the paint),
    ``references`` other pictures that serve it, as fields of
    :class:`~colorize.films.plan.manifest.Reference` whose digests tell what they are now.
    White in ``unsure`` is an expected error of chroma of 0.12 or more.

    Raises:
        MediaError, UserError, CheckpointError: One of the files cannot be used.
    """
    chosen = RenderSettings(**settings)
    colorizer = models.colorizer(Path(checkpoint), device=device, short_side=chosen.short_side)
    if not colorizer.takes_references:
        raise UserError("this model takes no references; choose one that does, to paint for it")
    easel = _easel(models, Path(source), colorizer)
    swatches = read_palette(Path(palette)) if palette else Palette()
    names = easel.show(layers, references, swatches)
    found = draft(colorizer, chosen, easel.frame(frame), easel.library, names)
    unsure = (found.unsure / _UNSURE).clip(0, 1) * 255
    picture = encode(found.frame, short_side)
    plane = cv2.imencode(".png", unsure.round().astype(np.uint8))[1].tobytes()
    return {"picture": _text(picture), "unsure": _text(plane), "mean": float(found.unsure.mean())}


def offer_colors(
    models: Models,
    *,
    source: str,
    frame: int,
    checkpoint: str,
    device: str,
    settings: Mapping[str, Any],
    layers: Sequence[Mapping[str, Any]],
    swatches: Sequence[int],
) -> list[dict[str, Any]]:
    """Return where some ``swatches`` of painted frames are found again in another frame.

    Each offer has its ``swatch``, a ``score`` (0 to 1: how sure it is) and ``labels``, the finest
    regions of :func:`colorize.imaging.fills.find_regions` that it is of.

    Raises:
        MediaError, UserError, CheckpointError: One of the files cannot be used.
    """
    chosen = RenderSettings(**settings)
    colorizer = models.colorizer(Path(checkpoint), device=device, short_side=chosen.short_side)
    easel = _easel(models, Path(source), colorizer)
    wanted = np.zeros(LOOKUP, dtype=bool)
    wanted[list(swatches)] = True

    def examples() -> Recognizer:
        shown = []
        for each in layers:
            layer = read_layer(Path(each["path"]))
            named = np.where(wanted[layer], layer, 0).astype(np.uint16)
            if named.any():
                shown.append(Example(easel.frame(each["frame"]), named))
        return Recognizer(colorizer, shown)

    key = (*_key(Path(source), colorizer), tuple(each["key"] for each in layers), tuple(swatches))
    recognizer = models.kept("recognizer", key, examples)
    regions = find_regions(easel.frame(frame).gray())
    return [
        {
            "swatch": each.swatch,
            "score": each.score,
            "labels": np.unique(regions.finest[each.mask]).tolist(),
        }
        for each in recognizer.offers(easel.frame(frame), regions)
    ]


def _easel(models: Models, source: Path, colorizer: LoadedNetworks) -> Easel:
    """Return what was kept for the last request of a film, or what is now."""
    return models.kept("easel", _key(source, colorizer), partial(Easel, source, colorizer))


def _key(source: Path, colorizer: LoadedNetworks) -> tuple[object, ...]:
    state = source.stat()
    return source, state.st_mtime_ns, state.st_size, id(colorizer)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
