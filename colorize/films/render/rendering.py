"""Render parts of a job: decoding, network, joining and encoding at the same time.

Each stage is a generator in a thread of its own (:func:`colorize.base.overlap.overlapped`); the
last, which writes, is the caller's. Between stages at most one part waits, which bounds the memory.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from colorize.base.overlap import overlapped
from colorize.films.plan.manifest import KEEP
from colorize.films.plan.parts import Part
from colorize.films.render.coloring import Coloring
from colorize.films.render.joining import Joining
from colorize.films.store import Tensors
from colorize.media import Frame, MediaError, Source


class Decoded(NamedTuple):
    """A part with its frames."""

    part: Part
    frames: Sequence[Frame]


class Colored(NamedTuple):
    """A part with its chroma at the working size, None where its frames stay as they are.

    ``before`` is the state it went on from, ``after`` that of the network behind it.
    """

    part: Part
    frames: Sequence[Frame]
    chroma: Float[Tensor, "t 2 _h _w"] | None
    before: Tensors
    after: Tensors


class Finished(NamedTuple):
    """The end of a part, and what the next part of its shot goes on from."""

    part: Part
    state: Tensors


class Stopped(Exception):
    """Raised inside a stage when nobody wants its results any more."""


@dataclass
class Rendering:
    """The stages of a job.

    ``states`` gives what an earlier run left of a part for the next one.
    """

    source: Source
    joining: Joining
    states: Callable[[str], Tensors]
    coloring: Coloring = field(init=False)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __call__(
        self, parts: Sequence[Part]
    ) -> Generator[tuple[Part, Frame] | Finished, None, None]:
        """Yield all frames of ``parts`` in order, each part followed by its end.

        A part that goes on from another needs that one before it in ``parts``, or its state.

        Raises:
            MediaError: A frame cannot be read.
            JobError: Memory does not suffice.
        """
        threads = torch.get_num_threads()
        with ExitStack() as stages:
            stages.callback(torch.set_num_threads, threads)
            decoded = stages.enter_context(overlapped(self._decode(parts), name="decoding"))
            colored = stages.enter_context(
                overlapped(self._color(decoded, threads), name="colouring")
            )
            joined = stages.enter_context(overlapped(self._join(colored), ahead=4, name="joining"))
            stages.callback(self.stopping.set)  # runs first: no stage finishes its part in vain
            yield from joined

    def check(self) -> None:
        """Raise when the job was stopped."""
        if self.stopping.is_set():
            raise Stopped

    def _decode(self, parts: Sequence[Part]) -> Iterator[Decoded]:
        wanted = {index for part in parts for index in range(part.start, part.stop)}
        frames = self.source.frames(parts[0].start, parts[-1].stop, only=wanted)
        for part in parts:
            batch = []
            for index in range(part.start, part.stop):
                self.check()
                frame = next(frames, None)
                if frame is None:
                    raise MediaError(
                        f"{self.source.path} ends before frame {index}, which its job expects; "
                        "delete the job's manifest.json if the source has changed"
                    )
                batch.append(frame)
            yield Decoded(part, batch)

    def _color(self, items: Iterator[Decoded], threads: int) -> Iterator[Colored]:
        torch.set_num_threads(threads)  # of this stage: PyTorch keeps the number by thread
        last: tuple[str, Tensors] = ("", {})
        for part, frames in items:
            if part.chosen == KEEP:
                yield Colored(part, frames, None, {}, {})
                continue
            assert isinstance(part.chosen, int)
            before: Tensors = {}
            if part.before is not None:
                before = last[1] if last[0] == part.before else self.states(part.before)
            chroma, after = self.coloring(
                frames, variant=part.chosen, before=before, names=part.guides
            )
            last = (part.key, after)
            yield Colored(part, frames, chroma, before, after)

    def _join(self, items: Iterator[Colored]) -> Iterator[tuple[Part, Frame] | Finished]:
        torch.set_num_threads(1)  # its steps are short, and the other cores have work
        last = ""
        for part, frames, chroma, before, after in items:
            if chroma is None:
                yield from ((part, frame) for frame in frames)
                yield Finished(part, {})
                continue
            pixels = self.joining.state if part.before == last else before
            for frame in self.joining(frames, chroma, before=pixels, names=part.guides):
                self.check()
                yield part, frame
            last = part.key
            yield Finished(part, {**after, **self.joining.state})
