"""Render parts of a job: decoding, network, joining and encoding at the same time.

Each stage is a generator in a thread of its own (:func:`colorize.base.overlap.overlapped`); the
last, which writes, is the caller's. Between stages at most one part waits, which bounds the memory.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from colorize.base.overlap import overlapped
from colorize.base.threads import compute_with
from colorize.films.plan.manifest import KEEP, Manifest
from colorize.films.plan.parts import Part
from colorize.films.plan.references import library_of
from colorize.films.store import Tensors
from colorize.inference.engine import ShotEngine
from colorize.inference.loaded import LoadedNetworks
from colorize.media import Frame, MediaError, Source


class Colored(NamedTuple):
    """A part with its chroma at the working size, None where its frames stay as they are.

    ``before`` is the state it went on from, ``after`` that of the network behind it.
    """

    part: Part
    frames: Sequence[Frame]
    chroma: Float[Tensor, "t 1 2 _h _w"] | None
    before: Tensors
    after: Tensors


class Finished(NamedTuple):
    """The end of a part, and what the next part of its shot goes on from."""

    part: Part
    state: Tensors


class Stopped(Exception):
    """Raised inside a stage when nobody wants its results any more."""


class Rendering:
    """The stages that colour a source as its manifest says, each in a thread of its own.

    ``states`` gives what an earlier run left of a part for the next one.
    """

    def __init__(
        self,
        source: Source,
        colorizer: LoadedNetworks,
        manifest: Manifest,
        *,
        batch_size: int,
        states: Callable[[str], Tensors | None],
    ) -> None:
        self._source, self._states, self._stopping = source, states, threading.Event()
        self._engine = ShotEngine(
            colorizer,
            manifest.settings,
            library=library_of(manifest.references, source, colorizer),
            batch_size=batch_size,
            check=self._refuse_stopped,
        )

    def __call__(
        self, parts: Sequence[Part]
    ) -> Generator[tuple[Part, Frame] | Finished, None, None]:
        """Yield all frames of ``parts`` in order, each part followed by its end.

        A part that goes on from another needs that one before it in ``parts``, or its state.

        Raises:
            MediaError: A frame cannot be read.
            UserError: Memory does not suffice.
        """
        threads = torch.get_num_threads()
        with ExitStack() as stages:
            stages.callback(torch.set_num_threads, threads)
            decoded = stages.enter_context(overlapped(self._decode(parts), name="decoding"))
            colored = stages.enter_context(
                overlapped(self._color(decoded, threads), name="colouring")
            )
            joined = stages.enter_context(overlapped(self._join(colored), ahead=4, name="joining"))
            stages.callback(self._stopping.set)  # runs first: no stage finishes its part in vain
            yield from joined

    def _refuse_stopped(self) -> None:
        if self._stopping.is_set():
            raise Stopped

    def _decode(self, parts: Sequence[Part]) -> Iterator[tuple[Part, Sequence[Frame]]]:
        wanted = {index for part in parts for index in range(part.start, part.stop)}
        frames = self._source.frames(parts[0].start, parts[-1].stop, only=wanted)
        for part in parts:
            batch = []
            for index in range(part.start, part.stop):
                self._refuse_stopped()
                frame = next(frames, None)
                if frame is None:
                    raise MediaError(
                        f"{self._source.path} ends before frame {index}, which its job expects; "
                        "delete the job's manifest.json if the source has changed"
                    )
                batch.append(frame)
            yield part, batch

    def _color(
        self, items: Iterator[tuple[Part, Sequence[Frame]]], threads: int
    ) -> Iterator[Colored]:
        compute_with(threads)
        last: tuple[str, Tensors] = ("", {})
        for part, frames in items:
            if part.chosen == KEEP:
                yield Colored(part, frames, None, {}, {})
                continue
            assert isinstance(part.chosen, int)
            before: Tensors | None = {}
            if part.before is not None:
                before = last[1] if last[0] == part.before else self._states(part.before)
            assert before is not None, "only parts whose state is at hand are rendered"
            chroma, after = self._engine.coloring(
                frames, variant=part.chosen, before=before, names=part.references
            )
            last = (part.key, after)
            yield Colored(part, frames, chroma, before, after)

    def _join(self, items: Iterator[Colored]) -> Iterator[tuple[Part, Frame] | Finished]:
        joining, last = self._engine.joining(), ""
        for part, frames, chroma, before, after in items:
            if chroma is None:
                yield from ((part, frame) for frame in frames)
                yield Finished(part, {})
                continue
            pixels = joining.state if part.before == last else before
            for frame in joining(frames, chroma[:, 0], before=pixels, names=part.references):
                self._refuse_stopped()
                yield part, frame
            last = part.key
            yield Finished(part, {**after, **joining.state})
