"""What each shot of a job would look like in each colouring, as rows of a contact sheet."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from colorize.base.progress import tracked
from colorize.films.plan.analysis import middle_pair
from colorize.films.plan.manifest import KEEP, Manifest, Shot
from colorize.films.render.guides import Guides
from colorize.films.render.joining import to_integers
from colorize.imaging.contact_sheet import SheetRow
from colorize.inference.colorizer import Colorizer, resize, working_size
from colorize.media import Frame, Source
from colorize.networks.guided.references import ReferenceSet

_THUMBNAIL = 360  # pixels of the short side, more than is shown


def sheet_rows(source: Source, manifest: Manifest, colorizer: Colorizer) -> Iterator[SheetRow]:
    """Yield a row for every shot: its middle frame, gray and in all colourings.

    Raises:
        MediaError: A frame cannot be read.
    """
    pairs = [middle_pair(shot) for shot in manifest.shots]
    frames = source.frames(only={index for pair in pairs for index in pair})
    stream = colorizer.stream(refine=manifest.settings.refine)
    guides = Guides(colorizer, manifest)
    bar = tracked(manifest.shots, "drawing", unit="shot")
    for number, (shot, pair) in enumerate(zip(bar, pairs, strict=True), 1):
        grays = [_gray(next(frames)) for _ in sorted(set(pair))]
        stream.reset()
        stream.references = _references(guides, shot, pair[1], grays[-1], colorizer)
        outputs = stream(torch.cat(grays), keep_luma=True)[-1]
        yield _row(f"shot {number}", shot, source.rate, gray=grays[-1], outputs=outputs)


def _references(
    guides: Guides, shot: Shot, frame: int, gray: Float[Tensor, "1 1 h w"], colorizer: Colorizer
) -> ReferenceSet | None:
    if shot.chosen == KEEP or not shot.guided_by:
        return None
    size = working_size(gray.shape[-2:], colorizer.short_side)
    return guides.of(guides.nearest(shot.guided_by, near=frame), size=size)


def _gray(frame: Frame) -> Float[Tensor, "1 1 h w"]:
    """Return the luma of a frame at the size of a large thumbnail."""
    gray = torch.from_numpy(frame.gray())[None, None]
    return resize(gray, working_size(gray.shape[-2:], _THUMBNAIL))


def _row(
    name: str,
    shot: Shot,
    rate: Fraction | None,
    *,
    gray: Float[Tensor, "1 1 h w"],
    outputs: Float[Tensor, "k 3 h w"],
) -> SheetRow:
    title, original = f"{name} · {_title(shot, rate)}", _picture(gray[0].expand(3, -1, -1))
    if shot.chosen == KEEP:
        return SheetRow(title=title, gray=original, outputs=[], chosen=0, by="kept")
    assert isinstance(shot.chosen, int), "a written manifest has a choice for every shot"
    return SheetRow(
        title=title,
        gray=original,
        outputs=[_picture(output) for output in outputs],
        chosen=shot.chosen,
        by="auto" if shot.variant == "auto" else "hand",
    )


def _title(shot: Shot, rate: Fraction | None) -> str:
    text = f"frames {shot.start}–{shot.stop - 1}"
    if rate is not None:
        minutes, seconds = divmod(float(shot.start / rate), 60)
        text += f" · {int(minutes)}:{seconds:04.1f}"
    return text + (f" · by {', '.join(shot.guided_by)}" if shot.guided_by else "")


def _picture(image: Tensor) -> UInt8[np.ndarray, "h w 3"]:
    return to_integers(image[None], np.dtype(np.uint8))[0]
