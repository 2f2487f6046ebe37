"""Subsets of drawings on disk, merged into one list to train from: ``train.txt``.

    python -m classify.data.subsets draw DIR      draw 10 subsets and test0.png
    python -m classify.data.subsets merge DIR     list the pictures of all subsets in train.txt
    classify-train classifier=expressions_list data.root=DIR
    classify DIR/test0.png --checkpoint runs/expressions/model.safetensors

``merge`` takes any folder of SUBSET/CLASS/PICTURE, so that a user's own drawings go the same way.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image

from classify.data.drawings import draw_subset
from classify.data.entries import LIST_NAME, DataError, subset_entries
from classify.preprocessing import PictureError, decode
from colorize.base.errors import one_line_errors
from colorize.base.files import write_atomically


def draw_subsets(root: Path, *, subsets: int, per_subset: int, seed: int = 0) -> None:
    """Write ``subset-NN/CLASS/NNN.png``, one person each, and ``test0.png`` by somebody else."""
    for person in range(subsets):
        for number, (expression, drawing) in enumerate(draw_subset(seed, person, per_subset)):
            folder = root / f"subset-{person + 1:02d}" / expression
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(drawing).save(folder / f"{number:03d}.png")
    _, drawing = next(iter(draw_subset(seed, subsets, 1)))
    Image.fromarray(drawing).save(root / "test0.png")


def merge_subsets(root: Path) -> tuple[Path, int, dict[str, str]]:
    """List the readable pictures of all ``SUBSET/CLASS/PICTURE`` in ``train.txt``.

    Returns:
        The list, how many pictures it names, and the files left out with the reason.

    Raises:
        DataError: There are no such pictures, or none of them can be read.
    """
    lines, skipped = [], {}
    for entry in subset_entries(root):
        try:
            decode(entry.read(), entry.name)
        except PictureError as error:
            skipped[entry.name] = str(error)
        else:
            lines.append(f"{entry.name}\t{entry.category}\n")
    if not lines:
        raise DataError(f"{root}: none of its pictures can be read; check the files")
    write_atomically(root / LIST_NAME, "".join(lines).encode())
    return root / LIST_NAME, len(lines), skipped


def main(arguments: list[str] | None = None) -> None:
    """Run ``python -m classify.data.subsets``."""
    options = parser().parse_args(arguments)
    with one_line_errors():
        if options.verb == "draw":
            draw_subsets(
                options.root,
                subsets=options.subsets,
                per_subset=options.per_subset,
                seed=options.seed,
            )
            print(f"{options.subsets} subsets of {options.per_subset} drawings: {options.root}")
        else:
            path, count, skipped = merge_subsets(options.root)
            for problem in skipped.values():
                print(f"left out: {problem}")
            print(f"{count} pictures listed, {len(skipped)} left out: {path}")


def parser() -> argparse.ArgumentParser:
    """Return the command line of this program."""
    parser = argparse.ArgumentParser(
        prog="python -m classify.data.subsets",
        description="Draw subsets of hand-drawn expressions, or merge subsets into train.txt.",
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    draw = verbs.add_parser("draw", help="draw subsets procedurally, each by another person")
    draw.add_argument("root", type=Path, metavar="DIR")
    draw.add_argument("--subsets", type=int, default=10, help="how many (default 10)")
    draw.add_argument("--per-subset", type=int, default=120, help="drawings each (default 120)")
    draw.add_argument("--seed", type=int, default=0, help="of all that is random (default 0)")
    merge = verbs.add_parser("merge", help="list the pictures of SUBSET/CLASS/PICTURE in train.txt")
    merge.add_argument("root", type=Path, metavar="DIR")
    return parser


if __name__ == "__main__":
    main()
