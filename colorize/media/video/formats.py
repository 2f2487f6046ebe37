"""What the containers and codecs of films can and cannot say."""

from __future__ import annotations

from av.container import InputContainer

# FFmpeg's names of the MPEG transport and program streams.
_BROADCAST = frozenset({"mpegts", "mpeg"})


def is_broadcast(container: InputContainer) -> bool:
    """Return whether a film is an MPEG stream: its clock may wrap and jump, and it may have holes.

    Transport and program streams are made for reception that fails at times: decoders go on.
    """
    return container.format.name in _BROADCAST
