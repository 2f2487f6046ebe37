"""Try a row of a table without training it: what is wrong with it shows before anything begins."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from colorize.base.config import ConfigError, build, config_directory, to_plain
from colorize.base.errors import UserError
from colorize.data import Clips, MixedClips, PreparedClips
from colorize.training.components import Components
from colorize.training.idle import unused_settings
from colorize.training.runs import OtherRunError, compare
from colorize.training.train import MAY_CHANGE, chosen_components, make_loaders


def refuse_what_fits_no_row(rows: Iterable[str], trial: Callable[[str], object]) -> None:
    """Try rows until one can be trained and measured.

    Raises:
        ConfigError: None can; says why, once where the reason is the same for all.
    """
    reasons: dict[str, str] = {}
    for row in rows:
        try:
            trial(row)
        except UserError as error:
            reasons[row] = str(error)
        else:
            return
    if len(set(reasons.values())) == 1:
        raise ConfigError(f"no row can be trained: {next(iter(reasons.values()))}")
    if reasons:
        told = "; ".join(f"{row}: {reason}" for row, reason in reasons.items())
        raise ConfigError(f"no row can be trained: {told}")


def try_metrics(nodes: DictConfig) -> None:
    """Build the metrics of a table's evaluation.

    Raises:
        ConfigError: One cannot be built, as its weights cannot be had; named as a table names it.
    """
    for name in map(str, nodes):
        try:
            build(nodes[name])
        except UserError as error:
            others = ",".join(file for file in _files(nodes) if file != name)
            text = str(error).replace(f"metric.{name}.", f"evaluation.metric.{name}.")
            leave = f"leave the metric {name} out"
            raise ConfigError(
                text.replace(leave, f"{leave}: metric@evaluation.metric=[{others}]")
            ) from error


def _files(nodes: DictConfig) -> list[str]:
    """Return the files of ``conf/metric`` that metrics come from; some hold several."""
    return [
        file.stem
        for file in sorted((config_directory() / "metric").glob("*.yaml"))
        if re.findall(r"^(\w+):", file.read_text(encoding="utf-8"), re.MULTILINE)[0] in nodes
    ]


def try_row(training: DictConfig, *, folder: Path, split: str) -> None:
    """Build what a row is made of and open its clips, but train nothing.

    ``folder`` is where its run lies or will lie, ``split`` what is measured. Clips that have to be
    drawn or read first are not opened.

    Raises:
        UserError: What would stop its training, or its measurement for want of clips.
    """
    components = chosen_components(training)
    unused = unused_settings(training, components)
    try:
        compare(folder, to_plain(training), may_change=MAY_CHANGE, unused=unused)
    except OtherRunError as error:
        raise ConfigError(f"{error.fact}: give the table another name=NAME") from error
    _try_clips(build(training.data), training, components, split)


def _try_clips(clips: Any, training: DictConfig, components: Components, split: str) -> None:
    prepared: Clips = clips.clips if isinstance(clips, MixedClips) else clips
    if not isinstance(prepared, PreparedClips):
        return
    train, val = prepared.split("train"), prepared.split("val")
    prepared.split(split)
    loaders = make_loaders(training, components, train=train, val=val)
    loaders.train_dataloader()
    loaders.val_dataloader()
