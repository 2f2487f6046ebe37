"""The schema of a measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from colorize.base.arguments import MISSING


@dataclass
class EvaluateConfig:
    """Everything ``colorize-evaluate`` reads; give ``checkpoint`` and ``data``, or two folders.

    ``size`` is the short side the network works at; null is that of its training. ``refine`` is
    whether the checkpoint's refiner is measured too (null: where there is one; false: the main
    network alone); ``flow_weights`` replaces the file of RAFT's weights that it names.
    ``stillness``, ``saturation``, ``references_per_frame`` and ``fast`` are those of ``colorize``;
    ``own_luma`` measures RGB as a network says it that predicts it freely, which needs
    ``stillness=0``. Every ``every``-th frame of a clip is measured; metrics of clips take all
    frames of a shot.
    ``reference_frames`` frames of each clip, evenly spaced (one: the first), are shown in colour
    and not measured; with ``reference_scope=shot`` as many of each shot (one: its middle), for that
    shot alone. ``show_references=false`` leaves them out only, to compare on the same frames.
    ``baseline`` measures a simple way to colour by them instead of a checkpoint:
    copied, moved (along ``flow``, with ``flow_weights``) or transferred. Of ``prediction``, frames
    called as the pictures in the folder ``leave_out``, such as references, are not measured.
    """

    output: str = MISSING
    checkpoint: str | None = None
    data: Any = None
    split: str = "test"
    size: int | None = None
    refine: bool | None = None
    flow_weights: str | None = None
    stillness: float = 0.9
    saturation: float = 1.0
    references_per_frame: int = 4
    fast: bool = False
    own_luma: bool = False
    reference_frames: int = 0
    reference_scope: str = "clip"
    show_references: bool = True
    baseline: str | None = None
    flow: str = "dis"
    prediction: str | None = None
    truth: str | None = None
    leave_out: str | None = None
    metric: dict[str, Any] = MISSING
    device: str = "auto"
    batch_size: int = 8
    every: int = 1
    sheet_rows: int = 6
