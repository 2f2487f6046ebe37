"""How many threads PyTorch computes with, for each thread that computes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def compute_with(threads: int) -> None:
    """Let what the calling thread computes be divided among so many.

    ``torch.set_num_threads`` alone is forgotten: at its first work a thread takes the number that
    any thread set last (torch 2.15, ``lazy_init_num_threads``). Asking for the number counts as
    work. The number decides which pixels vector code takes, and so how they are rounded.
    """
    torch.get_num_threads()
    torch.set_num_threads(threads)


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute by the calling thread alone: others have work meanwhile, and all round alike."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
