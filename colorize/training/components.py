"""The components of a run: built as the settings say, and found to fit together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig

from colorize.base.config import ConfigError, build
from colorize.base.errors import require_choice
from colorize.data.references import OF_SAMPLES, ReferenceSampling
from colorize.data.targets.compute import TARGETS
from colorize.losses import Loss
from colorize.metrics import Metric, split_metrics
from colorize.networks.base import Network
from colorize.networks.prototype.refiner import Refiner
from colorize.networks.registry import COMPONENTS, component
from colorize.training.objective import Objective
from colorize.training.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class Components:
    """What a run is made of, beside its data: networks, losses, metrics, and how references come.

    ``objective`` is that of the generator, ``refiner_objective`` that of the refiner, if any.
    """

    model: Network
    refiner: Refiner | None
    objective: Objective
    refiner_objective: Objective | None
    metrics: Mapping[str, Metric]
    references: ReferenceSampling | None

    @property
    def targets(self) -> frozenset[str]:
        """Return what is to be derived from true frames, for losses and for what networks see."""
        needs = self.objective.needs - self.model.provides
        if self.references is not None:
            needs -= OF_SAMPLES
        if self.model.inputs == "gray_segments":
            needs |= {"segment_planes"}
        return needs | {"refiner_flow"} if self.refiner is not None else needs


def build_components(config: DictConfig) -> Components:
    """Build the components of a run.

    Raises:
        ConfigError: They do not fit together; the line says which, and what to change.
    """
    losses: dict[str, Loss] = {name: build(node) for name, node in config.loss.items()}
    metrics = {name: build(node) for name, node in config.metric.items()}
    model: Network = build(config.model)
    # Last, so that f begins with the same weights whether there is a g or not.
    refiner: Refiner | None = build(config.refiner)
    of_model, of_refiner = (
        {name: loss for name, loss in losses.items() if loss.trains == network}
        for network in ("generator", "refiner")
    )
    require_choice("optimizer.schedule", config.optimizer.schedule, Schedule)
    _refuse(_idle_losses(losses, config.sampling))
    _refuse(_half_a_refiner(of_refiner, refiner))
    of_samples = OF_SAMPLES if config.references is not None else frozenset()
    _refuse(_unmet_needs(of_model, model, of_samples.union(TARGETS)))
    _refuse(_unmet_needs(of_refiner, refiner) if refiner is not None else ())
    _refuse(
        f"metric {name} needs whole shots, and validation measures single frames: leave it out "
        "here; colorize-evaluate measures it"
        for name in split_metrics(metrics)[1]
    )
    components = Components(
        model=model,
        refiner=refiner,
        objective=Objective(of_model),
        refiner_objective=Objective(of_refiner) if of_refiner else None,
        metrics=metrics,
        references=build(config.references),
    )
    _refuse(_misplaced_references(components))
    return components


def _refuse(misfits: Iterable[str]) -> None:
    for line in misfits:
        raise ConfigError(line)


def _idle_losses(losses: Mapping[str, Loss], sampling: DictConfig) -> Iterator[str]:
    """Yield losses that could never act, because samples hold too few consecutive frames."""
    length = sampling.length if sampling.pairs > 0 else 1
    for name, loss in losses.items():
        if loss.frames > length:
            remedy = f"length={loss.frames}" if sampling.pairs > 0 else "pairs above 0"
            yield (
                f"loss {name} compares {loss.frames} consecutive frames, but samples hold "
                f"{length}: set sampling.{remedy}, or leave the loss out"
            )


def _half_a_refiner(losses: Mapping[str, Loss], refiner: Refiner | None) -> Iterator[str]:
    if refiner is None and losses:
        yield (
            f"loss {min(losses)} trains the refinement network, and there is none: "
            "pass refiner=refiner, or leave the loss out"
        )
    if refiner is not None and not losses:
        yield (
            "refiner is set, but no loss trains it: add refinement to loss=[...], "
            "or pass refiner=null"
        )


def _unmet_needs(
    losses: Mapping[str, Loss], network: Network | Refiner, derived: Iterable[str] = ()
) -> Iterator[str]:
    """Yield losses that need what neither true frames nor the network that they train give."""
    for name, loss in losses.items():
        if unmet := loss.needs.difference(derived, network.provides):
            known: dict[str, Any] = {each: component(each) for each in COMPONENTS}
            chosen = next(each for each, made in known.items() if isinstance(network, made))
            setting = getattr(network, "provides_with", {}).get(min(unmet))
            if setting is not None:
                yield f"loss {name} needs {min(unmet)}: pass {setting}, or leave the loss out"
                continue
            able = (n for n, made in known.items() if unmet <= getattr(made, "provides", set()))
            choose = "".join(f"choose model={each}, or " for each in able)
            yield (
                f"loss {name} needs {min(unmet)}, which {chosen} does not give: "
                f"{choose}leave the loss out"
            )


def _misplaced_references(components: Components) -> Iterator[str]:
    """Yield why references cannot act, or are wanted."""
    taken = "references" in components.model.takes
    if taken and components.references is None:
        yield "the model learns from references, and there are none: pass references=sampled"
    if not taken and components.references is not None:
        yield "references are set, and the model takes none: pass model=guided, or references=null"
    if components.references is not None and components.targets:
        yield (
            f"references come without targets, and a loss needs {min(components.targets)}: leave "
            "the loss out, or pass references=null and another model"
        )
