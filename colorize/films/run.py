"""Do a job: plan it, render what is not finished yet, and put it together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

from colorize.base.errors import UserError
from colorize.base.files import write_atomically
from colorize.base.progress import say, task
from colorize.films.plan.digests import digest_of, noted_digests, take_digests
from colorize.films.plan.hints import read_hints
from colorize.films.plan.manifest import KEEP, Manifest, Reference, Settings
from colorize.films.plan.parts import Part, divide, output_facts, pending, shard
from colorize.films.plan.planning import make_plan
from colorize.films.plan.references import read_references
from colorize.films.render.rendering import Finished, Rendering
from colorize.films.render.writing import FilmWriter, PictureWriter
from colorize.films.store import Store, job_folder
from colorize.inference.engine import longest_piece
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
    """What one run does of a job: shard ``number`` of ``count``, the plan only, or the merging."""

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
    hints: Sequence[Path] | None = None,
    batch_size: int = 4,
    share: Share = Share(),
) -> Done:
    """Colour ``input_path`` into ``output``; what an earlier run finished is not done again.

    ``references`` are coloured pictures, files or folders, that show what colours things have;
    ``hints`` are pictures with transparency whose names say which frames they lie on
    (:mod:`colorize.films.plan.hints`). None goes on with those of an earlier run.

    Raises:
        MediaError: The input cannot be read or the output not written; what is finished stays.
        UserError: The job's manifest is at fault, another process is at it, or memory ran out.
    """
    with open_source(input_path) as source:
        check_output(output, like=source)
        for note in source.notes:
            say(note)
        given = _Given(
            None if references is None else read_references(references),
            None if hints is None else read_hints(hints, source),
        )
        if source.kind == "image":
            return _picture(source, output, colorizer, settings, given, batch_size)
        own = output if source.kind == "folder" else None
        store = Store(job_folder(output, kind=source.kind), frames=own)
        manifest, parts = _plan(source, output, store, colorizer, settings, given)
        job = _Job(source, output, store, manifest, parts)
        rendered = 0
        if share.only is None:
            with store.locked(f"run-{share.number}-of-{share.count}", output=output):
                rendered = job.render(colorizer, batch_size, share)
        complete = share.only == "merge" or (share.only is None and share.count == 1)
        if complete:
            with store.locked("merge", output=output):
                job.merge()
        shots, frames = len(manifest.shots), manifest.source.frames
        return Done(shots, frames, rendered, store.folder, complete)


class _Given(NamedTuple):
    """The pictures that a run was given; None goes on with those of an earlier one."""

    references: Sequence[Reference] | None
    hints: Sequence[Reference] | None


def _plan(
    source: Source,
    output: Path,
    store: Store,
    colorizer: LoadedNetworks,
    settings: Settings,
    given: _Given,
) -> tuple[Manifest, list[Part]]:
    """Make or take up the manifest, write it, and divide the job."""
    before = noted_digests(store.digests)
    digests = take_digests(source, noted=before)
    manifest = make_plan(
        source,
        digests,
        settings,
        colorizer=colorizer,
        **given._asdict(),
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
        if self.source.kind == "folder":
            self._copy_kept([part for part in own if part.chosen == KEEP])
        done = [self.store.is_done(part) for part in own]
        resumable = [self.store.state(part.key) is not None for part in own]
        todo = [own[index] for index in pending(own, done=done, resumable=resumable)]
        if not todo:
            return 0
        finished = {part.key for part, ready in zip(own, done, strict=True) if ready}
        writer = self._writer()
        rendering = Rendering(
            self.source, colorizer, self.manifest, batch_size=batch_size, states=self.store.state
        )
        total, left = sum(map(len, own)), sum(map(len, todo))
        with (
            closing(writer),
            task("colouring", total=total, unit="frame", done=total - left) as bar,
            closing(rendering(todo)) as items,
        ):
            for item in items:
                if isinstance(item, Finished):
                    self._finish(writer, item, write=item.part.key not in finished)
                    continue
                part, frame = item
                if part.key not in finished:
                    writer.write(part, frame)
                bar.advance(detail=f"shot {part.shot + 1}/{len(self.manifest.shots)}")
        return left

    def merge(self) -> None:
        """Put the parts of a film together, unless the film that lies there is made of them.

        Raises:
            UserError: Parts are missing.
        """
        missing = [part for part in self.parts if not self.store.is_done(part)]
        if missing:
            frames = ", ".join(f"{part.start}-{part.stop - 1}" for part in missing[:5])
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            raise UserError(
                f"{self.output}: frames {frames}{more} are not coloured yet; run their shards, or "
                "the command without --merge"
            )
        if isinstance(self.source, VideoSource) and not self._is_merged():
            say("putting the film together")
            concatenate_parts(
                [self.store.film_part(part) for part in self.parts],
                self.output,
                like=self.source,
                expected_frames=self.manifest.source.frames,
            )
            write_atomically(self.store.joined, json.dumps(self._seal()).encode())
        self.store.sweep(self.parts)

    def _is_merged(self) -> bool:
        """Return whether the film that lies there was made of these very parts."""
        try:
            return json.loads(self.store.joined.read_bytes()) == self._seal()
        except (OSError, ValueError):
            return False

    def _seal(self) -> list[object]:
        """Return what tells the film put together, as it lies there, from any other."""
        state = self.output.stat()
        return [digest_of([part.key for part in self.parts]), state.st_size, state.st_mtime_ns]

    def _writer(self) -> PictureWriter | FilmWriter:
        quality = self.manifest.settings.quality
        if isinstance(self.source, VideoSource):
            return FilmWriter(self.store, like=self.source, output=self.output, quality=quality)
        return PictureWriter(open_sink(self.output, like=self.source, quality=quality))

    def _finish(self, writer: PictureWriter | FilmWriter, end: Finished, *, write: bool) -> None:
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
        parts = [part for part in parts if not self.store.is_done(part)]
        files = picture_files(self.source.path) if parts else []
        for part in parts:
            own = files[part.start : part.stop]
            for file in own:
                target = self.output / file.name
                with writing(target):
                    write_atomically(target, file.read_bytes())
            self.store.finish(part, names=[file.name for file in own], state={})


def _picture(
    source: Source,
    output: Path,
    colorizer: LoadedNetworks,
    settings: Settings,
    given: _Given,
    batch_size: int,
) -> Done:
    """Colour a single picture, which needs no job."""
    digests = take_digests(source)
    manifest = make_plan(source, digests, settings, colorizer=colorizer, **given._asdict())
    parts = divide(manifest, digests, longest=1, output=[])
    rendering = Rendering(source, colorizer, manifest, batch_size=batch_size, states=lambda _: None)
    with (
        open_sink(output, like=source, quality=settings.quality) as sink,
        closing(rendering(parts)) as items,
    ):
        for item in items:
            if not isinstance(item, Finished):
                sink.write(item[1])
    return Done(1, 1, 1, None, True)
