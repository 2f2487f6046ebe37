"""Colour drawings that no training has seen, without references, and measure them by series.

Three kinds: the stories of Storybook's test split (other illustrators), the test clips of Penny &
Chip (prepared at 108x192), and procedural series in other looks than training's. All are coloured
by the engine that colorize calls, with its default settings. Kinds whose data are not given are
left out. A kind that was measured with the same weights, settings and code is not measured again.

  python experiments/never-seen/never_seen.py --storybook ../shared/data/storybook \\
      --clips datasets/penny-and-chip -o experiments/never-seen/before

Writes results.json, results.md and procedural.png (the best, the median and the worst frame by gain
over gray); the sheets of the other kinds, and the figures of single frames, go to OUTPUT/rows/, as
their pictures are not ours to publish. Where the network says how far off it expects its colours to
be, reliability.png shows that against the truth.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from unseen import drawings, reliability, report
from unseen.figures import Figures, figures, mean, metrics
from unseen.painting import paint

from colorize import Colorizer
from colorize.base.errors import one_line_errors
from colorize.base.files import write_atomically
from colorize.base.progress import tracked
from colorize.base.terminal import terminal
from colorize.media import fingerprint


def main() -> None:
    """Measure the kinds of drawings that the command line gives."""
    options = _parse()
    with one_line_errors(), terminal():
        colorizer = Colorizer.load(options.checkpoint, device=options.device)
        made = report.made(
            colorizer,
            data=f"every {options.every}. frame of clips, all pages in colour",
            seed=drawings.SEEDS[0],
            saw=options.saw,
        )
        kinds = {
            kind: measured(kind, shots, colorizer, options, made["commit"])
            for kind, shots in _given(options).items()
        }
        write(kinds, made, options.output)


def _given(options: argparse.Namespace) -> dict[str, partial[Iterator[drawings.Shot]]]:
    """Return what yields the shots of each kind that there are data of."""
    found = {}
    if options.storybook:
        found["storybook"] = partial(drawings.storybook, options.storybook, every=1)
    if options.clips:
        found["clips"] = partial(drawings.clips, options.clips, every=options.every)
    return found | {"procedural": partial(drawings.procedural, every=options.every)}


def measured(
    kind: str,
    shots: partial[Iterator[drawings.Shot]],
    colorizer: Colorizer,
    options: argparse.Namespace,
    commit: str,
) -> dict[str, Any]:
    """Return the means of a kind by series, as an earlier run wrote them or measured now."""
    file = options.output / "rows" / f"{kind}.json"
    assert colorizer.checkpoint is not None
    key = [fingerprint(colorizer.checkpoint.path), options.every, commit]
    if file.is_file():
        earlier = json.loads(file.read_text(encoding="utf-8"))
        if earlier["key"] == key and "local changes" not in commit:
            return earlier["found"]
    found, frames = measure(kind, list(shots()), colorizer)
    file.parent.mkdir(parents=True, exist_ok=True)
    own = kind == "procedural"
    place = options.output if own else file.parent
    report.draw_sheet(frames.pop("pictures"), place / f"{kind}.png")
    content = {"key": key, "found": found, **frames}
    write_atomically(file, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
    return found


def measure(
    kind: str, shots: list[drawings.Shot], colorizer: Colorizer
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the means of a kind by series, and figures and pictures of its single frames."""
    chosen, curve = metrics(), reliability.Reliability()
    by_series: dict[str, list[Figures]] = {}
    named: dict[str, Figures] = {}
    pictures, credits = [], {}
    for shot in tracked(shots, f"colouring {drawings.TITLES[kind]}", unit="shot"):
        colored, said = paint(colorizer, shot.frames)
        errors = said.against(shot.frames)
        if errors is not None:
            curve.add(*(each[shot.measured] for each in errors))
        of_shot = figures(chosen, colored[shot.measured], shot.frames[shot.measured])
        by_series.setdefault(shot.series, []).extend(of_shot)
        if shot.credit:
            credits[shot.series] = shot.credit
        for place, each in zip(shot.measured, of_shot, strict=True):
            name = f"{shot.series} {shot.names[place]}"
            named[name] = each
            pictures.append(report.Coloured(name, each["gain"], colored[place], shot.frames[place]))
    found = {
        "mean": mean([each for group in by_series.values() for each in group]),
        "series": {name: mean(group) for name, group in by_series.items()},
        "credits": credits,
        "reliability": curve.curve(),
    }
    return found, {"frames": named, "pictures": pictures}


def write(kinds: dict[str, dict[str, Any]], made: dict[str, Any], folder: Path) -> None:
    """Write the table, the figures, and the reliability where the network states its own."""
    content = json.dumps({"provenance": made, "kinds": kinds}, indent=1, ensure_ascii=False) + "\n"
    write_atomically(folder / "results.json", content.encode())
    text = report.table(kinds)
    write_atomically(folder / "results.md", text.encode())
    print(text)
    curves = {drawings.TITLES[kind]: each["reliability"] for kind, each in kinds.items()}
    if all(curves.values()):
        reliability.draw(curves, folder / "reliability.png")
    else:
        print("no reliability plot: these weights do not say how far off they expect to be")


def _parse() -> argparse.Namespace:
    parser = report.parser(__doc__)
    parser.add_argument("--every", type=int, default=6, help="frames of clips (default 6)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
