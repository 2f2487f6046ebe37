"""``colorize-evaluate``: measure a checkpoint on a split, or coloured frames against true ones."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from jaxtyping import Float
from omegaconf import DictConfig
from torch import Tensor
from tqdm import tqdm

from colorize import metrics
from colorize.color import displayable, rgb_to_luma
from colorize.config import ConfigError, build, entry
from colorize.data import Clip, ClipDataset
from colorize.media import Frame, Source, open_source
from colorize.media.folder import picture_files
from colorize.metrics import Metric
from colorize.predict import Colorizer, choose_device
from colorize.provenance import provenance
from colorize.report import Column, Report
from colorize.sheet import contact_sheet, save_sheet, to_picture


@dataclass(frozen=True)
class Batch:
    """Some frames of one clip with their K colourings: what one measurement takes."""

    clip: str
    frames: list[str]
    gray: Float[Tensor, "b 1 h w"]
    outputs: Float[Tensor, "b k 3 h w"]
    truth: Float[Tensor, "b 3 h w"]


def main() -> None:
    """Run the console script ``colorize-evaluate``."""
    entry("evaluate", evaluate)


def evaluate(config: DictConfig) -> Report:
    """Measure what ``config`` names, write tables and a contact sheet to ``config.output``.

    Raises:
        ConfigError: Neither a checkpoint with data nor two sets of frames were given.
    """
    chosen: dict[str, Metric] = {name: build(node) for name, node in config.metric.items()}
    device = choose_device(config.device)
    for metric in chosen.values():
        if isinstance(metric, torch.nn.Module):
            metric.to(device)
    report = Report(
        columns=[Column.of(name, metric) for name, metric in chosen.items()],
        reference=metrics.TRUTH if any(m.better == "closer" for m in chosen.values()) else None,
        unranked=frozenset({metrics.BEST}),
    )
    work = _open(config)
    rows: list[_Row] = []
    picked = _evenly(work.count, config.sheet_rows)
    done = 0
    with tqdm(total=work.count, unit="frame", desc="measuring", dynamic_ncols=True) as bar:
        for batch in work.batches:
            values = metrics.measure_variants(
                chosen, gray=batch.gray, outputs=batch.outputs, truth=batch.truth
            )
            report.add(clip=batch.clip, frames=batch.frames, values=values)
            rows += [_Row.of(batch, i) for i in range(len(batch.frames)) if done + i in picked]
            done += len(batch.frames)
            bar.update(len(batch.frames))
    _write(config, report, rows, work)
    return report


@dataclass(frozen=True)
class Work:
    """What is to be measured: batches, how many frames they hold, and what to call it."""

    batches: Iterator[Batch]
    count: int
    data: str
    checkpoint: str | None
    weights: Mapping[str, str]


def _open(config: DictConfig) -> Work:
    if config.prediction is not None or config.truth is not None:
        if config.prediction is None or config.truth is None:
            raise ConfigError("prediction and truth go together: pass prediction=PATH truth=PATH")
        return _open_frames(Path(config.prediction), Path(config.truth), device=config.device)
    if config.checkpoint is None:
        raise ConfigError(
            "nothing to evaluate: pass checkpoint=FILE data=cartoon (or data=clips "
            "data.root=DIR), or prediction=PATH truth=PATH"
        )
    if config.data is None:
        raise ConfigError("data is not set: pass data=cartoon, or data=clips data.root=DIR")
    colorizer = Colorizer.load(config.checkpoint, device=config.device)
    clips = build(config.data)
    dataset: ClipDataset = clips.split(config.split)
    description = colorizer.checkpoint.description
    return Work(
        batches=_colour_clips(colorizer, dataset, every=config.every, batch_size=config.batch_size),
        count=sum(len(range(0, clip.count, config.every)) for clip in dataset.clips),
        data=f"{clips.label}, split {config.split}, every {config.every}. frame",
        checkpoint=(
            f"{config.checkpoint}: step {description['step']}, seed "
            f"{description['config']['seed']}, commit {description['provenance']['commit']}"
        ),
        weights=description["weights"],
    )


def _colour_clips(
    colorizer: Colorizer, dataset: ClipDataset, *, every: int, batch_size: int
) -> Iterator[Batch]:
    """Colour stored frames at their stored size; the model's own luma counts, if it has one."""
    for clip in dataset.clips:
        numbers = list(range(0, clip.count, every))
        for start in range(0, len(numbers), batch_size):
            part = numbers[start : start + batch_size]
            truth = _to_tensor(_frames(clip, part), colorizer.device)
            gray = rgb_to_luma(truth)
            with torch.inference_mode():
                outputs = displayable(colorizer.model(gray), gray, luma=colorizer.model.luma)
            yield Batch(clip.name, [f"{number:06d}" for number in part], gray, outputs, truth)


def _frames(clip: Clip, numbers: list[int]) -> np.ndarray:
    return np.stack([clip.frames[number] for number in numbers])


def _open_frames(prediction: Path, truth: Path, *, device: str) -> Work:
    """Pair two folders of frames by name, folders of such folders by name, two videos by order."""
    pairs = list(_pair_clips(prediction, truth))
    counts = [open_source(true).count or 0 for _, _, true in pairs]
    return Work(
        batches=(
            batch
            for name, predicted, true in pairs
            for batch in _pair_frames(name, predicted, true, choose_device(device))
        ),
        count=sum(counts),
        data=f"frames of {prediction.name} against {truth.name}",
        checkpoint=None,
        weights={},
    )


def _pair_clips(prediction: Path, truth: Path) -> Iterator[tuple[str, Path, Path]]:
    folders = sorted(path for path in truth.iterdir() if path.is_dir()) if truth.is_dir() else []
    if not folders or any(path.is_file() for path in truth.iterdir()):
        yield truth.name, prediction, truth
        return
    for folder in folders:
        yield folder.name, prediction / folder.name, folder


def _pair_frames(clip: str, prediction: Path, truth: Path, device: torch.device) -> Iterator[Batch]:
    predicted_source, true_source = open_source(prediction), open_source(truth)
    _check_names(predicted_source, true_source)
    both = itertools.zip_longest(predicted_source, true_source)
    for number, (predicted, true) in enumerate(both):
        if predicted is None or true is None:
            raise ConfigError(f"{prediction} and {truth} differ in length after {number} frames")
        if predicted.rgb.shape != true.rgb.shape:
            raise ConfigError(
                f"{prediction / predicted.name}: size {_size(predicted)}, but the true frame is "
                f"{_size(true)}; colour at the size of the truth"
            )
        pair = torch.cat([_to_tensor(frame.rgb[None], device) for frame in (predicted, true)])
        name = true.name or f"{number:06d}"
        gray = rgb_to_luma(pair[1:])
        yield Batch(clip, [name], gray, pair[None, :1], pair[1:])


def _check_names(prediction: Source, truth: Source) -> None:
    """Refuse two folders whose picture names differ, so that no frame is paired by position."""
    if truth.kind != "folder" or prediction.kind != "folder":
        return
    names, expected = (
        {file.stem for file in picture_files(source.path)} for source in (prediction, truth)
    )
    if missing := sorted(expected - names):
        raise ConfigError(
            f"{prediction.path}: {missing[0]} is missing ({len(missing)} of {len(expected)} true "
            "frames have no partner); frames are paired by name"
        )
    if extra := sorted(names - expected):
        raise ConfigError(f"{prediction.path}: {extra[0]} has no partner in {truth.path}")


def _size(frame: Frame) -> str:
    height, width = frame.rgb.shape[:2]
    return f"{width}x{height}"


def _to_tensor(frames: np.ndarray, device: torch.device) -> Float[Tensor, "b 3 h w"]:
    """Return 8- or 16-bit frames ``b h w 3`` as RGB in [0, 1]."""
    scaled = torch.from_numpy(frames.astype(np.float32) / np.iinfo(frames.dtype).max)
    return scaled.permute(0, 3, 1, 2).contiguous().to(device)


@dataclass(frozen=True)
class _Row:
    """One row of the contact sheet."""

    title: str
    pictures: list[np.ndarray]

    @classmethod
    def of(cls, batch: Batch, index: int) -> Self:
        images = (batch.gray[index], *batch.outputs[index], batch.truth[index])
        return cls(f"{batch.clip} {batch.frames[index]}", [to_picture(image) for image in images])


def _evenly(count: int, wanted: int) -> set[int]:
    """Return up to ``wanted`` frame numbers at the middles of equal parts."""
    wanted = min(count, wanted)
    return {int((part + 0.5) * count / wanted) for part in range(wanted)}


def _write(config: DictConfig, report: Report, rows: list[_Row], work: Work) -> None:
    folder = Path(config.output)
    made = provenance(
        data=work.data,
        checkpoint=work.checkpoint,
        weights={**work.weights, **_metric_weights(report)},
        device=choose_device(config.device),
    )
    written = report.write(folder, made)
    if rows:
        outputs = len(rows[0].pictures) - 2
        middle = ["colorized"] if outputs == 1 else [f"output {k}" for k in range(outputs)]
        sheet = contact_sheet(
            [row.pictures for row in rows],
            column_titles=["input", *middle, "truth"],
            row_titles=[row.title for row in rows],
        )
        save_sheet(folder / "sheet.png", sheet)
        written.append(folder / "sheet.png")
    print(report.markdown().split("## By clip")[0])
    print("written:", ", ".join(str(path) for path in written))


def _metric_weights(report: Report) -> dict[str, str]:
    """Name the networks that metrics rest on, as their columns do."""
    return {column.key: column.name for column in report.columns if column.key == "lpips"}
