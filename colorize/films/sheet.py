"""``colorize-sheet OUTPUT``: draw what each shot of a job would look like in each colouring."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from tqdm import tqdm

from colorize.base.command_line import Parser, positive
from colorize.base.errors import one_line_errors
from colorize.base.files import write_atomically
from colorize.films.error import JobError
from colorize.films.plan.analysis import middle_pair
from colorize.films.plan.manifest import KEEP, Manifest, Shot, read_manifest
from colorize.films.render.guides import Guides
from colorize.films.render.joining import to_integers
from colorize.imaging.contact_sheet import SheetRow, shot_sheets
from colorize.inference.colorizer import Colorizer, resize, working_size
from colorize.media import Frame, Source, fingerprint, open_source
from colorize.media.pictures.coding import encode_picture
from colorize.networks.guided.references import ReferenceSet

_THUMBNAIL = 360  # pixels of the short side, more than is shown

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
    with one_line_errors():
        folder = find_job(options.job)
        manifest = read_manifest(folder / "manifest.json")
        colorizer = Colorizer.load(
            options.checkpoint or manifest.settings.checkpoint,
            device=options.device,
            short_side=manifest.settings.short_side,
            flow_weights=options.flow_weights,
        )
        _check_weights(manifest, colorizer)
        with open_source(options.input or manifest.source.path) as source:
            rows = list(sheet_rows(source, manifest, colorizer))
        pages = shot_sheets(
            rows,
            heading=Path(manifest.source.path).name,
            note=f"{len(rows)} shots, {manifest.source.frames} frames; change a choice in "
            f"{folder / 'manifest.json'}",
            columns=options.columns,
        )
        for path in _write(pages, options.output or folder / "sheet.png"):
            print(path)


def find_job(path: Path) -> Path:
    """Return the job's folder for the output of a job, or for that folder itself.

    Raises:
        JobError: There is none.
    """
    for folder in (path, path / ".job", path.with_name(f".{path.name}.job")):
        if (folder / "manifest.json").is_file():
            return folder
    raise JobError(f"{path}: no job lies there; start it with colorize INPUT -o {path} --plan")


def sheet_rows(source: Source, manifest: Manifest, colorizer: Colorizer) -> Iterator[SheetRow]:
    """Yield a row for every shot: its middle frame, gray and in all colourings.

    Raises:
        MediaError: A frame cannot be read.
    """
    pairs = [middle_pair(shot) for shot in manifest.shots]
    frames = source.frames(only={index for pair in pairs for index in pair})
    stream = colorizer.stream(refine=manifest.settings.refine)
    guides = Guides(colorizer, manifest)
    bar = tqdm(manifest.shots, unit="shot", desc="drawing", leave=False)
    for number, (shot, pair) in enumerate(zip(bar, pairs, strict=True), 1):
        grays = [_gray(next(frames)) for _ in sorted(set(pair))]
        stream.reset()
        stream.references = _references(guides, shot, pair[1], grays[-1], colorizer)
        outputs = stream(torch.cat(grays), keep_luma=True)[-1]
        yield _row(f"shot {number}", shot, source.rate, gray=grays[-1], outputs=outputs)


def _references(
    guides: Guides, shot: Shot, frame: int, gray: Float[Tensor, "1 1 h w"], colorizer: Colorizer
) -> ReferenceSet | None:
    if shot.chosen == KEEP or not shot.guided_by:
        return None
    size = working_size(gray.shape[-2:], colorizer.short_side)
    return guides.of(guides.nearest(shot.guided_by, near=frame), size=size)


def _gray(frame: Frame) -> Float[Tensor, "1 1 h w"]:
    """Return the luma of a frame at the size of a large thumbnail."""
    gray = torch.from_numpy(frame.gray())[None, None]
    return resize(gray, working_size(gray.shape[-2:], _THUMBNAIL))


def _row(
    name: str,
    shot: Shot,
    rate: Fraction | None,
    *,
    gray: Float[Tensor, "1 1 h w"],
    outputs: Float[Tensor, "k 3 h w"],
) -> SheetRow:
    title, original = f"{name} · {_title(shot, rate)}", _picture(gray[0].expand(3, -1, -1))
    if shot.chosen == KEEP:
        return SheetRow(title=title, gray=original, outputs=[], chosen=0, by="kept")
    assert isinstance(shot.chosen, int), "a written manifest has a choice for every shot"
    return SheetRow(
        title=title,
        gray=original,
        outputs=[_picture(output) for output in outputs],
        chosen=shot.chosen,
        by="auto" if shot.variant == "auto" else "hand",
    )


def _title(shot: Shot, rate: Fraction | None) -> str:
    text = f"frames {shot.start}–{shot.stop - 1}"
    if rate is not None:
        minutes, seconds = divmod(float(shot.start / rate), 60)
        text += f" · {int(minutes)}:{seconds:04.1f}"
    return text + (f" · by {', '.join(shot.guided_by)}" if shot.guided_by else "")


def _picture(image: Tensor) -> UInt8[np.ndarray, "h w 3"]:
    return to_integers(image[None], np.dtype(np.uint8))[0]


def _check_weights(manifest: Manifest, colorizer: Colorizer) -> None:
    """Refuse another model than the job's, whose colourings would be others."""
    path = colorizer.checkpoint.path
    if fingerprint(path) != manifest.settings.weights:
        raise JobError(
            f"{path} is not the model of this job; pass the right one with --checkpoint, or run "
            "colorize with this one first"
        )


def _write(pages: Sequence[UInt8[np.ndarray, "_ _ 3"]], path: Path) -> list[Path]:
    """Write the pages and return their paths; several are numbered."""
    paths = [path]
    if len(pages) > 1:
        paths = [path.with_stem(f"{path.stem}-{n}") for n in range(1, len(pages) + 1)]
    for target, page in zip(paths, pages, strict=True):
        write_atomically(target, encode_picture(target, page, None, 90))
    return paths


def parser() -> argparse.ArgumentParser:
    """Return the command line of this program."""
    parser = Parser(
        "colorize-sheet",
        "Draw every shot of a job in each of the model's colourings.",
        _EXAMPLES,
    )
    parser.add_argument("job", type=Path, metavar="OUTPUT", help="the output of a colorize job")
    parser.add_argument("-o", "--output", type=Path, help="the sheet (default: sheet.png in it)")
    parser.add_argument("--columns", type=positive, default=4, help="colourings side by side")
    parser.add_argument("--input", type=Path, help="the source, if it was moved")
    parser.add_argument("--checkpoint", type=Path, help="the model, if it was moved")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default auto)")
    parser.add_argument("--flow-weights", metavar="FILE", help="RAFT's weights, if a refiner needs")
    return parser
