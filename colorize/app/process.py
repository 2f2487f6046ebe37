"""A worker as its server sees it: a process that is asked for one thing at a time."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

_PATIENCE = 5.0  # seconds that a process has to end by itself


class Worker:
    """A process that works for one device; it is started by the first request.

    It stays afterwards with the networks it has loaded, until :meth:`stop`.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start the process before it is asked for anything: PyTorch takes its time."""
        self._started()

    def ask(self, request: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Send a request and yield its events, by kind: say, progress, and at last done or failed.

        A process that dies in between has failed.
        """
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(OSError):  # if it is gone, the following lines find out
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
        for line in process.stdout:
            ((kind, value),) = json.loads(line).items()
            yield kind, value
            if kind in ("done", "failed"):
                return
        code = process.wait()
        self.close()
        yield "failed", f"the work was broken off (exit code {code}); memory may have run out"

    def stop(self) -> None:
        """End the process now; what it was doing can be gone on with."""
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close(self) -> None:
        """End the process and let go of its pipes."""
        self.stop()
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout):
                assert pipe is not None
                with contextlib.suppress(OSError):  # of what it did not read any more
                    pipe.close()
            self._process = None

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            # -P: a file torch.py where the server was started must not be taken for PyTorch.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "colorize.app.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
                start_new_session=True,  # Ctrl-C is for the server, which ends this process
                # As the command line does: a thread that waits must not keep a core busy.
                env={"OMP_WAIT_POLICY": "PASSIVE", **os.environ},
            )
        return self._process
