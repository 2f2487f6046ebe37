"""Import large libraries quickly."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def importing(library: str = "torch") -> Iterator[None]:
    """Import ``library`` in the block without looking for garbage, then or ever, in what it makes.

    Modules live until the end. PyTorch's hundred thousands of objects would be looked through again
    and again while they are imported, and once more at exit: a third of the time of both. What is
    imported already is left as it is.
    """
    if library in sys.modules:
        yield
        return
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
