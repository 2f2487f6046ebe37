"""Put the weights of a finished run into the package, as what colorize uses by default.

  python tools/ship_weights.py runs/reference/model.safetensors --name default

Matrices and kernels are stored in half precision, which halves the file; vectors (biases, batch
statistics) stay as they are. What colorize computes from the file differs from the run's own by
less than a 255th: --check FRAME... measures it on pictures. --unguided takes what paints without
references from another run, of experiment=committee, which was trained on the same features:

  python tools/ship_weights.py runs/reference-hints/checkpoints/last.ckpt --name default \\
      --unguided runs/committee/checkpoints/last.ckpt
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from colorize.base.errors import one_line_errors
from colorize.inference.checkpoints import Checkpoint, export, load_checkpoint
from colorize.inference.colorizer import Colorizer
from colorize.media import open_source
from colorize.media.frame import to_depth

_FOLDER = Path(__file__).resolve().parents[1] / "colorize" / "inference" / "weights"
_FEATURES, _UNGUIDED = "matcher.features.", "unguided."
_LARGEST = 25 * 10**6  # bytes


def main() -> None:
    """Write the file, and say how large it is and what it changes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path, help="model.safetensors of a finished run")
    parser.add_argument("--name", default="default", help="what it is called (default: default)")
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="default: colorize/weights")
    parser.add_argument(
        "--unguided", type=Path, help="another run, whose unguided part is taken (default: none)"
    )
    parser.add_argument("--check", type=Path, nargs="*", default=[], help="pictures to compare on")
    options = parser.parse_args()
    with one_line_errors():
        path = ship(
            options.checkpoint,
            options.folder / f"{options.name}.safetensors",
            unguided=options.unguided,
        )
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
        for picture in options.check if options.unguided is None else ():
            difference = largest_difference(options.checkpoint, path, picture)
            print(f"{picture}: differs by at most {255 * difference:.2f} of 255")


def ship(checkpoint: Path, path: Path, *, unguided: Path | None = None) -> Path:
    """Write ``checkpoint`` to ``path``, large tensors in half precision.

    Raises:
        CheckpointError: It cannot be read.
        ValueError: The file would be too large to ship, or ``unguided`` has other features.
    """
    loaded = load_checkpoint(checkpoint)
    if unguided is not None:
        loaded = with_unguided(loaded, load_checkpoint(unguided))
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


def with_unguided(first: Checkpoint, second: Checkpoint) -> Checkpoint:
    """Return a checkpoint with the unguided part of a second one, which says so.

    Raises:
        ValueError: Their features differ, on which that part was trained.
    """
    for name, tensor in first.weights.items():
        if name.startswith(_FEATURES) and not torch.equal(tensor, second.weights[name]):
            raise ValueError(f"{second.path}: its features are not those of {first.path}")
    parts = {n: each for n, each in first.weights.items() if not n.startswith(_UNGUIDED)}
    parts |= {n: each for n, each in second.weights.items() if n.startswith(_UNGUIDED)}
    model = {**first.model, "unguided": second.model["unguided"]}
    description = {**first.description, "unguided": second.description}
    return replace(first, weights=parts, model=model, description=description)


def largest_difference(first: Path, second: Path, picture: Path) -> float:
    """Return by how much the automatic colours of a picture differ at most, in [0, 1]."""
    with open_source(picture) as source:
        rgb = to_depth(next(iter(source.frames())).rgb, np.dtype(np.uint16))
    one, other = (Colorizer.load(path, device="cpu")(rgb).astype(int) for path in (first, second))
    return float(np.abs(one - other).max() / 65535)


if __name__ == "__main__":
    main()
