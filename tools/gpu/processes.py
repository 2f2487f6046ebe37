"""Run a command until it ends or its time is over, and with it all that it started."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_END_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux
_GRACE = 8.0  # seconds between the asking and the killing


@dataclass(frozen=True)
class Ended:
    """How a command ended: ``done``, ``failed``, ``stopped`` at its limit, or ``interrupted``."""

    status: str
    code: int
    seconds: float


def run_limited(
    command: Sequence[str],
    *,
    seconds: float,
    log: Path,
    folder: Path,
    environment: Mapping[str, str],
    grace: float = _GRACE,
) -> Ended:
    """Run a command in ``folder``, with what it prints added to ``log``; return how it ended.

    ``grace`` seconds before ``seconds`` are over it is interrupted as by Ctrl-C, so that it can
    keep what it has; at the end its whole process group is killed. It is interrupted in the same
    way, and killed, when this process is.
    """
    start = time.monotonic()
    grace = min(grace, seconds / 2)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=dict(environment),
            start_new_session=True,
            # A shell's background job ignores Ctrl-C, and so would all that it starts.
            preexec_fn=_begin,
        )
        status = "done"
        try:
            process.wait(seconds - grace)
        except (subprocess.TimeoutExpired, KeyboardInterrupt) as reason:
            told = isinstance(reason, KeyboardInterrupt)
            status = "interrupted" if told else "stopped"
            _signal(process.pid, signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(grace / 2 if told else grace)
        finally:
            _signal(process.pid, signal.SIGKILL)
            process.wait()
    if status == "done" and process.returncode:
        status = "failed"
    return Ended(status, process.returncode, round(time.monotonic() - start, 1))


def last_lines(log: Path, count: int = 20) -> str:
    """Return the end of a log, as far as it is text."""
    if not log.is_file():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])


def _begin() -> None:
    """Take interrupts, and end with the process that started this one, even if that is killed."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_END_WITH_PARENT, signal.SIGKILL)


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
