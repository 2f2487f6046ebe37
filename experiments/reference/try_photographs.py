"""Show what weights for cartoons do to photographs: scikit-image's own, gray, coloured and true.

Nothing here is what tooncolor is for; the model card says what comes out, and this draws it.

  python experiments/reference/try_photographs.py -o scratch/photographs.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from skimage import data

from colorize.imaging.color import rgb_to_luma
from colorize.imaging.contact_sheet import contact_sheet, save_sheet
from colorize.imaging.tensors import to_picture, to_tensor
from colorize.inference.colorizer import Colorizer
from colorize.metrics.psnr import psnr

# What comes inside the package; its other pictures are downloaded.
PICTURES = ("astronaut", "chelsea", "coffee", "rocket")


@torch.inference_mode()
def main() -> None:
    """Print PSNR of gray and of the colouring, and draw all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", default="default", help="default: the shipped weights")
    parser.add_argument("-o", "--output", type=Path, default=Path("photographs.png"))
    options = parser.parse_args()
    colorizer = Colorizer.load(options.checkpoint)
    rows = []
    print("| photograph | gray, dB | coloured, dB |\n| --- | --: | --: |")
    for name in PICTURES:
        picture = np.asarray(getattr(data, name)())
        truth = to_tensor(picture[None])
        gray = rgb_to_luma(truth)
        colored = to_tensor(colorizer(picture)[None])
        shown = (gray.expand_as(truth), colored, truth)
        of_gray, of_colored = (float(psnr(each, truth)) for each in shown[:2])
        print(f"| {name} | {of_gray:.1f} | {of_colored:.1f} |")
        rows.append([to_picture(each[0]) for each in shown])
    sheet = contact_sheet(rows, column_titles=["input", "colorized", "truth"], row_titles=PICTURES)
    save_sheet(options.output, sheet)


if __name__ == "__main__":
    main()
