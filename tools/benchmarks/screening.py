"""Time MonaCNN from JPEG files to probabilities, as screening a folder does."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.timing import Setting, print_shares
from classify.checkpoints import Checkpoint
from classify.models import Mona
from classify.predict import Classifier

_PICTURES, _SIZE = 16, (1280, 720)
_PUBLISHED = 0.075  # seconds a picture, the mean that the MonaCNN paper states for its own hardware
_WHOLE, _DECODING = "MonaCNN, JPEG to probabilities", "decoding and resizing alone"


def screening(setting: Setting) -> dict[str, Any]:
    """Time pictures of 1280x720 through the full network, random weights, decoding included."""
    classifier = Classifier(_checkpoint(setting.seed), device=setting.device)
    with tempfile.TemporaryDirectory() as folder:
        files = _write_pictures(Path(folder), setting.seed)
        contents = [file.read_bytes() for file in files]
        times = setting.medians(
            {
                _WHOLE: lambda: list(classifier.files(files)),
                _DECODING: lambda: [
                    classifier.preprocessing.of_file(content, "picture") for content in contents
                ],
            }
        )
    print_shares(f"screening {_PICTURES} pictures of {_SIZE[0]}x{_SIZE[1]}", times)
    each = times[_WHOLE] / _PICTURES
    print(
        f"  {1 / each:.1f} pictures per second, {each:.3f} s each; published: {_PUBLISHED} s on "
        "other hardware"
    )
    return {"seconds": times, "pictures_per_second": 1 / each}


def _checkpoint(seed: int) -> Checkpoint:
    torch.manual_seed(seed)
    preprocessing = {"_target_": "classify.preprocessing.Preprocessing", "size": [512, 512]}
    config = {
        "model": {"_target_": "classify.models.Mona"},
        "preprocessing": {**preprocessing, "channels": 3},
    }
    description = {"classes": ["target", "others"], "config": config}
    return Checkpoint(Path("random weights"), Mona().state_dict(), description)


def _write_pictures(folder: Path, seed: int) -> list[Path]:
    random = np.random.default_rng(seed)
    files = [folder / f"{number:02d}.jpg" for number in range(_PICTURES)]
    for file in files:
        coarse = random.integers(0, 256, (45, 80, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize(_SIZE).save(file, quality=90)
    return files
