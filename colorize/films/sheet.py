"""What each shot of a job would look like in each colouring, as rows of a contact sheet."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, islice

import cv2
import numpy as np
from jaxtyping import UInt8

from colorize.base.progress import tracked
from colorize.films.plan.analysis import middle
from colorize.films.plan.manifest import KEEP, Manifest, Shot
from colorize.films.plan.references import library_of
from colorize.imaging.contact_sheet import SheetRow
from colorize.imaging.geometry import working_size
from colorize.inference.engine import ShotEngine, preview_window
from colorize.inference.loaded import LoadedNetworks
from colorize.media import Frame, Source
from colorize.media.frame import to_depth

_THUMBNAIL = 360  # pixels of the short side, more than is shown


def sheet_rows(source: Source, manifest: Manifest, colorizer: LoadedNetworks) -> Iterator[SheetRow]:
    """Yield a row for every shot: its middle frame, gray and in all colourings.

    Raises:
        MediaError: A frame cannot be read.
    """
    library = library_of(manifest.references, source, colorizer)
    engine = ShotEngine(colorizer, manifest.settings, library=library)
    windows = [preview_window(shot.start, shot.stop, middle(shot)) for shot in manifest.shots]
    frames = source.frames(only=set(chain.from_iterable(windows)))
    shots = zip(manifest.shots, windows, strict=True)
    for number, (shot, window) in enumerate(tracked(list(shots), "drawing", unit="shot"), 1):
        around = list(islice(frames, len(window)))
        gray = around[window.index(middle(shot))]
        outputs = []
        if shot.chosen != KEEP:
            outputs = engine.preview(around, middle(shot), names=shot.guided_by)
        assert shot.chosen is not None, "a written manifest has a choice for every shot"
        yield SheetRow(
            title=f"shot {number} · {_title(shot, source.rate)}",
            gray=_thumbnail(_gray(gray)),
            outputs=[_thumbnail(to_depth(output.rgb, np.dtype(np.uint8))) for output in outputs],
            chosen=0 if shot.chosen == KEEP else shot.chosen,
            by="kept" if shot.chosen == KEEP else "auto" if shot.variant == "auto" else "hand",
        )


def _title(shot: Shot, rate: Fraction | None) -> str:
    text = f"frames {shot.start}–{shot.stop - 1}"
    if rate is not None:
        minutes, seconds = divmod(float(shot.start / rate), 60)
        text += f" · {int(minutes)}:{seconds:04.1f}"
    return text + (f" · by {', '.join(shot.guided_by)}" if shot.guided_by else "")


def _gray(frame: Frame) -> UInt8[np.ndarray, "h w 3"]:
    luma = np.rint(frame.gray() * 255).astype(np.uint8)
    return np.repeat(luma[..., None], 3, axis=2)


def _thumbnail(picture: UInt8[np.ndarray, "_ _ 3"]) -> UInt8[np.ndarray, "_ _ 3"]:
    """Shrink a picture, to the size of a large thumbnail."""
    height, width = working_size(picture.shape[:2], _THUMBNAIL)
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
