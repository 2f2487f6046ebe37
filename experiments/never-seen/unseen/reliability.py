"""Compare the error that a network expects of its colours with the one that it has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import Tensor

# Of the expected error, in units of chroma; what lies outside counts with the outermost bin.
EDGES = np.geomspace(0.004, 0.5, 19)


class Reliability:
    """Sums over pixels, by the error that the network expects of each."""

    def __init__(self) -> None:
        self.sums = np.zeros((3, len(EDGES) - 1))  # pixels, expected and true squared errors

    def add(self, expected: Float[Tensor, "*b h w"], true: Float[Tensor, "*b h w"]) -> None:
        """Count the pixels of frames; both are errors of chroma, not squared."""
        values = expected.flatten().double().numpy()
        places = np.clip(np.digitize(values, EDGES) - 1, 0, len(EDGES) - 2)
        squares = (np.ones_like(values), values**2, true.flatten().double().numpy() ** 2)
        for row, weights in zip(self.sums, squares, strict=True):
            row += np.bincount(places, weights=weights, minlength=len(row))

    def curve(self) -> list[dict[str, float]]:
        """Return pixels, expected and true root-mean-square error of each bin that has any."""
        counted = self.sums[:, self.sums[0] > 0].T
        return [
            {"pixels": n, "expected": float(np.sqrt(e / n)), "true": float(np.sqrt(t / n))}
            for n, e, t in counted.tolist()
        ]


def calibration_error(curve: list[dict[str, float]]) -> float:
    """Return the mean over pixels of the distance of expected and true error of their bins."""
    pixels = sum(each["pixels"] for each in curve)
    return sum(each["pixels"] * abs(each["expected"] - each["true"]) for each in curve) / pixels


def draw(curves: Mapping[str, list[dict[str, float]]], file: Path) -> None:
    """Plot true against expected error, one line for each kind of drawing, both axes equal."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    limits = (float(EDGES[0]), float(EDGES[-1]))
    axes.plot(limits, limits, color="0.6", linewidth=1, label="as expected")
    for name, curve in curves.items():
        total = sum(each["pixels"] for each in curve)
        shown = [each for each in curve if each["pixels"] > 1e-4 * total]
        error = f"{name} (off by {calibration_error(curve):.3f})"
        axes.plot([e["expected"] for e in shown], [e["true"] for e in shown], "o-", label=error)
    axes.set(
        xscale="log", yscale="log", xlim=limits, ylim=limits, aspect="equal",
        xlabel="expected error of chroma", ylabel="true error of chroma (RMS)",
    )  # fmt: skip
    axes.legend(fontsize=8)
    figure.savefig(file, dpi=120)
