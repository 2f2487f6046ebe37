"""Open a path for reading or writing by what it is."""

from __future__ import annotations

import io
from pathlib import Path

import av

from colorize.base.errors import UserError
from colorize.media.error import MediaError, reason
from colorize.media.frame import Sink, Source
from colorize.media.pictures.coding import IMAGE_SUFFIXES, WRITTEN_SUFFIXES
from colorize.media.pictures.folder import FolderSink, ImageSink, PictureSource
from colorize.media.video.encoder import CONTAINERS, Encoding
from colorize.media.video.film import VideoSink
from colorize.media.video.source import VideoSource
from colorize.media.video.streams import Tracks

VIDEO_SUFFIXES = frozenset(CONTAINERS) | frozenset(
    {".m2ts", ".mts", ".m2t", ".trp", ".mpg", ".mpeg", ".m1v", ".m2v", ".vob", ".mxf", ".dv"}
    | {".wmv", ".asf", ".flv", ".f4v", ".ogv", ".ogm", ".3gp", ".divx", ".xvid", ".rm", ".rmvb"}
    | {".y4m", ".gif", ".ivf", ".nut", ".h264", ".264", ".hevc", ".265", ".mjpg", ".mjpeg"}
)


def open_source(path: str | Path) -> Source:
    """Open a folder of frames, a video or one image; the first frame is read to know its size.

    Raises:
        MediaError: missing, an empty folder, an unknown kind of file, unreadable, cut off.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    try:
        if not path.exists():
            raise MediaError(f"{path} does not exist; check the path")
        known_kind = suffix in IMAGE_SUFFIXES | VIDEO_SUFFIXES
        if known_kind and path.is_file() and path.stat().st_size == 0:
            raise MediaError(f"{path} is empty; copy it again")
        if path.is_dir() or suffix in IMAGE_SUFFIXES:
            return PictureSource(path)
        if suffix in VIDEO_SUFFIXES:
            return VideoSource(path)
    except OSError as error:
        raise MediaError(f"cannot read {path}: {reason(error)}; check its permissions") from error
    known = " ".join(sorted(IMAGE_SUFFIXES | VIDEO_SUFFIXES))
    raise MediaError(f"{path} is neither a folder nor a known kind of file; known are {known}")


def open_sink(path: str | Path, *, like: Source, quality: int = 90) -> Sink:
    """Open the place for frames of the same form as ``like``: a folder, a video or one image.

    ``quality``, 1 to 100, is that of lossy formats: JPEG, WebP and films. Parent folders are made.

    Raises:
        MediaError: the path is the source or lies inside it, or its suffix names another form.
        ValueError: ``quality`` is outside 1 to 100.
    """
    path = Path(path)
    if not 1 <= quality <= 100:
        raise UserError(f"quality must be from 1 to 100, got {quality}")
    _check_form(path, like)
    if like.kind == "folder":
        return FolderSink(path, quality=quality)
    if isinstance(like, VideoSource):
        return VideoSink(path, like=like, quality=quality)
    return ImageSink(path, quality=quality)


def check_output(path: str | Path, *, like: Source) -> None:
    """Refuse an output that cannot be written in the end; nothing is written.

    Raises:
        MediaError: see :func:`open_sink` and :func:`concatenate_parts`.
    """
    path = Path(path)
    _check_form(path, like)
    if isinstance(like, VideoSource):
        encoding = Encoding.choose(path, size=like.size, look=like.look)
        with av.open(io.BytesIO(), "w", format=CONTAINERS[encoding.suffix]) as container:
            Tracks(like.path, path, container).close()


def _check_form(path: Path, like: Source) -> None:
    """Refuse an output of another form than the input, or within it."""
    _check_apart(path, like)
    if like.kind == "folder":
        _check_folder(path)
    elif path.is_dir():
        raise MediaError(f"{path} is a folder; name a file, for example {path / like.path.name}")
    elif like.kind == "image" and path.suffix.lower() not in WRITTEN_SUFFIXES:
        known = " ".join(sorted(WRITTEN_SUFFIXES))
        raise MediaError(f"{path}: images are written as {known}; name one")


def _check_folder(path: Path) -> None:
    """Refuse a name that promises another form than a folder."""
    if path.exists() and not path.is_dir():
        raise MediaError(f"{path} is a file, but the input is a folder; name a folder")
    if not path.exists() and path.suffix.lower() in IMAGE_SUFFIXES | VIDEO_SUFFIXES:
        raise MediaError(f"{path} names a file, but the input is a folder; name a folder")


def _check_apart(path: Path, like: Source) -> None:
    """Refuse an output that would overwrite its input, also through links."""
    source, target = like.path.resolve(), path.resolve()
    for place in (target, *target.parents):
        # samefile also sees through hard links and letter case.
        if place == source or (place.exists() and place.samefile(source)):
            raise MediaError(f"{path} is the input {like.path} or lies inside it; name another")
