"""One clock for all tracks of a film: it starts at zero, never wraps, and runs on over jumps.

A capture from the air counts from wherever the sender stood, in 33 bits that wrap after 26.5 hours;
recordings joined end to end begin anew in the middle.
"""

from __future__ import annotations

from fractions import Fraction

import av
from av.container import InputContainer
from av.packet import Packet

from colorize.media.video.formats import is_broadcast

# ISO/IEC 13818-1, 2.4.3.7: time stamps are 33 bits of a clock of 90 kHz.
_WRAP = 2**33
# FFmpeg's own limits (-dts_delta_threshold, and the tenth of a second of ffmpeg_demux.c).
_FORWARD, _BACK = Fraction(10), Fraction(1, 10)
# A track follows another over a jump if that brings it this close to where it was.
_NEAR = Fraction(2)
# The longest pause, in seconds, that somebody would put in front of a film.
_PAUSE = 10


class SteadyClock:
    """Puts the packets of ``container``, given in the order they are read, on one clock.

    Zero is where the first track starts, as FFmpeg's tools have it. ``jumps`` are the places, in
    seconds of that clock, where the clock of an MPEG stream was found to jump. A track goes over a
    jump with the one that jumped first, so that sound and picture stay together.
    """

    def __init__(self, container: InputContainer) -> None:
        self.start = _start(container)
        self.jumps: list[Fraction] = []
        self._broadcast = is_broadcast(container)
        self._last: Fraction | None = None  # of any track, on the container's clock
        self._tracks: dict[int, _Track] = {}
        self._newest = -self.start

    def mend(self, packet: Packet) -> None:
        """Put a packet's times on the clock."""
        stamp = packet.pts if packet.dts is None else packet.dts
        if stamp is None:
            return
        tick = packet.time_base
        if self._broadcast:
            stamp = self._unwrap(packet, stamp)
        if self._broadcast and packet.stream.type in ("video", "audio"):
            track = self._tracks.setdefault(packet.stream_index, _Track(self._newest))
            offset = self._followed(track, stamp * tick)
            track.see(stamp * tick, (packet.duration or 0) * tick)
        else:
            offset = self._newest
        shift = round(offset / tick)
        packet.pts = None if packet.pts is None else packet.pts + shift
        packet.dts = None if packet.dts is None else packet.dts + shift

    def _unwrap(self, packet: Packet, stamp: int) -> int:
        """Take the wraps out of a packet's times; return the time that counts."""
        near = self.start if self._last is None else self._last
        turns = round((near / packet.time_base - stamp) / _WRAP)
        if turns:
            packet.pts = None if packet.pts is None else packet.pts + turns * _WRAP
            packet.dts = None if packet.dts is None else packet.dts + turns * _WRAP
        stamp += turns * _WRAP
        self._last = stamp * packet.time_base
        if packet.pts is not None and packet.dts is not None:  # one of the two may have wrapped
            packet.pts += _WRAP * round(Fraction(packet.dts - packet.pts, _WRAP))
        return stamp

    def _followed(self, track: _Track, time: Fraction) -> Fraction:
        """Return the offset of a track at ``time``, moved if the clock jumped there."""
        if not track.jumps_at(time):
            return track.offset
        end = track.end + track.offset
        if abs(time + self._newest - end) > _NEAR:
            self._newest = end - time
            self.jumps.append(end)
        track.offset = self._newest
        return track.offset


class _Track:
    """Where a track of an MPEG stream stands, on the container's clock."""

    def __init__(self, offset: Fraction) -> None:
        self.offset = offset
        self._last: Fraction | None = None
        self.end = Fraction(0)

    def jumps_at(self, time: Fraction) -> bool:
        """Return whether ``time`` does not go on from what was seen."""
        if self._last is None:
            return False
        return time - self.end > _FORWARD or time + _BACK < self._last

    def see(self, time: Fraction, duration: Fraction) -> None:
        """Note a packet."""
        self._last, self.end = time, time + duration


def _start(container: InputContainer) -> Fraction:
    """Return where the first track starts, in seconds: to the tick where a track tells it.

    AVI has no clock that could start elsewhere. An MP4's edit list may say that a film begins after
    a pause, which is kept; a fragment of a longer broadcast says where it stood.
    """
    if container.start_time is None or container.format.name == "avi":
        return Fraction(0)
    rounded = Fraction(container.start_time, av.time_base)
    if container.format.name.startswith("mov") and rounded <= _PAUSE:
        return Fraction(0)
    starts = [
        stream.start_time * stream.time_base
        for stream in container.streams
        if stream.start_time is not None and stream.time_base is not None
    ]
    exact = min(starts, key=lambda start: abs(start - rounded), default=rounded)
    return exact if abs(exact - rounded) <= Fraction(1, 1000) else rounded
