"""Make the manifest of a job, or take up the one that is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from colorize.base.errors import UserError
from colorize.base.progress import say
from colorize.films.plan.analysis import Shots, look_through
from colorize.films.plan.digests import Digests
from colorize.films.plan.hints import check_hints
from colorize.films.plan.manifest import (
    AUTO,
    KEEP,
    Manifest,
    Origin,
    Reference,
    Settings,
    Shot,
    read_manifest,
)
from colorize.films.plan.references import find_frames, guided, library_of
from colorize.inference.loaded import LoadedNetworks
from colorize.media import Source

# The first: training gives it most weight, and by experiments/choice no rule chooses better.
AUTO_OUTPUT = 0


def make_plan(
    source: Source,
    digests: Digests,
    settings: Settings,
    *,
    colorizer: LoadedNetworks,
    references: Sequence[Reference] | None = None,
    hints: Sequence[Reference] | None = None,
    path: Path | None = None,
    before: Digests | None = None,
) -> Manifest:
    """Return the manifest of a job, with a choice for every shot; nothing is written.

    ``references`` and ``hints`` are those given now, None to go on with those of an earlier run.
    ``path`` is where a manifest of an earlier run may lie, ``before`` what its frames were. Shots
    that somebody edited stay as they are; so do all shots while the number of frames stays the
    same.

    Raises:
        UserError: The manifest is damaged, asks for an output that there is not, a hint is of no
            frame, or the whole source is in colour.
        MediaError: A frame cannot be read.
    """
    known = read_manifest(path) if path is not None and path.is_file() else None
    shots = _known_shots(known, digests, settings)
    if shots is None:
        seen = look_through(source)
        shots = _found_shots(seen, known, digests, before, settings)
        _report_colored(shots, source)
    _check_outputs(shots, colorizer.outputs, path)
    earlier = known.references if known else ()
    given = [each for each in earlier if not each.hint] if references is None else [*references]
    given += (
        [each for each in earlier if each.hint]
        if hints is None
        else check_hints(hints, shots[-1].stop, beside=given)
    )
    _check_given(shots, given, path)
    found, served = _served(shots, given, known, source, digests, settings, colorizer)
    origin = Origin(str(source.path), source.kind, shots[-1].stop, digests.whole)
    return Manifest(origin, settings, tuple(served), tuple(found))


def _served(
    shots: Sequence[Shot],
    given: Sequence[Reference],
    known: Manifest | None,
    source: Source,
    digests: Digests,
    settings: Settings,
    colorizer: LoadedNetworks,
) -> tuple[Sequence[Reference], Sequence[Shot]]:
    """Return the references with their frames, and the shots with what guides each.

    What an earlier run found is taken over if neither source, references nor shots have changed.
    """
    if not given:
        return (), [replace(shot, auto_references=()) for shot in shots]
    if not colorizer.takes_references:
        raise UserError(
            f"{settings.checkpoint}: this model takes no references; leave --reference out, or "
            "use weights trained with model=guided"
        )
    if (
        known is not None
        and known.source.digest == digests.whole
        and _compared(known.references, known.shots) == _compared(given, shots)
        and known.settings.weights == settings.weights
    ):
        return known.references, shots
    spans = [(shot.start, shot.stop) for shot in shots]
    found = find_frames(given, source, count=shots[-1].stop, spans=spans)
    chosen = guided(shots, source, library_of(found, source, colorizer))
    count = sum(bool(shot.guided_by) for shot in chosen)
    serve = "reference serves" if len(found) == 1 else "references serve"
    say(f"{len(found)} {serve} {count} of {len(chosen)} shots")
    used = {name for shot in chosen for name in shot.guided_by}
    if idle := [each.name for each in found if each.name not in used]:
        say(
            f"{', '.join(idle[:5])}{' …' if idle[5:] else ''}: shown in too small a part of every "
            "shot's first, middle and last frame to be used by itself; to use it all the same, add "
            'it to "references" of a shot in the manifest: ["auto", NAME]'
        )
    return found, chosen


def _check_given(shots: Sequence[Shot], given: Sequence[Reference], path: Path | None) -> None:
    """Refuse a shot that names a reference which the job was given earlier, but not now."""
    known = {each.name for each in given}
    for number, shot in enumerate(shots, 1):
        named = () if shot.references == AUTO else shot.references
        for name in named:
            if name != AUTO and name not in known:
                raise UserError(
                    f"{path}: shot {number} names the reference {name}, which is not given any "
                    'more; give it again, or take it out of "references"'
                )


def _compared(references: Sequence[Reference], shots: Sequence[Shot]) -> list[tuple[object, ...]]:
    """Return what the choice of references depends on."""
    spans = [(shot.start, shot.stop, shot.chosen == KEEP) for shot in shots]
    return [*((each.name, each.digest, each.hint) for each in references), *spans]


def _known_shots(known: Manifest | None, digests: Digests, settings: Settings) -> list[Shot] | None:
    """Return the shots of an earlier run; None if the source has to be looked through."""
    if known is None or known.source.digest != digests.whole:
        return None
    if known.settings.recolor != settings.recolor:
        return None
    return [shot if shot.auto == KEEP else _settled(shot, settings) for shot in known.shots]


def _settled(shot: Shot, settings: Settings) -> Shot:
    """Return a shot with the choice that counts for it unless somebody makes another."""
    return replace(shot, auto=AUTO_OUTPUT if settings.variant == AUTO else settings.variant)


def _found_shots(
    seen: Shots,
    known: Manifest | None,
    digests: Digests,
    before: Digests | None,
    settings: Settings,
) -> list[Shot]:
    """Return the shots of a source that was looked through, with what was decided before."""
    if seen.count == 0:
        raise UserError("the source has no frames; check that it plays")
    if known is not None and known.source.frames == seen.count:
        if known.source.digest != digests.whole:
            say("the source has changed: its shots stay as they were, changed ones are redone")
        shots = [_settled(shot, settings) for shot in known.shots]
    else:
        shots = [_settled(Shot(start, stop), settings) for start, stop in seen.spans()]
        if known is not None:
            say(
                f"the source has {seen.count} frames instead of {known.source.frames}: its shots "
                "were found anew"
            )
            shots = _carried(shots, known, digests, before)
    if settings.recolor:
        return shots
    colored = [shot.variant == AUTO and seen.is_colored(shot.start, shot.stop) for shot in shots]
    return [
        replace(shot, auto=KEEP) if keep else shot
        for shot, keep in zip(shots, colored, strict=True)
    ]


def _carried(
    shots: Sequence[Shot], known: Manifest, digests: Digests, before: Digests | None
) -> list[Shot]:
    """Return new shots with the decisions on old ones that hold the very same frames."""
    if before is None:
        return list(shots)
    old = {before.of(shot.start, shot.stop): shot for shot in known.shots}
    carried = []
    for shot in shots:
        same = old.get(digests.of(shot.start, shot.stop))
        carried.append(shot if same is None else replace(shot, variant=same.variant))
    return carried


def _report_colored(shots: Sequence[Shot], source: Source) -> None:
    """Tell which shots are in colour already.

    Raises:
        UserError: All of them.
    """
    kept = [shot for shot in shots if shot.auto == KEEP]
    if len(kept) == len(shots):
        raise UserError(
            f"{source.path} is in colour already; --recolor takes its luma and colours it anew"
        )
    if kept:
        frames = sum(shot.stop - shot.start for shot in kept)
        say(
            f"{len(kept)} of {len(shots)} shots ({frames} frames) are in colour already and stay "
            "as they are; --recolor colours them too"
        )


def _check_outputs(shots: Sequence[Shot], outputs: int, path: Path | None) -> None:
    """Refuse a choice of an output that the model does not have."""
    for number, shot in enumerate(shots, 1):
        chosen = shot.chosen
        if isinstance(chosen, int) and chosen >= outputs:
            where = f"{path}: shot {number}: " if isinstance(shot.variant, int) else ""
            raise UserError(f"{where}variant is {chosen}: this model has 0 to {outputs - 1}")
