"""``colorize-sheet OUTPUT``: draw what each shot of a job would look like in each colouring."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from colorize.base.command_line import Parser, add_loudness, positive
from colorize.base.errors import UserError, one_line_errors
from colorize.base.files import write_atomically
from colorize.base.start import importing
from colorize.base.terminal import terminal

# PyTorch takes seconds to import: --help and a mistake need not wait for it.
if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import UInt8

_EXAMPLES = """\
examples:
  colorize film.mp4 -o film-colour.mp4 --plan
  colorize-sheet film-colour.mp4
  colorize-sheet coloured/ -o choices.png --columns 6

OUTPUT is that of the job, or the job's own folder. The sheet shows the middle frame of every shot
in each of the model's K colourings, the chosen one in a frame. To choose another, change "variant"
of the shot in the job's manifest.json (a line per shot) and run the same colorize command again.
"""


def main(arguments: list[str] | None = None) -> None:
    """Run the console script ``colorize-sheet``."""
    options = parser().parse_args(arguments)
    with one_line_errors(), terminal(quiet=options.quiet, verbose=options.verbose):
        paths = _draw(options)
    for path in paths:
        print(path)


def _draw(options: argparse.Namespace) -> list[Path]:
    """Draw and write the sheet; return its pages."""
    folder = find_job(options.job)
    with importing():
        from colorize.films.plan.manifest import read_manifest
        from colorize.films.sheet import sheet_rows
        from colorize.imaging.contact_sheet import shot_sheets
        from colorize.inference.loaded import LoadedNetworks
        from colorize.media import fingerprint, open_source
    manifest = read_manifest(folder / "manifest.json")
    colorizer = LoadedNetworks.load(
        options.checkpoint or manifest.settings.checkpoint,
        device=options.device,
        short_side=manifest.settings.short_side,
        flow_weights=options.flow_weights,
    )
    assert colorizer.checkpoint is not None, "it was loaded from a file"
    # Another model's colourings would be others.
    if fingerprint(colorizer.checkpoint.path) != manifest.settings.weights:
        raise UserError(
            f"{colorizer.checkpoint.path} is not the model of this job; pass the right one with "
            "--checkpoint, or run colorize with this one first"
        )
    with open_source(options.input or manifest.source.path) as source:
        rows = list(sheet_rows(source, manifest, colorizer))
    pages = shot_sheets(
        rows,
        heading=Path(manifest.source.path).name,
        note=f"{len(rows)} shots, {manifest.source.frames} frames; change a choice in "
        f"{folder / 'manifest.json'}",
        columns=options.columns,
    )
    return _write(pages, options.output or folder / "sheet.png")


def find_job(path: Path) -> Path:
    """Return the job's folder for the output of a job, or for that folder itself.

    Raises:
        UserError: There is none.
    """
    for folder in (path, path / ".job", path.with_name(f".{path.name}.job")):
        if (folder / "manifest.json").is_file():
            return folder
    raise UserError(f"{path}: no job lies there; start it with colorize INPUT -o {path} --plan")


def _write(pages: Sequence[UInt8[np.ndarray, "_ _ 3"]], path: Path) -> list[Path]:
    """Write the pages and return their paths; several are numbered."""
    from colorize.media.pictures.coding import encode_picture

    paths = [path]
    if len(pages) > 1:
        paths = [path.with_stem(f"{path.stem}-{n}") for n in range(1, len(pages) + 1)]
    for target, page in zip(paths, pages, strict=True):
        write_atomically(target, encode_picture(target, page, None, 90))
    return paths


def parser() -> argparse.ArgumentParser:
    """Return the command line of this program."""
    about = "Draw every shot of a job in each of the model's colourings."
    parser = Parser("colorize-sheet", about, _EXAMPLES)
    parser.add_argument("job", type=Path, metavar="OUTPUT", help="the output of a colorize job")
    parser.add_argument("-o", "--output", type=Path, help="the sheet (default: sheet.png in it)")
    parser.add_argument("--columns", type=positive, default=4, help="colourings side by side")
    parser.add_argument("--input", type=Path, help="the source, if it was moved")
    parser.add_argument("--checkpoint", type=Path, help="the model, if it was moved")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default auto)")
    parser.add_argument("--flow-weights", metavar="FILE", help="RAFT's weights, if a refiner needs")
    add_loudness(parser)
    return parser
