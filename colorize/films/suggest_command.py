"""``colorize-suggest FILM -n N -o FOLDER``: which frames to colour, so that most is served."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from colorize.base.command_line import Parser, add_loudness, positive
from colorize.base.errors import UserError, one_line_errors
from colorize.base.start import importing
from colorize.base.terminal import terminal

# PyTorch takes seconds to import: --help and a mistake need not wait for it.
if TYPE_CHECKING:
    from colorize.films.suggest.folder import Round

_EXAMPLES = """\
examples:
  colorize-suggest film.mp4 -n 12 -o to-colour/
  colorize film.mp4 -o film-colour.mp4 --reference to-colour/
  colorize-suggest film.mp4 --more 4 -o to-colour/

The folder gets each suggested frame in gray (PNG), and as an OpenRaster file (.ora) for Krita or
GIMP: paint in the layer "colours", under the drawing. Save under the same name, in either form, and
give the folder to colorize: the frames that are painted are its references. draft/ shows what the
colours would be without any, suggestions.png what each frame serves.
"""


def main(arguments: list[str] | None = None) -> None:
    """Run the console script ``colorize-suggest``."""
    options = parser().parse_args(arguments)
    with one_line_errors(), terminal(quiet=options.quiet, verbose=options.verbose):
        done = _run(options)
    print(table(done))
    print(f"\n{_next(options, done)}")


def _run(options: argparse.Namespace) -> Round:
    """Do what the command line asks for."""
    from colorize.inference.shipped import resolve
    from colorize.media import open_source

    checkpoint = resolve(options.checkpoint or "default")
    if options.output.exists() and not options.output.is_dir():
        raise UserError(f"{options.output} is a file; name a folder for the frames to colour")
    with open_source(options.input) as source:
        with importing():
            from colorize.films.suggest.folder import suggest_into
            from colorize.inference.loaded import LoadedNetworks
            from colorize.inference.settings import RenderSettings
        colorizer = LoadedNetworks.load(checkpoint, device=options.device, short_side=options.size)
        return suggest_into(
            options.output,
            source,
            colorizer,
            count=options.more or options.number,
            further=options.more is not None,
            references=options.reference or [],
            settings=RenderSettings(recolor=options.recolor).fitted(colorizer),
        )


def table(done: Round) -> str:
    """Return the suggestions as a small table."""
    names = [f"{name}.png" for name in done.names]
    wide = max([len(name) for name in names], default=0)
    lines = [f"{'frame':>7}  {'file':{wide}}  newly  covered  serves shot (share of it)"]
    for each, name in zip(done.suggestions, names, strict=True):
        lines.append(
            f"{each.frame:>7}  {name:{wide}}  {each.gain:>5.0%}  {each.covered:>7.0%}  "
            f"{done.told(each)}".rstrip()
        )
    return "\n".join(lines)


def _next(options: argparse.Namespace, done: Round) -> str:
    """Return what to do next."""
    if not done.suggestions:
        return f"nothing to paint is left; see {options.output}"
    film = options.input
    coloured = film.with_name(f"{film.stem}-colour{film.suffix}")
    words = ["colorize", str(film), "-o", str(coloured), "--reference", str(options.output)]
    return (
        f"paint them in {options.output} (the .ora in Krita or GIMP, or the .png), then:\n"
        f"  {shlex.join(words)}"
    )


def parser() -> argparse.ArgumentParser:
    """Return the command line of this program."""
    about = "Suggest the frames of a gray film whose colours would serve the most of it."
    parser = Parser("colorize-suggest", about, _EXAMPLES)
    parser.add_argument("input", type=Path, metavar="FILM", help="a film, or a folder of frames")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FOLDER", help="where the frames go"
    )
    counts = parser.add_mutually_exclusive_group()
    counts.add_argument(
        "-n", "--number", type=positive, default=12, help="how many frames (default %(default)s)"
    )
    counts.add_argument(
        "--more",
        type=positive,
        metavar="N",
        help="N more, after those in the folder; what is painted of them serves already",
    )
    parser.add_argument(
        "--reference",
        type=Path,
        action="append",
        metavar="PATH",
        help="coloured frames that there are besides, a file or a folder",
    )
    parser.add_argument(
        "--recolor", action="store_true", help="suggest frames of shots in colour, too"
    )
    parser.add_argument("--checkpoint", type=Path, help="the model (default: as colorize)")
    parser.add_argument("--size", type=positive, help="short side the network works at, in pixels")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default auto)")
    add_loudness(parser)
    return parser
