"""Encode frames into a film that appears whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

from av.container import OutputContainer

from colorize.media.error import MediaError
from colorize.media.frame import Picture
from colorize.media.video.encoder import Encoder, Encoding
from colorize.media.video.filmfile import FilmFile
from colorize.media.video.look import VideoLook


class VideoWriter:
    """A film under construction: one video stream, and room for the tracks of another film.

    ``quality``, 1 to 100; see :class:`Encoding`.

    Raises:
        MediaError: the suffix names no container, or the film cannot be written.
    """

    def __init__(self, path: Path, *, size: tuple[int, int], look: VideoLook, quality: int) -> None:
        encoding = Encoding.choose(path, size=size, look=look)
        self._file = FilmFile(path, encoding, quality=quality)
        self._encoder = Encoder(path, encoding, self._file.context)

    @property
    def container(self) -> OutputContainer:
        """Return the container, to add tracks to it."""
        return self._file.container

    def write(self, rgb: Picture, time: Fraction, duration: Fraction | None = None) -> None:
        """Add a frame shown at ``time`` seconds for ``duration`` seconds (None: until the next).

        Raises:
            MediaError: another size than the film's, a time not after the last, or a full disk.
        """
        self._file.mux(self._encoder.encode(rgb, time, duration))

    def flush(self) -> None:
        """Encode the frames that the encoder still holds; none can be added after it."""
        self._file.mux(self._encoder.flush())

    def commit(self) -> None:
        """Complete the container and give the film its name."""
        self._file.commit()

    def abort(self) -> None:
        """Remove what was written."""
        self._file.abort()


def write_video(
    path: str | Path, pictures: Iterable[Picture], *, rate: Fraction | int, quality: int = 90
) -> None:
    """Write pictures of one size as a silent film, atomically.

    Raises:
        MediaError: no pictures, different sizes, an unknown suffix, or a full disk.
    """
    writer: VideoWriter | None = None
    rate = Fraction(rate)
    try:
        for index, rgb in enumerate(pictures):
            if writer is None:
                look = VideoLook(time_base=1 / rate, rate=rate)
                size = (rgb.shape[0], rgb.shape[1])
                writer = VideoWriter(Path(path), size=size, look=look, quality=quality)
            writer.write(rgb, index / rate)
        if writer is None:
            raise MediaError(f"{path}: no frame was given; a film needs one at least")
        writer.flush()
        writer.commit()
    except BaseException:
        if writer is not None:
            writer.abort()
        raise
