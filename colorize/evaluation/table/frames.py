"""Show what the rows of a table make of the same frames, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from colorize.base.pieces import middles
from colorize.data import Clip, ClipDataset
from colorize.imaging.color import rgb_to_luma
from colorize.imaging.contact_sheet import Picture, contact_sheet
from colorize.imaging.tensors import to_picture
from colorize.inference.colorizer import Colorizer

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
    columns = {"input": [to_picture(rgb_to_luma(truth[-1:])[0]) for truth in truths]}
    for row, path in checkpoints.items():
        colorizer = Colorizer.load(path)
        columns[row] = [_colored(colorizer, truth) for truth in truths]
    columns["truth"] = [to_picture(truth[-1]) for truth in truths]
    lines = [list(line) for line in zip(*columns.values(), strict=True)]
    titles = [name.replace("_", " ") for name in columns]
    return contact_sheet(lines, column_titles=titles, row_titles=[clip.name for clip in chosen])


def _start_of_shot(clip: Clip) -> Float[Tensor, "t 3 h w"]:
    """Return the first frames of a clip's first shot, in [0, 1]."""
    end = next((start for start in clip.shots if start > 0), clip.count)
    frames = np.array(clip.frames[: min(_FRAME, end)]).astype(np.float32) / 255
    return torch.from_numpy(frames).permute(0, 3, 1, 2)


def _colored(colorizer: Colorizer, truth: Float[Tensor, "t 3 h w"]) -> Picture:
    """Return the last frame as the first output shows it."""
    return to_picture(colorizer.stream(variant=0)(rgb_to_luma(truth))[-1, 0])
