"""What the page shows of a job: its frames before and after, as far as they are there."""

from __future__ import annotations

import bisect
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from colorize.app.edits import parts_of
from colorize.app.error import PageError
from colorize.app.jobs import Job
from colorize.app.reel import Reel, Reels
from colorize.app.roots import Roots
from colorize.films.plan.manifest import Manifest
from colorize.films.plan.parts import Part
from colorize.films.store import Store
from colorize.media import Frame, VideoSource, open_source
from colorize.media.pictures.coding import written_name
from colorize.media.pictures.folder import picture_files
from colorize.media.video.parts import read_part


@dataclass(frozen=True)
class View:
    """A planned job: its parts, and for a folder the names of its frames."""

    manifest: Manifest
    parts: list[Part]
    names: list[str] | None
    size: tuple[int, int]
    rate: Fraction | None

    def part(self, frame: int) -> Part:
        """Return the part that a frame belongs to.

        Raises:
            PageError: There is no such frame.
        """
        if not self.parts or not 0 <= frame < self.parts[-1].stop:
            raise PageError(f"there is no frame {frame}", status=404)
        return self.parts[bisect.bisect_right(self.parts, frame, key=lambda part: part.start) - 1]


class Views:
    """The views of jobs, made anew when a manifest has changed."""

    def __init__(self, roots: Roots) -> None:
        self.roots, self.reels, self._lock = roots, Reels(), threading.Lock()
        self._views: OrderedDict[tuple[str, int], View] = OrderedDict()

    def of(self, job: Job) -> View:
        """Return the view of a job.

        Raises:
            PageError: Its shots are not found yet.
        """
        manifest = job.manifest(self.roots)
        key = (job.id, job.store(self.roots).manifest.stat().st_mtime_ns)
        with self._lock:
            if key in self._views:
                return self._views[key]
        view = self._view(job, manifest)
        with self._lock:
            if view.parts:  # none while the digests of a new job are not written yet
                self._views[key] = view
            while len(self._views) > 16:
                self._views.popitem(last=False)
        return view

    def original(self, job: Job, frame: int, *, short_side: int) -> bytes:
        """Return a frame of the source as a JPEG.

        Raises:
            PageError, MediaError: It is not there, or cannot be read.
        """
        return self.reels.of(job.input(self.roots)).picture(frame, short_side=short_side)

    def result(self, job: Job, frame: int, *, short_side: int) -> bytes:
        """Return a coloured frame as a JPEG.

        Raises:
            PageError: It is not coloured as the manifest now says.
            MediaError: It cannot be read.
        """
        view = self.of(job)
        part = view.part(frame)
        self._check_done(job, part, frame)
        if view.names is None:
            reel = self._part_reel(job, part, view.manifest.settings.quality)
            return reel.picture(frame - part.start, short_side=short_side)
        path = job.output(self.roots) / view.names[frame]
        return self.reels.of(path).picture(0, short_side=short_side)

    def frame(self, job: Job, frame: int, *, coloured: bool) -> Frame:
        """Return a whole frame of the source, or of the result.

        Raises:
            PageError: It is not there, or not coloured as the manifest now says.
            MediaError: It cannot be read.
        """
        if not coloured:
            found = next(open_source(job.input(self.roots)).frames(frame, frame + 1), None)
        else:
            view = self.of(job)
            part = view.part(frame)
            self._check_done(job, part, frame)
            if view.names is None:
                start = self._part_frames(job, part, view.manifest.settings.quality)
                found = next(start(frame - part.start), None)
            else:
                path = job.output(self.roots) / view.names[frame]
                found = next(open_source(path).frames(), None)
        if found is None:
            raise PageError(f"there is no frame {frame}", status=404)
        return found

    def _check_done(self, job: Job, part: Part, frame: int) -> None:
        if not job.store(self.roots).is_done(part):
            raise PageError(f"frame {frame} is not coloured yet", status=404)

    def _view(self, job: Job, manifest: Manifest) -> View:
        path = job.input(self.roots)
        with open_source(path) as source:
            return View(
                manifest,
                parts_of(job, manifest, self.roots),
                [written_name(file.name) for file in picture_files(path)]
                if path.is_dir()
                else None,
                source.size,
                source.rate,
            )

    def _part_reel(self, job: Job, part: Part, quality: int) -> Reel:
        """Return the reel of a film's part, which has no container of its own."""
        path = job.store(self.roots).film_part(part)
        return self.reels.made(path, lambda: self._part_frames(job, part, quality))

    def _part_frames(self, job: Job, part: Part, quality: int) -> Callable[[int], Iterator[Frame]]:
        """Return what reads the frames of a film's part from a number on, counted in the part."""
        path, output = job.store(self.roots).film_part(part), job.output(self.roots)
        like = VideoSource(job.input(self.roots))
        return lambda start: read_part(path, like=like, output=output, quality=quality, start=start)


def done_parts(view: View, store: Store) -> list[dict[str, object]]:
    """Return the parts of a job for the page: where they are, their key, and whether finished."""
    return [
        {
            "start": part.start,
            "stop": part.stop,
            "key": part.key[:16],
            "shot": part.shot,
            "done": store.is_done(part),
        }
        for part in view.parts
    ]
