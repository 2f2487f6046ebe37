"""Put the weights of a finished run into the package, as what colorize uses by default.

  python tools/ship_weights.py runs/reference/model.safetensors --name default

Matrices and kernels are stored in half precision, which halves the file; vectors (biases, batch
statistics) stay as they are. What colorize computes from the file differs from the run's own by
less than a 255th: --check FRAME... measures it on pictures.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from colorize.base.errors import one_line_errors
from colorize.inference.checkpoints import export, load_checkpoint
from colorize.inference.colorizer import Colorizer
from colorize.media import open_source
from colorize.media.frame import to_depth

_FOLDER = Path(__file__).resolve().parents[1] / "colorize" / "inference" / "weights"
_LARGEST = 25 * 10**6  # bytes


def main() -> None:
    """Write the file, and say how large it is and what it changes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path, help="model.safetensors of a finished run")
    parser.add_argument("--name", default="default", help="what it is called (default: default)")
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="default: colorize/weights")
    parser.add_argument("--check", type=Path, nargs="*", default=[], help="pictures to compare on")
    options = parser.parse_args()
    with one_line_errors():
        path = ship(options.checkpoint, options.folder / f"{options.name}.safetensors")
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
        for picture in options.check:
            difference = largest_difference(options.checkpoint, path, picture)
            print(f"{picture}: differs by at most {255 * difference:.2f} of 255")


def ship(checkpoint: Path, path: Path) -> Path:
    """Write ``checkpoint`` to ``path``, large tensors in half precision.

    Raises:
        CheckpointError: It cannot be read.
        ValueError: The file would be too large to ship.
    """
    loaded = load_checkpoint(checkpoint)
    weights = {
        name: tensor.half() if tensor.ndim > 1 and tensor.is_floating_point() else tensor
        for name, tensor in loaded.weights.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    export(replace(loaded, weights=weights), path)
    if path.stat().st_size > _LARGEST:
        path.unlink()
        raise ValueError(f"{checkpoint}: above {_LARGEST / 1e6:.0f} MB; ship a smaller network")
    return path


def largest_difference(first: Path, second: Path, picture: Path) -> float:
    """Return by how much the automatic colours of a picture differ at most, in [0, 1]."""
    with open_source(picture) as source:
        rgb = to_depth(next(iter(source.frames())).rgb, np.dtype(np.uint16))
    one, other = (Colorizer.load(path, device="cpu")(rgb).astype(int) for path in (first, second))
    return float(np.abs(one - other).max() / 65535)


if __name__ == "__main__":
    main()
