"""Measure rules that choose among the K colourings of each shot, where true colours are known.

  python experiments/choice/measure_choice.py --film runs/demo/model.safetensors cartoon:0 \\
      --film runs/first-light/model.safetensors datasets/penny-and-chip --json results.json

A film is a checkpoint and what it colours: ``cartoon:SEED``, held-out shots of that procedural
series (from shot 42 on: experiment=demo trains on the first 40), or a prepared dataset, whose
``--splits`` are cut into thirds: a whole view and two closer ones of every clip. A third word names
what the network was trained on, where that is something else.

Each rule is compared with the first one, shot by shot: PSNR, ΔE2000, distance of colourfulness to
the truth, and how far apart (Lab a, b) two shots colour what has one true colour, in shots of the
same scene and in others. ±: one standard error, over shots, or over clips where they were cut.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from colorize.base.errors import one_line_errors
from colorize.data import CartoonClips, PreparedClips
from colorize.films.plan.planning import AUTO_OUTPUT
from colorize.imaging.color import rgb_to_chroma, rgb_to_lab, rgb_to_luma
from colorize.imaging.tensors import to_tensor
from colorize.inference.engine import ShotEngine
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import Frame
from colorize.metrics.colorfulness import colorfulness
from colorize.metrics.lab import delta_e_2000
from colorize.metrics.psnr import psnr
from colorize.metrics.warp_error import Motion, warp_error
from colorize.motion.estimators import Dis
from colorize.motion.warp import consistency

PAIRS = 4  # of consecutive frames, spread over each shot
NEIGHBOURS = 16  # shots before each one, with which its colours are compared
THUMBNAIL = (18, 32)
LEVELS = 12  # of each true channel: what shares a bin has one true colour
TAU = 0.03  # difference of gray 5x5 patches that still look alike
FIGURES = ("psnr", "delta_e", "colorfulness_error")
DEFAULT = "AUTO_OUTPUT (default)"


@dataclass(frozen=True, kw_only=True)
class Shot:
    """What rules and figures need of a shot, small; arrays and first axes over its K colourings."""

    scene: str
    group: str  # shots of one group are no independent observations
    figures: Mapping[str, np.ndarray]  # PSNR, ΔE2000 and error of the colourfulness
    colorfulness: np.ndarray
    flicker: np.ndarray
    atypicality: np.ndarray
    gray: Tensor  # n 1 h w, a thumbnail
    chroma: Tensor  # k n 2 h w
    shares: Tensor  # of true colours, by bin
    palette: Tensor  # k bins 2: mean a, b that each colouring gives to a bin

    @property
    def mean_distance(self) -> np.ndarray:
        """Root mean square distance of each colouring to the mean of all."""
        away = self.chroma - self.chroma.mean(dim=0)
        return away.square().sum(dim=2).mean(dim=(1, 2, 3)).sqrt().numpy()


def main() -> None:
    """Measure the films that the command line names."""
    options = _parse()
    torch.set_num_threads(1)
    films: dict[str, Any] = {}
    if options.json and options.json.is_file():
        films = json.loads(options.json.read_text(encoding="utf-8"))["films"]
    with one_line_errors():
        for checkpoint, source, *other in options.film:
            shots, defaults = measure(checkpoint, source, options)
            wanted = _training_colorfulness(other[0] if other else source)
            name = f"{Path(source).name} by {Path(checkpoint).parent.name}"
            films[name] = judge(shots, choices(shots, defaults, wanted))
            _show(name, films[name])
    mean = average(list(films.values()))
    _show("mean of the films", mean)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        report = {"mean": mean, "films": films}
        options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", "utf-8")


def views(source: str, options: argparse.Namespace) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield scene, group and frames (t h w 3) of each shot."""
    if source.startswith("cartoon:"):
        series = _cartoon(source, test=options.shots)
        for index in series.shots("test"):
            yield series.series.script(index).scene, str(index), series.series.color(index)
        return
    for split in options.splits:
        for clip in PreparedClips(root=source).split(split).clips:
            (height, width), third = clip.shape[1:3], clip.count // 3
            tall, wide = 2 * height // 3, 2 * width // 3
            first, second, last = (clip.frames[i * third : (i + 1) * third] for i in range(3))
            top = (height - tall) // 2
            for view in (first, second[:, top : top + tall, :wide], last[:, -tall:, -wide:]):
                yield clip.name, clip.name, np.array(view)


def measure(
    checkpoint: str, source: str, options: argparse.Namespace
) -> tuple[list[Shot], list[int]]:
    """Return what is known of each shot, and what ``colorize.films.plan.planning`` chooses."""
    # Frame by frame: how much an output flickers is measured.
    networks = LoadedNetworks.load(checkpoint, device=options.device)
    engine = ShotEngine(networks, RenderSettings(stillness=0.0))
    shots = [
        look(engine, frames, scene, group)
        for scene, group, frames in tqdm(views(source, options), desc=source, unit="shot")
    ]
    return shots, [AUTO_OUTPUT] * len(shots)


def look(engine: ShotEngine, frames: np.ndarray, scene: str, group: str) -> Shot:
    """Colour pairs of frames of one shot, and measure each colouring."""
    places = (np.arange(PAIRS) + 0.5) * (len(frames) - 1) / PAIRS
    indices = np.stack([places.astype(int), places.astype(int) + 1], axis=1).ravel()
    pictures = frames[indices]
    truth = to_tensor(pictures)
    gray = rgb_to_luma(truth)
    colored = engine([Frame(number, "", rgb) for number, rgb in enumerate(pictures)])
    outputs = torch.stack([to_tensor(np.stack([each.rgb for each in row])) for row in colored])
    each = outputs.unbind(1)
    own = np.array([float(colorfulness(output).mean()) for output in each])
    figures = {
        "psnr": np.array([float(psnr(output, truth).mean()) for output in each]),
        "delta_e": np.array([float(delta_e_2000(o[::2], truth[::2]).mean()) for o in each]),
        "colorfulness_error": np.abs(own - float(colorfulness(truth).mean())),
    }
    shares, palette = palette_of(outputs[::2], truth[::2])
    small = functional.interpolate(
        rgb_to_chroma(outputs[::2]).flatten(0, 1), THUMBNAIL, mode="area"
    )
    return Shot(
        scene=scene,
        group=group,
        figures=figures,
        colorfulness=own,
        flicker=flicker(gray, outputs),
        atypicality=atypicality(outputs),
        gray=functional.interpolate(gray[::2], THUMBNAIL, mode="area"),
        chroma=small.unflatten(0, (PAIRS, -1)).transpose(0, 1).contiguous(),
        shares=shares,
        palette=palette,
    )


def atypicality(outputs: Tensor) -> np.ndarray:
    """Return how far each of K colourings (t k 3 h w) is from all others: 0 if they are the same.

    The distance of two is the mean length of their difference in (Cb, Cr), over the places of small
    thumbnails; these distances are summed.
    """
    frames, count = outputs.shape[:2]
    chroma = rgb_to_chroma(outputs).double().flatten(0, 1)
    small = functional.interpolate(chroma, THUMBNAIL, mode="area").unflatten(0, (frames, count))
    distances = (small.unsqueeze(1) - small.unsqueeze(2)).norm(dim=3)
    return distances.mean(dim=(0, 3, 4)).sum(dim=1).numpy()


def flicker(gray: Tensor, outputs: Tensor) -> np.ndarray:
    """Return each colouring's warp error over the pairs, along the flow of the gray frames."""
    estimate, (now, after) = Dis(), (gray[::2], gray[1::2])
    flow = estimate(now, after)
    motion = Motion(flow, consistency(flow, estimate(after, now)))
    errors = [warp_error(output[::2], output[1::2], motion) for output in outputs.unbind(1)]
    return torch.stack(errors).nanmean(dim=1).numpy()


def palette_of(outputs: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Return the share of each bin of true colours, and the mean (a, b) that outputs give it."""
    red, green, blue = (truth * LEVELS).long().clamp_max(LEVELS - 1).transpose(0, 1).flatten(1)
    bins = (red * LEVELS + green) * LEVELS + blue
    counts = torch.bincount(bins, minlength=LEVELS**3).float()
    ab = rgb_to_lab(outputs)[:, :, 1:].permute(1, 0, 3, 4, 2).flatten(1, 3)
    sums = torch.zeros(len(ab), LEVELS**3, 2).index_add_(1, bins, ab)
    return counts / counts.sum(), sums / counts.clamp_min(1)[:, None]


def apart(one: Shot, k: int, other: Shot, j: int) -> float:
    """Return how far apart two shots' colours are, where the true ones are alike; NaN if nowhere.

    Bins weigh by the smaller of their shares in the two shots, below 0.3 % nothing.
    """
    shared = torch.minimum(one.shares, other.shares)
    shared = shared * (shared > 0.003)
    distance = (one.palette[k] - other.palette[j]).norm(dim=1)
    return float((shared * distance).sum() / shared.sum()) if shared.sum() > 0.05 else np.nan


def choices(shots: Sequence[Shot], defaults: list[int], wanted: float) -> dict[str, list[int]]:
    """Return the choice of every rule; ``wanted`` is the colourfulness of the training frames."""
    count, agreement = len(shots[0].colorfulness), agreements(shots)
    typical = [shot.atypicality for shot in shots]
    flickers = [shot.flicker for shot in shots]
    away = [np.abs(shot.colorfulness - wanted) for shot in shots]
    quiet = [shot.flicker / shot.colorfulness**2 for shot in shots]
    away_from_mean = [shot.mean_distance for shot in shots]
    chosen = {DEFAULT: defaults}
    chosen |= {f"film: output {k}": [k] * len(shots) for k in range(count)}
    chosen["film: most typical"] = _one(typical)
    chosen["film: nearest to the mean"] = _one(away_from_mean)
    chosen["film: most stable"] = _one(flickers)
    chosen["film: colourful as the training"] = _one(away)
    chosen["scene: most typical"] = pooled(shots, typical)
    chosen["shot: most typical"] = _each(typical)
    chosen["shot: nearest to the mean (medoid)"] = _each(away_from_mean)
    chosen["shot: most stable"] = _each(flickers)
    chosen["shot: most stable for its colour"] = _each(quiet)
    chosen["shot: colourful as the training"] = _each(away)
    for weight in (0.5, 2.0):
        name = f"shot: medoid + {weight:g} x agreement"
        chosen[name] = settle(away_from_mean, agreement, weight)
    chosen["shot: agreement alone"] = settle([np.zeros(count)] * len(shots), agreement, 1.0)
    chosen["oracle: best PSNR"] = _each([-shot.figures["psnr"] for shot in shots])
    chosen["oracle: worst PSNR"] = _each([shot.figures["psnr"] for shot in shots])
    return chosen


def _each(costs: Sequence[np.ndarray]) -> list[int]:
    return [int(cost.argmin()) for cost in costs]


def _one(costs: Sequence[np.ndarray]) -> list[int]:
    return [int(np.sum(costs, axis=0).argmin())] * len(costs)


def pooled(shots: Sequence[Shot], costs: Sequence[np.ndarray]) -> list[int]:
    """Choose by costs summed over shots, by the squared correlation of their gray thumbnails."""
    gray = torch.stack([shot.gray.mean(dim=0).flatten() for shot in shots])
    gray = functional.normalize(gray - gray.mean(dim=1, keepdim=True), dim=1)
    weights = (gray @ gray.T).clamp_min(0).square().numpy()
    return _each(list(weights @ np.stack(costs)))


def agreements(shots: Sequence[Shot]) -> dict[tuple[int, int], tuple[float, np.ndarray]]:
    """Return, for pairs of shots, how alike their gray patches are and their colours' distances.

    Each patch of a shot is matched to the nearest of the other; the (k, j) entry is the mean
    distance of output k's chroma here to output j's there, weighted by the likeness of patches.
    """
    patches, colors = [], []
    for shot in shots:  # every second frame and patch suffices
        padded = functional.pad(shot.gray[::2], (2, 2, 2, 2), mode="replicate")
        patches.append(functional.unfold(padded, 5).transpose(1, 2).flatten(0, 1)[::2])
        colors.append(shot.chroma[:, ::2].permute(1, 3, 4, 0, 2).flatten(0, 2)[::2])
    found = {}
    for i in tqdm(range(len(shots)), desc="comparing shots", unit="shot", leave=False):
        for j in range(max(0, i - NEIGHBOURS), i):
            distance, match = (torch.cdist(patches[i], patches[j]) / 5).min(dim=1)
            weight = torch.exp(-((distance / TAU) ** 2))
            between = torch.cdist(colors[i], colors[j][match])
            mean = (between * weight[:, None, None]).sum(dim=0) / weight.sum().clamp_min(1e-6)
            found[i, j] = (float(weight.mean()) ** 2, mean.numpy())
    return found


def settle(
    costs: Sequence[np.ndarray],
    agreement: Mapping[tuple[int, int], tuple[float, np.ndarray]],
    weight: float,
) -> list[int]:
    """Choose by cost plus ``weight`` times the distance to what the shots around have chosen."""
    around: list[list[tuple[int, float, np.ndarray]]] = [[] for _ in costs]
    for (i, j), (alike, distances) in agreement.items():
        around[i].append((j, alike, distances))
        around[j].append((i, alike, distances.T))
    chosen = _each(costs)
    for _ in range(10):  # iterated conditional modes: each in turn, until nothing changes
        before = list(chosen)
        for i, cost in enumerate(costs):
            total = sum(alike for _, alike, _ in around[i]) + 1e-9
            pull = sum((a * d[:, chosen[j]] for j, a, d in around[i]), np.zeros_like(cost))
            chosen[i] = int((cost + weight * pull / total).argmin())
        if chosen == before:
            break
    return chosen


def judge(shots: Sequence[Shot], chosen: Mapping[str, list[int]]) -> dict[str, Any]:
    """Return the figures of every rule, and [gain over the default rule, its standard error]."""
    groups = np.unique([shot.group for shot in shots], return_inverse=True)[1]
    result: dict[str, Any] = {}
    for name, outputs in chosen.items():
        row: dict[str, Any] = {"outputs": np.bincount(outputs).tolist()}
        for figure in FIGURES:
            own, default = (
                np.array([shot.figures[figure][k] for shot, k in zip(shots, each, strict=True)])
                for each in (outputs, chosen[DEFAULT])
            )
            gains = np.bincount(groups, own - default) / np.bincount(groups)
            row[figure] = float(own.mean())
            row[f"{figure}_gain"] = [float(gains.mean()), float(gains.std() / len(gains) ** 0.5)]
        row["apart_same_scene"], row["apart_other_scenes"] = _apart(shots, outputs)
        result[name] = row
    return result


def _apart(shots: Sequence[Shot], outputs: Sequence[int]) -> tuple[float, float]:
    """Return the mean of :func:`apart` over pairs of shots of one scene, and of different ones."""
    found: dict[bool, list[float]] = {True: [], False: []}
    for i, shot in enumerate(shots):
        for j in range(max(0, i - NEIGHBOURS), i):
            distance = apart(shot, outputs[i], shots[j], outputs[j])
            if not np.isnan(distance):
                found[shot.scene == shots[j].scene].append(distance)
    same, others = (float(np.mean(found[key])) if found[key] else np.nan for key in (True, False))
    return same, others


def average(films: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the mean over films of each figure, of the rules that all of them have."""
    result: dict[str, Any] = {}
    for name in (name for name in films[0] if all(name in film for film in films)):
        rows = [film[name] for film in films]
        result[name] = {
            key: float(np.mean([row[key] for row in rows]))
            for key in (*FIGURES, "apart_same_scene", "apart_other_scenes")
        }
        for key in (f"{figure}_gain" for figure in FIGURES):
            gains, errors = np.array([row[key] for row in rows]).T
            result[name][key] = [float(gains.mean()), float(np.hypot.reduce(errors) / len(rows))]
    return result


def _show(title: str, rows: Mapping[str, Any]) -> None:
    heads = ("PSNR (dB)", "gain", "ΔE2000", "gain", "colourf. error", "same scene", "others")
    print(f"\n{title}\n{'':36}" + "".join(f"{head:>15}" for head in heads))
    for name, row in rows.items():
        gains = [f"{gain:+.2f} ±{error:.2f}" for gain, error in
                 (row["psnr_gain"], row["delta_e_gain"])]  # fmt: skip
        apart = [f"{row[key]:.2f}" for key in ("apart_same_scene", "apart_other_scenes")]
        cells = [f"{row['psnr']:.2f}", gains[0], f"{row['delta_e']:.2f}", gains[1]]
        cells += [f"{row['colorfulness_error']:.1f}", *apart]
        print(f"{name:36}" + "".join(f"{cell:>15}" for cell in cells))


def _training_colorfulness(source: str) -> float:
    """Return the mean colourfulness of what a network was trained on."""
    data = _cartoon(source) if source.startswith("cartoon:") else PreparedClips(root=source)
    frames = np.concatenate([clip.frames[::24] for clip in data.split("train").clips])
    return float(colorfulness(torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255).mean())


def _cartoon(source: str, *, test: int = 1) -> CartoonClips:
    """Return the series of experiment=demo with another seed, and other held-out shots."""
    seed = int(source.removeprefix("cartoon:"))
    return CartoonClips(seed=seed, train=40, val=2, test=test, frames_per_shot=12, effects=False)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    names = ("CHECKPOINT", "SOURCE", "TRAINED_ON")
    add("--film", nargs="+", action="append", required=True, metavar=names[0], help=" ".join(names))
    add("--shots", type=int, default=32, help="held-out shots of each procedural series (32)")
    add("--splits", nargs="+", default=("test",), help="of prepared datasets (default test)")
    add("--device", default="cpu", help="cpu (default), cuda or cuda:N")
    add("--json", type=Path, help="add all figures to those in this file")
    options = parser.parse_args()
    if any(not 2 <= len(film) <= 3 for film in options.film):
        parser.error("--film takes CHECKPOINT SOURCE, and TRAINED_ON where that is another source")
    if options.shots < 2:
        parser.error(f"--shots is {options.shots}: expected 2 or more")
    return options


if __name__ == "__main__":
    main()
