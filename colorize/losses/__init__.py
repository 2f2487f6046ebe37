"""What training minimises.

All losses derive from :class:`colorize.losses.base.Loss`, share its signature and say as attributes
what they need. The formula is a pure function beside the module.

May import base, imaging, pretrained and motion.
"""

from colorize.losses.base import Loss
from colorize.losses.bilateral import Bilateral
from colorize.losses.color import Color
from colorize.losses.proposals import Proposals
from colorize.losses.rank_diversity import RankDiversity, balanced_divisors, rank_diversity
from colorize.losses.refinement import Refinement
from colorize.losses.segment import Segment
from colorize.losses.segment_uniformity import SegmentUniformity
from colorize.losses.temporal import Temporal
from colorize.losses.temporal_second_order import TemporalSecondOrder
from colorize.losses.uncertainty import Uncertainty
from colorize.losses.unguided import Unguided

__all__ = [
    "Bilateral",
    "Color",
    "Loss",
    "Proposals",
    "RankDiversity",
    "Refinement",
    "Segment",
    "SegmentUniformity",
    "Temporal",
    "TemporalSecondOrder",
    "Uncertainty",
    "Unguided",
    "balanced_divisors",
    "rank_diversity",
]
