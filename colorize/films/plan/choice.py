"""Which of the K colourings a shot gets unless somebody chooses another."""

from __future__ import annotations

# The first. RankDiv trains the outputs in a fixed order, each with twice the weight of the next,
# and over all films no rule that looks at the shots was measured to be better: experiments/choice
# compares stability, colourfulness, typicality and agreement of like shots. One output for the
# whole film also keeps colours from scene to scene.
AUTO_OUTPUT = 0
