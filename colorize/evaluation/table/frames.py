"""Show what the rows of a table make of the same frames, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    columns = {"input": [_gray(truth[-1]) for truth in truths]}
    for row, path in checkpoints.items():
        networks = LoadedNetworks.load(path)
        columns[row] = [_colored(networks, truth) for truth in truths]
    columns["truth"] = [truth[-1].rgb for truth in truths]
    lines = [list(line) for line in zip(*columns.values(), strict=True)]
    titles = [name.replace("_", " ") for name in columns]
    return contact_sheet(lines, column_titles=titles, row_titles=[clip.name for clip in chosen])


def _start_of_shot(clip: Clip) -> list[Frame]:
    """Return the first frames of a clip's first shot."""
    start, stop = clip.spans[0]
    numbers = range(start, min(stop, start + _FRAME))
    return [Frame(number, "", np.array(clip.frames[number])) for number in numbers]


def _gray(frame: Frame) -> Picture:
    return to_picture(torch.from_numpy(frame.gray())[None])


def _colored(networks: LoadedNetworks, truth: Sequence[Frame]) -> Picture:
    """Return the last frame as the first output shows it."""
    engine = ShotEngine(networks, RenderSettings(stillness=0.0))
    *_, (last,) = engine(truth, variant=0)
    return last.rgb
