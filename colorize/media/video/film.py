"""Write a film that keeps everything of its source but the pictures."""

from __future__ import annotations

from pathlib import Path

from colorize.media.frame import Frame
from colorize.media.sink import Sink
from colorize.media.video.encode import VideoWriter
from colorize.media.video.source import VideoSource
from colorize.media.video.streams import AHEAD, Tracks


class VideoSink(Sink):
    """A film with the frames it is given, and the times, sound and subtitles of ``like``.

    Raises:
        MediaError: see :class:`VideoWriter` and :class:`Tracks`.
    """

    def __init__(self, path: Path, *, like: VideoSource, quality: int) -> None:
        self._writer = VideoWriter(path, size=like.size, look=like.look, quality=quality)
        try:
            self._tracks = Tracks(like.path, path, self._writer.container)
        except BaseException:
            self._writer.abort()
            raise

    def write(self, frame: Frame) -> None:
        """Take the next frame, which must have a time."""
        assert frame.time is not None, "a film is made of frames with times"
        self._writer.write(frame.rgb, frame.time, frame.duration)
        self._tracks.copy_until(frame.time + AHEAD)

    def finish(self) -> None:
        """Write the rest of the tracks and give the film its name."""
        self._writer.flush()
        self._tracks.finish()
        self._writer.commit()
        self._tracks.close()

    def discard(self) -> None:
        """Remove the unfinished film."""
        self._tracks.close()
        self._writer.abort()
