"""Coloured references: the one type, from a picture that a user gives to what the network sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

_PLANES = ("luma", "chroma", "mask", "keys", "flow", "propagated")


@dataclass(frozen=True, kw_only=True)
class References:
    """Coloured pictures that show b frames what colours things have, up to r for each frame.

    - ``luma`` in [0, 1], ``chroma`` (Cb, Cr) in [-0.5, 0.5], at the size of the frames;
    - ``counts``: how many references each frame has; those behind them are padding;
    - ``frame``: which frame of its film each is, -1 for any other picture; on the CPU;
    - ``mask``: 1 where a reference shows something, 0 where it does not, as in the transparent
      parts of a picture; None where all show everything. A hint is a reference of the frame itself
      whose mask is small;
    - ``keys``: how matching sees the luma (:meth:`colorize.networks.guided.network.GuidedNetwork
      .keys`); None computes them;
    - ``flow``: backward, in pixels: where each pixel of the frame is in the reference; None moves
      nothing. ``propagated``: the same, carried on along the shot
      (:class:`colorize.motion.propagation.Propagation`); None takes ``flow``.

    What is known of shapes is known without a look at a tensor, so that no device is waited for.
    """

    luma: Float[Tensor, "b r 1 h w"]
    chroma: Float[Tensor, "b r 2 h w"]
    counts: tuple[int, ...]
    frame: Int64[Tensor, "b r"]
    mask: Float[Tensor, "b r 1 h w"] | None = None
    keys: Float[Tensor, "b r d p q"] | None = None
    flow: Float[Tensor, "b r 2 h w"] | None = None
    propagated: Float[Tensor, "b r 2 h w"] | None = None

    @classmethod
    def of(
        cls,
        luma: Float[Tensor, "r 1 h w"],
        chroma: Float[Tensor, "r 2 h w"],
        *,
        mask: Float[Tensor, "r 1 h w"] | None = None,
        frame: Sequence[int | None] | None = None,
    ) -> References:
        """Return r pictures as the references of one frame."""
        numbers = [None] * len(luma) if frame is None else frame
        return cls(
            luma=luma[None],
            chroma=chroma[None],
            mask=None if mask is None else mask[None],
            counts=(len(luma),),
            frame=torch.tensor([[-1 if n is None else n for n in numbers]], dtype=torch.int64),
        )

    def with_keys(self, keys: Float[Tensor, "n d p q"]) -> References:
        """Return the references of one frame with what matching sees of each."""
        return replace(self, keys=keys[None])

    @property
    def total(self) -> int:
        """How many references there are of all frames together."""
        return sum(self.counts)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.luma.shape[-2], self.luma.shape[-1]

    def rows(self) -> Int64[Tensor, " n"]:
        """Return where those that are no padding stand in the b r flattened, frame by frame."""
        most = self.luma.shape[1]
        found = (range(at * most, at * most + count) for at, count in enumerate(self.counts))
        return self._index(chain.from_iterable(found))

    def owners(self) -> Int64[Tensor, " n"]:
        """Return which frame each of :meth:`rows` is for."""
        found = ([at] * count for at, count in enumerate(self.counts))
        return self._index(chain.from_iterable(found))

    def served(self) -> Int64[Tensor, " m"]:
        """Return the frames that have any."""
        return self._index(at for at, count in enumerate(self.counts) if count)

    def share(self) -> Float[Tensor, "b r"]:
        """Return the logarithm of how far each counts: that of a half where one is given twice.

        Two are the same if they agree in the means of 8 by 8 blocks, to the bit.
        """
        planes = torch.cat([self.luma, self.chroma, self.shown], dim=2)
        means = functional.adaptive_avg_pool2d(planes.flatten(0, 1), (8, 8))
        blocks = means.flatten(1).unflatten(0, planes.shape[:2])
        same = (blocks[:, :, None] == blocks[:, None]).all(dim=-1)
        places = torch.arange(planes.shape[1])
        there = places < torch.tensor(self.counts)[:, None]
        copies = (same & there.to(same.device, non_blocking=True)[:, None]).sum(dim=-1)
        return -copies.clamp_min(1).to(planes.dtype).log()

    def expand(self, frames: int) -> References:
        """Return the references of one frame as those of ``frames`` frames; nothing is copied."""
        assert len(self.counts) == 1
        return self._each(
            lambda planes: planes.expand(frames, *planes.shape[1:]),
            counts=self.counts * frames,
            frame=self.frame.expand(frames, -1),
        )

    def picked(self, columns: Sequence[int]) -> References:
        """Return some of the references of one frame, in this order."""
        chosen = list(columns)
        return self._each(
            lambda planes: planes[:, chosen], counts=(len(chosen),), frame=self.frame[:, chosen]
        )

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> References:
        """Return the same references on another device."""
        return self._each(lambda planes: planes.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> References:
        """Return the same references where a GPU can fetch them without waiting."""
        return self._each(Tensor.pin_memory)

    @classmethod
    def joined(cls, parts: Sequence[References]) -> References:
        """Return the references of one frame that all ``parts`` hold of it, one after another."""
        return cls._together(parts, dim=1, counts=(sum(part.total for part in parts),))

    @classmethod
    def collate(cls, parts: Sequence[References]) -> References:
        """Return the references of all frames of ``parts``, padded to the most of any frame."""
        most = max(part.luma.shape[1] for part in parts)
        counts = tuple(chain.from_iterable(part.counts for part in parts))
        return cls._together([part._padded(most) for part in parts], dim=0, counts=counts)

    @classmethod
    def _together(
        cls, parts: Sequence[References], *, dim: int, counts: tuple[int, ...]
    ) -> References:
        planes: dict[str, Tensor | None] = {}
        for name in _PLANES:
            given = [getattr(part, name) for part in parts]
            if name == "mask" and any(each is not None for each in given):
                given = [part.shown for part in parts]
            whole = all(each is not None for each in given)
            planes[name] = torch.cat(given, dim=dim) if whole else None
        frame = torch.cat([part.frame for part in parts], dim=dim)
        return cls(**planes, counts=counts, frame=frame)  # type: ignore[arg-type]

    @property
    def shown(self) -> Float[Tensor, "b r 1 h w"]:
        """The mask, of ones where there is none."""
        return torch.ones_like(self.luma) if self.mask is None else self.mask

    def _padded(self, most: int) -> References:
        lacking = most - self.luma.shape[1]
        if not lacking:
            return self
        return self._each(
            lambda planes: functional.pad(planes, (0, 0) * 3 + (0, lacking)),
            frame=functional.pad(self.frame, (0, lacking), value=-1),
        )

    def _each(self, change: Callable[[Tensor], Tensor], **others: Any) -> References:
        """Return all planes changed, and ``others`` in place of what is no plane."""
        planes = {name: getattr(self, name) for name in _PLANES}
        changed: dict[str, Any] = {
            n: change(each) for n, each in planes.items() if each is not None
        }
        return replace(self, **changed, **others)

    def _index(self, places: Iterable[int]) -> Int64[Tensor, " n"]:
        found = torch.tensor(list(places), dtype=torch.int64)
        return found.to(self.luma.device, non_blocking=True)
