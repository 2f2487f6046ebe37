"""``colorize-evaluate``: measure a checkpoint on a split, or coloured frames against true ones."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from omegaconf import DictConfig

from colorize import metrics
from colorize.base.columns import Column
from colorize.base.config import ConfigError, build
from colorize.base.devices import choose_device
from colorize.base.errors import require, require_choice
from colorize.base.pieces import middles
from colorize.base.progress import task
from colorize.base.provenance import provenance
from colorize.data import ClipDataset
from colorize.data.references import ReferenceScope, shown_frames
from colorize.evaluation.baselines import Baseline
from colorize.evaluation.footage import (
    Batch,
    EngineReader,
    PairedFrames,
    Reader,
    colored_clips,
    pair_clips,
)
from colorize.evaluation.report import Report
from colorize.imaging.contact_sheet import contact_sheet, save_sheet
from colorize.imaging.tensors import to_picture
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import open_source
from colorize.media.pictures.folder import picture_files
from colorize.metrics import ClipMetric, Metric, ShotMeasurement

Row = tuple[str, list[np.ndarray]]  # of the contact sheet: title and pictures


def evaluate(config: DictConfig) -> Report:
    """Measure what ``config`` names, write tables and a contact sheet to ``config.output``.

    Raises:
        ConfigError: Neither a checkpoint with data nor two sets of frames were given.
    """
    for key in ("every", "batch_size"):
        require(key, config[key] >= 1, config[key], "1 or more")
    chosen: dict[str, Metric | ClipMetric] = {
        name: build(node) for name, node in config.metric.items()
    }
    device = choose_device(config.device)
    for metric in chosen.values():
        if isinstance(metric, torch.nn.Module):
            metric.to(device)
    report = Report(
        columns=[Column.of(name, metric) for name, metric in chosen.items()],
        reference=metrics.TRUTH if any(m.better == "closer" for m in chosen.values()) else None,
        unranked=frozenset({metrics.BEST}),
    )
    of_frames, of_clips = metrics.split_metrics(chosen)
    work = _open(config, whole=bool(of_clips))
    rows = _measure(work, report, of_frames, of_clips, sheet_rows=config.sheet_rows)
    _write(config, report, rows, work)
    return report


@dataclass
class Clock:
    """How long colouring took: the network and its references, with reading the frames."""

    frames: int = 0
    seconds: float = 0.0

    def timed(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """Yield batches, and count the time that each took to come."""
        while True:
            started = time.perf_counter()
            batch = next(batches, None)
            self.seconds += time.perf_counter() - started
            if batch is None:
                return
            self.frames += len(batch.names)
            yield batch

    @property
    def frames_per_second(self) -> float | None:
        """Frames coloured a second, to two digits."""
        return float(f"{self.frames / self.seconds:.2g}") if self.seconds else None


@dataclass(frozen=True)
class Work:
    """What is to be measured: batches, how many frames to measure, and what to call it."""

    batches: Iterator[Batch]
    count: int
    data: str
    checkpoint: str | None = None
    weights: Mapping[str, str] = field(default_factory=dict)
    clock: Clock | None = None


def _measure(
    work: Work,
    report: Report,
    of_frames: Mapping[str, Metric],
    of_clips: Mapping[str, ClipMetric],
    *,
    sheet_rows: int,
) -> list[Row]:
    """Measure all frames and shots into ``report``; return rows for the contact sheet."""
    rows: list[Row] = []
    picked = set(middles(work.count, sheet_rows))
    done = 0
    with task("measuring", total=work.count, unit="frame") as bar:
        for (clip, _), batches in itertools.groupby(work.batches, key=lambda b: (b.clip, b.shot)):
            shot, names = ShotMeasurement(of_clips), list[str]()
            for batch in batches:
                part = batch.only_measured()
                if part.names:
                    values = metrics.measure_variants(
                        of_frames, gray=part.gray, outputs=part.outputs, truth=part.truth
                    )
                    report.add(clip=clip, frames=part.names, values=values)
                rows += [_row(part, i) for i in range(len(part.names)) if done + i in picked]
                done += len(part.names)
                bar.advance(len(part.names))
                if of_clips:
                    shot.add(gray=batch.gray, outputs=batch.outputs, truth=batch.truth)
                    names += batch.names
            if of_clips:
                report.add_shot(clip=clip, frames=names, values=shot.values())
    return rows


def _open(config: DictConfig, *, whole: bool) -> Work:
    """Open what is to be measured; ``whole``: every frame of a shot is needed, in order."""
    if config.prediction is not None or config.truth is not None:
        return _open_frames(config, whole=whole)
    if config.baseline is None and config.checkpoint is None:
        raise ConfigError(
            "nothing to evaluate: pass checkpoint=FILE data=cartoon (or data=clips "
            "data.root=DIR), or prediction=PATH truth=PATH"
        )
    if config.data is None:
        raise ConfigError("data is not set: pass data=cartoon, or data=clips data.root=DIR")
    opened = _open_checkpoint if config.baseline is None else _open_baseline
    return opened(config, whole=whole)


def _open_baseline(config: DictConfig, *, whole: bool) -> Work:
    if config.checkpoint is not None:
        raise ConfigError("baseline and checkpoint are two things to measure: pass one of them")
    if config.reference_frames < 1:
        raise ConfigError("baseline colours by references: pass reference_frames=1 or more")
    weights = config.flow_weights or "torchvision"
    baseline = Baseline(config.baseline, flow=config.flow, flow_weights=weights)
    how = f"{config.baseline} ({config.flow})" if config.baseline == "moved" else config.baseline
    return _work(config, baseline, how, whole=whole)


def _work(config: DictConfig, reader: Reader, how: str, *, whole: bool) -> Work:
    """Return the work of colouring the clips that ``config`` names."""
    require_choice("reference_scope", config.reference_scope, ReferenceScope)
    clips = build(config.data)
    dataset: ClipDataset = clips.split(config.split)
    count, scope = config.reference_frames, config.reference_scope
    shown = f", {count} reference{'s' * (count > 1)} a {scope}" if count else ""
    shown += " (left out, not shown)" if count and not config.show_references else ""
    batches = colored_clips(
        reader,
        dataset,
        every=config.every,
        batch_size=config.batch_size,
        whole=whole,
        references=count,
        scope=scope,
        show=config.show_references,
    )
    clock = Clock()
    return Work(
        batches=clock.timed(batches),
        clock=clock,
        count=sum(
            len(set(range(0, clip.count, config.every)).difference(*shown.values()))
            for clip in dataset.clips
            for shown in [shown_frames(clip, count=count, scope=scope)]
        ),
        data=f"{clips.label}, split {config.split}, every {config.every}. frame; {how}{shown}",
    )


def _open_checkpoint(config: DictConfig, *, whole: bool) -> Work:
    networks = LoadedNetworks.load(
        config.checkpoint,
        device=config.device,
        short_side=config.size,
        flow_weights=config.flow_weights,
    )
    settings = _settings(config, networks)
    if config.reference_frames and config.show_references and not networks.takes_references:
        raise ConfigError(
            f"reference_frames is {config.reference_frames}, but {config.checkpoint} takes none; "
            "pass reference_frames=0"
        )
    assert networks.checkpoint is not None
    description = networks.checkpoint.description
    reader = EngineReader(
        networks, settings, batch_size=config.batch_size, own_luma=_own_luma(config, networks)
    )
    how = "network"
    if networks.refiner is not None:
        how = "main network alone" if config.refine is False else "main network and refinement"
    how += f" at a short side of {networks.short_side}, stillness {settings.stillness:g}"
    how += " in bfloat16" if settings.fast else ""
    return replace(
        _work(config, reader, how, whole=whole),
        checkpoint=(
            f"{config.checkpoint}: step {description['step']}, seed "
            f"{description['config']['seed']}, commit {description['provenance']['commit']}"
        ),
        weights=description["weights"],
    )


def _settings(config: DictConfig, networks: LoadedNetworks) -> RenderSettings:
    """Return how frames are coloured: as ``colorize`` does, unless told otherwise."""
    if config.refine and networks.refiner is None:
        raise ConfigError(f"{config.checkpoint} holds no refinement network; leave refine=true out")
    return RenderSettings(
        short_side=config.size,
        refine=config.refine is not False,
        stillness=config.stillness,
        saturation=config.saturation,
        references_per_frame=config.references_per_frame,
        fast=config.fast,
    )


def _own_luma(config: DictConfig, networks: LoadedNetworks) -> bool:
    """Return whether RGB is measured as the network says it; refuse what cannot go with it."""
    if not config.own_luma or networks.model.luma == "keep":
        return False
    if config.stillness:
        raise ConfigError(
            "own_luma measures RGB as the network says it, which is not smoothed: pass stillness=0"
        )
    return True


def _open_frames(config: DictConfig, *, whole: bool) -> Work:
    """Pair two folders of frames by name, folders of such folders by name, two videos by order."""
    if config.prediction is None or config.truth is None:
        raise ConfigError("prediction and truth go together: pass prediction=PATH truth=PATH")
    for key in ("checkpoint", "refine"):
        if config[key] is not None:
            raise ConfigError(f"prediction and {key} are two things to measure: pass one of them")
    prediction, truth = Path(config.prediction), Path(config.truth)
    device = choose_device(config.device)
    # All are opened before any is measured: a missing one must not show after an hour.
    clips = [
        PairedFrames(name, prediction=open_source(predicted), truth=open_source(true))
        for name, predicted, true in pair_clips(prediction, truth)
    ]
    left_out = _left_out(config.leave_out)
    batches = (
        clip.batches(
            every=config.every,
            leave_out=left_out,
            batch_size=config.batch_size,
            whole=whole,
            device=device,
        )
        for clip in clips
    )
    return Work(
        batches=itertools.chain.from_iterable(batches),
        count=sum(clip.count(every=config.every, leave_out=left_out) for clip in clips),
        data=(
            f"frames of {prediction.name} against {truth.name}, every {config.every}. frame"
            + (f" but those of {Path(config.leave_out).name}" if left_out else "")
        ),
    )


def _left_out(folder: str | None) -> frozenset[str]:
    """Return the names, without suffix, of the pictures that are not measured."""
    if folder is None:
        return frozenset()
    if not Path(folder).is_dir():
        raise ConfigError(f"leave_out is {folder!r}: expected a folder of pictures")
    return frozenset(file.stem for file in picture_files(Path(folder)))


def _row(batch: Batch, index: int) -> Row:
    """Return one row of the contact sheet: its title and its pictures."""
    images = (batch.gray[index], *batch.outputs[index], batch.truth[index])
    return f"{batch.clip} {batch.names[index]}", [to_picture(image) for image in images]


def _write(config: DictConfig, report: Report, rows: list[Row], work: Work) -> None:
    folder = Path(config.output)
    made = provenance(
        data=work.data,
        checkpoint=work.checkpoint,
        # Metrics that rest on a network name it in their column.
        weights={**work.weights, **{c.key: c.name for c in report.columns if c.key == "lpips"}},
        device=choose_device(config.device),
    )
    if work.clock is not None:
        made["frames_per_second"] = work.clock.frames_per_second
    written = report.write(folder, made)
    if rows:
        outputs = len(rows[0][1]) - 2
        middle = ["colorized"] if outputs == 1 else [f"output {k}" for k in range(outputs)]
        sheet = contact_sheet(
            [pictures for _, pictures in rows],
            column_titles=["input", *middle, "truth"],
            row_titles=[title for title, _ in rows],
        )
        save_sheet(folder / "sheet.png", sheet)
        written.append(folder / "sheet.png")
    print(report.markdown().split("## By clip")[0])
    print("written:", ", ".join(str(path) for path in written))
