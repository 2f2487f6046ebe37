"""Write what was measured: a table by series, contact sheets, and how it came about."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from colorize.base.provenance import provenance
from colorize.imaging.color import rgb_to_luma
from colorize.imaging.contact_sheet import contact_sheet, save_sheet
from colorize.imaging.tensors import to_picture, to_tensor
from colorize.inference.colorizer import Colorizer
from colorize.media import fingerprint
from unseen.drawings import TITLES
from unseen.figures import WORSE, Figures

# Figure, heading and decimals of each column.
COLUMNS = (
    ("frames", "frames", 0),
    ("gray_psnr", "PSNR of gray (dB)", 2),
    ("psnr", "PSNR (dB) ↑", 2),
    ("gain", "gain (dB) ↑", 2),
    ("worse", f"worse than gray by {WORSE} dB ↓", 0),
    ("gray_st_lpips", "ST-LPIPS of gray", 3),
    ("st_lpips", "ST-LPIPS (alex) ↓", 3),
    ("mse_lab", "MSE Lab ↓", 5),
    ("delta_e_2000", "ΔE2000 ↓", 1),
    ("colorfulness", "colourfulness", 1),
    ("true_colorfulness", "of the truth", 1),
)


def parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser of what every measurement is given: weights, data, and where to write."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument(
        "--checkpoint", default="default", help="a checkpoint, or the name of shipped weights"
    )
    made.add_argument("--storybook", type=Path, help="the folder of Storybook")
    made.add_argument("--clips", type=Path, help="Penny & Chip, made by colorize-prepare")
    made.add_argument(
        "--saw", nargs="+", default=[], metavar="NAME",
        help="what the weights were trained on; recorded beside the figures",
    )  # fmt: skip
    made.add_argument("--device", default="auto", help="auto, cpu or cuda (default auto)")
    made.add_argument("-o", "--output", type=Path, default=Path("never-seen"))
    return made


@dataclass(frozen=True)
class Coloured:
    """A frame that was measured: its name, its gain over gray in dB, its colours and the true."""

    name: str
    gain: float
    colored: UInt8[np.ndarray, "h w 3"]
    truth: UInt8[np.ndarray, "h w 3"]


def table(kinds: Mapping[str, dict[str, Any]]) -> str:
    """Return the means of every series and kind as Markdown."""
    lines = ["| | " + " | ".join(title for _, title, _ in COLUMNS) + " |"]
    lines.append("| --- |" + " --: |" * len(COLUMNS))
    for kind, found in kinds.items():
        lines.append(_line(f"**{TITLES[kind]}**", found["mean"]))
        lines += [_line(name, means) for name, means in found["series"].items()]
    return "\n".join(lines) + "\n"


def _line(name: str, means: Figures) -> str:
    cells = [
        f"{100 * means[key]:.0f} %" if key == "worse" else f"{means[key]:.{digits}f}"
        for key, _, digits in COLUMNS
    ]
    return f"| {name} | " + " | ".join(cells) + " |"


def draw_sheet(frames: Sequence[Coloured], file: Path) -> None:
    """Draw the frames of the most, the median and the least gain over gray."""
    ranked = sorted(frames, key=lambda each: -each.gain)
    places = {"best": 0, "median": len(ranked) // 2, "worst": -1}
    chosen = {name: ranked[place] for name, place in places.items()}
    rows = []
    for each in chosen.values():
        gray = to_picture(rgb_to_luma(to_tensor(each.truth[None]))[0])
        rows.append([gray, each.colored, each.truth])
    sheet = contact_sheet(
        rows,
        column_titles=["input", "colorized", "truth"],
        row_titles=[f"{name}, {each.gain:+.1f} dB: {each.name}" for name, each in chosen.items()],
    )
    save_sheet(file, sheet)


def made(colorizer: Colorizer, *, data: str, seed: int, saw: Sequence[str]) -> dict[str, Any]:
    """Return how figures came about, without the paths of the machine.

    ``saw`` names what the weights were trained on, as the command line says it.
    """
    assert colorizer.checkpoint is not None
    path, description = colorizer.checkpoint.path, colorizer.checkpoint.description
    step, commit = description["step"], description["provenance"]["commit"]
    found = provenance(
        data=data,
        checkpoint=f"{path.name}: step {step}, commit {commit}, sha256 {fingerprint(path)[:16]}",
        weights={**description["weights"], "st_lpips": "stlpips-pytorch 0.0.2, AlexNet"},
        seed=seed,
        device=colorizer.device,
    )
    words = re.split(r"(\s|=)", found["command"])
    found["command"] = "".join(Path(w).name if Path(w).is_absolute() else w for w in words)
    return found | {"saw": list(saw)}
