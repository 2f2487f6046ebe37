"""Figures of coloured frames beside those of gray ones, and their means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import UInt8

from colorize.imaging.color import rgb_to_luma
from colorize.imaging.tensors import to_tensor
from colorize.metrics import Metric, measure
from colorize.metrics.colorfulness import Colorfulness
from colorize.metrics.lab import DeltaE2000, MseLab
from colorize.metrics.psnr import Psnr
from colorize.metrics.st_lpips import StLpips

WORSE = 0.5  # dB below gray from which on a frame counts as spoilt
Figures = dict[str, float]


def metrics() -> dict[str, Metric]:
    """Return what is measured; ST-LPIPS reads its package's weights.

    Raises: PretrainedWeightsError when that package is absent.
    """
    return {
        "psnr": Psnr(),
        "st_lpips": StLpips(),
        "mse_lab": MseLab(),
        "delta_e_2000": DeltaE2000(),
        "colorfulness": Colorfulness(),
    }


def figures(
    chosen: Mapping[str, Metric],
    colored: UInt8[np.ndarray, "t h w 3"],
    truth: UInt8[np.ndarray, "t h w 3"],
) -> list[Figures]:
    """Return the figures of each frame: by name of the result, ``gray_…`` and ``true_…`` of others.

    ``gain`` is the PSNR of the result minus that of gray, ``worse`` 1 where it is below -0.5 dB.
    """
    true = to_tensor(truth)
    gray = rgb_to_luma(true).expand(-1, 3, -1, -1)
    of_result = measure(chosen, to_tensor(colored), true)
    of_gray = measure(chosen, gray, true)
    of_truth = measure({"colorfulness": chosen["colorfulness"]}, true, true)
    found = []
    for at in range(len(truth)):
        each = {name: float(values[at]) for name, values in of_result.items()}
        each |= {f"gray_{name}": float(values[at]) for name, values in of_gray.items()}
        each |= {f"true_{name}": float(values[at]) for name, values in of_truth.items()}
        each["gain"] = each["psnr"] - each["gray_psnr"]
        each["worse"] = float(each["gain"] < -WORSE)
        found.append(each)
    return found


def mean(found: Sequence[Figures]) -> Figures:
    """Return the mean of each figure over frames, and how many ``frames`` there are."""
    means = {name: float(np.mean([each[name] for each in found])) for name in found[0]}
    return means | {"frames": float(len(found))}
