"""Show what it does in a minute: draw a cartoon it has never seen, colour it by one frame a shot.

The weights come with the package. The first frame of every shot is given in colour, as if somebody
had painted it; the others are coloured by it, and measured. Every step but the first and the last
is a command that a user would type, printed before it runs. Nothing is downloaded.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from colorize.base.files import write_atomically
from colorize.cartoon import CartoonSeries
from colorize.imaging.contact_sheet import contact_sheet, save_sheet
from colorize.media import Frame, open_source, write_video
from colorize.media.pictures.folder import FolderSink
from colorize.metrics import COLORIZED, GRAY

RATE = Fraction(12)
SEED = 9200  # no training series has it
LPIPS_REASON = "not measured: its AlexNet is a download of 233 MB; colorize-evaluate measures it"


def main() -> None:
    """Run the demo into ``--output``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("demo"), help="default: demo")
    parser.add_argument("--shots", type=int, default=6, help="shots to draw (default 6)")
    parser.add_argument("--frames", type=int, default=12, help="frames of each (default 12)")
    options = parser.parse_args()
    folder: Path = options.output
    started = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    print("drawing a cartoon that no training has seen")
    draw_shots(folder, shots=options.shots, frames=options.frames)
    colorized, references = folder / "colorized", folder / "references"
    command("colorize", folder / "gray", "-o", colorized, "--reference", references)
    command(
        "colorize-evaluate",
        f"prediction={colorized}",
        f"truth={folder / 'truth'}",
        f"leave_out={references}",
        f"output={folder / 'evaluation'}",
        "metric=[psnr,lab]",
    )
    draw_comparison(folder)
    report(folder, seconds=time.monotonic() - started)


def command(program: str, *arguments: object) -> None:
    """Print a command as a user would type it, run it, and stop the demo if it fails."""
    words = [str(argument) for argument in arguments]
    print(f"\n$ {program} {' '.join(words)}", flush=True)
    done = subprocess.run([str(Path(sys.executable).parent / program), *words])
    if done.returncode:
        raise SystemExit(done.returncode)


def draw_shots(folder: Path, *, shots: int, frames: int) -> None:
    """Draw shots as true frames, as gray frames, and the first frame of each as a reference."""
    series = CartoonSeries(
        seed=SEED, size=(180, 320), shots=shots, frames_per_shot=frames, effects=False
    )
    names = ("truth", "gray", "references")
    with ExitStack() as stack:
        truth, gray, given = (
            stack.enter_context(FolderSink(folder / name, quality=100)) for name in names
        )
        for shot in range(shots):
            for number, rgb in enumerate(series.color(shot)):
                name = f"shot-{shot:03d}_{number:03d}.png"
                frame = Frame(index=shot * frames + number, name=name, rgb=rgb)
                luma = (frame.gray() * 255).round().astype(np.uint8)
                truth.write(frame)
                gray.write(frame.with_rgb(np.repeat(luma[..., None], 3, axis=2)))
                if number == 0:
                    given.write(frame)


def draw_comparison(folder: Path) -> None:
    """Draw input, result and truth side by side: every frame as a film, one a shot as a sheet."""
    names = ("gray", "colorized", "truth")

    def rows() -> Iterator[list[Frame]]:
        sources = [open_source(folder / name) for name in names]
        return map(list, zip(*sources, strict=True))

    write_video(
        folder / "comparison.mp4",
        (np.concatenate([enlarge(frame.rgb) for frame in row], axis=1) for row in rows()),
        rate=RATE,
    )
    chosen = {}
    for row in rows():  # the last frame of each shot
        chosen[row[0].name.split("_")[0]] = [frame.rgb for frame in row]
    titles = ["black and white", "colorized", "as it was drawn"]
    rows_of_sheet = [list(column) for column in zip(*chosen.values(), strict=True)]
    first = [next(iter(open_source(path))).rgb for path in references(folder)]
    sheet = contact_sheet(
        [first, *rows_of_sheet],
        row_titles=["the frame given in colour", *titles],
        cell_width=256,
    )
    save_sheet(folder / "sheet.png", sheet)


def references(folder: Path) -> list[Path]:
    """Return the files of the frames given in colour."""
    return sorted((folder / "references").glob("*.png"))


def enlarge(picture: np.ndarray, *, height: int = 360) -> np.ndarray:
    """Return a picture scaled to ``height`` for looking at."""
    width = round(picture.shape[1] * height / picture.shape[0] / 2) * 2
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC)


def report(folder: Path, *, seconds: float) -> None:
    """Write ``metrics.json`` and say where to look and what to try next."""
    total = json.loads((folder / "evaluation" / "results.json").read_text())["total"]
    score = {row: {key: mean["mean"] for key, mean in total[row].items()} for row in total}
    metrics = {
        "psnr": score[COLORIZED]["psnr"],
        "psnr_gray": score[GRAY]["psnr"],
        "lpips": None,
        "lpips_reason": LPIPS_REASON,
        "mse_lab": score[COLORIZED]["mse_lab"],
        "mse_lab_gray": score[GRAY]["mse_lab"],
        "seconds": round(seconds, 1),
    }
    write_atomically(folder / "metrics.json", (json.dumps(metrics, indent=2) + "\n").encode())
    gain = metrics["psnr"] - metrics["psnr_gray"]
    print(
        f"\nA series it had never seen, one frame a shot given in colour: PSNR "
        f"{metrics['psnr']:.1f} dB on the others, {gain:.1f} dB above gray, in {seconds:.0f} s.\n"
        f"  look:  {folder / 'sheet.png'}  {folder / 'comparison.mp4'}  {folder / 'colorized'}/\n"
        "  try:   .venv/bin/colorize YOUR_FILM.mp4 -o coloured.mp4\n"
        "         .venv/bin/colorize YOUR_FILM.mp4 -o coloured.mp4 --reference COLOURED_FRAMES/"
    )


if __name__ == "__main__":
    main()
