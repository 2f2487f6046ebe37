"""``colorize-prepare``: turn videos and frame folders into a dataset to train and measure on."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from colorize.base.command_line import Parser, add_loudness, positive, whole
from colorize.base.errors import one_line_errors
from colorize.base.terminal import terminal
from colorize.data.manifest import FITS, RATIO, SIZE

_DESCRIPTION = (
    "Turn colour films and frame folders into a dataset for colorize-train and colorize-evaluate."
)
_EXAMPLES = """\
examples:
  colorize-prepare --train frames/some --test frames/others -o datasets/series
  colorize-prepare episodes/ -o datasets/series --ratio 0.8,0.1,0.1
  colorize-prepare clips/*.mp4 -o datasets/series --splits clips.csv --first-frame 48

A SOURCE is a film, a folder of frames, or a folder of such; one called train, val or test says the
split of what is in it. Splits go by clip, never by frame. Without clips for val, the last shots of
training clips are used for it. Where the numbers of frames jump (0213 to 0291), a shot ends.

Frames are resized once and stored as they are trained on, with the shots found in them. The command
can be killed and run again: finished clips are kept, only what is new or changed is done. Options
left out keep what the dataset has.

exit status: 0 done; 1 some sources could not be read and were skipped; 2 nothing done: a wrong
argument, or the dataset cannot be written; 130 stopped by Ctrl-C.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the console script ``colorize-prepare``; return its exit status."""
    options = vars(parser().parse_args(arguments))
    skip_unreadable = options.pop("skip_unreadable")
    loudness = {name: options.pop(name) for name in ("quiet", "verbose")}
    with one_line_errors(), terminal(**loudness):
        # Readers of films and pictures take their time to import: --help need not wait for them.
        from colorize.data.prepare.update import Request, prepare

        skipped = prepare(Request(**options))
    for reason in skipped:
        print(f"skipped: {reason}", file=sys.stderr)
    return 0 if skip_unreadable or not skipped else 1


def parser() -> argparse.ArgumentParser:
    """Return the command line of this program."""
    parser = Parser("colorize-prepare", _DESCRIPTION, _EXAMPLES)
    parser.allow_abbrev = False
    add = parser.add_argument
    add("sources", metavar="SOURCE", nargs="*", type=Path,
        help="a film, a folder of frames, or a folder of films or of such folders")  # fmt: skip
    for split, use in (
        ("train", "train on"),
        ("val", "choose the best epoch by"),
        ("test", "measure on"),
    ):
        add(f"--{split}", metavar="SOURCE", nargs="+", type=Path, default=[],
            help=f"sources to {use}")  # fmt: skip
    add("-o", "--output", dest="root", metavar="DATASET", required=True, type=Path,
        help="the dataset's folder: made, or updated")  # fmt: skip
    add("--size", metavar="HEIGHTxWIDTH", type=_size,
        help=f"size of the stored frames (default {SIZE[0]}x{SIZE[1]})")  # fmt: skip
    add("--fit", choices=FITS,
        help="another aspect ratio is cropped at the centre, or stretched (default crop; ratios "
        "within 2 %% are stretched)")  # fmt: skip
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--splits", metavar="CSV", type=Path,
        help="splits by clip, columns clip,split,first_frame; split is train, val or "
        "test; further columns are ignored; every source needs a line")  # fmt: skip
    choice.add_argument("--ratio", metavar="TRAIN,VAL,TEST", type=_ratio,
        help="shares of the clips without a CSV (default "
        f"{','.join(map(str, RATIO))}); clips of the "
        "dataset keep their split")  # fmt: skip
    add("--seed", type=whole, help="of the random split (default 0)")
    add("--first-frame", metavar="N", type=whole,
        help="frames to leave out at the start of each clip, where the CSV says nothing "
        "(default 0)")  # fmt: skip
    add("--prune", action="store_true",
        help="delete clips of the dataset that the command does not name")  # fmt: skip
    add("--skip-unreadable", action="store_true",
        help="exit with 0 although sources could not be read")  # fmt: skip
    add("--workers", metavar="N", type=positive, default=os.cpu_count() or 1,
        help="clips converted at a time (default: one per core)")  # fmt: skip
    add_loudness(parser)
    return parser


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if match is None or min(map(int, match.groups())) < 16:
        raise argparse.ArgumentTypeError(
            f"expected HEIGHTxWIDTH of at least 16x16, such as 144x256, got {text!r}"
        )
    return int(match[1]), int(match[2])


def _ratio(text: str) -> tuple[float, float, float]:
    parts = text.split(",")
    numbers = [float(part) for part in parts if re.fullmatch(r"\s*\d*\.?\d+\s*", part)]
    if len(parts) != 3 or len(numbers) != 3 or abs(sum(numbers) - 1) > 1e-3 or numbers[0] == 0:
        raise argparse.ArgumentTypeError(
            f"expected shares TRAIN,VAL,TEST whose sum is 1, such as 0.8,0.1,0.1, got {text!r}"
        )
    return numbers[0], numbers[1], numbers[2]


if __name__ == "__main__":
    sys.exit(main())
