"""``classify-screen FOLDER --checkpoint FILE --keep DIR``: pick the pictures of one class."""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classify.journal import NAME, ScreenError, undo
from colorize.base.command_line import Parser, add_loudness, positive
from colorize.base.errors import did_you_mean, one_line_errors
from colorize.base.files import write_atomically
from colorize.base.start import importing
from colorize.base.terminal import terminal

# PyTorch takes seconds to import: --help and a mistake need not wait for it.
if TYPE_CHECKING:
    from classify.predict import Classifier
    from classify.selection import Screening

_EXAMPLES = """\
examples:
  classify-screen downloads/ --checkpoint mona.safetensors --target mona --keep mona/
  classify-screen downloads/ --checkpoint mona.safetensors --keep mona/ --rejected others/ --move
  classify-screen --undo --keep mona/
  classify-screen downloads/ --checkpoint mona.safetensors --keep mona/ --save-settings mona.json
  classify-screen --settings mona.json --threshold 0.9

Pictures are copied unless --move is given; nothing is ever deleted or overwritten. What is decided
is written to KEEP/screening.jsonl before it is done: the same command continues a stopped run, and
--undo moves everything back. The report is KEEP/screening.md and KEEP/screening.csv.
"""
# What can be saved to a settings file, with its type there.
_SETTINGS: dict[str, type] = {
    "folder": str,
    "checkpoint": str,
    "target": str,
    "threshold": float,
    "keep": str,
    "rejected": str,
    "move": bool,
    "truth": str,
}


def main(arguments: list[str] | None = None) -> None:
    """Run the console script ``classify-screen``."""
    options = vars(parser().parse_args(arguments))
    loudness = {name: options.pop(name) for name in ("quiet", "verbose")}
    with one_line_errors(), terminal(**loudness):
        if options["settings"] is not None:
            saved = read_settings(options["settings"])
            given = {key: value for key, value in options.items() if value is not None}
            options = {**options, **saved, **given}
        if options["undo"]:
            _undo(options)
            return
        if options["save_settings"] is not None:
            save_settings(options["save_settings"], options)
        _screen(options)


def _screen(options: Mapping[str, Any]) -> None:
    for name, shown in (("folder", "FOLDER"), ("checkpoint", "--checkpoint"), ("keep", "--keep")):
        if options[name] is None:
            raise ScreenError(f"{shown} is not given; see classify-screen --help")
    with importing():
        from classify.predict import Classifier
        from classify.selection import Screening, screen, write_summary
    classifier = Classifier.load(options["checkpoint"], device=options["device"] or "auto")
    rejected = options["rejected"]
    screening = Screening(
        folder=Path(options["folder"]),
        keep=Path(options["keep"]),
        rejected=None if rejected is None else Path(rejected),
        target=_target(options["target"], classifier),
        threshold=0.95 if options["threshold"] is None else options["threshold"],
        move=bool(options["move"]),
    )
    truth = None if options["truth"] is None else _Truth(options["truth"], screening)
    summary = screen(screening, classifier, batch_size=options["batch_size"] or 16)
    known = None if truth is None else truth.of(d.file for d in summary.decisions)
    written = write_summary(summary, known)
    print(summary.markdown(known))
    print("written:", ", ".join(str(path) for path in written))


def _undo(options: Mapping[str, Any]) -> None:
    if options["keep"] is None:
        raise ScreenError("--keep is not given: name the folder of the screening to undo")
    done, left = undo(Path(options["keep"]) / NAME)
    for problem in left:
        print(f"not undone: {problem}")
    print(f"{done} undone, {len(left)} not")
    if left:
        raise SystemExit(1)


def _target(given: str | None, classifier: Classifier) -> str:
    """Return the class that is looked for: the one asked for, or that of the training."""
    target = given or classifier.checkpoint.config.get("target")
    if target is None:
        raise ScreenError(
            f"--target is not given, and the checkpoint names none; expected one of "
            f"{', '.join(classifier.classes)}"
        )
    return str(target)


class _Truth:
    """The true classes: of a CSV ``file,class``, or the names of the first subfolders."""

    def __init__(self, source: str, screening: Screening) -> None:
        self._classes: dict[str, str] | None = None
        if source == "folders":
            return
        with Path(source).open(newline="") as file:
            reader = csv.DictReader(file)
            if not {"file", "class"} <= set(reader.fieldnames or ()):
                raise ScreenError(
                    f"--truth {source}: columns are {', '.join(reader.fieldnames or ['none'])}; "
                    f"expected file,class with paths relative to {screening.folder}"
                )
            self._classes = {row["file"]: row["class"] for row in reader}

    def of(self, files: Iterable[str]) -> dict[str, str]:
        """Return the classes of the files whose class is known."""
        if self._classes is None:
            return {file: file.split("/", 1)[0] for file in files}
        return {file: self._classes[file] for file in files if file in self._classes}


def read_settings(path: Path) -> dict[str, Any]:
    """Return the settings of a file that ``--save-settings`` wrote.

    Raises:
        ScreenError: It is no such file, or holds an unknown setting or a wrong type.
    """
    try:
        content = json.loads(path.read_text())
    except ValueError as error:
        raise ScreenError(f"{path}: no JSON ({error}); write it with --save-settings") from error
    if not isinstance(content, dict):
        raise ScreenError(f"{path}: expected an object of settings; write it with --save-settings")
    for key, value in content.items():
        if key not in _SETTINGS:
            raise ScreenError(f"{path}: unknown setting {key}{did_you_mean(key, _SETTINGS)}")
        kind = _SETTINGS[key]
        if not isinstance(value, (int, float) if kind is float else kind):
            raise ScreenError(f"{path}: {key} is {value!r}: expected {kind.__name__}")
    return content


def save_settings(path: Path, options: Mapping[str, Any]) -> None:
    """Write the settings that were given, as JSON."""
    given = {key: kind(options[key]) for key, kind in _SETTINGS.items() if options[key] is not None}
    write_atomically(path, (json.dumps(given, indent=2, ensure_ascii=False) + "\n").encode())


def parser() -> argparse.ArgumentParser:
    """Return the command line of this program; an option that is not given is ``None``."""
    parser = Parser(
        "classify-screen",
        "Sort a folder of pictures by whether they show one class.",
        _EXAMPLES,
    )
    add = parser.add_argument
    add("folder", nargs="?", type=Path, metavar="FOLDER", help="pictures, in subfolders too")
    add("--checkpoint", type=Path, help="model.safetensors or .ckpt of classify-train")
    add("--keep", type=Path, metavar="DIR", help="where the pictures of the class go")
    add("--rejected", type=Path, metavar="DIR", help="where the others go (default: nowhere)")
    add("--target", metavar="CLASS", help="the class to keep (default: that of the training)")
    add("--threshold", type=float, help="keep from this probability on, 0 to 1 (default 0.95)")
    add("--move", action=argparse.BooleanOptionalAction, help="move instead of copying")
    add(
        "--truth",
        metavar="FILE|folders",
        help="CSV of file,class, or 'folders': subfolders are named by class",
    )
    add("--undo", action="store_true", help="move everything back, remove the copies")
    add("--settings", type=Path, metavar="FILE", help="read settings; options above go first")
    add("--save-settings", type=Path, metavar="FILE", help="write the settings of this command")
    add("--device", help="auto, cpu, cuda or cuda:N (default auto)")
    add("--batch-size", type=positive, help="pictures at a time (default 16)")
    add_loudness(parser)
    return parser
