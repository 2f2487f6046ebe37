"""Measure coloured frames against the true ones.

All metrics share one signature. Each is a module with the attributes ``name`` (column heading,
with unit and arrow), ``better`` ("higher", "lower", or "closer" to the true frames' own value),
``digits`` (decimals worth showing) and ``note`` (footnote, or ""), and a call

    ``metric(prediction: b 3 h w, truth: b 3 h w) -> b``

that returns one float64 value per frame. Both pictures are RGB in [0, 1]; the caller clips the
prediction. The formula is a pure function beside the module: :func:`colorize.metrics.psnr.psnr`
and so on. :func:`measure` applies many metrics to one colouring, :func:`measure_variants` to the
gray input and K colourings; both refuse pictures outside [0, 1].
"""

from colorize.metrics.colorfulness import Colorfulness, ColorfulnessError
from colorize.metrics.diverse import (
    BEST,
    COLORIZED,
    FIRST,
    GRAY,
    MEAN,
    TRUTH,
    Better,
    Metric,
    measure,
    measure_truth,
    measure_variants,
)
from colorize.metrics.lab import DeltaE2000, MseLab
from colorize.metrics.lpips import Lpips, LpipsWeightsError
from colorize.metrics.psnr import Psnr
from colorize.metrics.ssim import Ssim

__all__ = [
    "BEST",
    "COLORIZED",
    "FIRST",
    "GRAY",
    "MEAN",
    "TRUTH",
    "Better",
    "Colorfulness",
    "ColorfulnessError",
    "DeltaE2000",
    "Lpips",
    "LpipsWeightsError",
    "Metric",
    "MseLab",
    "Psnr",
    "Ssim",
    "measure",
    "measure_truth",
    "measure_variants",
]
