"""Arguments of commands that take settings, checked and written without Hydra.

Hydra takes half a second to import, and says of a mistake what it would do about it, not what its
user can. So names of settings and of files are compared here, before it is asked for anything.
"""

from __future__ import annotations

import re
import shlex
import typing
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from colorize.base.errors import UserError, did_you_mean

MISSING: Any = "???"  # OmegaConf's mark of a setting that has no value until one is given

# Hydra's own options, by whether a value follows.
_OPTIONS = {
    **dict.fromkeys(["--multirun", "-m", "--run", "-r", "--resolve", "--hydra-help"], False),
    **dict.fromkeys(
        ["--cfg", "-c", "--package", "-p", "--info", "-i", "--config-dir", "-cd"], True
    ),
    **dict.fromkeys(["--config-name", "-cn", "--config-path", "-cp"], True),
    **dict.fromkeys(["--experimental-rerun", "--shell-completion", "-sc"], True),
}
_OWN_FILES = (
    "--config-dir",
    "-cd",
    "--config-name",
    "-cn",
    "--config-path",
    "-cp",
    "--info",
    "-i",
    "hydra.searchpath",
)
_PLAIN = re.compile(r"[A-Za-z0-9_/\-.+$%*@?|:\\]+")  # what Hydra reads without quotes
_FILE = re.compile(r"[\w/.-]+")


def check_arguments(
    arguments: Sequence[str], *, schema: type, folder: Path, program: str, options: bool = True
) -> None:
    """Refuse what means no setting of ``schema`` and no YAML file of ``folder``.

    What a component takes is not known here, and neither are types. Without ``options`` those of
    Hydra are refused too.

    Raises:
        UserError: Names the argument, the nearest that there is, and what to write.
    """
    own_files = any(argument.split("=")[0].lstrip("+") in _OWN_FILES for argument in arguments)
    value_follows = False
    for argument in arguments:
        if value_follows and "=" not in argument:
            value_follows = False
        elif argument.startswith("-"):
            option, equals, _ = argument.partition("=")
            if option not in _OPTIONS or not options:
                raise UserError(
                    f"{program} has no option {option}: settings are written SETTING=VALUE; "
                    f"see {program} --help"
                )
            value_follows = _OPTIONS[option] and not equals
        else:
            _check(argument, schema, folder, program, own_files=own_files)


def _check(argument: str, schema: type, folder: Path, program: str, *, own_files: bool) -> None:
    removed, (key, equals, value) = argument.startswith("~"), argument.partition("=")
    if not equals and not removed:
        meant = f"; write data=clips data.root={argument}" if Path(argument).is_dir() else ""
        raise UserError(
            f"{argument} is no setting: expected SETTING=VALUE{meant}; see {program} --help"
        )
    name = key.lstrip("+~").partition("@")[0]
    if re.match(r"hydra($|[./])", name):
        return
    if own_files and name.partition(".")[0] not in {each.name for each in fields(schema)}:
        return  # it may be theirs
    if "/" in name:
        _refuse_path(argument, name, value, folder)
    if "." not in name and (folder / name).is_dir():
        if not (removed or own_files):
            _check_files(name, value, folder)
        return
    _check_name(name, schema, value if equals else "{}")


def _refuse_path(argument: str, name: str, value: str, folder: Path) -> None:
    """Refuse a file that is named as Hydra names folders: ``experiment/table1=row``."""
    group, _, inner = name.partition("/")
    if (folder / group).is_dir():
        raise UserError(f"{argument}: files of {group} are chosen by {group}={inner}/{value}")


def _check_files(group: str, value: str, folder: Path) -> None:
    """Refuse a file that is not there; anything but plain names is left to Hydra."""
    known = {
        path.relative_to(folder / group).with_suffix("").as_posix(): path.stem
        for path in sorted((folder / group).rglob("*.yaml"))
    }
    for word in value.strip("[]").split(","):
        name = word.strip()
        if not _FILE.fullmatch(name) or name == "null" or name in known:
            continue
        deeper = [path for path, stem in known.items() if stem == name]
        hint = f"; did you mean {deeper[0]!r}?" if deeper else did_you_mean(name, known)
        raise UserError(f"there is no config {group}/{name}{hint}")


def _check_name(name: str, schema: type, value: str) -> None:
    """Refuse a dotted name that leaves the dataclasses of the schema, or means a whole one."""
    owner: Any = schema
    parts = name.split(".")
    for place, part in enumerate(parts):
        hints = typing.get_type_hints(owner)
        if part not in (known := [each.name for each in fields(owner)]):
            new = getattr(owner, "RENAMED", {}).get(part)
            hint = f": it is called {new} now" if new else did_you_mean(part, known)
            full = part if new else ".".join(parts[: place + 1])
            raise UserError(f"unknown setting {full}{hint}")
        kinds = (hints[part], *typing.get_args(hints[part]))
        inner = [each for each in kinds if is_dataclass(each)]
        if not inner or typing.get_origin(hints[part]) is list:
            return
        owner = inner[0]
    if not value.startswith(("{", "$", "null")):
        inside = ", ".join(f"{name}.{each.name}" for each in fields(owner))
        raise UserError(f"{name} holds several settings: set one of {inside}")


def pasted(key: str, value: object) -> str:
    """Return ``key=value`` as it can be pasted into a shell, for Hydra to read."""
    text = str(value)
    if not _PLAIN.fullmatch(text):
        text = "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    setting = f"{key}={text}"
    readable = "'" in setting and not set(setting) & set('"$`\\!')
    return f'"{setting}"' if readable else shlex.quote(setting)


def typed(values: Iterable[tuple[str, str]]) -> str:
    """Return what a job's directory is called by the settings (key, value) that make it.

    Nothing in it needs quotes in a shell or as a setting. A list joins its entries by ``+``; an
    experiment goes by the name of its file alone, other settings as ``key-value``.
    """
    return "_".join(
        _plain(value.rpartition("/")[2])
        if key == "experiment"
        else f"{_plain(key)}-{_plain(value)}"
        for key, value in sorted(values)
    )


def _plain(text: str) -> str:
    kept = re.sub(r"[\[\]{}()'\"\s]", "", text).replace(",", "+")
    return re.sub(r"[^A-Za-z0-9_.+-]", "-", kept) or "none"
