"""Fetch torchvision's weights once, without waiting for ever, or say which setting to change."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import Any

from torch import Tensor

_CONNECT_SECONDS = 20.0


def download(
    source: Any, *, option: str, remedy: str, error: type[ValueError]
) -> dict[str, Tensor]:
    """Return the state of a torchvision weights entry, from its cache or by download.

    Raises:
        ValueError: Of the class ``error``: what ``option`` asked for, why it failed, ``remedy``.
    """
    try:
        with _socket_timeout(_CONNECT_SECONDS):
            return dict(source.get_state_dict(progress=True, check_hash=True))
    except (OSError, RuntimeError, HTTPException) as cause:
        raise error(
            f"{option}=torchvision: cannot download {source.url} ({cause}); {remedy}"
        ) from cause


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """Let no connection of torch.hub, which sets no time limit itself, wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
