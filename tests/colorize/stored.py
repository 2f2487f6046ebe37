"""A prepared dataset on disk, for tests of programs that read one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from colorize.cartoon import CartoonSeries
from colorize.data.manifest import ClipRecord, Manifest, save_manifest

SIZE = (36, 64)


def prepared(root: Path, *, split: str = "test") -> Path:
    """Two clips of one shot each, as colorize-prepare leaves them."""
    series = CartoonSeries(seed=0, size=SIZE, shots=2, frames_per_shot=8, characters=1, scenes=2)
    (root / "frames").mkdir(parents=True)
    records = []
    for number in range(2):
        name, frames = f"clip-{number}", series.color(number)
        np.save(root / "frames" / f"{name}.npy", frames)
        count = len(frames)
        records.append(
            ClipRecord(name, name, name, "0", 0, SIZE, "crop", count, "24", (0,), 0, 0, split=split)
        )
    save_manifest(Manifest(SIZE, "crop", tuple(records), (0.8, 0.1, 0.1), 0), root)
    return root
