"""Do with less when memory runs out: smaller batches, then a smaller working size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch

from colorize.base.errors import UserError
from colorize.base.progress import say

T = TypeVar("T")
_SMALLEST = 32  # pixels of the short side below which colours mean nothing
# How PyTorch words it on a CPU, where it has no error class of its own.
_CPU_WORDS = ("can't allocate memory", "not enough memory", "bad allocation")


class OutOfMemoryError(UserError):
    """Memory does not suffice even for one small frame; one line for the user."""


@dataclass
class Effort:
    """How much is done at a time: frames in a batch, and pixels of the working size's short side.

    Every step down is said.
    """

    batch_size: int
    short_side: int

    def within_memory(self, work: Callable[[], T]) -> T:
        """Return the result of ``work``, tried again with less each time memory runs out.

        Raises:
            OutOfMemoryError: It does not even suffice for one frame at the smallest working size.
        """
        while True:
            try:
                return work()
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            # Outside the handler, so that the error no longer holds the tensors of its frames.
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            self._do_with_less(reason)

    def _do_with_less(self, reason: str) -> None:
        """Halve the batch, then the working size."""
        if self.batch_size > 1:
            self.batch_size //= 2
            say(f"memory ran out: going on with {self.batch_size} frames at a time")
        elif self.short_side // 2 >= _SMALLEST:
            self.short_side //= 2
            say(
                f"memory ran out: going on at a working size of {self.short_side} pixels "
                "(short side); colours become coarser"
            )
        else:
            raise OutOfMemoryError(
                f"memory does not suffice for one frame at {self.short_side} pixels ({reason}); "
                "close other programs, or pass --device cpu"
            )


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory ran out, on any device."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _CPU_WORDS)
