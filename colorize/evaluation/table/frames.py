"""Show what the rows of a table make of the same frames, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8

from colorize.base.pieces import middles
from colorize.data import Clip, ClipDataset
from colorize.imaging.contact_sheet import Picture, contact_sheet
from colorize.imaging.tensors import to_picture
from colorize.inference.engine import ShotEngine
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import Frame

_FRAME = 12  # of a shot, from 1: late enough to show what a network does with the frames before


def draw_frames(
    checkpoints: Mapping[str, Path], clips: ClipDataset, *, count: int
) -> UInt8[np.ndarray, "sheet_h sheet_w 3"]:
    """Return a sheet: one line for each of ``count`` clips, one column for each row of a table.

    Each column shows the first of the K outputs of ``checkpoints[row]``, coloured in order from
    the start of the shot as ``colorize`` does; the gray input and the true colours stand beside.
    """
    chosen = [clips.clips[place] for place in middles(len(clips.clips), count)]
    truths = [_start_of_shot(clip) for clip in chosen]
    grays = [torch.from_numpy(truth[-1].gray())[None] for truth in truths]
    columns: dict[str, list[Picture]] = {"input": [to_picture(gray) for gray in grays]}
    for row, path in checkpoints.items():
        engine = ShotEngine(LoadedNetworks.load(path), RenderSettings(stillness=0.0))
        columns[row] = [list(engine(truth, variant=0))[-1][0].rgb for truth in truths]
    columns["truth"] = [truth[-1].rgb for truth in truths]
    lines = [list(line) for line in zip(*columns.values(), strict=True)]
    titles = [name.replace("_", " ") for name in columns]
    return contact_sheet(lines, column_titles=titles, row_titles=[clip.name for clip in chosen])


def _start_of_shot(clip: Clip) -> list[Frame]:
    """Return the first frames of a clip's first shot."""
    start, stop = clip.spans[0]
    numbers = range(start, min(stop, start + _FRAME))
    return [Frame(number, "", np.array(clip.frames[number])) for number in numbers]
