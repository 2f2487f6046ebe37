"""Refuse settings that do nothing for the chosen components, instead of ignoring them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from omegaconf import DictConfig, OmegaConf

from colorize.base.config import ConfigError
from colorize.data.targets.compute import GROUPS
from colorize.training.components import Components

# Groups whose settings act only through what reads them: what that is, and how to have it.
_READERS = {
    "features": "neither the model nor a loss looks at features: choose those that do",
    "loss_weights": "no chosen loss takes its weight from it: add one that does to loss=[...]",
    "targets": "no chosen loss needs what it sets: add one that does to loss=[...]",
    "corruption": "the model does not see its last colours: pass model.inputs=gray_previous",
}


def refuse_idle_settings(
    config: DictConfig, components: Components, *, given: Iterable[str]
) -> None:
    """Refuse settings that the user gave (dotted names) and that nothing of this run reads.

    What a recipe sets beside is not built where it is not read.

    Raises:
        ConfigError: Names the setting, and what would read it.
    """
    read = _read(config, components)
    for key in given:
        group = key.partition(".")[0]
        if group not in _READERS or config[group] is None:
            continue
        if not any(_overlap(key, each) for each in read):
            raise ConfigError(f"{key} does nothing: {_READERS[group]}, or leave {key} out")


def unused_settings(config: DictConfig, components: Components) -> Callable[[str], bool]:
    """Return whether a setting, by its dotted name, is one that nothing of this run reads.

    What a protocol says is read through other settings alone, and counts by these.
    """
    read = _read(config, components)

    def unused(key: str) -> bool:
        group = key.partition(".")[0]
        if group == "protocol":
            return True
        return group in _READERS and not any(_overlap(key, each) for each in read)

    return unused


def _read(config: DictConfig, components: Components) -> set[str]:
    """Return the dotted names of the settings that the components of a run read."""
    reading = OmegaConf.masked_copy(config, ["model", "refiner", "loss"])
    text = str(OmegaConf.to_container(reading, resolve=False))
    read = set(re.findall(r"\$\{([\w.]+)\}", text))
    if components.targets:
        made = {group for group, names in GROUPS.items() if names & components.targets}
        read |= {f"targets.{group}" for group in (*made, "cache")}
    if components.model.inputs == "gray_previous":
        read.add("corruption")
    return read


def _overlap(one: str, other: str) -> bool:
    """Return whether one setting is the other, or a part of it."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")
