"""Measure how colourful a picture looks."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from colorize.metrics.diverse import FrameMetric


def colorfulness(image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, " b"]:
    """Return each frame's colourfulness, on the scale of RGB in 0...255; 0 for gray.

    ``image`` is RGB in [0, 1]; about 15 is slightly, 59 quite, 109 extremely colourful.

    Source: Hasler and Süsstrunk 2003, Measuring Colourfulness in Natural Images, section 7 (M3),
    with signed opponent differences and population standard deviations.
    """
    red, green, blue = (255 * image.double()).flatten(2).unbind(1)
    opponents = torch.stack([red - green, (red + green) / 2 - blue])
    spread = opponents.std(dim=-1, correction=0).norm(dim=0)
    return spread + 0.3 * opponents.mean(dim=-1).norm(dim=0)


def colorfulness_error(
    prediction: Float[Tensor, "b 3 h w"], truth: Float[Tensor, "b 3 h w"]
) -> Float[Tensor, " b"]:
    """Return how far each frame's colourfulness is from the true frame's, without sign."""
    return (colorfulness(prediction) - colorfulness(truth)).abs()


class Colorfulness(FrameMetric):
    """Colourfulness per frame; best where it is nearest to the true frames'."""

    name = "Colourfulness (→ truth)"
    better = "closer"
    digits = 1
    note = "best where nearest to the true colours', neither high nor low"

    def forward(
        self, prediction: Float[Tensor, "b 3 h w"], truth: Float[Tensor, "b 3 h w"]
    ) -> Float[Tensor, " b"]:
        """Return the colourfulness of each predicted frame; ``truth`` plays no part in it."""
        return colorfulness(prediction)


class ColorfulnessError(FrameMetric):
    """Distance of the colourfulness from the true frame's, per frame, without sign."""

    name = "Colourfulness error ↓"
    better = "lower"
    digits = 1
    note = "|colourfulness − the true frame's|, frame by frame"
    measure = staticmethod(colorfulness_error)
