"""``colorize INPUT -o OUTPUT``: colour a folder of frames, a video or one image."""

from __future__ import annotations

import argparse
from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import NoReturn

import numpy as np
import torch
from einops import rearrange
from tqdm import tqdm

from colorize.errors import fail, one_line_errors
from colorize.media import Frame, Source, open_sink, open_source
from colorize.predict import Colorizer
from colorize.shots import shot_starts

_EXAMPLES = """\
examples:
  colorize film.mp4 -o film-colour.mp4 --checkpoint runs/train/model.safetensors
  colorize frames/ -o coloured/ --checkpoint model.safetensors --variant 2
  colorize scan.png -o scan-colour.png --checkpoint model.safetensors --size 256

The output has the same form as the input: a folder gives the same file names and sizes, a video
the same frames, rate, timestamps, audio and subtitles. The network works on a smaller picture
(--size); its colours are joined to the original picture, whose drawing stays exactly as it is.
"""


def main(arguments: list[str] | None = None) -> None:
    """Run the console script ``colorize``."""
    options = parser().parse_args(arguments)
    with one_line_errors():
        count = colorize(
            options.input,
            options.output,
            colorizer=Colorizer.load(
                options.checkpoint,
                device=options.device,
                short_side=options.size,
                flow_weights=options.flow_weights,
            ),
            variant=options.variant,
            refine=options.refine,
            batch_size=options.batch_size,
            quality=options.quality,
        )
        print(f"{count} frame{'s' * (count != 1)} coloured: {options.output}")


def colorize(
    source_path: Path,
    output_path: Path,
    *,
    colorizer: Colorizer,
    variant: int = 0,
    refine: bool | None = None,
    batch_size: int = 4,
    quality: int = 90,
) -> int:
    """Colour every frame of ``source_path`` into ``output_path`` and return their number.

    Where a frame's colours depend on the frame before (a refiner, or a network that sees it), the
    cuts are found first, and every shot starts anew. ``refine=False`` leaves the refiner out.

    Raises:
        MediaError: The input cannot be read or the output not written.
        ValueError: The model has no such variant.
    """
    stream = colorizer.stream(variant=variant, refine=refine)
    done = 0
    with open_source(source_path) as source:
        starts = _shot_starts(source) if stream.sequential else frozenset()
        with (
            open_sink(output_path, like=source, quality=quality) as sink,
            tqdm(total=source.count, unit="frame", desc="colouring", dynamic_ncols=True) as bar,
        ):
            for frames in batches(source, batch_size, starts=starts):
                if done in starts:
                    stream.reset()
                gray = torch.from_numpy(np.stack([frame.gray() for frame in frames])).unsqueeze(1)
                coloured = stream(gray, keep_luma=True)[:, 0]
                for frame, picture in zip(
                    frames, to_integers(coloured, frames[0].rgb.dtype), strict=True
                ):
                    sink.write(frame.with_rgb(picture))
                done += len(frames)
                bar.update(len(frames))
    return done


def _shot_starts(source: Source) -> frozenset[int]:
    """Read the source once to find its cuts."""
    frames = tqdm(source, total=source.count, unit="frame", desc="finding cuts", leave=False)
    return frozenset(shot_starts(frame.gray() for frame in frames))


def batches(
    frames: Iterable[Frame], size: int, *, starts: Container[int] = ()
) -> Iterator[list[Frame]]:
    """Yield runs of at most ``size`` consecutive frames of one picture size and bit depth.

    A frame whose number is in ``starts`` begins a run.
    """
    batch: list[Frame] = []
    for number, frame in enumerate(frames):
        if batch and (number in starts or _form(frame) != _form(batch[0])):
            yield batch
            batch = []
        batch.append(frame)
        if len(batch) == size:  # at once: a later frame may be broken
            yield batch
            batch = []
    if batch:
        yield batch


def to_integers(pictures: torch.Tensor, dtype: np.dtype) -> np.ndarray:
    """Return RGB pictures ``b 3 h w`` in [0, 1] as ``b h w 3`` of uint8 or uint16, rounded."""
    scaled = rearrange(pictures, "b c h w -> b h w c") * np.iinfo(dtype).max
    return scaled.round().cpu().numpy().astype(dtype)


def _form(frame: Frame) -> tuple[tuple[int, ...], np.dtype]:
    return frame.rgb.shape, frame.rgb.dtype


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """End with one line like every other error; argparse adds the whole usage."""
        fail(f"{message}; see {self.prog} --help")


def parser() -> argparse.ArgumentParser:
    """Return the command line of this program."""
    parser = _Parser(
        prog="colorize",
        description="Colour a black-and-white cartoon: a folder of frames, a video or one image.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("input", type=Path, metavar="INPUT", help="frame folder, video or image")
    parser.add_argument("-o", "--output", type=Path, required=True, help="where the result goes")
    parser.add_argument(
        "--checkpoint",
        type=Path,
        required=True,
        help="model.safetensors or .ckpt of colorize-train (make demo leaves one in demo/)",
    )
    parser.add_argument(
        "--variant", type=int, default=0, help="which of the model's K colourings (default 0)"
    )
    parser.add_argument(
        "--no-refine",
        dest="refine",
        action="store_const",
        const=False,
        help="leave out the checkpoint's refinement network, if it has one",
    )
    parser.add_argument(
        "--flow-weights",
        metavar="FILE",
        help="RAFT's weights for a refinement network that uses it (default: as in its training)",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default auto)")
    parser.add_argument(
        "--size",
        type=_positive,
        help="short side the network works at, in pixels (default: that of the training)",
    )
    parser.add_argument(
        "--batch-size", type=_positive, default=4, help="frames at a time (default 4)"
    )
    parser.add_argument(
        "--quality",
        type=_percent,
        default=90,
        metavar="1-100",
        help="of JPEG, WebP and video (default 90); PNG, TIFF and BMP lose nothing",
    )
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number")
    return int(text)


def _percent(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 100")
    return int(text)
