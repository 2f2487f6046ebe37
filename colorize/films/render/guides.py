"""The references of a job while it is rendered: looked at once, handed out by frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from colorize.films.plan.manifest import Manifest, Reference
from colorize.films.plan.references import MOST, read_picture
from colorize.imaging.color import rgb_to_chroma
from colorize.imaging.tensors import to_tensor
from colorize.inference.colorizer import Colorizer, resize
from colorize.networks.guided.references import ReferenceSet


class Guides:
    """What the references of a manifest give to its parts.

    Pictures are looked at once for each working size, and kept.
    """

    def __init__(self, colorizer: Colorizer, manifest: Manifest) -> None:
        self._colorizer = colorizer
        self._by_name: Mapping[str, Reference] = {each.name: each for each in manifest.references}
        self._sets: dict[tuple[int, int], dict[str, ReferenceSet]] = {}

    def nearest(self, names: Sequence[str], *, near: int) -> list[str]:
        """Return which of some references colour frames around frame ``near``.

        Of more than :data:`MOST` those nearest in time are taken, then in the order of ``names``.
        """
        return sorted(names, key=lambda name: self._distance(name, near))[:MOST]

    def of(self, names: Sequence[str], *, size: tuple[int, int]) -> ReferenceSet:
        """Return references, at least one, for frames worked at ``size``."""
        known = self._sets.setdefault(size, {})
        for name in names:
            if name not in known:
                picture = to_tensor(read_picture(self._by_name[name].path).rgb[None])
                known[name] = self._colorizer.look_at([picture], size=size)
        return ReferenceSet(
            *(torch.cat(planes) for planes in zip(*(known[name] for name in names), strict=True))
        )

    def own(self, names: Sequence[str], frame: int) -> Reference | None:
        """Return the reference that is frame ``frame`` itself, if there is one."""
        found = (self._by_name[name] for name in names)
        return next((each for each in found if each.frame == frame), None)

    def chroma_of(self, reference: Reference, size: tuple[int, int]) -> Float[Tensor, "1 2 h w"]:
        """Return the reference's own colours at a size."""
        return rgb_to_chroma(resize(to_tensor(read_picture(reference.path).rgb[None]), size))

    def _distance(self, name: str, near: int) -> float:
        frame = self._by_name[name].frame
        return float("inf") if frame is None else float(abs(frame - near))
