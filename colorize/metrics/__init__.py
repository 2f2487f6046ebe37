"""Measure coloured frames against the true ones.

All metrics of single frames share one signature. Each is a module with the attributes ``name``
(column heading, with unit and arrow), ``better`` ("higher", "lower", or "closer" to the true
frames' own value), ``digits`` (decimals worth showing) and ``note`` (footnote, or ""), and a call

    ``metric(prediction: b 3 h w, truth: b 3 h w) -> b``

that returns one float64 value per frame.

Metrics of clips look at the consecutive frames of one shot, and share another. They have the same
attributes; ``per``, what has one value ("pair" or "shot"); ``basis``; and three calls, of which the
first two take a shot in chunks of frames, each beginning with the last frame of the chunk before:

    ``prepare(truth: t 3 h w) -> prepared``, such as flow: once for all colourings and all metrics
    of equal ``basis``;
    ``observe(prediction: t 3 h w, prepared) -> t …``, an entry per frame, made of it and the frame
    before it; the entry of a chunk's first frame counts only where the shot begins;
    ``conclude(entries: t …) -> t``, a float64 value per frame of the whole shot, NaN where there is
    none: a pair's value stands at its second frame, a shot's at its last.

All pictures are RGB in [0, 1]; the caller clips the prediction. The formula is a pure function
beside the module: :func:`colorize.metrics.psnr.psnr` and so on. :func:`measure` applies many
metrics to one colouring, :func:`measure_variants` to the gray input and K colourings, and
:class:`ShotMeasurement` clip metrics to the same; all refuse pictures outside [0, 1].

May import base, imaging, pretrained and motion.
"""

from colorize.metrics.colorfulness import Colorfulness, ColorfulnessError
from colorize.metrics.distribution import ColorDistribution
from colorize.metrics.diverse import (
    BEST,
    COLORIZED,
    FIRST,
    GRAY,
    MEAN,
    TRUTH,
    Better,
    ClipMetric,
    Metric,
    ShotMeasurement,
    measure,
    measure_truth,
    measure_variants,
    split_metrics,
)
from colorize.metrics.lab import DeltaE2000, MseLab
from colorize.metrics.lpips import Lpips
from colorize.metrics.psnr import Psnr
from colorize.metrics.segment_spread import SegmentSpread
from colorize.metrics.ssim import Ssim
from colorize.metrics.warp_error import WarpError

__all__ = [
    "BEST",
    "COLORIZED",
    "FIRST",
    "GRAY",
    "MEAN",
    "TRUTH",
    "Better",
    "ClipMetric",
    "ColorDistribution",
    "Colorfulness",
    "ColorfulnessError",
    "DeltaE2000",
    "Lpips",
    "Metric",
    "MseLab",
    "Psnr",
    "SegmentSpread",
    "ShotMeasurement",
    "Ssim",
    "WarpError",
    "measure",
    "measure_truth",
    "measure_variants",
    "split_metrics",
]
