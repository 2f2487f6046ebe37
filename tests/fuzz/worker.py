"""Colour damaged files by the command itself, one after the other in one process.

Run as ``python -m tests.fuzz.worker CHECKPOINT FOLDER FIRST STEP STOP``; a line of JSON per file
goes to standard output. A crash or a hang ends the process, and the last line tells the file.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import av
from PIL import Image

from colorize.films import command as cli
from colorize.media import VIDEO_SUFFIXES, open_source
from tests.fuzz.damage import Damaged, damaged
from tests.fuzz.seeds import films, pictures

LONGEST = 20  # seconds for one file


@contextlib.contextmanager
def captured(path: Path) -> Iterator[None]:
    """Send both outputs of the process, those of C libraries included, to a file."""
    sys.stdout.flush()
    kept = os.dup(1), os.dup(2)
    with path.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, copy in enumerate(kept, start=1):
                os.dup2(copy, number)
                os.close(copy)


def colour(source: Path, output: Path, checkpoint: Path, printed: Path) -> int | str:
    """Run the command; return its exit code, or the exception that escaped from it."""
    arguments = [str(source), "-o", str(output), "--checkpoint", str(checkpoint)]
    with captured(printed):
        try:
            cli.main([*arguments, "--device", "cpu"])
        except SystemExit as stopped:
            return stopped.code if isinstance(stopped.code, int) else 1
        except BaseException as error:  # noqa: BLE001 - whatever escapes is what is looked for
            return f"{type(error).__name__}: {error}"
    return 0


def film_form(path: Path) -> list[tuple[int, int]]:
    """Size of every frame of a film, decoded to the end."""
    with av.open(str(path)) as film:
        return [(frame.height, frame.width) for frame in film.decode(video=0)]


def picture_form(path: Path) -> list[tuple[int, int]]:
    """Size of a picture, decoded to the end."""
    with Image.open(path) as image:
        image.load()
        return [(image.height, image.width)]


def faults(code: int | str, source: Path, output: Path, printed: str) -> list[str]:
    """Return what a run of the command did wrong."""
    lines = printed.replace("\r", "\n").splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    found = [line for line in lines if "Warning" in line or "Traceback" in line]
    if isinstance(code, str):
        return [*found, f"a traceback: {code}"]
    if code:
        named = any(str(path) in line for line in errors for path in (source, output))
        if len(errors) != 1 or lines[-1] != errors[0] or not named:
            found.append(f"not one line that names the file: {lines[-3:]}")
        if output.exists():
            found.append("an output in spite of the error")
        return found
    if errors:
        found.append(f"success with an error: {errors}")
    form = film_form if source.suffix in VIDEO_SUFFIXES else picture_form
    expected = [frame.rgb.shape[:2] for frame in open_source(source)]
    if not output.is_file() or form(output) != expected:
        found.append("an output of another form than the input")
    return found


def run(damage: Damaged, folder: Path, checkpoint: Path) -> tuple[int | str, list[str]]:
    """Colour one damaged file alone."""
    folder.mkdir()
    source = folder / damage.name
    source.write_bytes(damage.content)
    output, printed = folder / f"out{source.suffix}", folder / "printed.txt"
    code = colour(source, output, checkpoint, printed)
    return code, faults(code, source, output, printed.read_text(errors="replace"))


def run_in_folder(damage: Damaged, folder: Path, checkpoint: Path) -> tuple[int | str, list[str]]:
    """Colour a folder of two whole pictures around a damaged one."""
    frames, output, printed = folder / "in", folder / "out", folder / "printed.txt"
    frames.mkdir(parents=True)
    whole = pictures()["gray.png"]
    for name, content in (("0.png", whole), (damage.name, damage.content), ("9999.png", whole)):
        (frames / name).write_bytes(content)
    code = colour(frames, output, checkpoint, printed)
    text = printed.read_text(errors="replace")
    if code == 0:
        made = {path.name: picture_form(path) for path in output.iterdir() if path.is_file()}
        expected = {frame.name: [frame.rgb.shape[:2]] for frame in open_source(frames)}
        return code, [] if made == expected else [f"{sorted(made)} came out"]
    found = faults(code, frames / damage.name, output / damage.name, text)
    visible = output.iterdir() if output.is_dir() else ()
    names = {path.name for path in visible if not path.name.startswith(".")}
    return code, [*found, *(f"a strange file: {name}" for name in names - {"0.png", "9999.png"})]


def main(checkpoint: Path, folder: Path, first: int, step: int, stop: int) -> None:
    """Work through the numbers; the last tenth of the pictures is in folders."""
    folder.mkdir(parents=True, exist_ok=True)
    seeds = {"picture": pictures(), "film": films(folder)}
    for number in range(first, stop, step):
        kind = "film" if number % 3 == 0 else "picture"
        damage = damaged(seeds[kind], number // 3 if kind == "film" else number - number // 3)
        job = run_in_folder if kind == "picture" and number % 20 == 1 else run
        print(json.dumps({"number": number, "how": damage.how}), flush=True)
        faulthandler.dump_traceback_later(LONGEST, exit=True)
        code, found = job(damage, folder / str(number), checkpoint)
        faulthandler.cancel_dump_traceback_later()
        print(json.dumps({"number": number, "code": code, "faults": found}), flush=True)
        if not found:
            shutil.rmtree(folder / str(number))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:6]))
