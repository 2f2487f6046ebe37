"""Write the frames of a job where they belong: files of a folder at once, a film part by part."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from colorize.films.plan.parts import Part
from colorize.films.store import Store
from colorize.media import Frame, PartSink, Sink
from colorize.media.video.source import VideoSource

_ENCODERS = 4  # pictures encoded at the same time; zlib and libjpeg work outside Python's lock


class PictureWriter:
    """Frames become files at once; several are encoded at the same time."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._pool = ThreadPoolExecutor(_ENCODERS, thread_name_prefix="encoding")
        self._open: list[Future[None]] = []
        self._names: list[str] = []

    def write(self, part: Part, frame: Frame) -> None:
        """Encode and write a frame in the background."""
        if len(self._open) >= 2 * _ENCODERS:
            self._open.pop(0).result()
        self._open.append(self._pool.submit(self._sink.write, frame))
        self._names.append(frame.name)

    def finish(self, part: Part) -> list[str]:
        """Wait for the files of the part."""
        for each in self._open:
            each.result()
        names, self._open, self._names = self._names, [], []
        return names

    def close(self) -> None:
        """Leave the files written so far: each of them is whole."""
        self._pool.shutdown(cancel_futures=True)


class FilmWriter:
    """Each part becomes a silent film of its own in the job's folder."""

    def __init__(self, store: Store, *, like: VideoSource, output: Path, quality: int) -> None:
        self._store, self._like, self._output, self._quality = store, like, output, quality
        self._sink: PartSink | None = None

    def write(self, part: Part, frame: Frame) -> None:
        """Encode a frame."""
        if self._sink is None:
            path = self._store.film_part(part)
            self._sink = PartSink(path, like=self._like, output=self._output, quality=self._quality)
        self._sink.write(frame)

    def finish(self, part: Part) -> list[str]:
        """Complete the film of the part."""
        assert self._sink is not None, "a part has frames"
        self._sink.finish()
        self._sink = None
        return []

    def close(self) -> None:
        """Leave nothing: a film of a part is written once it is complete."""
