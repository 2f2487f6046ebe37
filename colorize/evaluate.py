"""``colorize-evaluate``: measure a checkpoint on a split, or coloured frames against true ones."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from omegaconf import DictConfig
from torch import Tensor
from tqdm import tqdm

from colorize import metrics
from colorize.color import rgb_to_luma
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
    for key in ("every", "batch_size"):
        if config[key] < 1:
            raise ConfigError(f"{key} is {config[key]}: expected 1 or more")
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
        if config.checkpoint is not None:
            raise ConfigError(
                "prediction and checkpoint are two things to measure: pass one of them"
            )
        return _open_frames(
            Path(config.prediction),
            Path(config.truth),
            every=config.every,
            device=choose_device(config.device),
        )
    if config.checkpoint is None:
        raise ConfigError(
            "nothing to evaluate: pass checkpoint=FILE data=cartoon (or data=clips "
            "data.root=DIR), or prediction=PATH truth=PATH"
        )
    if config.data is None:
        raise ConfigError("data is not set: pass data=cartoon, or data=clips data.root=DIR")
    colorizer = Colorizer.load(config.checkpoint, device=config.device, short_side=config.size)
    clips = build(config.data)
    dataset: ClipDataset = clips.split(config.split)
    description = colorizer.checkpoint.description
    return Work(
        batches=_colour_clips(colorizer, dataset, every=config.every, batch_size=config.batch_size),
        count=sum(len(range(0, clip.count, config.every)) for clip in dataset.clips),
        data=(
            f"{clips.label}, split {config.split}, every {config.every}. frame; network at a short "
            f"side of {colorizer.short_side}"
        ),
        checkpoint=(
            f"{config.checkpoint}: step {description['step']}, seed "
            f"{description['config']['seed']}, commit {description['provenance']['commit']}"
        ),
        weights=description["weights"],
    )


def _colour_clips(
    colorizer: Colorizer, dataset: ClipDataset, *, every: int, batch_size: int
) -> Iterator[Batch]:
    """Colour stored frames as ``colorize`` does, but for the luma of a model that has its own."""
    for clip in dataset.clips:
        numbers = list(range(0, clip.count, every))
        for start in range(0, len(numbers), batch_size):
            part = numbers[start : start + batch_size]
            truth = _to_tensor(_frames(clip, part), colorizer.device)
            gray = rgb_to_luma(truth)
            outputs = colorizer.variants(gray)
            yield Batch(clip.name, [f"{number:06d}" for number in part], gray, outputs, truth)


def _frames(clip: Clip, numbers: list[int]) -> np.ndarray:
    return np.stack([clip.frames[number] for number in numbers])


def _open_frames(prediction: Path, truth: Path, *, every: int, device: torch.device) -> Work:
    """Pair two folders of frames by name, folders of such folders by name, two videos by order."""
    # All are opened before any is measured: a missing one must not show after an hour.
    clips = [
        (name, _Pairs(open_source(predicted), open_source(true), every=every))
        for name, predicted, true in _pair_clips(prediction, truth)
    ]
    return Work(
        batches=(batch for name, pairs in clips for batch in pairs.batches(name, device)),
        count=sum(len(range(0, pairs.truth.count or 0, every)) for _, pairs in clips),
        data=f"frames of {prediction.name} against {truth.name}, every {every}. frame",
        checkpoint=None,
        weights={},
    )


def _pair_clips(prediction: Path, truth: Path) -> Iterator[tuple[str, Path, Path]]:
    folders = [] if not truth.is_dir() or picture_files(truth) else sorted(truth.iterdir())
    folders = [path for path in folders if path.is_dir() and not path.name.startswith(".")]
    if not folders:
        yield truth.name, prediction, truth
    for folder in folders:
        yield folder.name, prediction / folder.name, folder


class _Pairs:
    """The frames of one clip beside the true ones: by name in folders, else by order.

    Raises:
        ConfigError: A name in one folder is missing in the other.
    """

    def __init__(self, prediction: Source, truth: Source, *, every: int) -> None:
        self.prediction = prediction
        self.truth = truth
        self.every = every
        self._by_name = prediction.kind == truth.kind == "folder"
        if self._by_name:
            _check_names(prediction.path, truth.path)

    def __iter__(self) -> Iterator[tuple[Frame | None, Frame | None]]:
        if not self._by_name:
            yield from itertools.zip_longest(self.prediction, self.truth)
            return
        # Equal names can stand at other places when their suffixes differ.
        numbers = {file.stem: i for i, file in enumerate(picture_files(self.prediction.path))}
        for true in self.truth:
            number = numbers[Path(true.name).stem]
            yield next(self.prediction.frames(number, number + 1)), true

    def batches(self, clip: str, device: torch.device) -> Iterator[Batch]:
        """Yield every ``every``-th pair as a batch of one frame and one colouring."""
        for number, (predicted, true) in enumerate(self):
            if predicted is None or true is None:
                raise ConfigError(
                    f"{self.prediction.path} and {self.truth.path} differ in length after "
                    f"{number} frames"
                )
            if number % self.every:
                continue
            name = true.name or f"{number:06d}"
            if predicted.rgb.shape != true.rgb.shape:
                raise ConfigError(
                    f"{self.prediction.path}: {name} is {_size(predicted)}, but the true frame is "
                    f"{_size(true)}; colour at the size of the truth"
                )
            pair = torch.cat([_to_tensor(frame.rgb[None], device) for frame in (predicted, true)])
            yield Batch(clip, [name], rgb_to_luma(pair[1:]), pair[None, :1], pair[1:])


def _check_names(prediction: Path, truth: Path) -> None:
    """Refuse two folders whose picture names differ, so that no frame is paired by position."""
    names, expected = (_stems(folder) for folder in (prediction, truth))
    if missing := sorted(expected - names):
        raise ConfigError(
            f"{prediction}: {missing[0]} is missing ({len(missing)} of {len(expected)} true "
            "frames have no partner); frames are paired by name"
        )
    if extra := sorted(names - expected):
        raise ConfigError(f"{prediction}: {extra[0]} has no partner in {truth}")


def _stems(folder: Path) -> set[str]:
    """Return the picture names of a folder without suffix; refuse one that stands there twice."""
    stems = sorted(file.stem for file in picture_files(folder))
    for one, other in itertools.pairwise(stems):
        if one == other:
            raise ConfigError(f"{folder}: {one} is there twice, with two suffixes; keep one")
    return set(stems)


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
    def of(cls, batch: Batch, index: int) -> _Row:
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
