"""Do a job: plan it, render what is not finished yet, and put it together."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from torch import Tensor

from colorize.base.files import write_atomically
from colorize.base.progress import Task, say, task
from colorize.films.error import JobError
from colorize.films.plan.digests import digest_of, noted_digests, take_digests
from colorize.films.plan.manifest import KEEP, Manifest, Reference, Settings
from colorize.films.plan.parts import Part, divide, output_facts, pending, shard
from colorize.films.plan.planning import make_plan
from colorize.films.plan.references import library_of, read_references
from colorize.films.render.rendering import Finished, Rendering, refuse_stopped
from colorize.films.render.writing import FilmWriter, PictureWriter, Writer, copy_picture
from colorize.films.store import Store, job_folder
from colorize.inference.engine import ShotEngine, longest_piece
from colorize.inference.loaded import LoadedNetworks
from colorize.media import Source, check_output, concatenate_parts, open_sink, open_source
from colorize.media.error import writing
from colorize.media.pictures.folder import picture_files
from colorize.media.video.source import VideoSource


@dataclass(frozen=True)
class Done:
    """What a job did: shots and frames of the source, frames coloured now, where the job lies."""

    shots: int
    frames: int
    rendered: int
    folder: Path | None
    complete: bool


@dataclass(frozen=True)
class Share:
    """What one run does of a job: shard ``number`` of ``count``, the plan only, or the joining."""

    number: int = 1
    count: int = 1
    only: Literal["plan", "merge"] | None = None


def run_job(
    input_path: Path,
    output: Path,
    *,
    colorizer: LoadedNetworks,
    settings: Settings,
    references: Sequence[Path] | None = None,
    batch_size: int = 4,
    share: Share = Share(),
) -> Done:
    """Colour ``input_path`` into ``output``; what an earlier run finished is not done again.

    ``references`` are coloured pictures, files or folders, that show what colours things have; None
    goes on with those of an earlier run.

    Raises:
        MediaError: The input cannot be read or the output not written; what is finished stays.
        JobError: The job's manifest is at fault, another process is at it, or memory ran out.
    """
    with open_source(input_path) as source:
        check_output(output, like=source)
        for note in source.notes:
            say(note)
        given = None if references is None else read_references(references)
        if source.kind == "image":
            return _picture(source, output, colorizer, settings, given, batch_size)
        store = _store(source, output)
        manifest, parts = _plan(source, output, store, colorizer, settings, given)
        if share.only == "plan":
            return Done(len(manifest.shots), manifest.source.frames, 0, store.folder, False)
        job = _Job(source, output, store, manifest, parts)
        rendered = 0
        if share.only != "merge":
            with store.locked(f"run-{share.number}-of-{share.count}", output=output):
                rendered = job.render(colorizer, batch_size, share)
        complete = share.count == 1 or share.only == "merge"
        if complete:
            with store.locked("join", output=output):
                job.join()
        shots = len(manifest.shots)
        return Done(shots, manifest.source.frames, rendered, store.folder, complete)


def _store(source: Source, output: Path) -> Store:
    frames = output if source.kind == "folder" else None
    return Store(job_folder(output, kind=source.kind), frames=frames)


def _plan(
    source: Source,
    output: Path,
    store: Store,
    colorizer: LoadedNetworks,
    settings: Settings,
    references: Sequence[Reference] | None,
) -> tuple[Manifest, list[Part]]:
    """Make or take up the manifest, write it, and divide the job."""
    before = noted_digests(store.digests)
    digests = take_digests(source, noted=before)
    manifest = make_plan(
        source,
        digests,
        settings,
        colorizer=colorizer,
        references=references,
        path=store.manifest,
        before=before,
    )
    with writing(store.folder):
        manifest.write(store.manifest)
        digests.note(store.digests)
    facts = output_facts(source, output.suffix, settings)
    longest = longest_piece(source.size)
    return manifest, divide(manifest, digests, longest=longest, output=facts)


@dataclass(frozen=True)
class _Job:
    """A planned job."""

    source: Source
    output: Path
    store: Store
    manifest: Manifest
    parts: Sequence[Part]

    @cached_property
    def _after(self) -> Mapping[str, Part]:
        """The parts that go on from another, by its key."""
        return {part.before: part for part in self.parts if part.before is not None}

    def render(self, colorizer: LoadedNetworks, batch_size: int, share: Share) -> int:
        """Render what is missing of a share, and return the number of frames that were."""
        own = shard(self.parts, number=share.number, count=share.count)
        done = [self.store.is_done(part) for part in own]
        if self.source.kind == "folder":
            kept = [part.chosen == KEEP for part in own]
            self._copy_kept(
                [part for part, *how in zip(own, kept, done, strict=True) if how == [True, False]]
            )
            done = [known or keep for known, keep in zip(done, kept, strict=True)]
        resumable = [self.store.state(part.key) is not None for part in own]
        todo = [own[index] for index in pending(own, done=done, resumable=resumable)]
        if not todo:
            return 0
        finished = {part.key for part, ready in zip(own, done, strict=True) if ready}
        writer = self._writer()
        rendering = make_rendering(self.source, colorizer, self.manifest, batch_size, self.store)
        with _discarding(writer), self._bar(own, todo) as bar, closing(rendering(todo)) as items:
            for item in items:
                if isinstance(item, Finished):
                    self._finish(writer, item, write=item.part.key not in finished)
                    continue
                part, frame = item
                if part.key not in finished:
                    writer.write(part, frame)
                bar.advance(detail=f"shot {part.shot + 1}/{len(self.manifest.shots)}")
        return sum(map(len, todo))

    def join(self) -> None:
        """Put the parts of a film together, unless the film that lies there is made of them.

        Raises:
            JobError: Parts are missing.
        """
        missing = [part for part in self.parts if not self.store.is_done(part)]
        if missing:
            frames = ", ".join(f"{part.start}-{part.stop - 1}" for part in missing[:5])
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            raise JobError(
                f"{self.output}: frames {frames}{more} are not coloured yet; run their shards, or "
                "the command without --merge"
            )
        if isinstance(self.source, VideoSource) and not self._is_joined():
            say(f"joining {len(self.parts)} parts")
            concatenate_parts(
                [self.store.film_part(part) for part in self.parts],
                self.output,
                like=self.source,
                expected_frames=self.manifest.source.frames,
            )
            write_atomically(self.store.joined, json.dumps(self._seal()).encode())
        self.store.sweep(self.parts)

    def _is_joined(self) -> bool:
        """Return whether the film that lies there was made of these very parts."""
        try:
            return json.loads(self.store.joined.read_bytes()) == self._seal()
        except (OSError, ValueError):
            return False

    def _seal(self) -> list[object]:
        """Return what tells the joined film, as it lies there, from any other."""
        state = self.output.stat()
        return [digest_of([part.key for part in self.parts]), state.st_size, state.st_mtime_ns]

    def _writer(self) -> Writer:
        quality = self.manifest.settings.quality
        if isinstance(self.source, VideoSource):
            return FilmWriter(self.store, like=self.source, output=self.output, quality=quality)
        return PictureWriter(open_sink(self.output, like=self.source, quality=quality))

    def _finish(self, writer: Writer, end: Finished, *, write: bool) -> None:
        """Complete a part; its state stays while another part of its shot waits for it."""
        part = end.part
        next_one = self._after.get(part.key)
        waited_for = next_one is not None and not self.store.is_done(next_one)
        if write:
            names = writer.finish(part)
            self.store.finish(part, names=names, state=end.state if waited_for else {})
        elif waited_for:
            self.store.keep_state(part, end.state)
        if part.before is not None:
            self.store.forget_state(part.before)

    def _copy_kept(self, parts: Sequence[Part]) -> None:
        """Copy the pictures of parts that stay as they are, byte for byte."""
        files = picture_files(self.source.path) if parts else []
        for part in parts:
            for file in files[part.start : part.stop]:
                copy_picture(file, self.output / file.name)
            names = [file.name for file in files[part.start : part.stop]]
            self.store.finish(part, names=names, state={})

    def _bar(self, own: Sequence[Part], todo: Sequence[Part]) -> Task:
        total, left = sum(map(len, own)), sum(map(len, todo))
        return task("colouring", total=total, unit="frame", done=total - left)


def make_rendering(
    source: Source,
    colorizer: LoadedNetworks,
    manifest: Manifest,
    batch_size: int,
    store: Store | None,
) -> Rendering:
    """Return the stages that colour a source as its ``manifest`` says."""

    def state(key: str) -> Mapping[str, Tensor]:
        found = None if store is None else store.state(key)
        assert found is not None, "only parts whose state is at hand are rendered"
        return found

    stopping = threading.Event()
    engine = ShotEngine(
        colorizer,
        manifest.settings,
        library=library_of(manifest.references, colorizer) if manifest.references else None,
        batch_size=batch_size,
        check=lambda: refuse_stopped(stopping),
    )
    return Rendering(source=source, engine=engine, states=state, stopping=stopping)


@contextmanager
def _discarding(writer: Writer) -> Iterator[None]:
    """Let a writer go, whatever happens."""
    try:
        yield
    finally:
        writer.discard()


def _picture(
    source: Source,
    output: Path,
    colorizer: LoadedNetworks,
    settings: Settings,
    references: Sequence[Reference] | None,
    batch_size: int,
) -> Done:
    """Colour a single picture, which needs no job."""
    digests = take_digests(source)
    manifest = make_plan(
        source,
        digests,
        settings,
        colorizer=colorizer,
        references=references,
        path=None,
        before=None,
    )
    parts = divide(manifest, digests, longest=1, output=[])
    rendering = make_rendering(source, colorizer, manifest, batch_size, None)
    with (
        open_sink(output, like=source, quality=settings.quality) as sink,
        closing(rendering(parts)) as items,
    ):
        for item in items:
            if not isinstance(item, Finished):
                sink.write(item[1])
    return Done(1, 1, 1, None, True)
