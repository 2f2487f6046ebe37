"""The manifest of a job: a JSON file that people read and edit, one line per shot.

``docs/reference/formats.md`` shows one and says what each entry means. Shots may be split, merged
and moved, as long as they cover all frames without gap or overlap.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from colorize.base.errors import UserError, did_you_mean, require
from colorize.base.files import write_atomically
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
    """Frames ``start <= index < stop`` and how they are coloured; ``auto`` is the choice made.

    ``auto`` among the ``references`` stands for those that are chosen automatically.
    """

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
        given = (AUTO,) if self.references == "auto" else self.references
        lists = (self.auto_references if name == AUTO else (name,) for name in given)
        return tuple(dict.fromkeys(chain.from_iterable(lists)))

    def with_reference(self, name: str) -> Shot:
        """Return this shot with one more reference, beside what serves it already."""
        if name in self.guided_by:
            return self
        given = (AUTO,) if self.references == "auto" else self.references
        return replace(self, references=(*given, name))

    def without_reference(self, name: str) -> Shot:
        """Return this shot without a reference, whoever chose it."""
        if name in self.auto_references and AUTO in self.references:
            return replace(self, references=tuple(each for each in self.guided_by if each != name))
        if self.references == "auto":
            return self
        left = tuple(each for each in self.references if each != name)
        return replace(self, references=AUTO if left == (AUTO,) else left)


@dataclass(frozen=True)
class Reference:
    """A coloured frame that a job was given: a picture file, told by its name, and its digest.

    ``frame`` is the frame of the source that it shows, None for any other picture. Of a ``hint``
    its name alone says so, and only its colours count: no lines need be drawn in it.
    """

    name: str
    path: str
    digest: str
    frame: int | None = None
    hint: bool = False


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
        head = {"format": FORMAT, **asdict(replace(self, shots=()))}
        for each in head["references"]:
            if not each["hint"]:
                del each["hint"]
        lines = [
            f' "{name}": {json.dumps(value, ensure_ascii=False)},\n'
            for name, value in head.items()
            if value
        ]
        shots = ",\n".join(f"  {json.dumps(_shot_line(shot))}" for shot in self.shots)
        text = "{\n" + "".join(lines) + f' "shots": [\n{shots}\n ]\n}}\n'
        write_atomically(path, text.encode("utf-8", "surrogateescape"))


def read_manifest(path: Path) -> Manifest:
    """Read a manifest that somebody may have edited.

    Raises:
        UserError: It cannot be read, says something unknown, or its shots leave frames out.
    """
    try:
        content = json.loads(path.read_bytes().decode("utf-8", "surrogateescape"))
    except json.JSONDecodeError as error:
        raise UserError(
            f"{path}, line {error.lineno}: {error.msg}; mend it, or delete it to find the shots "
            "anew"
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UserError(
            f"{path} is no manifest of a job (format {FORMAT}); delete it to start anew"
        )
    try:
        manifest = Manifest(
            source=Origin(**_object(Origin, content.get("source"), "source")),
            settings=_settings(content.get("settings")),
            shots=tuple(_shot(each, n) for n, each in enumerate(content.get("shots") or [], 1)),
            references=tuple(
                Reference(**_object(Reference, each, f"reference {n}"))
                for n, each in enumerate(content.get("references") or [], 1)
            ),
        )
        _check_references(manifest)
        _check_cover(manifest)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return manifest


def _settings(value: Any) -> Settings:
    """Return the settings of a manifest, which may be of an earlier version."""
    known, gone = without_retired(value) if isinstance(value, Mapping) else (value, "")
    if gone:
        raise UserError(f"settings: {gone}; take it out, and the shots are rendered anew")
    known = _object(Settings, known, "settings")
    try:
        return Settings(**checked(known))
    except UserError as error:
        raise UserError(f"settings: {error}") from None


def _shot_line(shot: Shot) -> dict[str, Any]:
    """Return a shot as written, without what is not known."""
    line = {name: value for name, value in asdict(shot).items() if value is not None}
    if shot.references == AUTO:
        del line["references"]
    if not shot.auto_references:
        del line["auto_references"]
    return line


def _shot(value: Any, number: int) -> Shot:
    """Return shot ``number`` (from 1) of a manifest."""
    what = f"shot {number}"
    given = _object(Shot, value, what)
    for name, said in given.items():
        holds, expected = _OF_SHOTS[name]
        require(f"{name} of {what}", holds(said), said, expected)
    lists: dict[str, Any] = {n: tuple(said) for n, said in given.items() if isinstance(said, list)}
    return Shot(**{**given, **lists})


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


# What a shot may say, and how that is called.
_OF_SHOTS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "start": (_is_count, "a frame, from 0"),
    "stop": (_is_count, "a frame, from 0"),
    "variant": (
        lambda value: value in (AUTO, KEEP) or _is_count(value),
        "auto, keep or the number of an output, from 0",
    ),
    "auto": (
        lambda value: value in (None, KEEP) or _is_count(value),
        "a choice of the program; remove it, and one is made anew",
    ),
    "references": (
        lambda value: value == AUTO or _are_names(value),
        "auto or a list of names, auto among them or not",
    ),
    "auto_references": (_are_names, "a list of names"),
}


def _check_references(manifest: Manifest) -> None:
    """Refuse a shot that names a reference which the job was not given."""
    known = {reference.name for reference in manifest.references}
    for number, shot in enumerate(manifest.shots, 1):
        for name in shot.guided_by:
            if name not in known:
                raise UserError(
                    f"shot {number} names the reference {name!r}"
                    f"{did_you_mean(name, known) if known else ': the job has none'}"
                )


def _object(kind: type, value: Any, what: str) -> Mapping[str, Any]:
    """Return an object of a manifest; refuse one that a dataclass cannot be made of."""
    if not isinstance(value, Mapping):
        raise UserError(f"{what} is {value!r}: expected an object; delete the file")
    known = {field.name: field.default for field in fields(kind)}
    for name in value:
        if name not in known:
            raise UserError(f"{what} has no {name!r}{did_you_mean(str(name), known)}")
    for name, default in known.items():
        if default is MISSING and name not in value:
            raise UserError(f"{what} lacks {name}; delete the file")
    return value


def _check_cover(manifest: Manifest) -> None:
    """Refuse shots that leave frames out, overlap, or go on behind the end."""
    expected = 0
    for number, shot in enumerate(manifest.shots, 1):
        if shot.start != expected or shot.stop <= shot.start:
            raise UserError(
                f"shot {number} is {shot.start} to {shot.stop}: expected it to start at "
                f"{expected} and stop later, so that the shots cover every frame once"
            )
        expected = shot.stop
    if expected != manifest.source.frames:
        raise UserError(
            f"the shots end at {expected}, the source at {manifest.source.frames}; let the "
            "last shot stop there"
        )
