"""``colorize INPUT -o OUTPUT``: colour a folder of frames, a video or one image."""

from __future__ import annotations

import argparse
import os
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colorize.base.command_line import Parser, add_loudness, number, positive, whole
from colorize.base.errors import UserError, one_line_errors
from colorize.base.start import importing
from colorize.base.terminal import terminal
from colorize.inference.settings import RenderSettings, Setting, declared_settings

# PyTorch takes seconds to import: --help and a mistake need not wait for it.
if TYPE_CHECKING:
    from colorize.films.run import Done

_EXAMPLES = """\
examples:
  colorize film.mp4 -o film-colour.mp4
  colorize film.mp4 -o film-colour.mp4 --reference coloured/
  colorize frames/ -o coloured/ --reference frame_0012.png --reference hero-sheet.png
  colorize film.mp4 -o film-colour.mp4 --hints dots/
  colorize episode-2.mp4 -o episode-2-colour.mp4 --palette series.json
  colorize scan.png -o scan-colour.png --checkpoint runs/train/model.safetensors --size 256

The output has the same form as the input: a folder gives the same file names and sizes, a video
the same frames, rate, timestamps, audio and subtitles. The network works on a smaller picture
(--size); its colours are joined to the original picture, whose drawing stays exactly as it is.

References are frames that you have coloured, model sheets, or colour pictures of the same series.
One named after a frame (its file's name, or its number from 0; of neighbours the one drawn so)
colours the shot it belongs to, and comes out as it is; any other one serves the shots that show the
same things. One per shot makes most of the difference; where a shot changes, give it another.

Shots come first: each is coloured in one of the model's K ways, chosen automatically unless
--variant says which. A stopped job continues with the same command. It lies in OUTPUT/.job or, for
a film, in .NAME.job beside it: its manifest.json has a line for every shot, where "variant" may be
changed to another number (colorize-sheet OUTPUT shows them) and shots may be split or merged; the
same command then renders only what changed.

Several machines share a film through a common folder:
  colorize film.mp4 -o out.mp4 --plan       find the shots
  colorize film.mp4 -o out.mp4 --shard 2/8  on each machine
  colorize film.mp4 -o out.mp4 --merge      put it together
"""


def main(arguments: list[str] | None = None) -> None:
    """Run the console script ``colorize``."""
    options = parser().parse_args(arguments)
    with one_line_errors():
        with terminal(quiet=options.quiet, verbose=options.verbose):
            done = _run(options)
        print(_summary(done, options))


def _run(options: argparse.Namespace) -> Done:
    """Do what the command line asks for."""
    # The stages of a job share the cores: a thread that waits must not keep one busy. OpenMP reads
    # it when PyTorch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from colorize.inference.shipped import resolve
    from colorize.media import check_output, open_source

    settings = chosen_settings(options)
    checkpoint = resolve(options.checkpoint or "default")
    with open_source(options.input) as source:
        check_output(options.output, like=source)
    with importing():
        from colorize.films.plan.manifest import Settings
        from colorize.films.run import Share, run_job
        from colorize.inference.loaded import LoadedNetworks
    colorizer = LoadedNetworks.load(
        checkpoint,
        device=options.device,
        short_side=settings.short_side,
        flow_weights=options.flow_weights,
    )
    index, count = options.shard
    return run_job(
        options.input,
        options.output,
        colorizer=colorizer,
        settings=Settings.of(colorizer, settings),
        references=[] if options.no_references else _given(options),
        hints=[] if options.no_references and not options.hints else options.hints,
        batch_size=options.batch_size,
        share=Share(number=index, count=count, only=options.only),
    )


def _given(options: argparse.Namespace) -> list[Path] | None:
    """Return the references and palettes of the command line; None if there are none."""
    for path in options.palette or []:
        if path.suffix.lower() != ".json":
            raise UserError(
                f"--palette {path}: expected a palette with examples, such as series.json"
            )
    return [*(options.reference or []), *(options.palette or [])] or None


def chosen_settings(options: argparse.Namespace) -> RenderSettings:
    """Return the settings that the command line says."""
    return RenderSettings(
        **{each.name: getattr(options, each.name) for each in declared_settings()}
    )


def _summary(done: Done, options: argparse.Namespace) -> str:
    """Return the line that a run ends with."""
    frames = f"{done.frames} frame{'s' * (done.frames != 1)}"
    if options.only == "plan":
        shots = f"{done.shots} shot{'s' * (done.shots != 1)} in {frames}"
        return f"{shots}: {done.folder}; look at them with colorize-sheet {options.output}"
    if not done.complete:
        return f"{done.rendered} of {frames} coloured; the job lies in {done.folder}"
    if done.rendered == 0:
        return f"nothing to do: all {frames} are coloured: {options.output}"
    job = "" if done.folder is None else f"; the job lies in {done.folder}"
    return f"{frames} coloured: {options.output}{job}"


def parser() -> argparse.ArgumentParser:
    """Return the command line of this program."""
    parser = Parser(
        "colorize",
        "Colour a black-and-white cartoon: a folder of frames, a video or one image.",
        _EXAMPLES,
    )
    parser.add_argument("input", type=Path, metavar="INPUT", help="frame folder, video or image")
    parser.add_argument("-o", "--output", type=Path, required=True, help="where the result goes")
    parser.add_argument(
        "--checkpoint",
        type=Path,
        help="model.safetensors or .ckpt of colorize-train (default: weights that come with it)",
    )
    _add_references(parser.add_argument_group("what colours things have"))
    _add_looks(parser.add_argument_group("how it looks"))
    _add_work(parser.add_argument_group("how it is done"))
    add_loudness(parser)
    return parser


def _add_references(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--reference",
        type=Path,
        action="append",
        metavar="PATH",
        help="a coloured frame or model sheet, or a folder of them; may be given several times",
    )
    group.add_argument(
        "--hints",
        type=Path,
        action="append",
        metavar="FOLDER",
        help="pictures with transparency (PNG, .ora) named after frames: dots, strokes or fills of "
        "colour, without lines if you like; may be given several times",
    )
    group.add_argument(
        "--palette",
        type=Path,
        action="append",
        metavar="FILE",
        help="a series.json: characters keep the colours of its painted examples",
    )
    group.add_argument(
        "--no-references",
        action="store_true",
        help="leave out those that an earlier run of this job was given, and its hints",
    )


def _add_looks(group: argparse._ArgumentGroup) -> None:
    for setting in declared_settings():
        _add_setting(group, setting)
    group.add_argument(
        "--flow-weights",
        metavar="FILE",
        help="RAFT's weights for a refinement network that uses it (default: as in its training)",
    )


def _add_setting(group: argparse._ArgumentGroup, setting: Setting) -> None:
    """Add the flag of a setting."""
    add = partial(group.add_argument, dest=setting.name, help=setting.help)
    if setting.kind == "check" and setting.default:
        add(f"--no-{setting.word}", action="store_false")
    elif setting.kind == "check":
        add(f"--{setting.word}", action="store_true")
    else:
        span = None if setting.high == inf else f"{setting.low:g}-{setting.high:g}"
        add(
            f"--{setting.word}",
            type=partial(_value, setting),
            default=setting.default,
            metavar=setting.metavar or span or setting.word.upper(),
        )


def _value(setting: Setting, text: str) -> Any:
    """Return what a user wrote for a setting."""
    match setting.kind:
        case "slider":
            return number(text, low=setting.low, high=setting.high)
        case "number":
            return whole(text, low=setting.low, high=setting.high)
    if text in setting.choices:
        return text
    if setting.numbered and text.isdecimal():
        return int(text)
    known = " nor ".join(setting.words)
    raise argparse.ArgumentTypeError(f"{text!r} is neither {known}")


def _add_work(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default auto)")
    group.add_argument(
        "--batch-size",
        type=positive,
        default=4,
        help="frames at a time (default 4); halved by itself when memory runs out",
    )
    group.add_argument(
        "--shard",
        type=_shard,
        default=(1, 1),
        metavar="I/N",
        help="colour the I-th of N shares of the shots only",
    )
    steps = group.add_mutually_exclusive_group()
    steps.add_argument(
        "--plan",
        dest="only",
        action="store_const",
        const="plan",
        help="find the shots and choose their colours, but colour nothing",
    )
    steps.add_argument(
        "--merge",
        dest="only",
        action="store_const",
        const="merge",
        help="put together what shards have coloured",
    )


def _shard(text: str) -> tuple[int, int]:
    index, slash, count = text.partition("/")
    if not (slash and index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a share like 2/8")
    return int(index), int(count)
