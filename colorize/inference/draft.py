"""A frame at once, while somebody paints it: its colours as they will be, and how unsure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32

from colorize.imaging.geometry import resize, working_size
from colorize.inference.engine import ShotEngine
from colorize.inference.library import Library
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import Frame


class Draft(NamedTuple):
    """A frame in colour, and the error of chroma that is expected of it at the working size."""

    frame: Frame
    unsure: Float32[np.ndarray, "_h _w"]


@torch.inference_mode()
def draft(
    colorizer: LoadedNetworks,
    settings: RenderSettings,
    frame: Frame,
    library: Library,
    names: Sequence[str] = (),
) -> Draft:
    """Return a frame as it will be in its film, by the references ``names`` of its shot.

    A frame that is painted itself comes out as in the film, all by hints and network but what
    temporal smoothing does; another one by its nearest references alone, without what is carried
    along the shot.

    Raises:
        UserError: The model takes no references.
    """
    engine = ShotEngine(colorizer, settings, library=library if names else None, batch_size=1)
    size = working_size(frame.rgb.shape[:2], settings.short_side or colorizer.short_side)
    picture = library.own(names, frame.index) if names else None
    if picture is None:
        nearest = library.nearest(names, near=frame.index, most=settings.references_per_frame)
        (colored,) = next(iter(engine([frame], names=names, variant=0)))
        small = resize(torch.from_numpy(frame.gray())[None, None], size)
        shown = library.of(nearest, size=size, beside=names) if nearest else None
        return Draft(colored, _plane(colorizer.unsure(small, shown)))
    # The engine would ask the network again, and take none of its answer.
    chroma, _ = library.colors_of(picture, names, size)
    joining = engine.joining()
    colored = next(iter(joining([frame], chroma.cpu(), before={}, names=names)))
    return Draft(colored, _plane(library.unsure_of(picture, names, size)))


def _plane(unsure: torch.Tensor) -> Float32[np.ndarray, "_h _w"]:
    return unsure[0, 0].float().cpu().numpy()
