"""What training minimises.

All losses share one signature. Each is a module called with

- ``outputs`` (b t k 3 h w): K colourings of b clips of t frames (1 for stills, 2 for consecutive
  pairs), RGB in [0, 1] where they are valid colours, not clipped;
- ``truth`` (b t 3 h w): the true colours in [0, 1];
- ``guides``: tensors by name that the loss asks for in its class attribute ``needs``.

It returns an unweighted scalar; the attribute ``weight`` is applied by
:class:`colorize.training.objective.Objective`.

May import base, imaging, pretrained and motion.
"""

from colorize.losses.bilateral import Bilateral
from colorize.losses.color import Color
from colorize.losses.proposals import Proposals
from colorize.losses.rank_diversity import RankDiversity, balanced_divisors, rank_diversity
from colorize.losses.refinement import Refinement
from colorize.losses.segment import Segment
from colorize.losses.segment_uniformity import SegmentUniformity
from colorize.losses.temporal import Temporal
from colorize.losses.temporal_second_order import TemporalSecondOrder

__all__ = [
    "Bilateral",
    "Color",
    "Proposals",
    "RankDiversity",
    "Refinement",
    "Segment",
    "SegmentUniformity",
    "Temporal",
    "TemporalSecondOrder",
    "balanced_divisors",
    "rank_diversity",
]
