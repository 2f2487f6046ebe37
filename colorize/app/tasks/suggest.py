"""Plan a job of the page, and find the frames whose colours would serve most of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from colorize.app.paintings import Paintings
from colorize.app.tasks.colour import colour
from colorize.app.tasks.models import Models
from colorize.films.plan.manifest import KEEP, read_manifest
from colorize.films.store import job_folder
from colorize.films.suggest import suggest
from colorize.inference.choice import Span
from colorize.media import open_source


def suggest_frames(
    models: Models, *, count: int, painted: Sequence[int], folder: str, **job: Any
) -> dict[str, int]:
    """Plan a ``job`` as :func:`colorize.app.tasks.colour.colour` does, and suggest frames.

    ``painted`` are frames that need not be suggested. The suggestions go to the paintings in
    ``folder``.

    Raises:
        MediaError, UserError, CheckpointError: See :func:`colorize.app.tasks.colour.colour`.
    """
    done = colour(models, plan_only=True, **job)
    source = Path(job["source"])
    with open_source(source) as frames:
        store = job_folder(Path(job["output"]), kind=frames.kind)
        manifest = read_manifest(store / "manifest.json")
        colorizer = models.colorizer(
            Path(job["checkpoint"]), device=job["device"],
            short_side=job["settings"]["short_side"],
        )  # fmt: skip
        numbered = [
            (number, Span(shot.start, shot.stop))
            for number, shot in enumerate(manifest.shots, 1)
            if shot.chosen != KEEP
        ]
        shown = [each.frame for each in manifest.references if each.frame is not None]
        found = suggest(
            frames,
            [span for _, span in numbered],
            colorizer,
            count=count,
            given=sorted({*painted, *shown}),
        )
    Paintings(Path(folder)).suggest(
        [
            {
                "frame": each.frame,
                "shots": [numbered[served.shot][0] for served in each.serves],
                "covered": each.covered,
            }
            for each in found
        ]
    )
    return done
