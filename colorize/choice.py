"""Which of the K colourings a shot gets, and the samples to look at when somebody chooses."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

# The output that colours a shot unless somebody chooses another. RankDiv trains the outputs in a
# fixed order, each with twice the weight of the next, and over all films no rule that looks at the
# shots was measured to be better: experiments/choice compares stability, colourfulness, typicality
# and agreement of like shots. One output for the whole film also keeps colours from scene to scene.
AUTO_OUTPUT = 0


@dataclass(frozen=True)
class ShotSample:
    """Pairs of consecutive frames spread over a shot, and all K colourings of them.

    ``gray`` in [0, 1] and ``outputs``, RGB in [0, 1], are of the working size; a shot of one frame
    has it twice.
    """

    gray: Float[Tensor, "n 2 1 h w"]
    outputs: Float[Tensor, "n 2 k 3 h w"]
