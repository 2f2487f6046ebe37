"""A procedural series as training, validation and test clips."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped

from colorize.base.errors import require, require_choice
from colorize.base.progress import tracked
from colorize.cartoon import CartoonSeries
from colorize.data.clip import Clip
from colorize.data.clips import ClipDataset
from colorize.data.manifest import SPLITS, Split


@dataclass(kw_only=True, eq=False)
class CartoonClips:
    """A procedural series, rendered when a split is asked for; every shot is a clip.

    The first ``train`` shots are for training, the next ``val`` for validation, the last ``test``
    are held out. All show the same cast and sets, as the episodes of one series do. The clips know
    their true flow, visibility and segments, rendered for a shot when a target first asks for them.
    """

    seed: int = 0
    size: Sequence[int] = (108, 192)
    train: int = 40
    val: int = 4
    test: int = 6
    frames_per_shot: int = 12
    characters: int = 3
    scenes: int = 4
    grain: float = 0.0
    effects: bool = True
    look: str = "rubber_hose"

    def __post_init__(self) -> None:
        for split in SPLITS:
            shots = getattr(self, split)
            require(f"data.{split}", shots >= 1, shots, "at least one shot")
        height, width = self.size
        self.series = CartoonSeries(
            seed=self.seed,
            size=(height, width),
            shots=self.train + self.val + self.test,
            frames_per_shot=self.frames_per_shot,
            characters=self.characters,
            scenes=self.scenes,
            grain=self.grain,
            effects=self.effects,
            look=self.look,
        )
        drawn = "" if self.look == "rubber_hose" else f", look {self.look}"
        self.label = f"procedural cartoon, seed {self.seed}, {height}x{width}{drawn}"

    def shots(self, name: str) -> range:
        """Return the numbers of the shots of a split.

        Raises:
            ValueError: There is no such split.
        """
        require_choice("split", name, Split)
        first = sum(getattr(self, other) for other in SPLITS[: SPLITS.index(name)])
        return range(first, first + getattr(self, name))

    def split(self, name: str) -> ClipDataset:
        """Render the shots of one split."""
        shots = tracked(self.shots(name), f"drawing {name} shots", unit="shot")
        return ClipDataset(
            clips=[
                Clip(
                    name=f"shot-{shot:03d}",
                    frames=self.series.color(shot),
                    truth=functools.partial(_truth, self.series, shot),
                    series=self.label,
                    origin="procedural cartoon",
                )
                for shot in shots
            ]
        )


def _truth(
    series: CartoonSeries, shot: int, names: frozenset[str]
) -> dict[str, Shaped[np.ndarray, "t h w *channels"]]:
    """Render a shot once more, with what is known of it, and keep what is called ``names``."""
    rendered = series.shot(shot)
    return {name: getattr(rendered, name) for name in names}
