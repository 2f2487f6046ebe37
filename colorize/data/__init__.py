"""Clips to train and measure on: prepared from real cartoons, or drawn by a procedure.

May import base, imaging, media, shots, cartoon, motion and networks.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from colorize.cartoon import CartoonSeries, CartoonShot
    from colorize.data.augment import Augment
    from colorize.data.clip import Clip
    from colorize.data.clips import ClipDataset
    from colorize.data.drawn import CartoonClips
    from colorize.data.manifest import DatasetError
    from colorize.data.mixed import MixedClips
    from colorize.data.pictures import SeriesPictures
    from colorize.data.references import ReferenceSampling
    from colorize.data.sampler import EpochSampler, Sample, Stage
    from colorize.data.splits import Clips, PreparedClips
    from colorize.data.validation import ValidationFrames

__all__ = [
    "Augment",
    "CartoonClips",
    "CartoonSeries",
    "CartoonShot",
    "Clip",
    "ClipDataset",
    "Clips",
    "DatasetError",
    "EpochSampler",
    "MixedClips",
    "PreparedClips",
    "ReferenceSampling",
    "Sample",
    "SeriesPictures",
    "Stage",
    "ValidationFrames",
]

_HOMES = {
    "Augment": "colorize.data.augment",
    "CartoonClips": "colorize.data.drawn",
    "CartoonSeries": "colorize.cartoon",
    "CartoonShot": "colorize.cartoon",
    "Clip": "colorize.data.clip",
    "ClipDataset": "colorize.data.clips",
    "Clips": "colorize.data.splits",
    "DatasetError": "colorize.data.manifest",
    "EpochSampler": "colorize.data.sampler",
    "MixedClips": "colorize.data.mixed",
    "PreparedClips": "colorize.data.splits",
    "ReferenceSampling": "colorize.data.references",
    "Sample": "colorize.data.sampler",
    "SeriesPictures": "colorize.data.pictures",
    "Stage": "colorize.data.sampler",
    "ValidationFrames": "colorize.data.validation",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: who prepares clips needs nothing that trains on them."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
