"""Edit the manifest of a job: choose, merge and split shots, give them references.

It also tells what that changes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from colorize.app.error import PageError
from colorize.app.jobs import Job
from colorize.app.roots import Roots
from colorize.films.plan.digests import Digests, noted_digests
from colorize.films.plan.manifest import AUTO, KEEP, Manifest, Reference, Shot
from colorize.films.plan.parts import Part, divide, output_facts
from colorize.inference.engine import longest_piece
from colorize.media import open_source


def parts_of(job: Job, manifest: Manifest, roots: Roots) -> list[Part]:
    """Return the parts of a planned job, as its next run will divide it."""
    digests: Digests | None = Digests(None, manifest.source.digest)
    if manifest.source.kind == "folder":
        digests = noted_digests(job.store(roots).digests)
    if digests is None or any(shot.chosen is None for shot in manifest.shots):
        return []
    with open_source(job.input(roots)) as source:
        facts = output_facts(source, job.output(roots).suffix, manifest.settings)
        longest = longest_piece(source.size)
    return divide(manifest, digests, longest=longest, output=facts)


def changed_shots(job: Job, manifest: Manifest, roots: Roots) -> list[bool]:
    """Return for every shot whether the next run has anything to do for it."""
    store, changed = job.store(roots), [True] * len(manifest.shots)
    parts = parts_of(job, manifest, roots)
    for number in {part.shot for part in parts}:
        own = [part for part in parts if part.shot == number]
        changed[number] = not all(store.is_done(part) for part in own)
    return changed


def choose(manifest: Manifest, *, start: int, variant: int | str, outputs: int | None) -> Manifest:
    """Return the manifest with another choice for the shot that begins at frame ``start``.

    Raises:
        PageError: There is no such shot, or no such colouring.
    """
    if isinstance(variant, int) and not 0 <= variant < (outputs or 0):
        raise PageError(f"there is no colouring {variant}: choose 0 to {(outputs or 1) - 1}")
    if isinstance(variant, str) and variant not in (AUTO, KEEP):
        raise PageError(f"variant is {variant!r}: expected a number, auto or keep")
    number = _number(manifest, start)
    shots: list[Any] = list(manifest.shots)
    shots[number] = replace(shots[number], variant=variant)
    return manifest.with_shots(shots)


def merge(manifest: Manifest, *, start: int) -> Manifest:
    """Return the manifest with a shot and the one after it in one; the choice is the first's.

    Raises:
        PageError: There is no such shot, or none after it.
    """
    number, shots = _number(manifest, start), list(manifest.shots)
    if number + 1 == len(shots):
        raise PageError("this is the last shot; merge the one before it with it")
    shots[number : number + 2] = [replace(shots[number], stop=shots[number + 1].stop)]
    return manifest.with_shots(shots)


def split(manifest: Manifest, *, start: int, frame: int) -> Manifest:
    """Return the manifest with a shot in two, the second beginning at ``frame``.

    Raises:
        PageError: There is no such shot, or the frame is not within it.
    """
    number, shots = _number(manifest, start), list(manifest.shots)
    shot: Shot = shots[number]
    if not shot.start < frame < shot.stop:
        raise PageError(f"frame {frame}: expected one from {shot.start + 1} to {shot.stop - 1}")
    shots[number : number + 1] = [replace(shot, stop=frame), replace(shot, start=frame)]
    return manifest.with_shots(shots)


def serve(manifest: Manifest, *, start: int, path: Path, serves: bool) -> Manifest:
    """Return the manifest with a reference, a file at ``path``, given to a shot or taken from it.

    One that the plan does not know yet is written down without a digest: the next run looks at it.

    Raises:
        PageError: There is no such shot, or no such reference.
    """
    number, shots = _number(manifest, start), list(manifest.shots)
    if not path.is_file():
        raise PageError(f"there is no reference {path.name} any more", status=404)
    change = shots[number].with_reference if serves else shots[number].without_reference
    shots[number] = change(path.name)
    known = {each.name for each in manifest.references}
    new = () if path.name in known else (Reference(path.name, str(path), ""),)
    return replace(manifest, shots=tuple(shots), references=(*manifest.references, *new))


def _number(manifest: Manifest, start: int) -> int:
    """Return the place of the shot that begins at a frame."""
    for number, shot in enumerate(manifest.shots):
        if shot.start == start:
            return number
    raise PageError(
        f"no shot begins at frame {start} any more; they were changed elsewhere", status=409
    )
