"""Clips to train and measure on: prepared from real cartoons, or drawn by a procedure.

May import base, imaging, media, shots, cartoon, motion and networks.
"""

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
