"""The manifest of a job: a JSON file that people read and edit, one line per shot.

::

    {
     "format": "tooncolor-job-1",
     "source": {"path": "film.mp4", "kind": "video", "frames": 300, "digest": "5f…"},
     "settings": {"checkpoint": "model.safetensors", …},
     "shots": [
      {"start": 0, "stop": 36, "variant": "auto", "auto": 2},
      {"start": 36, "stop": 61, "variant": 1},
      {"start": 61, "stop": 300, "variant": "keep"}
     ]
    }

``references`` of the manifest are the coloured frames that the job was given; those that are a
frame of the source itself say which (``frame``). A shot's ``references`` name the ones that colour
it, ``auto`` leaves the choice to the program: then it stands in ``auto_references``.

``variant`` is what to do with a shot: the number of one of the model's K outputs, ``keep`` (the
frames stay as they are), or ``auto``: then the choice that was made stands in ``auto``. Shots may
be split, merged and moved by editing ``start`` and ``stop``, as long as they cover all frames
without gap or overlap.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from colorize.base.errors import UserError, did_you_mean
from colorize.base.files import write_atomically
from colorize.films.error import JobError
from colorize.inference.settings import RenderSettings, checked, without_retired
from colorize.media import fingerprint

if TYPE_CHECKING:
    from colorize.inference.loaded import LoadedNetworks

FORMAT = "tooncolor-job-1"
KEEP: Literal["keep"] = "keep"
AUTO: Literal["auto"] = "auto"

Choice = int | Literal["keep"]
Variant = Choice | Literal["auto"]


@dataclass(frozen=True)
class Shot:
    """Frames ``start <= index < stop`` and how they are coloured; ``auto`` is the choice made."""

    start: int
    stop: int
    variant: Variant = AUTO
    auto: Choice | None = None
    references: tuple[str, ...] | Literal["auto"] = AUTO
    auto_references: tuple[str, ...] = ()

    @property
    def chosen(self) -> Choice | None:
        """The output that counts, ``keep``, or None while nothing is chosen."""
        return self.auto if self.variant == "auto" else self.variant

    @property
    def guided_by(self) -> tuple[str, ...]:
        """The names of the references that count."""
        return self.auto_references if self.references == "auto" else self.references


@dataclass(frozen=True)
class Reference:
    """A coloured frame that a job was given: a picture file, told by its name, and its digest.

    ``frame`` is the frame of the source that it shows, None for any other picture.
    """

    name: str
    path: str
    digest: str
    frame: int | None = None


@dataclass(frozen=True)
class Origin:
    """The source of a job, to be recognised again: its digest is of names and contents."""

    path: str
    kind: str
    frames: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class Settings(RenderSettings):
    """What decides the pixels of a job besides its source and its references.

    They are as they came to be with the ``checkpoint``; ``weights`` is the digest of that file.
    """

    checkpoint: str
    weights: str

    @classmethod
    def of(cls, colorizer: LoadedNetworks, chosen: RenderSettings) -> Settings:
        """Return the settings of a job whose network was loaded at the ``chosen`` working size.

        Raises:
            UserError: The network has no such variant.
        """
        assert colorizer.checkpoint is not None, "it was loaded from a file"
        path = colorizer.checkpoint.path
        fitted = chosen.fitted(colorizer).values()
        return cls(**fitted, checkpoint=str(path), weights=fingerprint(path))


@dataclass(frozen=True)
class Manifest:
    """Source, settings and shots of a job."""

    source: Origin
    settings: Settings
    shots: tuple[Shot, ...]
    references: tuple[Reference, ...] = ()

    def with_shots(self, shots: Sequence[Shot]) -> Manifest:
        """Return this manifest with other shots."""
        return replace(self, shots=tuple(shots))

    def write(self, path: Path) -> None:
        """Write the file atomically."""
        shots = ",\n".join(f"  {json.dumps(_shot_line(shot))}" for shot in self.shots)
        given = json.dumps([asdict(each) for each in self.references], ensure_ascii=False)
        references = f' "references": {given},\n' if self.references else ""
        text = (
            "{\n"
            f' "format": "{FORMAT}",\n'
            f' "source": {json.dumps(asdict(self.source), ensure_ascii=False)},\n'
            f' "settings": {json.dumps(asdict(self.settings), ensure_ascii=False)},\n'
            f'{references} "shots": [\n{shots}\n ]\n'
            "}\n"
        )
        write_atomically(path, text.encode("utf-8", "surrogateescape"))


def read_manifest(path: Path) -> Manifest:
    """Read a manifest that somebody may have edited.

    Raises:
        JobError: It cannot be read, says something unknown, or its shots leave frames out.
    """
    try:
        content = json.loads(path.read_bytes().decode("utf-8", "surrogateescape"))
    except json.JSONDecodeError as error:
        raise JobError(
            f"{path}, line {error.lineno}: {error.msg}; mend it, or delete it to find the shots "
            "anew"
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise JobError(f"{path} is no manifest of a job (format {FORMAT}); delete it to start anew")
    manifest = Manifest(
        source=_built(Origin, content.get("source"), path, "source"),
        settings=_settings(content.get("settings"), path),
        shots=tuple(_shot(each, path, n) for n, each in enumerate(content.get("shots") or [], 1)),
        references=tuple(
            _built(Reference, each, path, f"reference {n}")
            for n, each in enumerate(content.get("references") or [], 1)
        ),
    )
    _check_references(manifest, path)
    _check_cover(manifest, path)
    return manifest


def _settings(value: Any, path: Path) -> Settings:
    """Return the settings of a manifest, which may be of an earlier version."""
    known, gone = without_retired(value) if isinstance(value, Mapping) else (value, "")
    if gone:
        raise JobError(f"{path}: settings: {gone}; take it out, and the shots are rendered anew")
    _check_names(Settings, known, path, "settings")
    try:
        known = checked(known)
    except UserError as error:
        raise JobError(f"{path}: settings: {error}") from None
    settings: Settings = _built(Settings, known, path, "settings")
    return settings


def _shot_line(shot: Shot) -> dict[str, Any]:
    """Return a shot as written, without what is not known."""
    line = {name: value for name, value in asdict(shot).items() if value is not None}
    if shot.references == AUTO:
        del line["references"]
    if not shot.auto_references:
        del line["auto_references"]
    return line


def _shot(value: Any, path: Path, number: int) -> Shot:
    """Return shot ``number`` (from 1) of a manifest."""
    what = f"shot {number}"
    _check_names(Shot, value, path, what)
    for name in ("start", "stop"):
        if name in value and not _is_count(value[name]):
            raise JobError(f"{path}: {name} of {what} is {value[name]!r}: expected a frame, from 0")
    variant, auto = value.get("variant", AUTO), value.get("auto")
    if not (variant in (AUTO, KEEP) or _is_count(variant)):
        raise JobError(
            f"{path}: variant of {what} is {variant!r}: expected auto, keep or the number of an "
            "output, from 0"
        )
    if not (auto in (None, KEEP) or _is_count(auto)):
        raise JobError(f"{path}: auto of {what} is {auto!r}: remove it, a choice is made anew")
    named = {name: value[name] for name in ("references", "auto_references") if name in value}
    for name, names in named.items():
        if not (names == AUTO or _is_names(names)):
            raise JobError(
                f"{path}: {name} of {what} is {names!r}: expected auto or a list of names"
            )
    lists = {name: tuple(names) for name, names in named.items() if names != AUTO}
    return _built(Shot, value | lists, path, what)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _check_references(manifest: Manifest, path: Path) -> None:
    """Refuse a shot that names a reference which the job was not given."""
    known = {reference.name for reference in manifest.references}
    for number, shot in enumerate(manifest.shots, 1):
        for name in shot.guided_by:
            if name not in known:
                raise JobError(
                    f"{path}: shot {number} names the reference {name!r}"
                    f"{did_you_mean(name, known) if known else ': the job has none'}"
                )


def _check_names(kind: type, value: Any, path: Path, what: str) -> None:
    """Refuse what is no object, or says something that a dataclass does not know."""
    if not isinstance(value, Mapping):
        raise JobError(f"{path}: {what} is {value!r}: expected an object; delete the file")
    known = {field.name for field in fields(kind)}
    for name in value:
        if name not in known:
            raise JobError(f"{path}: {what} has no {name!r}{did_you_mean(str(name), known)}")


def _built(kind: type, value: Any, path: Path, what: str) -> Any:
    """Build a dataclass from an object of a manifest."""
    _check_names(kind, value, path, what)
    for field in fields(kind):
        if field.default is MISSING and field.name not in value:
            raise JobError(f"{path}: {what} lacks {field.name}; delete the file")
    return kind(**value)


def _check_cover(manifest: Manifest, path: Path) -> None:
    """Refuse shots that leave frames out, overlap, or go on behind the end."""
    expected = 0
    for number, shot in enumerate(manifest.shots, 1):
        if shot.start != expected or shot.stop <= shot.start:
            raise JobError(
                f"{path}: shot {number} is {shot.start} to {shot.stop}: expected it to start at "
                f"{expected} and stop later, so that the shots cover every frame once"
            )
        expected = shot.stop
    if expected != manifest.source.frames:
        raise JobError(
            f"{path}: the shots end at {expected}, the source at {manifest.source.frames}; let the "
            "last shot stop there"
        )
