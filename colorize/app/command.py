"""``colorize-app``: the page, in a browser."""

from __future__ import annotations

import argparse
import secrets
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from colorize.base.command_line import Parser, number, positive
from colorize.base.errors import UserError, fail, one_line_errors

# PyTorch takes seconds to import: --help and a mistake need not wait for it.
if TYPE_CHECKING:
    from colorize.app.studio import Studio

_EXAMPLES = """\
examples:
  colorize-app runs/ films/
  colorize-app cartoons=/mnt/films models=demo/run experiments/ --work page/
  colorize-app runs/ --device cuda:0,cuda:1 --port 8000

FOLDER, or NAME=FOLDER, is what the page may read and write; all else on this machine does not
exist for it. Checkpoints, runs and experiments are found there; without any, those of the folders
demo, runs and experiments that are here. Files that are dropped on the page, its jobs and its
settings lie in --work; jobs go on when the page is started again.
"""
_USUAL = ("demo", "runs", "experiments")


def main(arguments: list[str] | None = None) -> None:
    """Run the console script ``colorize-app``."""
    options = parser().parse_args(arguments)
    with one_line_errors():
        try:
            import uvicorn

            from colorize.app.server import LOCAL, make_app
        except ModuleNotFoundError as error:
            if error.name not in ("uvicorn", "starlette"):
                raise
            fail("the page needs two packages more: pip install 'tooncolor[app]'")
        local = options.host in LOCAL
        # Whoever reaches the page can read and write its folders: others need its address.
        key = None if local else secrets.token_urlsafe(16)
        studio = make_studio(options)
        studio.queue.warm_up()
        app = make_app(studio, hosts=LOCAL if local else ("*",), key=key)
        name = f"[{options.host}]" if ":" in options.host else options.host
        address = f"http://{name}:{options.port}/"
        print(f"open {address}{'' if key is None else f'?key={key}'}   (Ctrl-C ends)", flush=True)
        uvicorn.run(app, host=options.host, port=options.port, log_level="warning")


def make_studio(options: argparse.Namespace) -> Studio:
    """Return what the page works with, as the command line says.

    Raises:
        ValueError: A folder or a device that there is not.
    """
    from colorize.app.studio import Studio
    from colorize.app.uploads import Limits

    size = int(options.upload_limit * 2**30)
    return Studio(
        work=options.work,
        roots=roots(options.folders),
        limits=Limits(file_bytes=size, set_bytes=4 * size),
        devices=devices(options.device),
    )


def roots(words: list[str]) -> dict[str, Path]:
    """Return folders by name, of ``FOLDER`` and ``NAME=FOLDER``.

    Raises:
        ValueError: Two have one name.
    """
    found: dict[str, Path] = {}
    for word in words or [name for name in _USUAL if Path(name).is_dir()]:
        name, equals, folder = word.partition("=")
        path = Path(folder) if equals else Path(word)
        name = name if equals else path.resolve().name
        if name in found:
            raise UserError(f"two folders are called {name}; write NAME=FOLDER for one of them")
        found[name] = path
    return found


def devices(text: str) -> list[str]:
    """Return the devices that do the work: every CUDA device, else the CPU, or those named."""
    import torch

    if text != "auto":
        return [name.strip() for name in text.split(",")]
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return [f"cuda:{index}" for index in range(count)] or ["cpu"]


def parser() -> argparse.ArgumentParser:
    """Return the command line of this program."""
    parser = Parser(
        "colorize-app",
        "Colour, compare and pick in a browser; classify and screen pictures.",
        _EXAMPLES,
    )
    add = parser.add_argument
    add("folders", nargs="*", metavar="FOLDER", help="what the page may read and write")
    add("--work", type=Path, default=Path("page"), help="where its jobs lie (default page)")
    add("--host", default="127.0.0.1", help="where it listens (default 127.0.0.1: here alone)")
    add("--port", type=positive, default=7860, help="default 7860")
    add("--device", default="auto", help="auto, cpu, cuda:N, or several with commas (default auto)")
    add(
        "--upload-limit",
        type=partial(number, low=0.001, high=1024.0),
        default=2.0,
        metavar="GIB",
        help="of one dropped file (default 2); larger ones are chosen from a FOLDER",
    )
    return parser
