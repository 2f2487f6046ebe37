"""Compare ways to colour a film: from memory, by references, and by simple means, in one protocol.

Every row is a run of colorize-evaluate on the same frames of the test clips (frames that are shown
as references are left out of the rows that have them, and gray is measured beside each). Rows whose
checkpoint is not given are left out.

  python experiments/beat-the-prototype/beat_the_prototype.py --root datasets/penny-and-chip \\
      --prototype runs/prototype/model.safetensors --adapted runs/adapt/model.safetensors \\
      --raft ../shared/weights/raft_small.safetensors \\
      --squeezenet ../shared/weights/squeezenet1_1_features_caffe.safetensors \\
      -o experiments/beat-the-prototype

Without --root an unseen procedural series is measured, and its best, median and worst frames by
PSNR with one reference are drawn into frames.png.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from hydra import compose, initialize_config_dir

from colorize.base.config import build, config_directory, register_schema
from colorize.base.files import write_atomically
from colorize.data import CartoonClips, Clip
from colorize.data.references import evenly_spaced
from colorize.evaluation.footage import EngineReader
from colorize.evaluation.settings import EvaluateConfig
from colorize.imaging.color import rgb_to_luma
from colorize.imaging.contact_sheet import contact_sheet, save_sheet
from colorize.imaging.tensors import to_picture, to_tensor
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.inference.shipped import resolve
from colorize.media import Frame, fingerprint
from colorize.media.pictures.folder import FolderSink
from colorize.metrics import COLORIZED, GRAY, MEAN

COUNTS = (1, 2, 4)
SHORT_SIDE = 108  # of the frames that are compared
SERIES = ("data=cartoon", "data.seed=9100", "data.frames_per_shot=24", "data.effects=false")
OF_FRAMES = "psnr,lpips,lab,colorfulness,segment_spread"
OF_SHOTS = "warp_error,distribution"  # they need every frame coloured
COLUMNS = {
    "psnr": ("PSNR (dB) ↑", 2),
    "lpips": ("LPIPS-like (squeeze) ↓", 3),
    "mse_lab": ("MSE Lab ↓", 5),
    "delta_e_2000": ("ΔE2000 ↓", 1),
    "colorfulness": ("colourfulness", 1),
    "segment_spread": ("spread in segments", 1),
    "warp_error_ab": ("warp error ab ×1000 ↓", 2),
    "distribution": ("CDC ×1000", 1),
}


class Row(NamedTuple):
    """One way to colour: what it is called, and what tells colorize-evaluate to do it.

    ``whole`` measures flicker too, for which every frame is coloured.
    """

    name: str
    settings: tuple[str, ...]
    whole: bool = True


def main() -> None:
    """Measure all rows, and write results.json and results.md."""
    options = _parse()
    if options.write_references:
        write_references(options)
        return
    folder: Path = options.output
    measured = {}
    for number, row in enumerate(rows(options), 1):
        print(f"{number}: {row.name}", flush=True)
        measured[row.name] = measure(row, options, folder / "rows" / slug(options, row))
    name = "real" if options.root else "procedural"
    write_atomically(folder / f"{name}.json", (json.dumps(measured, indent=1) + "\n").encode())
    text = table(measured)
    write_atomically(folder / f"{name}.md", text.encode())
    print(text)
    if not options.root:
        draw(options, folder)


def write_references(options: argparse.Namespace) -> None:
    """Write the frames that four references a clip are, for colorize-train experiment=adapt."""
    dataset = PreparedClips(root=options.root).split("test")
    with FolderSink(options.write_references, quality=100) as sink:
        for clip in dataset.clips:
            for frame in evenly_spaced(clip.count, max(COUNTS)):
                name = f"{clip.name}_{frame:06d}.png"
                sink.write(Frame(index=0, name=name, rgb=np.array(clip.frames[frame])))


def rows(options: argparse.Namespace) -> Iterator[Row]:
    """Yield what to measure."""
    if options.prototype:
        # As its source does: RGB as the network says it, at the frames' own size.
        as_it_is = (f"size={SHORT_SIDE}", "own_luma=true", "stillness=0")
        yield Row(TITLES["prototype"], (f"checkpoint={options.prototype}", *as_it_is))
    if options.first:
        yield Row(TITLES["first"], (f"checkpoint={options.first}",))
    yield Row("ours, automatic", (f"checkpoint={options.ours}",))
    of_shot = ("reference_frames=1", "reference_scope=shot")
    for method in ("copied", "moved"):
        yield Row(f"1 a shot: {method}", (f"baseline={method}", *of_shot), False)
    yield Row("1 a shot: ours", (f"checkpoint={options.ours}", *of_shot), False)
    for count in COUNTS:
        shown = f"reference_frames={count}"
        for method in ("copied", "transferred", "moved"):
            whole = method == "moved" and count != COUNTS[1]
            yield Row(f"{count}: {method}", (f"baseline={method}", shown), whole)
        if options.raft:
            weights = ("flow=raft_small", f"flow_weights={options.raft}")
            yield Row(f"{count}: moved by RAFT", ("baseline=moved", shown, *weights), False)
        yield Row(f"{count}: ours", (f"checkpoint={options.ours}", shown), count != COUNTS[1])
    shown = f"reference_frames={COUNTS[-1]}"
    yield Row(
        f"{COUNTS[-1]}: ours, fast", (f"checkpoint={options.ours}", shown, "fast=true"), False
    )
    if options.adapted:
        # It has seen the four frames, so that those are never measured.
        seen = f"reference_frames={COUNTS[-1]}"
        hidden = (seen, "show_references=false")
        for name, file in (("ours", options.ours), ("ours adapted", options.adapted)):
            yield Row(f"4 left out: {name}, automatic", (f"checkpoint={file}", *hidden), False)
        yield Row("4: ours adapted", (f"checkpoint={options.adapted}", seen), False)


TITLES = {
    "prototype": "prototype f (RankDiv on a partial VGG + Bilateral + Temporal, RGB head)",
    "first": "RankDiv, chroma head",
}


def slug(options: argparse.Namespace, row: Row) -> str:
    """Return a name for the folder of a row."""
    data = "real" if options.root else "procedural"
    return f"{data}-" + re.sub(r"\W+", "-", row.name.lower()).strip("-")


def measure(row: Row, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run colorize-evaluate for a row; return its means, those of gray, and frames per second.

    A row that an earlier run measured with the same settings is not measured again.
    """
    data = ("data=clips", f"data.root={options.root}") if options.root else SERIES
    settings = [*data, *row.settings, f"every={options.every}", f"output={folder}"]
    settings += ["batch_size=4", "metric.lpips.net=squeeze", "sheet_rows=8"]
    settings.append(f"metric=[{OF_FRAMES}{',' + OF_SHOTS if row.whole else ''}]")
    settings.append(f"metric.lpips.weights={options.squeezenet}")
    noted = folder / "settings.json"
    key = [*settings, *(fingerprint(resolve(s[11:])) for s in settings if s[:11] == "checkpoint=")]
    if not noted.is_file() or json.loads(noted.read_text()) != key:
        program = Path(sys.executable).parent / "colorize-evaluate"
        done = subprocess.run([str(program), *settings], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{row.name}: {done.stderr.strip().splitlines()[-1]}")
        write_atomically(noted, json.dumps(key).encode())
    results = json.loads((folder / "results.json").read_text())
    total = results["total"]
    own = total[MEAN] if MEAN in total else total[COLORIZED]
    made = results["provenance"]
    return {
        "mean": {key: value["mean"] for key, value in own.items()},
        "gray": {key: value["mean"] for key, value in total[GRAY].items()},
        "truth": {key: value["mean"] for key, value in total.get("truth", {}).items()},
        "frames": own["psnr"]["count"],
        "frames_per_second": made.get("frames_per_second"),
        "provenance": made,
    }


def table(measured: dict[str, Any]) -> str:
    """Return the means as Markdown, a gray row first."""
    first = next(iter(measured.values()))
    found = {key for row in measured.values() for key in row["mean"]}
    keys = [key for key in COLUMNS if key in found]
    titles = [COLUMNS[key][0] for key in keys]
    lines = ["| | " + " | ".join(titles) + " | frames/s |", "| --- |" + " --: |" * (len(keys) + 1)]
    lines.append(_line("gray", first["gray"], keys, None))
    if first["truth"]:
        lines.append(_line("truth", first["truth"], keys, None))
    lines += [
        _line(name, row["mean"], keys, row["frames_per_second"]) for name, row in measured.items()
    ]
    return "\n".join(lines) + "\n"


def _line(name: str, means: dict[str, float], keys: list[str], speed: float | None) -> str:
    cells = [f"{means[key]:.{COLUMNS[key][1]}f}" if key in means else "–" for key in keys]
    return f"| {name} | " + " | ".join(cells) + f" | {speed or '–'} |"


@torch.inference_mode()
def draw(options: argparse.Namespace, folder: Path) -> None:
    """Draw the best, the median and the worst frame by PSNR with one reference."""
    register_schema("evaluate", EvaluateConfig)
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        config = compose("evaluate", overrides=list(SERIES))
    clips: CartoonClips = build(config.data)
    reader = EngineReader(LoadedNetworks.load(options.ours, device="cpu"), RenderSettings())
    drawn = []
    for clip in clips.split("test").clips:
        alone, guided = (colored(reader, clip, given) for given in ([], [0]))
        truth = to_tensor(np.array(clip.frames))
        for number in range(options.every, clip.count, options.every):
            error = float((guided[number] - truth[number]).square().mean())
            gray = rgb_to_luma(truth[number])
            pictures = (truth[0], gray, alone[number], guided[number], truth[number])
            drawn.append((error, [to_picture(each) for each in pictures]))
    drawn.sort(key=lambda pair: pair[0])
    places = {"best": 0, "median": len(drawn) // 2, "worst": -1}
    sheet = contact_sheet(
        [drawn[place][1] for place in places.values()],
        column_titles=["reference", "input", "automatic", "with the reference", "truth"],
        row_titles=[
            f"{name}, {-10 * np.log10(drawn[place][0]):.1f} dB" for name, place in places.items()
        ],
    )
    save_sheet(folder / "frames.png", sheet)


def colored(reader: EngineReader, clip: Clip, given: list[int]) -> list[torch.Tensor]:
    """Return the frames of a clip, some of them given in colour, as the engine colours them."""
    reader.open(clip, {start: given for start, _ in clip.spans})
    found = []
    for start, stop in clip.spans:
        frames = (Frame(n, "", np.array(clip.frames[n])) for n in range(start, stop))
        found += [outputs[0] for outputs in reader(start, frames)]
    return found


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", help="a dataset made by colorize-prepare")
    parser.add_argument("--ours", default="default", help="a checkpoint (default: the shipped one)")
    parser.add_argument("--adapted", help="ours, adapted to the training clips of --root")
    parser.add_argument("--prototype", help=TITLES["prototype"])
    parser.add_argument("--first", help=TITLES["first"])
    parser.add_argument("--raft", help="weights of RAFT-small")
    parser.add_argument(
        "--squeezenet", default="torchvision", help="weights of SqueezeNet, for LPIPS"
    )
    parser.add_argument("--every", type=int, default=6, help="frames measured (default 6)")
    parser.add_argument("-o", "--output", type=Path, default=Path("beat-the-prototype"))
    parser.add_argument(
        "--write-references",
        type=Path,
        metavar="DIR",
        help="only write four frames of each test clip of --root, to adapt weights to",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
