"""Run the detectors of PySceneDetect on luma; nothing else needs that package.

``pip install --no-deps scenedetect platformdirs click``: with its own requirements it would put a
second OpenCV, one that needs a display, over ours.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from shot_films.joints import Frames

Detector = Callable[[Frames], list[int]]

_SHORTEST = 3  # frames between two cuts; with the package's own 15 no short shot could be found
_RATE = 24.0


def scene_detectors() -> dict[str, Detector]:
    """Return the detectors of the comparison by name; none where the package is missing.

    Thresholds are the package's own, but where another gave a better F1 on the films of seed 1:
    Content 35 (not 27, 20), Histogram 0.4 (not 0.05, 0.2). For Adaptive (2, 3, 4) and Hash (0.25,
    0.35, 0.45) its own was best. Threshold, which finds fades to black alone, joins another.
    """
    if find_spec("scenedetect") is None:
        return {}
    from scenedetect import detectors as of

    apart = {"min_scene_len": _SHORTEST}
    gray = {"luma_only": True, **apart}  # gray has no hue and saturation to average with
    recipes: dict[str, list[tuple[Any, dict[str, Any]]]] = {
        "Content": [(of.ContentDetector, {"threshold": 35.0, **gray})],
        "Adaptive": [(of.AdaptiveDetector, gray)],
        "Histogram": [(of.HistogramDetector, {"threshold": 0.4, **apart})],
        "Hash": [(of.HashDetector, apart)],
        "Hash + Threshold": [(of.HashDetector, apart), (of.ThresholdDetector, apart)],
    }
    return {name: _detector(recipe) for name, recipe in recipes.items()}


def _detector(recipe: list[tuple[Any, dict[str, Any]]]) -> Detector:
    """Return a function that feeds a film to new detectors and joins the starts they find."""

    def find(frames: Frames) -> list[int]:
        found = {0}
        for kind, options in recipe:
            found |= _starts(kind(**options), frames)
        return sorted(found)

    return find


def _starts(detector: Any, frames: Frames) -> set[int]:
    from scenedetect import FrameTimecode

    cuts = []
    for index, frame in enumerate(frames):
        picture = np.repeat(frame[..., None], 3, axis=2)
        cuts += detector.process_frame(FrameTimecode(index, _RATE), picture)
    cuts += detector.post_process(FrameTimecode(len(frames) - 1, _RATE))
    return {int(cut.frame_num) for cut in cuts}
