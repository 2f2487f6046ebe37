"""Take figures one by one: each is written at once, and one that fails does not stop the others."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from colorize.base.files import write_atomically

_WARM, _REPEATED = 1, 5


class Figures:
    """Figures of one device in a JSON file; none is begun when ``seconds`` are over.

    Times are medians of ``repeated`` runs.
    """

    def __init__(
        self, path: Path, *, device: str, seconds: float, repeated: int = _REPEATED
    ) -> None:
        self.path, self.device, self.seconds, self.repeated = path, device, seconds, repeated
        self.taken: list[dict[str, Any]] = []
        self._start = time.monotonic()

    def take(self, what: str, measure: Callable[[], dict[str, Any]]) -> None:
        """Add a figure: what ``measure`` returns, and the peak of the device's memory in MiB.

        One that runs out of memory, or fails, is kept with its reason.
        """
        figure: dict[str, Any] = {"what": what}
        if time.monotonic() - self._start > self.seconds:
            figure["error"] = "left out: the time was over"
        else:
            self._reset()
            figure |= self._outcome(measure) | self._peak()
        self._add(figure)

    def _outcome(self, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return what ``measure`` returns, or why it does not."""
        try:
            return measure()
        except torch.OutOfMemoryError:
            return {"error": "out of memory"}
        except Exception as error:  # noqa: BLE001 - whatever it is, the next figure counts
            text = " ".join(str(error).split())
            return {"error": f"{type(error).__name__}: {text[:300]}"}

    def _add(self, figure: dict[str, Any]) -> None:
        self.taken.append(figure)
        print(json.dumps(figure), flush=True)
        write_atomically(self.path, (json.dumps(self.taken, indent=2) + "\n").encode())

    def section(self, what: str, run: Callable[[], None]) -> None:
        """Take the figures of ``run``; that they cannot be begun is a figure with a reason."""

        def began() -> dict[str, Any]:
            run()
            return {}

        before = len(self.taken)
        outcome = self._outcome(began)
        if outcome:
            self._add({"what": f"{what}, after {len(self.taken) - before} figures", **outcome})

    def time(self, what: str, make: Callable[[], Callable[[], object]], *, frames: int) -> None:
        """Add the median time of what ``make`` returns, which works on ``frames`` frames."""

        def measure() -> dict[str, Any]:
            seconds = self.median(make())
            return {"seconds": seconds, "frames_per_second": frames / seconds}

        self.take(what, measure)

    def median(self, run: Callable[[], object]) -> float:
        """Return the median time in seconds of a run, which is run a few times before."""
        times = []
        for number in range(_WARM + self.repeated):
            self.wait()
            start = time.perf_counter()
            run()
            self.wait()
            if number >= _WARM:
                times.append(time.perf_counter() - start)
        return statistics.median(times)

    def wait(self) -> None:
        """Wait for the device."""
        if self.device != "cpu":
            torch.cuda.synchronize()

    def _reset(self) -> None:
        if self.device != "cpu":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    def _peak(self) -> dict[str, Any]:
        if self.device == "cpu":
            return {}
        return {"peak_mib": round(torch.cuda.max_memory_allocated() / 2**20)}
