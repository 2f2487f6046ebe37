"""Tell what an uploaded file is by its content, whatever its name says."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Literal, TypeAlias

from PIL import Image, UnidentifiedImageError

from colorize.app.error import PageError
from colorize.media import MediaError, VideoSource
from colorize.media.error import reason
from colorize.media.pictures.openraster import SUFFIX as OPENRASTER
from colorize.media.pictures.openraster import read_openraster
from colorize.media.video.source import film_stream, open_input

Kind: TypeAlias = Literal["picture", "film"]

_PICTURES = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg"),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp",),
    "GIF": (".gif",),
}
_ISO = (".mp4", ".m4v", ".mov", ".3gp")
# Where which bytes stand, and the suffixes of films that begin so. FFmpeg itself would also take
# play lists, which name other files, for films.
_FILMS: tuple[tuple[int, bytes, tuple[str, ...]], ...] = (
    *((4, box, _ISO) for box in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")),
    (0, b"\x1a\x45\xdf\xa3", (".mkv", ".webm")),
    (8, b"AVI ", (".avi",)),
    (0, b"\x00\x00\x01\xba", (".mpg", ".mpeg", ".vob")),
    (0, b"\x00\x00\x01\xb3", (".mpg", ".mpeg")),
    (188, b"\x47", (".ts",)),
    (196, b"\x47", (".m2ts", ".mts")),
    (0, bytes.fromhex("3026b2758e66cf11"), (".wmv",)),
    (0, b"FLV\x01", (".flv",)),
    (0, b"OggS", (".ogv",)),
    (0, bytes.fromhex("060e2b34"), (".mxf",)),
)
PICTURE_SUFFIXES = frozenset(suffix for each in _PICTURES.values() for suffix in each)
PAINTED_SUFFIX = OPENRASTER  # of what is painted in layers: a reference, never a frame
FILM_SUFFIXES = frozenset(suffix for *_, each in _FILMS for suffix in each)


def named_kind(name: str) -> Kind:
    """Return what the suffix of a name promises.

    Raises:
        PageError: Neither a picture nor a film.
    """
    suffix = Path(name).suffix.lower()
    if suffix in PICTURE_SUFFIXES or suffix == PAINTED_SUFFIX:
        return "picture"
    if suffix in FILM_SUFFIXES:
        return "film"
    known = " ".join(sorted(PICTURE_SUFFIXES | FILM_SUFFIXES))
    raise PageError(f"{name} is neither a picture nor a film; known are {known}", status=415)


def check_content(path: Path, name: str, *, pixels: int) -> None:
    """Refuse a file at ``path`` that is not what its ``name`` promises, or unpacks to too much.

    ``pixels`` is the largest picture that is taken, width times height.

    Raises:
        PageError: Another kind of file, damaged, or too large.
    """
    kind = named_kind(name)
    if path.stat().st_size == 0:
        raise PageError(f"{name} is empty; copy it again", status=415)
    if kind == "picture":
        _check_picture(path, name, pixels)
    else:
        _check_film(path, name, pixels)


def _check_picture(path: Path, name: str, pixels: int) -> None:
    suffix = Path(name).suffix.lower()
    if suffix == PAINTED_SUFFIX:
        try:
            height, width, _ = read_openraster(path).colors[0].shape
        except MediaError as error:
            raise PageError(str(error).replace(str(path), name), status=415) from error
        _check_size(name, (width, height), pixels)
        return
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            Image.open(path, formats=list(_PICTURES)) as image,
        ):
            if suffix not in _PICTURES[str(image.format)]:
                raise PageError(f"{name} is a {image.format} file; name it so", status=415)
            _check_size(name, image.size, pixels)
            image.load()
    except UnidentifiedImageError as error:
        raise PageError(f"{name} is no picture, whatever its name says", status=415) from error
    except Image.DecompressionBombError as error:
        raise PageError(f"{name} unpacks to far more than it should", status=413) from error
    except PageError:
        raise
    # Pillow's decoders raise all of these on broken files.
    except (OSError, SyntaxError, ValueError, TypeError, IndexError) as error:
        raise PageError(f"{name} is damaged ({reason(error)})", status=415) from error


def _check_film(path: Path, name: str, pixels: int) -> None:
    with path.open("rb") as file:
        head = file.read(256)
    families = [suffixes for at, mark, suffixes in _FILMS if head[at : at + len(mark)] == mark]
    if not families:
        raise PageError(f"{name} is not a video, whatever its name says", status=415)
    if not any(Path(name).suffix.lower() in each for each in families):
        kinds = " or ".join(dict.fromkeys(suffix for each in families for suffix in each))
        raise PageError(f"{name} is a video of another kind; name it {kinds}", status=415)
    try:
        with open_input(path) as container:
            stream = film_stream(path, container)
            _check_size(name, (stream.width, stream.height), pixels)
        VideoSource(path)
    except MediaError as error:
        raise PageError(str(error).replace(str(path), name), status=415) from error


def _check_size(name: str, size: tuple[int, int], pixels: int) -> None:
    width, height = size
    if width * height > pixels:
        raise PageError(
            f"{name} has {width}×{height} pixels: more than {pixels // 10**6} million", status=413
        )
