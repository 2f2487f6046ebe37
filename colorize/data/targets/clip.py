"""Provide the targets of each sample: read back from disk, known of the clip, or computed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from torch import Tensor

from colorize.base.errors import UserError
from colorize.data.augment import Geometry
from colorize.data.clip import Clip
from colorize.data.sampler import Sample
from colorize.data.targets.cache import cache_file, read_targets, write_targets
from colorize.data.targets.compute import GROUPS, compute_targets, refuse_unknown
from colorize.data.targets.settings import TargetSettings
from colorize.data.targets.truth import shown


class ClipTargets:
    """Give a dataset the targets called ``names``, as ``settings`` say.

    With ``settings.cache`` the frames of a sample must be a function of the clip and the sample
    alone, but for its seed: no augmentation.

    Raises:
        ValueError: For a name that is no target.
    """

    def __init__(self, *, names: Iterable[str], settings: TargetSettings) -> None:
        self.names = frozenset(names)
        self.settings = settings
        refuse_unknown(self.names)

    def check(self, clips: Sequence[Clip]) -> None:
        """Refuse clips of which is not known what the settings take for known.

        Raises:
            ValueError: Names the setting to change.
        """
        wanted = self._taken_from_truth(self.names)
        unknown = [clip.name for clip in clips if clip.truth is None]
        if not wanted or not unknown:
            return
        setting, remedy = (
            ("flow.method", "dis") if "flow" in wanted else ("segments.source", "watershed")
        )
        raise UserError(
            f"targets.{setting} is 'truth', which is not known of the clip {unknown[0]!r}: "
            f"set targets.{setting}={remedy}, or choose data=cartoon"
        )

    def __call__(
        self,
        frames: Float32[np.ndarray, "t h w 3"],
        *,
        clip: Clip,
        sample: Sample,
        geometry: Geometry,
    ) -> dict[str, Tensor]:
        """Return the targets of ``frames`` in [0, 1], which ``geometry`` made of the clip's."""
        targets: dict[str, Tensor] = {}
        for path, names in self._files(clip, sample):
            targets |= read_targets(path, names) or {}
        missing = self.names.difference(targets)
        if not missing:
            return targets
        known = self._known(missing, clip, sample, geometry)
        made = compute_targets(frames, missing, self.settings, known=known)
        for path, names in self._files(clip, sample):
            if names <= made.keys():
                write_targets(path, {name: made[name] for name in names})
        return targets | made

    def _known(
        self, names: frozenset[str], clip: Clip, sample: Sample, geometry: Geometry
    ) -> dict[str, Tensor]:
        """Return the targets that ``names`` are or depend on, as far as the settings ask for truth.

        Nothing of the clip is touched if they do not.
        """
        wanted = self._taken_from_truth(names)
        if not wanted:
            return {}
        span = slice(sample.frame - sample.length + 1, sample.frame + 1)
        known = shown(clip.known(wanted), frames=span, geometry=geometry)
        if "flow" in known and self.settings.refiner.method == "truth":
            known["refiner_flow"] = known["flow"]
        if self.settings.flow.method != "truth":
            known = {name: known[name] for name in known.keys() - {"flow", "visible"}}
        return known

    def _taken_from_truth(self, names: frozenset[str]) -> frozenset[str]:
        """Return what must be known of a clip, beside its colours, for the targets ``names``."""
        settings = self.settings
        flow = settings.flow.method == "truth" and names & GROUPS["flow"]
        flow = flow or (settings.refiner.method == "truth" and names & GROUPS["refiner_flow"])
        segments = settings.segments.source == "truth" and names & GROUPS["segments"]
        return frozenset(
            [*(("flow", "visible") if flow else ()), *(("segments",) if segments else ())]
        )

    def _files(self, clip: Clip, sample: Sample) -> Iterator[tuple[Path, frozenset[str]]]:
        """Yield the cache's file of every group, and the targets in it; none without a cache."""
        for group, members in GROUPS.items() if self.settings.cache is not None else ():
            if names := self.names & members:
                path = cache_file(
                    group=group,
                    names=names,
                    settings=self.settings,
                    clip=clip.fingerprint,
                    sample=sample,
                )
                yield path, names
