"""Divide the shots of a job into parts: what is rendered, kept and, if need be, redone as a whole.

A part is a shot, or a piece of a long one. Its key is a digest of everything that its pixels depend
on, so that a part whose key is known is never rendered again, and a stale one is never taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from colorize.base.pieces import pieces
from colorize.films.plan.digests import Digests, digest_of
from colorize.films.plan.manifest import FORMAT, KEEP, Choice, Manifest
from colorize.inference.settings import ENGINE, RenderSettings
from colorize.media import Source
from colorize.media.pictures.folder import picture_files

_LOSSY = (".jpg", ".jpeg", ".webp")


@dataclass(frozen=True)
class Part:
    """Frames ``start <= index < stop`` of a shot.

    ``chosen`` is the output that colours them, or ``keep``. ``before`` is the key of the part that
    this one goes on from, None at the start of a shot. ``references`` are the names of its own.
    """

    start: int
    stop: int
    shot: int
    chosen: Choice
    key: str
    before: str | None
    references: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.stop - self.start


def divide(
    manifest: Manifest, digests: Digests, *, longest: int, output: Sequence[object]
) -> list[Part]:
    """Return the parts of all shots, in order; every shot must have its choice.

    ``output`` is what the written files depend on besides the pixels: the form of a film, the
    quality of a lossy picture.
    """
    parts: list[Part] = []
    known = {each.name: [each.digest, each.frame] for each in manifest.references}
    weights, deciding = manifest.settings.weights, manifest.settings.deciding("pixels")
    for number, shot in enumerate(manifest.shots):
        assert shot.chosen is not None, "a choice is made before a job is divided"
        before, kept = None, shot.chosen == KEEP
        references = () if kept else shot.guided_by
        form = FORMAT if kept else [FORMAT, ENGINE]
        settings = [KEEP] if kept else [shot.chosen, {"weights": weights, **deciding}]
        shown = [[known[name] for name in references]] if references else []
        spans = pieces(shot.start, shot.stop, longest)
        so_far = digests.growing(shot.start, (span.stop for span in spans))
        for span, frames in zip(spans, so_far, strict=True):
            lengths = [len(span), span.stop - shot.start, longest]
            key = digest_of([form, frames, lengths, settings, *shown, list(output)])
            parts.append(Part(span.start, span.stop, number, shot.chosen, key, before, references))
            before = None if shot.chosen == KEEP else key
    return parts


def output_facts(source: Source, suffix: str, settings: RenderSettings) -> list[object]:
    """Return what the files written for ``source`` depend on besides their pixels."""
    # Keys of the first version hold the quality without its name.
    (_, quality), *newer = settings.deciding("file").items()
    if source.kind == "video":
        return [suffix.lower(), quality, *newer]
    suffixes = [suffix]
    if source.kind == "folder":
        suffixes = [path.suffix for path in picture_files(source.path)]
    return [quality, *newer] if any(each.lower() in _LOSSY for each in suffixes) else []


def pending(parts: Sequence[Part], *, done: Sequence[bool], resumable: Sequence[bool]) -> list[int]:
    """Return the indices of the parts to render, in order.

    Beside those that are not ``done`` these are the ones before them in their shot that must be
    gone through again, back to one whose end state is at hand (``resumable``).
    """
    wanted: set[int] = set()
    place = {part.key: index for index, part in enumerate(parts)}
    for index, part in enumerate(parts):
        if done[index]:
            continue
        wanted.add(index)
        before = part.before
        while before is not None and place[before] not in wanted:
            earlier = place[before]
            if done[earlier] and resumable[earlier]:
                break
            wanted.add(earlier)
            before = parts[earlier].before
    return sorted(wanted)


def shard(parts: Sequence[Part], *, number: int, count: int) -> list[Part]:
    """Return the parts of shard ``number`` (1 … ``count``): whole shots, about equally many frames.

    A shot belongs to the shard in whose share of the film its middle lies.
    """
    total = parts[-1].stop if parts else 0
    spans: dict[int, tuple[int, int]] = {}
    for part in parts:
        start, stop = spans.get(part.shot, (part.start, part.stop))
        spans[part.shot] = (min(start, part.start), max(stop, part.stop))
    return [part for part in parts if sum(spans[part.shot]) * count // (2 * total) == number - 1]
