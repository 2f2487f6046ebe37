"""Several kinds of clips as one: real ones and procedural cartoons."""

from __future__ import annotations

from collections.abc import Sequence

from colorize.base.errors import require
from colorize.base.progress import tracked
from colorize.data.clip import Clip
from colorize.data.clips import ClipDataset
from colorize.data.drawn import CartoonClips
from colorize.data.splits import Clips


class MixedClips:
    """Prepared clips together with many procedural series, for training.

    ``clips`` are the real ones, and validation and testing are theirs alone. ``cartoons`` series of
    ``shots`` shots each, of seeds from ``first_seed``, join their training split; ``effects`` puts
    fades and flashes into some. Each real frame counts ``repeat`` times (0: they only validate).
    ``stories`` add the pictures of illustrated stories, each ``repeat_stories`` times.

    Raises:
        ValueError: Fewer than one series or shot, or a negative repetition.
    """

    def __init__(
        self,
        *,
        clips: Clips,
        cartoons: int = 40,
        shots: int = 8,
        frames_per_shot: int = 12,
        size: Sequence[int] = (108, 192),
        effects: bool = False,
        first_seed: int = 1000,
        repeat: int = 3,
        stories: Clips | None = None,
        repeat_stories: int = 1,
    ) -> None:
        for name, value in {"cartoons": cartoons, "shots": shots}.items():
            require(f"data.{name}", value >= 1, value, "1 or more")
        for name, value in {"repeat": repeat, "repeat_stories": repeat_stories}.items():
            require(f"data.{name}", value >= 0, value, "0 or more")
        self.clips = clips
        self.stories, self.repeat_stories = stories, repeat_stories
        self.repeat = repeat
        self.series = [
            CartoonClips(
                seed=seed, size=size, train=shots, val=1, test=1,
                frames_per_shot=frames_per_shot, effects=effects,
            )
            for seed in range(first_seed, first_seed + cartoons)
        ]  # fmt: skip
        last = first_seed + cartoons - 1
        self.label = f"{clips.label} and {cartoons} procedural series, seeds {first_seed}-{last}"
        if stories is not None:
            self.label += f", and {stories.label}"

    def split(self, name: str) -> ClipDataset:
        """Return a split; training series are drawn now."""
        real = self.clips.split(name)
        if name != "train":
            return real
        clips: list[Clip] = list(real.clips) * self.repeat
        if self.stories is not None:
            clips += list(self.stories.split(name).clips) * self.repeat_stories
        for series in tracked(self.series, "drawing series", unit="series"):
            clips += series.split("train").clips
        return ClipDataset(clips=clips)
