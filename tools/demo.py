"""Show the whole way in minutes: draw a cartoon, train on it, colour shots it has never seen.

Every step but the first and the last is a command that a user would type, printed before it runs.
Nothing is downloaded.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from hydra import compose, initialize_config_dir

from colorize.config import build, config_directory, register_schemas
from colorize.data import CartoonClips, Clip
from colorize.files import write_atomically
from colorize.media import Frame, open_source, write_video
from colorize.media.folder import FolderSink
from colorize.metrics import COLORIZED, GRAY
from colorize.sheet import contact_sheet, save_sheet

RATE = Fraction(12)
LPIPS_REASON = "not measured: its AlexNet is a download of 233 MB; colorize-evaluate measures it"


def main() -> None:
    """Run the demo into ``--output``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("demo"), help="default: demo")
    parser.add_argument(
        "overrides", nargs="*", help="settings of the training, such as trainer.max_epochs=2"
    )
    options = parser.parse_intermixed_args()
    folder: Path = options.output
    started = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    print("drawing shots that the training will not see")
    write_held_out_shots(folder, options.overrides)
    run, colorized = folder / "run", folder / "colorized"
    command("colorize-train", "experiment=demo", f"directory={run}", *options.overrides)
    command("colorize", folder / "gray", "-o", colorized, "--checkpoint", run / "model.safetensors")
    command(
        "colorize-evaluate",
        f"prediction={colorized}",
        f"truth={folder / 'truth'}",
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


def write_held_out_shots(folder: Path, overrides: list[str]) -> None:
    """Write the test shots of the demo's series as gray and as true frames."""
    register_schemas()
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        config = compose("train", overrides=["experiment=demo", *overrides])
    clips: CartoonClips = build(config.data)
    held_out = clips.split("test").clips
    for name in ("truth", "gray"):
        with FolderSink(folder / name, quality=100) as sink:
            for frame in frames(held_out, gray=name == "gray"):
                sink.write(frame)


def frames(clips: tuple[Clip, ...], *, gray: bool) -> Iterator[Frame]:
    """Yield all frames of some clips under names that sort in order."""
    index = 0
    for clip in clips:
        for number, rgb in enumerate(clip.frames):
            frame = Frame(index=index, name=f"{clip.name}_{number:03d}.png", rgb=rgb)
            if gray:
                luma = (frame.gray() * 255).round().astype(np.uint8)
                frame = frame.with_rgb(np.repeat(luma[..., None], 3, axis=2))
            yield frame
            index += 1


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
    sheet = contact_sheet(rows_of_sheet, row_titles=titles, cell_width=256)
    save_sheet(folder / "sheet.png", sheet)


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
        f"\nColoured shots it had never seen: PSNR {metrics['psnr']:.1f} dB, "
        f"{gain:.1f} dB above gray, in {seconds:.0f} s.\n"
        f"  look:  {folder / 'sheet.png'}  {folder / 'comparison.mp4'}  {folder / 'colorized'}/\n"
        f"  try:   .venv/bin/colorize YOUR_FILM.mp4 -o coloured.mp4 --checkpoint "
        f"{folder / 'run' / 'model.safetensors'}\n"
        "         (it knows this cartoon's colours only; colorize-prepare and colorize-train "
        "teach it yours)"
    )


if __name__ == "__main__":
    main()
