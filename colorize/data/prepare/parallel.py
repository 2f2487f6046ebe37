"""Convert clips in several processes; neither Ctrl-C nor a killed parent leaves one running."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from typing import Any

from colorize.data.manifest import ClipRecord, DatasetError
from colorize.data.prepare.convert import Job, convert
from colorize.media import MediaError

Result = tuple[ClipRecord, bool] | MediaError
# Set once in each worker process by _begin: frames done by all, and whether to stop.
_shared: dict[str, Any] = {}


def convert_all(
    jobs: Sequence[Job], *, workers: int, advance: Callable[[int], None]
) -> Iterator[tuple[Job, Result]]:
    """Yield every job with its result, or with the error of its source, as they finish.

    ``advance`` is called in this process with numbers of source frames done.

    Raises:
        DatasetError: A worker process died.
        OSError: The dataset cannot be written.
    """
    if min(workers, len(jobs)) <= 1:
        for job in jobs:
            yield job, _attempt(job, advance)
        return
    context = _context()
    done, stop = context.Value("q", 0), context.Event()
    executor = ProcessPoolExecutor(
        min(workers, len(jobs)), mp_context=context, initializer=_begin, initargs=(done, stop)
    )
    try:
        yield from _collect(executor, jobs, done, advance)
    except BrokenProcessPool as error:
        raise DatasetError(
            "a worker process died, perhaps for lack of memory; run again with fewer --workers"
        ) from error
    finally:
        stop.set()
        executor.shutdown(cancel_futures=True)


def _context() -> Any:
    """Return how processes start: not by forking this one, whose threads they would lose.

    PyAV and OpenCV keep threads. A fork server has none, and imports the libraries once for all.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _collect(
    executor: ProcessPoolExecutor, jobs: Sequence[Job], done: Any, advance: Callable[[int], None]
) -> Iterator[tuple[Job, Result]]:
    """Yield results as they come, reporting the frames of all workers twice a second."""
    pending: dict[Future[Result], Job] = {executor.submit(_work, job): job for job in jobs}
    reported = 0
    while pending:
        finished, _ = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
        now = done.value
        advance(now - reported)
        reported = now
        for future in finished:
            yield pending.pop(future), future.result()


def _attempt(job: Job, advance: Callable[[int], None]) -> Result:
    """Return the error of an unreadable source instead of raising it; others pass."""
    try:
        return convert(job, advance)
    except MediaError as error:
        return error


def _begin(done: Any, stop: Any) -> None:
    """Set up a worker: Ctrl-C is for the parent, and a worker outlives no parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _shared.update(done=done, stop=stop)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _work(job: Job) -> Result:
    return _attempt(job, _advance_in_worker)


def _advance_in_worker(frames: int) -> None:
    """Add to the count of all workers; end the clip if the parent asked for it."""
    with _shared["done"].get_lock():
        _shared["done"].value += frames
    if _shared["stop"].is_set():
        raise InterruptedError("stopped")
