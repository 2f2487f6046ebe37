"""Sweeps as Hydra takes them on a command line: globs into folders, short names, lists of jobs."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import OmegaConf

from colorize.base.arguments import typed
from colorize.base.errors import UserError

_GLOB = re.compile(r"(?P<group>[\w/]+)=glob\((?P<folder>[\w/-]+)/(?P<pattern>[^/()]+)\)")
_EXCLUDED = "hydra.job.config.override_dirname.exclude_keys"


def prepared(arguments: Sequence[str], *, folder: Path) -> list[str]:
    """Return the arguments of a command as Hydra needs them for a sweep; others stay as they are.

    ``folder`` holds all YAML files. See :func:`expanded` and :func:`shortly_named`.

    Raises:
        ValueError: A glob matches no file.
    """
    given = expanded(arguments, folder=folder)
    swept = any(each.is_sweep_override() or each.key_or_group == "sweep" for each in _parse(given))
    several = swept or "-m" in given or "--multirun" in given
    return shortly_named(given, unnamed=("name", "directory")) if several else given


def expanded(arguments: Sequence[str], *, folder: Path) -> list[str]:
    """Return the arguments with each glob into a folder as the list of files it stands for.

    Hydra would find ``experiment=glob(table1/*)`` empty, and run nothing.

    Raises:
        ValueError: A glob matches no file of ``folder``, which holds all YAML files.
    """
    return [_expand(argument, folder) for argument in arguments]


def shortly_named(
    arguments: Sequence[str], *, unnamed: Sequence[str], named: Collection[str] = ()
) -> list[str]:
    """Return the arguments with one more: a job's directory is named by what differs between jobs.

    So the name stays readable, and shorter than a file system allows. ``unnamed`` are keys that are
    left out though they may differ, ``named`` those that are kept though one value is given. The
    YAML files call the directory by :func:`_named`.
    """
    if any(argument.startswith(_EXCLUDED) for argument in arguments):
        return list(arguments)
    same = [each.key_or_group for each in _parse(arguments) if not each.is_sweep_override()]
    same = [key for key in same if key not in named]
    excluded = ",".join(f"'{key}'" for key in (*unnamed, *same))
    return [*arguments, f"{_EXCLUDED}=[{excluded}]"]


def axes(parameters: Mapping[str, str], arguments: Sequence[str]) -> dict[str, list[str]]:
    """Return the choices of each swept key: those of a sweep's file, and of the command line.

    An argument replaces the parameter of its key, as in Hydra, even where it is a single value.
    """
    given = {each.get_key_element(): _choices(each) for each in _parse(arguments)}
    swept = {each.get_key_element() for each in _parse(arguments) if each.is_sweep_override()}
    planned = _parse([f"{key}={value}" for key, value in parameters.items()])
    found = {each.get_key_element(): _choices(each) for each in planned}
    return found | {key: given[key] for key in given if key in swept or key in found}


def fixed(arguments: Sequence[str]) -> list[str]:
    """Return the arguments that are the same in all jobs."""
    swept = {each.input_line for each in _parse(arguments) if each.is_sweep_override()}
    return [argument for argument in arguments if argument not in swept]


def keys(arguments: Sequence[str]) -> list[str]:
    """Return the dotted names of the settings, or the groups, that arguments set."""
    return [each.key_or_group for each in _parse(arguments)]


def combinations(choices: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """Return every job of a sweep: one value for each key, the last key changing fastest."""
    return [
        dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())
    ]


def directory_name(values: Mapping[str, str]) -> str:
    """Return what a job's directory is called by the settings that make it."""
    return typed(values.items())


def _named(arguments: Sequence[str], excluded: Sequence[str]) -> str:
    """Return what the directory of Hydra's job is called, without what all jobs share.

    ``${job_name:${hydra:overrides.task},${hydra:job.config.override_dirname.exclude_keys}}``
    """
    given = _parse(list(arguments))
    values = {each.key_or_group: each.get_value_element_as_str() for each in given}
    return directory_name({key: text for key, text in values.items() if key not in excluded})


OmegaConf.register_new_resolver("job_name", _named, replace=True)


def _parse(arguments: Sequence[str]) -> list[Override]:
    parser = OverridesParser.create()
    settings = [each for each in arguments if "=" in each and not each.startswith("-")]
    try:
        return [parser.parse_override(argument := each) for each in settings]
    except HydraException as error:
        raise UserError(
            f"{argument}: Hydra cannot read it ({error}); write SETTING=VALUE, and quote a value "
            "with special characters: \"SETTING='VALUE'\""
        ) from error


def _choices(override: Override) -> list[str]:
    if override.is_sweep_override():
        return list(override.sweep_string_iterator())
    return [override.get_value_element_as_str()]


def _expand(argument: str, folder: Path) -> str:
    glob = _GLOB.fullmatch(argument)
    if glob is None:
        return argument
    names = sorted(path.stem for path in (folder / glob["group"] / glob["folder"]).glob("*.yaml"))
    chosen = [f"{glob['folder']}/{name}" for name in names if fnmatch(name, glob["pattern"])]
    if not chosen:
        raise UserError(
            f"{argument} matches no file: {glob['group']}/{glob['folder']} holds "
            f"{', '.join(names) or 'none'}"
        )
    return f"{glob['group']}={','.join(chosen)}"
