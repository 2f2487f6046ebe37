"""Measure which share of the training signal each loss has, so that its weight can be chosen.

Settings are those of colorize-train; the losses are compared at the initial weights of the network,
or at those of a checkpoint (init=FILE):

  python experiments/table1/gradient_shares.py data=clips data.root=DIR init=FILE \\
      loss=[rank_diversity,segment]

For each loss it prints its value, its weighted value, and the L2 norm of the weighted gradient at
the outputs f_k(X) and at the trained weights of f, both also relative to RankDiv's; then the
weights at which the gradient at the outputs has a chosen share of RankDiv's. All are means over
batches. Stills and clips of consecutive frames stand apart: losses weigh them differently.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from torch import Tensor

from colorize.base.config import check, config_directory, describe, register_schema
from colorize.base.errors import fail, one_line_errors
from colorize.training.settings import TrainConfig
from colorize.training.task import ColorizationTask
from colorize.training.train import assemble

REFERENCE = "rank_diversity"
# Where gradients are measured: at f_k(X), and at the trained weights of f.
PLACES = ("at_outputs", "at_parameters")


@dataclass(frozen=True, kw_only=True)
class Signal:
    """A loss on one batch: its value, and the L2 norms of its gradient; none of them weighted."""

    kind: str
    loss: str
    value: float
    at_outputs: float
    at_parameters: float


def main() -> None:
    """Print the table that the command line asks for."""
    options = _parse()
    with one_line_errors():
        config = _compose(options.overrides, batches=options.batches)
        check(config)
        if REFERENCE not in config.loss:
            fail(f"loss has no {REFERENCE}, to which the others are compared: add it to loss=[...]")
        lightning.seed_everything(config.seed, verbose=False)
        task, loaders = assemble(config)
        task.to(options.device)
        signals = [
            signal
            for batch in loaders.train_dataloader()
            for signal in signals_of(
                task, {n: part.to(options.device) for n, part in batch.items()}
            )
        ]
        rows = table(signals, _weights(task), shares=options.shares)
        _print(rows, options.shares)
        if options.json:
            report = {**task.description, "batches": options.batches, "rows": rows}
            options.json.write_text(json.dumps(report, indent=2) + "\n")


def signals_of(task: ColorizationTask, batch: Mapping[str, Tensor]) -> Iterator[Signal]:
    """Yield what each loss of the main network f says of one training batch."""
    painted = task(batch)
    outputs = painted.colors.unflatten(0, batch["gray"].shape[:2])
    targets = {**batch, **painted.provided}
    leaf = outputs.detach().requires_grad_()
    parameters = [part for part in task.model.parameters() if part.requires_grad]
    for name, loss in task.objective.losses.items():
        value = loss(leaf, batch["color"], targets)
        (gradient,) = torch.autograd.grad(value, leaf)
        behind = torch.autograd.grad(
            outputs, parameters, gradient, retain_graph=True, allow_unused=True
        )
        yield Signal(
            kind="stills" if outputs.shape[1] == 1 else "clips",
            loss=name,
            value=float(value.detach()),
            at_outputs=_norm([gradient]),
            at_parameters=_norm([part for part in behind if part is not None]),
        )


def table(
    signals: Sequence[Signal], weights: Mapping[str, float], *, shares: Sequence[float]
) -> list[dict[str, Any]]:
    """Return one row for each loss on stills and on clips, by column name; means over batches."""
    rows = []
    for kind in sorted({signal.kind for signal in signals}, reverse=True):
        reference = _mean(signals, kind, REFERENCE)
        of_reference = {at: weights[REFERENCE] * getattr(reference, at) for at in PLACES}
        rows += [
            _row(_mean(signals, kind, name), of_reference, weight=weight, shares=shares)
            for name, weight in weights.items()
        ]
    return rows


def _mean(signals: Sequence[Signal], kind: str, name: str) -> Signal:
    chosen = [signal for signal in signals if (signal.kind, signal.loss) == (kind, name)]
    means = {
        column: statistics.fmean(getattr(signal, column) for signal in chosen)
        for column in ("value", *PLACES)
    }
    return Signal(kind=kind, loss=name, **means)


def _row(
    mean: Signal, reference: Mapping[str, float], *, weight: float, shares: Sequence[float]
) -> dict[str, Any]:
    row: dict[str, Any] = {"kind": mean.kind, "loss": mean.loss, "weight": weight}
    row |= {"value": mean.value, "weighted_value": weight * mean.value}
    for at in PLACES:
        row[at] = weight * getattr(mean, at)
        row[f"share_{at}"] = _ratio(row[at], reference[at])
    wanted = {f"{share:g}": share * reference["at_outputs"] for share in shares}
    row["weight_for"] = {share: _ratio(norm, mean.at_outputs) for share, norm in wanted.items()}
    return row


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _norm(gradients: Sequence[Tensor]) -> float:
    return float(torch.stack([gradient.float().norm() for gradient in gradients]).norm())


def _weights(task: ColorizationTask) -> dict[str, float]:
    return {
        name: float(loss.weight)  # type: ignore[arg-type]
        for name, loss in task.objective.losses.items()
    }


def _compose(overrides: Sequence[str], *, batches: int) -> DictConfig:
    """Return colorize-train's config, with epochs of ``batches`` batches of stills and of clips."""
    register_schema("train", TrainConfig)
    try:
        with initialize_config_dir(str(config_directory()), version_base="1.3"):
            sampling = compose("train", overrides=list(overrides)).sampling
            counts = [
                f"sampling.{kind}={batches * sampling.batch_size}"
                for kind in ("stills", "pairs")
                if sampling[kind] > 0
            ]
            return compose("train", overrides=[*overrides, *counts])
    except (HydraException, OmegaConfBaseException) as error:
        fail(describe(error))


def _print(rows: Sequence[Mapping[str, Any]], shares: Sequence[float]) -> None:
    titles = ["weight", "value", "weighted", "at outputs", "share", "at weights", "share"]
    titles += [f"for {share:.0%}" for share in shares]
    kinds: list[str] = []
    for row in rows:
        if row["kind"] not in kinds:
            kinds.append(row["kind"])
            print(f"{row['kind']:<24}" + "".join(f"{title:>12}" for title in titles))
        cells = [_number(row[name]) for name in ("weight", "value", "weighted_value")]
        for at in PLACES:
            share = row[f"share_{at}"]
            cells += [_number(row[at]), "-" if share is None else f"{share:.2%}"]
        cells += [_number(weight) for weight in row["weight_for"].values()]
        print(f"  {row['loss']:<22}" + "".join(f"{cell:>12}" for cell in cells))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("overrides", nargs="*", metavar="SETTING", help="as of colorize-train")
    add("--batches", type=int, default=8, help="batches of stills and of clips, each (default 8)")
    add(
        "--shares",
        type=float,
        nargs="+",
        default=(0.1, 0.3),
        metavar="SHARE",
        help="shares of RankDiv's gradient to suggest weights for (default 0.1 0.3)",
    )
    add("--device", default="cpu", help="cpu (default), cuda or cuda:N")
    add("--json", type=Path, help="write settings and figures to this file as well")
    options = parser.parse_intermixed_args()  # settings may stand before and after options
    if options.batches < 1:
        parser.error(f"--batches is {options.batches}: expected 1 or more")
    return options


if __name__ == "__main__":
    main()
