"""Measure coloured frames against the true ones.

All metrics of single frames share the signature of :class:`Metric`, those of the consecutive frames
of one shot that of :class:`ClipMetric`; each is a module. All pictures are RGB in [0, 1]; the
caller clips the prediction. The formula is a pure function beside the module:
:func:`colorize.metrics.psnr.psnr` and so on. :func:`measure` applies many metrics to one colouring,
:func:`measure_variants` to the gray input and K colourings, and :class:`ShotMeasurement` clip
metrics to the same; all refuse pictures outside [0, 1].

May import base, imaging, pretrained and motion.
"""

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
    measure_variants,
    split_metrics,
)

__all__ = [
    "BEST",
    "COLORIZED",
    "FIRST",
    "GRAY",
    "MEAN",
    "TRUTH",
    "Better",
    "ClipMetric",
    "Metric",
    "ShotMeasurement",
    "measure",
    "measure_variants",
    "split_metrics",
]
