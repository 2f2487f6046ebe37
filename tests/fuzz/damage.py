"""Ways in which a file is damaged, each drawn from a seeded generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

Random = np.random.Generator


@dataclass(frozen=True)
class Damaged:
    """A file, and what was done to it."""

    name: str
    content: bytes
    how: str


def bits(content: bytearray, random: Random) -> None:
    """Flip one to eight bits anywhere."""
    for _ in range(random.integers(1, 9)):
        content[random.integers(len(content))] ^= 1 << int(random.integers(8))


def header_bits(content: bytearray, random: Random) -> None:
    """Flip one to four bits of the first bytes, where sizes and kinds are told."""
    for _ in range(random.integers(1, 5)):
        content[random.integers(min(len(content), 200))] ^= 1 << int(random.integers(8))


def noise(content: bytearray, random: Random) -> None:
    """Replace a run of bytes."""
    start, stop = _run(content, random)
    content[start:stop] = random.bytes(stop - start)


def zeros(content: bytearray, random: Random) -> None:
    """Clear a run of bytes, as a power failure may."""
    start, stop = _run(content, random)
    content[start:stop] = bytes(stop - start)


def no_header(content: bytearray, random: Random) -> None:
    """Clear the first bytes."""
    length = min(len(content), int(random.integers(1, 64)))
    content[:length] = bytes(length)


def shorter(content: bytearray, random: Random) -> None:
    """Cut the end off."""
    del content[random.integers(len(content)) :]


def gap(content: bytearray, random: Random) -> None:
    """Leave a run out."""
    start, stop = _run(content, random)
    del content[start:stop]


def twice(content: bytearray, random: Random) -> None:
    """Repeat a run."""
    start, stop = _run(content, random)
    content[stop:stop] = content[start:stop]


def junk(content: bytearray, random: Random) -> None:
    """Add bytes to the end."""
    content += random.bytes(int(random.integers(1, 500)))


def nothing(content: bytearray, random: Random) -> None:
    """Empty the file."""
    content.clear()


CHANGES: tuple[Callable[[bytearray, Random], None], ...] = (
    bits, header_bits, noise, zeros, no_header, shorter, gap, twice, header_bits, junk, bits,
    noise, shorter, nothing,
)  # fmt: skip


def _run(content: bytearray, random: Random) -> tuple[int, int]:
    """Return the ends of a run of 1 to 600 bytes, short ones being as likely as long ones."""
    start = int(random.integers(len(content)))
    return start, min(len(content), start + int(2 ** random.uniform(0, 9.2)))


def damaged(files: Mapping[str, bytes], number: int) -> Damaged:
    """Return the file of a number: every file in turn, with every kind of damage in turn."""
    random, names = np.random.default_rng([20240229, number]), list(files)
    name, turn = names[number % len(names)], number // len(names)
    content = bytearray(files[name])
    kinds = len(CHANGES) + 2
    kind = turn % kinds
    other = names[random.integers(len(names))]
    if kind == len(CHANGES):
        return Damaged(f"{number}{Path(other).suffix}", bytes(content), f"{name} as {other}")
    if kind > len(CHANGES):
        return Damaged(f"{number}{Path(name).suffix}", bytes(content) + files[other], "joined")
    CHANGES[kind](content, random)
    return Damaged(
        f"{number}{Path(name).suffix}", bytes(content), f"{name}: {CHANGES[kind].__name__}"
    )
