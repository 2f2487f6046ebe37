"""``classify PICTURES --checkpoint FILE``: say what pictures show."""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from colorize.base.command_line import Parser, add_loudness, positive
from colorize.base.errors import one_line_errors
from colorize.base.files import write_atomically
from colorize.base.progress import task
from colorize.base.start import importing
from colorize.base.terminal import print_result, terminal

# PyTorch takes seconds to import: --help and a mistake need not wait for it.
if TYPE_CHECKING:
    from classify.predict import Classifier, Prediction

_EXAMPLES = """\
examples:
  classify digit.png --checkpoint runs/mnist/model.safetensors
  classify faces/ more.jpg --checkpoint runs/emotion/model.safetensors --top 3
  classify faces/ --checkpoint model.safetensors --csv faces.csv

Prints one line per picture: its path, the likeliest class, and the probabilities. Pictures of any
size and kind are brought to the size and colours that the checkpoint was trained with.
"""


def main(arguments: list[str] | None = None) -> None:
    """Run the console script ``classify``; exit code 1 if a file could not be read."""
    options = parser().parse_args(arguments)
    with one_line_errors(), terminal(quiet=options.quiet, verbose=options.verbose):
        with importing():
            from classify.predict import Classifier
        unreadable = classify(
            options.pictures,
            classifier=Classifier.load(
                options.checkpoint, device=options.device, mirror=options.mirror
            ),
            top=options.top,
            table=options.csv,
            batch_size=options.batch_size,
        )
    if unreadable:
        raise SystemExit(1)


def classify(
    paths: Sequence[Path],
    *,
    classifier: Classifier,
    top: int | None = None,
    table: Path | None = None,
    batch_size: int = 16,
) -> int:
    """Print what every picture shows, and write ``table`` if wished.

    ``top`` is how many classes are printed, the likeliest first (``None``: all).

    Returns:
        How many files could not be read.
    """
    from classify.predict import picture_paths

    files = picture_paths(paths)
    predictions = []
    with task("classifying", total=len(files), unit="picture") as bar:
        for prediction in classifier.files(files, batch_size=batch_size):
            print_result(describe(prediction, classifier.classes, top=top))
            bar.advance()
            predictions.append(prediction)
    if table is not None:
        write_atomically(table, _table(predictions, classifier.classes).encode())
    return sum(prediction.probabilities is None for prediction in predictions)


def describe(prediction: Prediction, classes: Sequence[str], *, top: int | None = None) -> str:
    """Return the line of one file: path, likeliest class, probabilities."""
    if prediction.probabilities is None:
        return f"unreadable: {prediction.problem}"
    order = (-prediction.probabilities).argsort(kind="stable").tolist()
    shown = ", ".join(f"{classes[i]} {prediction.probabilities[i]:.4f}" for i in order[:top])
    return f"{prediction.path}: {classes[order[0]]} ({shown})"


def _table(predictions: Sequence[Prediction], classes: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "class", *classes, "problem"])
    for prediction in predictions:
        row = prediction.probabilities
        if row is None:
            writer.writerow([prediction.path, "", *[""] * len(classes), prediction.problem])
        else:
            writer.writerow(
                [prediction.path, classes[int(row.argmax())], *(f"{p:.5f}" for p in row), ""]
            )
    return text.getvalue()


def parser() -> argparse.ArgumentParser:
    """Return the command line of this program."""
    parser = Parser(
        "classify",
        "Say which class pictures belong to, with a checkpoint of classify-train.",
        _EXAMPLES,
    )
    parser.add_argument(
        "pictures", nargs="+", type=Path, metavar="PICTURES", help="pictures, or folders of them"
    )
    parser.add_argument(
        "--checkpoint",
        type=Path,
        required=True,
        help="model.safetensors or .ckpt of classify-train",
    )
    parser.add_argument("--top", type=positive, help="how many classes to print (default: all)")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write a table of all pictures")
    parser.add_argument(
        "--mirror",
        action="store_true",
        help="average over each picture and its mirror image, as for faces",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default auto)")
    parser.add_argument(
        "--batch-size", type=positive, default=16, help="pictures at a time (default 16)"
    )
    add_loudness(parser)
    return parser
