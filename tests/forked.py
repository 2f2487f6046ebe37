"""Run commands in processes of their own that need not import everything again.

A server imports the packages once; each command is a fork of it, with its own arguments, output and
exit code, and may be killed, as one that a shell started.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import torch

PROGRAMS = {  # module and function, as in pyproject.toml
    "colorize-train": ("colorize.training.command", "main"),
    "colorize-table": ("colorize.evaluation.table.command", "main"),
    "classify-train": ("classify.commands", "train"),
    "classify-screen": ("classify.screen", "main"),
}
_SCRIPT = "from {} import {} as main\n\nif __name__ == '__main__':\n    main()\n"
_SERVER = multiprocessing.get_context("forkserver")
# Commands import what they do only when they do it.
_SERVER.set_forkserver_preload(
    [
        *(module for module, _ in PROGRAMS.values()),
        *("colorize.training.train", "colorize.evaluation.table.rows", "classify.train"),
    ]
)


class Command:
    """A running command; ``returncode`` is minus the signal that ended it, as of a Popen."""

    def __init__(self, program: str, *words: object) -> None:
        self._folder = Path(tempfile.mkdtemp())
        self._outputs = [self._folder / name for name in ("output", "errors")]
        # What Lightning starts the other processes of a run by.
        script = self._folder / f"{program}.py"
        script.write_text(_SCRIPT.format(*PROGRAMS[program]))
        arguments = [str(script), *map(str, words)]
        self._process = _SERVER.Process(target=_run, args=(program, arguments, self._outputs))
        self._process.start()

    @property
    def returncode(self) -> int | None:
        """The exit code, None while it runs."""
        return self._process.exitcode

    def kill(self) -> None:
        """Send SIGKILL."""
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGKILL)

    def kill_when(self, ready: Callable[[], bool], *, seconds: float = 120) -> None:
        """Kill the command as soon as ``ready`` says so."""
        deadline = time.monotonic() + seconds
        while not ready() and self.returncode is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.returncode is None, f"ended before it could be killed: {self.ended()[1]}"
        self.kill()
        self.ended()
        assert self.returncode == -signal.SIGKILL

    def ended(self, *, seconds: float = 240) -> tuple[str, str]:
        """Wait for the end, once, and return what it wrote to the output and to the errors."""
        self._process.join(seconds)
        if late := self.returncode is None:
            self.kill()
            self._process.join()
        output, errors = (path.read_text() for path in self._outputs)
        shutil.rmtree(self._folder)
        assert not late, f"no end after {seconds} s: {errors}"
        return output, errors


def run(program: str, *words: object) -> tuple[str, str]:
    """Run a command that must succeed, and return what it wrote to the output and the errors."""
    command = Command(program, *words)
    output, errors = command.ended()
    assert command.returncode == 0, errors
    return output, errors


def _run(program: str, arguments: list[str], outputs: list[Path]) -> None:
    for descriptor, path in enumerate(outputs, 1):
        with path.open("wb") as file:
            os.dup2(file.fileno(), descriptor)
    torch.set_num_threads(1)
    sys.argv = arguments
    module, function = PROGRAMS[program]
    getattr(import_module(module), function)()
