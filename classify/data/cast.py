"""Casts of procedural characters as class folders: stages of a transfer, and two drawing styles.

    python -m classify.data.cast DIR                two classes each in DIR/gender, DIR/looks,
                                                    DIR/target and DIR/styles
    classify-train classifier=mona_transfer target=mona stages.gender.root=DIR/gender \\
        stages.looks.root=DIR/looks stages.target.root=DIR/target
    classify-train classifier=anime_girl data.root=DIR/styles

The characters are procedural; figures measured on them say nothing of drawn ones.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from classify.data.characters import Character, Color, Hat, draw_portrait
from colorize.base.errors import one_line_errors
from colorize.base.progress import tracked
from colorize.base.terminal import terminal

# A female character with a witch's hat and dark blue to black hair, as in Sun & Yang, section 3.
TARGET = Character(
    female=True,
    hair=(35, 35, 85),
    clothes=(70, 60, 150),
    skin=(250, 222, 200),
    eyes=(40, 140, 150),
    hat="witch",
    style="anime",
    face=0.74,
    fringe=5,
)
_SKINS: tuple[Color, ...] = ((250, 222, 200), (236, 190, 150), (190, 130, 90), (120, 80, 55))
_HATS: tuple[Hat, ...] = ("none", "none", "witch", "cap")


def anybody(random: np.random.Generator) -> Character:
    """Return a character of random traits, unlike the target in hair and clothes."""
    return Character(
        female=bool(random.random() < 0.5),
        hair=_color(random),
        clothes=_color(random),
        skin=_SKINS[int(random.integers(len(_SKINS)))],
        eyes=_color(random),
        hat=_HATS[int(random.integers(len(_HATS)))],
        style="anime",
        face=random.uniform(0.66, 0.82),
        fringe=int(random.integers(2, 8)),
    )


def look_alike(random: np.random.Generator) -> Character:
    """Return a character in the colours of the target that is not the target: no witch's hat."""
    somebody = replace(anybody(random), hair=_near(TARGET.hair, random), female=True)
    hat: Hat = "cap" if random.random() < 0.3 else "none"
    return replace(somebody, clothes=_near(TARGET.clothes, random), skin=TARGET.skin, hat=hat)


def others(random: np.random.Generator) -> Character:
    """Return anybody but the target, a look-alike in every third case."""
    return look_alike(random) if random.random() < 1 / 3 else anybody(random)


Maker = Callable[[np.random.Generator], Character]
SETS: dict[str, dict[str, Maker]] = {
    "gender": {
        "female": lambda random: replace(anybody(random), female=True),
        "male": lambda random: replace(anybody(random), female=False),
    },
    "looks": {
        "dissimilar": anybody,
        "similar": lambda random: TARGET if random.random() < 0.3 else look_alike(random),
    },
    "target": {"mona": lambda random: TARGET, "others": others},
    "styles": {
        "anime": lambda random: replace(anybody(random), female=True, style="anime"),
        "cartoon": lambda random: replace(anybody(random), female=True, style="cartoon"),
    },
}


def draw_set(root: Path, name: str, *, count: int, side: int = 256, seed: int = 0) -> None:
    """Write ``count`` portraits of each class of a set as ``root/CLASS/NNNN.png``."""
    for category, make in SETS[name].items():
        folder = root / category
        folder.mkdir(parents=True, exist_ok=True)
        for number in tracked(range(count), f"drawing {name}/{category}", unit="picture"):
            random = np.random.default_rng([*f"{name}/{category}".encode(), seed, number])
            portrait = draw_portrait(make(random), random, side=side)
            Image.fromarray(portrait).save(folder / f"{number:04d}.png")


def main(arguments: list[str] | None = None) -> None:
    """Run ``python -m classify.data.cast``."""
    options = parser().parse_args(arguments)
    with one_line_errors(), terminal():
        for name in options.sets:
            draw_set(
                options.root / name,
                name,
                count=options.count,
                side=options.side,
                seed=options.seed,
            )
            print(
                f"{options.count} portraits of each of {', '.join(SETS[name])}: "
                f"{options.root / name}"
            )


def parser() -> argparse.ArgumentParser:
    """Return the command line of this program."""
    parser = argparse.ArgumentParser(
        prog="python -m classify.data.cast",
        description="Draw class folders of procedural characters.",
    )
    parser.add_argument("root", type=Path, metavar="DIR")
    parser.add_argument(
        "--sets", nargs="+", choices=list(SETS), default=list(SETS), help="which (default: all)"
    )
    parser.add_argument("--count", type=int, default=400, help="portraits a class (default 400)")
    parser.add_argument("--side", type=int, default=256, help="pixels a side (default 256)")
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (default 0)")
    return parser


def _color(random: np.random.Generator) -> Color:
    """Return a colour that is not the target's blue."""
    while True:
        red, green, blue = (int(value) for value in random.integers(20, 245, 3))
        if blue < max(red, green) + 20:
            return red, green, blue


def _near(color: Color, random: np.random.Generator) -> Color:
    red, green, blue = (int(np.clip(c + random.normal(0, 14), 0, 255)) for c in color)
    return red, green, blue


if __name__ == "__main__":
    main()
