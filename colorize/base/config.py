"""The check of settings that every entry point runs first, and how components are built.

Run settings are dataclasses (:func:`register_schema`): Hydra refuses an unknown key or a wrong type
in them.
Components (model, losses, data, metrics) are YAML nodes with a ``_target_``, whose constructor
signature is their schema; plain Hydra would notice a misspelt key only when the component is
built, or never. :func:`check` compares every node with its signature before any work starts.
"""

from __future__ import annotations

import importlib
import inspect
import os
import re
import sys
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import hydra
from beartype.door import is_bearable
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, MissingConfigException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from colorize.base import components, sweeps
from colorize.base.arguments import pasted
from colorize.base.errors import UserError, did_you_mean, one_line_errors
from colorize.base.settings_command import config_directory
from colorize.base.terminal import terminal

ALLOWED_TARGETS = ("colorize.", "classify.")
_HYDRA_KEYS = frozenset({"_target_", "_convert_", "_recursive_"})


class ConfigError(UserError):
    """A setting that cannot be used; the message is one line for the user."""


_schemas: list[type] = []


def register_schema(name: str, schema: type) -> None:
    """Make a dataclass known to Hydra as ``NAME_schema``, the first entry of a defaults list.

    Its class attribute ``RENAMED``, if any, says how settings of earlier versions are called today.
    """
    _schemas.append(schema)
    ConfigStore.instance().store(name=f"{name}_schema", node=schema)


def check(config: DictConfig) -> None:
    """Refuse unset values, unknown components and arguments that a constructor does not take.

    Raises:
        ConfigError: One line naming the key and the nearest valid name.
    """
    schema = OmegaConf.structured(OmegaConf.get_type(config))
    try:
        # A plain copy has lost what "+key=value" on the command line added to the typed nodes.
        OmegaConf.merge(schema, OmegaConf.to_container(config))
    except OmegaConfBaseException as error:
        raise ConfigError(describe(error)) from error
    missing = sorted(OmegaConf.missing_keys(config))
    if missing:
        raise ConfigError(f"{missing[0]} is not set: pass {missing[0]}=VALUE")
    for path, node in _component_nodes(OmegaConf.to_container(config, resolve=True), ""):
        _check_component(path, node)


def build(node: Any) -> Any:
    """Build the component of a checked config node; ``None`` stays ``None``.

    Raises:
        ConfigError: What the constructor said of a value, in one line.
    """
    if node is None:
        return None
    try:
        return hydra.utils.instantiate(node, _convert_="all")
    except HydraException as error:
        cause = error.__cause__ or error
        if isinstance(cause, UserError):
            raise ConfigError(str(cause)) from error
        raise cause from error


def to_plain(config: DictConfig) -> dict[str, Any]:
    """Return the resolved config as plain Python containers, for checkpoints and logs."""
    return typing.cast("dict[str, Any]", OmegaConf.to_container(config, resolve=True))


def entry(name: str, function: Callable[[DictConfig], object]) -> None:
    """Run ``function`` on the composed and checked config ``name``; the body of a console script.

    A user's mistake (unknown key, wrong type, missing file) ends in one line and exit code 2;
    a defect of ours keeps its traceback.
    """
    # Hydra prints its own multi-line report and exits unless this asks for the exception itself.
    os.environ["HYDRA_FULL_ERROR"] = "1"

    def run(config: DictConfig) -> None:
        with one_line_errors(), terminal():  # inside Hydra, which would add lines of its own
            check(config)
            function(config)

    program = hydra.main(version_base="1.3", config_path=str(config_directory()), config_name=name)
    with one_line_errors():
        try:
            sys.argv[1:] = sweeps.prepared(sys.argv[1:], folder=config_directory())
            program(run)()
        except (HydraException, OmegaConfBaseException) as error:
            raise ConfigError(describe(error)) from error
        except AssertionError as error:
            raise _of_nothing(error, sys.argv[1:]) from error


def _of_nothing(error: AssertionError, arguments: Sequence[str]) -> BaseException:
    """Return what OmegaConf means that finds nothing where an argument sets a part of it."""
    if "Unexpected type for root: NoneType" not in str(error):
        return error
    groups = {path.name for path in config_directory().iterdir() if path.is_dir()}
    keys = sweeps.keys(arguments)
    for key in keys:
        group = key.partition(".")[0]
        if group != key and group in groups.difference(keys):
            files = sorted(path.stem for path in (config_directory() / group).glob("*.yaml"))
            return ConfigError(f"{key}: no {group} is chosen; add {group}={' or '.join(files)}")
    return error


def given_settings() -> list[str]:
    """Return the settings that the command line gives, by dotted name.

    None in a sweep, where a setting may be there for other jobs.
    """
    if not HydraConfig.initialized() or HydraConfig.get().mode == RunMode.MULTIRUN:
        return []
    return sweeps.keys(HydraConfig.get().overrides.task)


def describe(error: BaseException) -> str:
    """Return one line for what Hydra or OmegaConf says in several, naming the nearest valid key."""
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        wanted = str(error.missing_cfg_file)
        group = config_directory() / Path(wanted).parent
        options = [file.stem for file in group.glob("*.yaml")]
        return f"there is no config {wanted}{did_you_mean(Path(wanted).name, options)}"
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    text = " ".join(_own_words(cause))
    if ambiguous := re.search(r"Ambiguous value for argument '([^=]+)=(.*?)'", text):
        key, value = ambiguous.groups()
        return (
            f"{key}={value}: a comma makes several jobs: add -m to run them all, or write "
            f"{pasted(key, value)} for one value"
        )
    unknown = _UNKNOWN_KEY.search(text)
    if unknown is None:
        named = re.search(r"full_key: (\S+)", str(cause))
        key = named[1] if named else getattr(cause, "full_key", None)
        return f"{key}: {text}" if key and str(key) not in text else text
    file, key = unknown["file"], unknown["key"] or unknown["group"]
    told = getattr(cause, "object_type", None)
    # Both packages have a TrainConfig: OmegaConf knows which, Hydra says the name alone.
    owner = told if getattr(told, "__name__", "") == unknown["owner"] else None
    owner = owner or _dataclass(unknown["owner"])
    known = list(getattr(owner, "__dataclass_fields__", ()))
    parent = getattr(cause, "parent_node", None)
    if not known and isinstance(parent, DictConfig):
        known = list(parent)
    full_key = getattr(cause, "full_key", None) or key
    place = f" in {file}" if file else ""
    new = getattr(owner, "RENAMED", {}).get(key)
    hint = f": it is called {new} now" if new else _elsewhere(str(full_key))
    return f"unknown setting {full_key}{place}{hint or did_you_mean(key, known)}"


def _elsewhere(key: str) -> str:
    """Return which files of a group take a setting that the chosen one does not, if any."""
    group, _, name = key.partition(".")
    folder = config_directory() / group
    if not name or not folder.is_dir():
        return ""
    if (folder / f"{name}.yaml").is_file():
        return f": {name} is not chosen; add it to {group}=[...]"
    taking = [
        f"{group}={file.stem}"
        for file in sorted(folder.glob("*.yaml"))
        if re.search(rf"^{re.escape(name)}:", file.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    return f": choose what takes it, {' or '.join(taking)}" if taking else ""


def _dataclass(name: str | None) -> type | None:
    """Return the dataclass of that name in a module of a registered schema; None is a schema."""
    if name is None:
        return next(iter(_schemas), None)
    modules = (base.__module__ for schema in _schemas for base in schema.__mro__)
    found = (getattr(sys.modules[module], name, None) for module in modules)
    return next((each for each in found if hasattr(each, "__dataclass_fields__")), None)


# "In 'experiment/x': ConfigKeyError raised while composing config: Key 'y' not in 'TrainConfig'"
# "In 'experiment/x': Could not override 'y'. No match in the defaults list."
_UNKNOWN_KEY = re.compile(
    r"(?:In '(?P<file>[^']+)':.*)?"
    r"(?:Key '(?P<key>[^']+)' (?:is )?not in '?(?P<owner>\w+)"
    r"|override '(?P<group>[^']+)'\. No match)"
)


def _own_words(error: BaseException) -> list[str]:
    """Return the lines of a message without OmegaConf's trailer of internal facts."""
    lines = (line.strip() for line in str(error).splitlines())
    trailer = ("full_key:", "object_type=", "reference_type=", "See https://")
    return [line for line in lines if line and not line.startswith(trailer)]


def _component_nodes(node: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(node, Mapping):
        if "_target_" in node:
            yield path, node
        for key, value in node.items():
            yield from _component_nodes(value, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _component_nodes(value, f"{path}[{index}]")


def _check_component(path: str, node: Mapping[str, Any]) -> None:
    target = str(node["_target_"])
    component = _locate(path, target)
    parameters, hints = components.parameters(component), components.hints(component)
    for key, value in node.items():
        if key in _HYDRA_KEYS:
            continue
        if key not in parameters:
            raise ConfigError(
                f"unknown setting {path}.{key}: {target} does not take it"
                f"{did_you_mean(key, parameters)}"
            )
        _check_type(f"{path}.{key}", value, hints.get(key, Any))
    for key, parameter in parameters.items():
        if parameter.default is inspect.Parameter.empty and key not in node:
            raise ConfigError(f"{path}.{key} is not set: {target} needs it")


def _locate(path: str, target: str) -> Callable[..., Any]:
    if not target.startswith(ALLOWED_TARGETS):
        raise ConfigError(
            f"{path}._target_ is {target!r}: only components of this project can be built "
            f"({', '.join(prefix + '*' for prefix in ALLOWED_TARGETS)})"
        )
    module_name, _, attribute = target.rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError:
        raise ConfigError(f"{path}._target_: there is no module {module_name!r}") from None
    if not hasattr(module, attribute):
        known = [name for name in dir(module) if not name.startswith("_")]
        raise ConfigError(
            f"{path}._target_: {module_name} has no {attribute!r}{did_you_mean(attribute, known)}"
        )
    return typing.cast("Callable[..., Any]", getattr(module, attribute))


def _check_type(path: str, value: Any, hint: Any) -> None:
    if any(True for _ in _component_nodes(value, "")):
        return  # what a nested component becomes is known only once it is built
    if is_bearable(value, hint) or (type(value) is int and is_bearable(float(value), hint)):
        return
    if isinstance(value, list) and is_bearable(tuple(value), hint):
        return  # YAML has no tuples
    expected = getattr(hint, "__name__", str(hint)).replace("typing.", "")
    if typing.get_origin(hint) is typing.Literal:
        raise ConfigError(f"{path} is {value!r}{did_you_mean(str(value), typing.get_args(hint))}")
    raise ConfigError(f"{path} is {value!r}: expected {expected}")
