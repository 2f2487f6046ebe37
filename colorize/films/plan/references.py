"""Find out what the references of a job are: frames of its source, or any other pictures."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from colorize.base.errors import UserError
from colorize.base.progress import say
from colorize.films.painting.series import SUFFIX as PALETTE
from colorize.films.painting.series import example_paths, is_example, read_example
from colorize.films.plan.drawings import Drawing, small
from colorize.films.plan.manifest import KEEP, Reference, Shot
from colorize.films.plan.suggested import Suggested, painted_files, read_suggested
from colorize.imaging.coloredness import clearly_colored, is_colored
from colorize.inference.choice import Span, choose_references
from colorize.inference.library import ColoredPicture, Library
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.painted import on_drawing, read_painted
from colorize.media import Frame, Source, fingerprint, open_source
from colorize.media.frame import opacity
from colorize.media.pictures.folder import picture_files
from colorize.media.pictures.openraster import SUFFIX

# Of Drawing.fit. Of CartoonSeries(9201), 180x320: frames repainted in random flat tones fit their
# own at 0.53 to 0.80, frames of other shots at 0.02.
_SAME_DRAWING = 0.4
_SAME_LINES = 0.97  # nothing was painted over: no other frame can fit better than one beside it
# Two fits that do not tell frames apart. Of four clips of penny-and-chip a frame saved as JPEG of
# quality 70 fits its own at 0.999 to 1.000 and its neighbours at 0.36 to 0.998; one painted flat
# fits at 0.94 to 0.98, and a neighbour at most 0.001 better.
_AS_GOOD = 0.0015
_PAINTED = 0.005  # of a reference's opaque part: less is what compression does to gray
_GRAY = 0.1  # of a picture, from which on it is told what is gray
_NEAR, _FAR = 12, 240  # frames around the one named that are compared: of any shot, of its own


def read_references(paths: Sequence[Path]) -> list[Reference]:
    """Return the pictures of ``paths``, files or folders, as references of no frame yet.

    Of a folder of suggestions those that are not painted yet are left out, and told. Of a palette
    each example is a reference.

    Raises:
        MediaError: A path cannot be read or holds no pictures.
        UserError: Two have the same name, or one is in black and white.
    """
    return read_pictures(paths, is_painted=has_colors)


def read_pictures(paths: Sequence[Path], *, is_painted: Callable[[Frame], bool]) -> list[Reference]:
    """Return the pictures of paths that are painted, as :func:`read_references` does."""
    found: dict[str, Reference] = {}
    for path in paths:
        if path.suffix.lower() == PALETTE:
            for name, place, digest in example_paths(path):
                if name in found:
                    raise UserError(f"two palettes are called {path.name}; rename one")
                found[name] = Reference(name, place, digest)
            continue
        suggested = read_suggested(path) if path.is_dir() else None
        waiting = set[str]()
        for file in _files(path):
            if file.name in found:
                raise UserError(
                    f"two references are called {file.name}: {found[file.name].path} and {file}; "
                    "rename one"
                )
            if is_painted(read_picture(file)):
                found[file.name] = Reference(file.name, str(file), fingerprint(file))
            elif suggested is not None and file.stem in suggested.frames:
                waiting.add(file.stem)
            else:
                raise UserError(f"{file} has no colours: a reference must be in colour")
        if suggested is not None:
            _tell_waiting(suggested, waiting, found)
    return list(found.values())


def _files(path: Path) -> list[Path]:
    """Return the files of pictures that a path means: itself, or those of a folder."""
    if path.is_dir():
        files = painted_files(path)
        if not files:
            raise UserError(f"{path} holds no pictures; name a folder of coloured frames")
        return files
    if path.suffix.lower() == SUFFIX:
        return [path]
    with open_source(path) as source:
        if source.kind == "video":
            raise UserError(
                f"{path} is a film; references are pictures: save the frames that you mean"
            )
    return [path]


def _tell_waiting(suggested: Suggested, waiting: set[str], found: Mapping[str, Reference]) -> None:
    """Tell which suggested frames are not painted yet.

    Raises:
        UserError: None is.
    """
    own = {
        Path(name).stem
        for name, each in found.items()
        if Path(each.path).parent == suggested.folder
    }
    left = sorted(waiting - own, key=lambda name: suggested.frames[name])
    if left and not own:
        raise UserError(
            f"{suggested.folder} holds no painted frame yet: paint one of its pictures, such as "
            f"{left[0]}{SUFFIX}, and give the folder again"
        )
    if left:
        names = ", ".join(left[:5]) + (" …" if left[5:] else "")
        say(f"{suggested.folder}: {len(left)} suggested frames are not painted yet: {names}")


def has_colors(picture: Frame) -> bool:
    """Return whether a picture can be a reference: a coat that is painted in a gray frame will do.

    What is transparent does not count; of a picture that is so in part, one colour is enough.
    """
    mask = opacity(picture)
    if mask is None:
        return is_colored(picture.rgb, share=_PAINTED)
    shown = picture.rgb[mask > 0]
    return len(shown) > 0 and clearly_colored(shown) >= _PAINTED


def read_picture(path: str | Path) -> Frame:
    """Return a reference's picture.

    Raises:
        MediaError: It cannot be read.
    """
    if is_example(str(path)):
        return read_example(str(path))[0]
    return read_painted(Path(path))


def frame_name(source: Source, frame: int) -> str:
    """Return the name, without suffix, by which a picture of a frame is known again."""
    if source.kind == "folder":
        return picture_files(source.path)[frame].stem
    return f"{source.path.stem}_{frame:04d}"


def find_frames(
    references: Sequence[Reference],
    source: Source,
    *,
    count: int,
    spans: Sequence[tuple[int, int]] = (),
) -> list[Reference]:
    """Return references with the frame that each shows, where it is one of the source's.

    The name says where to look: that of a file of the source, or a number in it, counted from 0.
    The drawing decides: of that frame and the two beside it the one that is drawn as the picture
    is; where none is the same to the line, of all frames of its shot (``spans``: start and stop of
    each) and of those ``_NEAR`` it. What is found in another place than the name says is told, and
    so is a picture that shows none of them, or a number beyond the source. Hints have their frame.
    """
    named = {each.name: list[int]() for each in references if each.hint}
    named |= _named_frames([each for each in references if not each.hint], source, count)
    pictures = {
        each.name: Drawing.of(read_picture(each.path)) for each in references if named[each.name]
    }
    beside = {name: _around(numbers, 1, count) for name, numbers in named.items() if numbers}
    fits = _fits(pictures, beside, source)
    wider = {
        name: _shot_around(named[name], spans, count)
        for name, beside_it in fits.items()
        if max((match.fit for match in beside_it.values()), default=0.0) < _SAME_LINES
    }
    for name, more in _fits(pictures, wider, source).items():
        fits[name] |= more
    found = [
        each
        if each.hint
        else replace(each, frame=_frame_of(each.name, named[each.name], fits.get(each.name, {})))
        for each in references
    ]
    _report_doubles(found)
    return found


def library_of(
    references: Sequence[Reference], source: Source, colorizer: LoadedNetworks
) -> Library:
    """Return the references of a job, to be looked at.

    Where one shows parts of a frame only, the rest of that frame is read from the source; examples
    of a palette bring the drawing that they were painted on.
    """
    pictures = []
    for each in references:
        drawing = None if each.frame is None else partial(_read_frame, source.path, each.frame)
        pictures.append(colored_picture(each, drawing))
    return Library(colorizer, pictures)


def colored_picture(reference: Reference, drawing: Callable[[], Frame] | None) -> ColoredPicture:
    """Return a reference of a job, to be looked at; ``drawing`` reads the frame that it shows."""
    read = partial(read_picture, reference.path)
    if is_example(reference.path):
        drawing = partial(_read_drawing, reference.path)
    elif reference.hint and drawing is not None:
        read = partial(_read_on, reference.path, drawing)
    return ColoredPicture(reference.name, read, reference.frame, drawing)


def _read_on(path: str, drawing: Callable[[], Frame]) -> Frame:
    """Return a hint at the luma of its frame: no lines need be drawn in it."""
    return on_drawing(read_picture(path), drawing())


def _read_drawing(path: str) -> Frame:
    """Return what an example of a palette was painted on."""
    return read_example(path)[1]


def _read_frame(path: Path, index: int) -> Frame:
    """Return a frame of a film, a folder or a picture, by a reader of its own."""
    with open_source(path) as source:
        return next(iter(source.frames(index, index + 1)))


def guided(shots: Sequence[Shot], source: Source, library: Library) -> list[Shot]:
    """Return shots with the references that colour each, unless somebody else chose."""
    spans = [None if shot.chosen == KEEP else Span(shot.start, shot.stop) for shot in shots]
    chosen = choose_references(
        spans, library, lambda wanted: source.frames(0, max(wanted) + 1, only=wanted)
    )
    return [replace(shot, auto_references=names) for shot, names in zip(shots, chosen, strict=True)]


def _named_frames(
    references: Sequence[Reference], source: Source, count: int
) -> dict[str, list[int]]:
    """Return by name the frames that references may be called after, the likeliest first.

    One more than the last is among them: programs that count from 1 call the last frame so.
    """
    stems = stems_of(source)
    named: dict[str, list[int]] = {}
    for reference in references:
        if is_example(reference.path):
            named[reference.name] = []
            continue
        stem = Path(reference.name).stem
        numbers = numbers_in(stem)
        inside = [each for each in numbers if each <= count]
        copied = copied_frame(stem, stems)
        if copied is not None:
            inside = [copied]
        elif numbers and not inside:
            say(
                f"{reference.name} is called after frame {numbers[0]}, but the frames are 0 to "
                f"{count - 1}: it serves wherever it fits"
            )
        named[reference.name] = inside
    return named


def stems_of(source: Source) -> dict[str, int]:
    """Return the frames of a folder by the names of their files, without suffix."""
    if source.kind != "folder":
        return {}
    return {file.stem: index for index, file in enumerate(picture_files(source.path))}


def copied_frame(stem: str, stems: Mapping[str, int]) -> int | None:
    """Return the frame whose file's name a picture has: frame_0012_gray, frame_0012 (1)."""
    alike = [each for each in stems if re.fullmatch(re.escape(each) + r"(\W.*|_.*)?", stem)]
    return stems[max(alike, key=len)] if alike else None


def numbers_in(stem: str) -> list[int]:
    """Return the numbers in a name, the last first."""
    return [int(each) for each in reversed(re.findall(r"\d+", stem))]


class _Match(NamedTuple):
    """How well a picture is drawn as a frame is, and which share of it is as gray as that."""

    fit: float
    gray: float


def _frame_of(name: str, numbers: Sequence[int], fits: Mapping[int, _Match]) -> int | None:
    """Return which frame a picture shows by how well it ``fits`` some; None if it shows none."""
    if not fits:
        return None
    # Cartoons hold a drawing for some frames: between equals the name decides.
    called = numbers[0]
    best = max(match.fit for match in fits.values())
    index = min(
        (each for each, match in fits.items() if match.fit >= best - _AS_GOOD),
        key=lambda each: (min(abs(each - number) for number in numbers), abs(each - called), each),
    )
    if best < _SAME_DRAWING:
        say(
            f"{name} does not show frame {called}, after which it is named: it serves wherever it "
            "fits"
        )
        return None
    if index != called:
        say(f"{name} shows frame {index}, not {called}: it is taken for frame {index}")
    if fits[index].gray >= _GRAY:
        say(
            f"{name} is as gray as frame {index} in {fits[index].gray:.0%} of what it shows, which "
            "is taken for its colour; make transparent what is not painted yet"
        )
    return index


def _report_doubles(references: Sequence[Reference]) -> None:
    """Tell which pictures show the same frame: the first gives it its colours."""
    first: dict[int, str] = {}
    for each in references:
        if each.frame is not None and first.setdefault(each.frame, each.name) != each.name:
            say(
                f"{first[each.frame]} and {each.name} both show frame {each.frame}: it gets the "
                "colours of the first; remove the one that you do not want"
            )


def _around(numbers: Sequence[int], reach: int, count: int) -> set[int]:
    """Return the frames that lie at most ``reach`` from one of some numbers."""
    return {
        index
        for number in numbers
        for index in range(max(0, number - reach), min(count, number + reach + 1))
    }


def _shot_around(numbers: Sequence[int], spans: Sequence[tuple[int, int]], count: int) -> set[int]:
    """Return the frames of the shots of some frames, and those near these."""
    far = _around(numbers, _FAR, count)
    own = {
        index
        for start, stop in spans
        if any(start <= number < stop for number in numbers)
        for index in range(start, stop)
    }
    return _around(numbers, _NEAR, count) | (own & far)


def _fits(
    pictures: Mapping[str, Drawing], wanted: Mapping[str, set[int]], source: Source
) -> dict[str, dict[int, _Match]]:
    """Return by name how well a picture is drawn as each of the frames ``wanted`` for it."""
    fits: dict[str, dict[int, _Match]] = {name: {} for name in wanted}
    everything = {index for some in wanted.values() for index in some}
    if not everything:
        return fits
    for frame in source.frames(0, max(everything) + 1, only=everything):
        luma = small(frame.gray())
        for name, some in wanted.items():
            if frame.index in some:
                picture = pictures[name]
                fits[name][frame.index] = _Match(picture.fit(luma), picture.gray_share(luma))
    return fits
