"""The test films: what old cartoons do to a detector of shots, one category after another."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

import numpy as np

from shot_films.drawings import crossed, darkened, held, luma, panned, series, still
from shot_films.joints import (
    BLACK,
    WHITE,
    Cut,
    Dissolve,
    Fade,
    Film,
    Frames,
    assemble,
    fade_in,
    fade_out,
)
from shot_films.wear import lightning, worn

SHOTS = 10  # of each film
_SIZES = ((72, 128), (96, 128), (108, 192))  # height, width
_LENGTHS = (16, 44)

Size = tuple[int, int]
Builder = Callable[[str, int, Size, np.random.Generator], Film]


def films(seed: int, *, each: int, only: Collection[str]) -> Iterator[Film]:
    """Yield ``each`` films of some categories, the same for the same seed."""
    for place, (category, build) in enumerate(CATEGORIES.items()):
        for number in range(each if category in only else 0):
            rng = np.random.default_rng((seed, place, number))
            size = _SIZES[number % len(_SIZES)]
            drawing = int(rng.integers(2**31))
            film = build(category, drawing, size, rng)
            yield Film(f"{category}-{number}", category, film.frames, film.joints)


def _shots(
    seed: int, size: Size, *, lengths: tuple[int, int] = _LENGTHS, scenes: int = 6,
    times: int = 1,
) -> list[Frames]:  # fmt: skip
    cartoon = series(seed, size=size, shots=times * SHOTS, frames=lengths, scenes=scenes)
    return [luma(cartoon, index) for index in range(times * SHOTS)]


def _cuts(category: str, shots: list[Frames]) -> Film:
    return assemble("", category, shots, [Cut()] * (len(shots) - 1))


def _rhythm(count: int) -> Builder:
    def build(category: str, seed: int, size: Size, rng: np.random.Generator) -> Film:
        return _cuts(category, [held(shot, count) for shot in _shots(seed, size)])

    return build


def _flashes(category: str, seed: int, size: Size, rng: np.random.Generator) -> Film:
    return lightning(_cuts(category, _shots(seed, size)), rng, count=12)


def _pans(category: str, seed: int, size: Size, rng: np.random.Generator) -> Film:
    wide = (size[0], 3 * size[1])
    shots = [
        panned(shot, size[1], start=int(rng.integers(0, 12)), length=int(rng.integers(6, 24)),
               back=bool(rng.integers(2)))
        for shot in _shots(seed, wide, lengths=(26, 44))
    ]  # fmt: skip
    return _cuts(category, shots)


def _figures(category: str, seed: int, size: Size, rng: np.random.Generator) -> Film:
    shots = [
        crossed(shot, start=int(rng.integers(0, 14)), length=int(rng.integers(5, 16)),
                back=bool(rng.integers(2)), on=int(rng.integers(1, 4)))
        for shot in _shots(seed, size, lengths=(24, 44))
    ]  # fmt: skip
    return _cuts(category, shots)


def _night(category: str, seed: int, size: Size, rng: np.random.Generator) -> Film:
    shots = [
        darkened(shot, float(rng.uniform(0.05, 0.16)), floor=float(rng.uniform(0, 12)))
        for shot in _shots(seed, size)
    ]
    return _cuts(category, shots)


def _stills(category: str, seed: int, size: Size, rng: np.random.Generator) -> Film:
    shots = [still(shot, int(rng.integers(10, 60))) for shot in _shots(seed, size, lengths=(3, 3))]
    return _cuts(category, shots)


def _worn_cuts(category: str, seed: int, size: Size, rng: np.random.Generator) -> Film:
    return _wear(_cuts(category, _shots(seed, size)), rng)


def _wear(film: Film, rng: np.random.Generator) -> Film:
    frames = worn(
        film.frames, rng, grain=float(rng.uniform(0.03, 0.08)), weave=1.0,
        flicker=float(rng.uniform(0.02, 0.08)), dust=float(rng.uniform(1, 5)),
    )  # fmt: skip
    return Film(film.name, film.category, frames, film.joints)


def _fades(level: int) -> Builder:
    def build(category: str, seed: int, size: Size, rng: np.random.Generator) -> Film:
        shots = _shots(seed, size, lengths=(40, 56))
        shots[0] = fade_in(shots[0], 12, level)
        shots[-1] = fade_out(shots[-1], 12, level)
        return assemble("", category, shots, [_fade(rng, level) for _ in shots[1:]])

    return build


def _fade(rng: np.random.Generator, level: int) -> Fade:
    """Return a fade on both sides (mostly) or on one; some hold the level for up to a second."""
    out, into = (int(n) for n in rng.integers(6, 17, 2))
    hold = int(rng.choice([0, 0, 2, 6, 12, 24]))
    sides = str(rng.choice(["both", "out", "in"], p=[0.7, 0.15, 0.15]))
    return Fade(0 if sides == "in" else out, hold, 0 if sides == "out" else into, level)


def _dissolves(category: str, seed: int, size: Size, rng: np.random.Generator) -> Film:
    shots = _shots(seed, size, lengths=(58, 70))
    return assemble("", category, shots, [_dissolve(rng) for _ in shots[1:]])


def _dissolve(rng: np.random.Generator) -> Dissolve:
    return Dissolve(int(rng.integers(8, 25)))


def _short(category: str, seed: int, size: Size, rng: np.random.Generator) -> Film:
    """Runs of one to three shots of 3 to 5 frames between longer ones."""
    shots = _shots(seed, size, lengths=(16, 36), times=2)
    cut = [shot if index % 4 == 0 or rng.random() < 0.2 else shot[: int(rng.integers(3, 6))]
           for index, shot in enumerate(shots)]  # fmt: skip
    return _cuts(category, cut)


def _similar(category: str, seed: int, size: Size, rng: np.random.Generator) -> Film:
    """All shots on one set, from other places."""
    return _cuts(category, _shots(seed, size, scenes=1))


def _everything(category: str, seed: int, size: Size, rng: np.random.Generator) -> Film:
    """Every join and every distraction, on a worn print."""
    shots = [held(shot, int(rng.integers(1, 4))) for shot in _shots(seed, size, lengths=(52, 64))]
    for index in range(0, len(shots), 3):
        shots[index] = crossed(shots[index], start=26, length=8, back=False, on=2)
    shots[4] = darkened(shots[4], 0.2, floor=6)
    joins = [
        (Cut(), Cut(), _dissolve(rng), _fade(rng, BLACK))[int(rng.integers(4))] for _ in shots[1:]
    ]
    film = assemble("", category, shots, joins)
    return _wear(lightning(film, rng, count=4), rng)


CATEGORIES: dict[str, Builder] = {
    "on ones": _rhythm(1),
    "on twos": _rhythm(2),
    "on threes": _rhythm(3),
    "flashes": _flashes,
    "fast pans": _pans,
    "big figures": _figures,
    "near-black": _night,
    "static": _stills,
    "worn": _worn_cuts,
    "similar sets": _similar,
    "short shots": _short,
    "fades (black)": _fades(BLACK),
    "fades (white)": _fades(WHITE),
    "dissolves": _dissolves,
    "everything": _everything,
}
