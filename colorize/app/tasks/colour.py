"""Do a job of the page: find its shots, draw their colourings, colour what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from colorize.app.tasks.models import Models
from colorize.base.files import write_atomically
from colorize.films.plan.analysis import middle
from colorize.films.plan.digests import digest_of
from colorize.films.plan.manifest import KEEP, Manifest, Settings, Shot, read_manifest
from colorize.films.run import Share, run_job
from colorize.films.sheet import sheet_rows
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import open_source
from colorize.media.pictures.coding import encode_picture


def colour(
    models: Models,
    *,
    source: str,
    output: str,
    choices: str,
    checkpoint: str,
    device: str,
    settings: Mapping[str, Any],
    references: Sequence[str],
    plan_only: bool,
) -> dict[str, int]:
    """Colour ``source`` into ``output``, drawing the shots' colourings into ``choices`` first.

    ``settings`` are those of :class:`RenderSettings`. Returns the numbers of shots and frames, of
    frames coloured now, and of colourings a shot can have.

    Raises:
        MediaError, UserError, CheckpointError: See :func:`run_job`.
    """
    chosen = RenderSettings(**settings)
    colorizer = models.colorizer(Path(checkpoint), device=device, short_side=chosen.short_side)
    guides = [Path(each) for each in references]
    job = _Job(Path(source), Path(output), colorizer, Settings.of(colorizer, chosen), guides)
    planned = job.run(Share(only="plan"))
    assert planned.folder is not None
    manifest = read_manifest(planned.folder / "manifest.json")
    draw_choices(job.source, manifest, colorizer, Path(choices))
    rendered = 0 if plan_only else job.run(Share()).rendered
    return {
        "shots": planned.shots,
        "frames": planned.frames,
        "rendered": rendered,
        "outputs": colorizer.outputs,
    }


class _Job:
    """The call of :func:`run_job`, all but its share."""

    def __init__(
        self,
        source: Path,
        output: Path,
        colorizer: LoadedNetworks,
        settings: Settings,
        references: Sequence[Path],
    ) -> None:
        self.source, self._output = source, output
        self._colorizer, self._settings, self._references = colorizer, settings, references

    def run(self, share: Share) -> Any:
        return run_job(
            self.source,
            self._output,
            colorizer=self._colorizer,
            settings=self._settings,
            references=self._references,
            share=share,
        )


def choice_folder(choices: Path, manifest: Manifest, shot: Shot) -> Path:
    """Return where the colourings of a shot lie.

    They are of its middle frame, by one network and the references that guide the shot.
    """
    weights, size = manifest.settings.weights[:16], manifest.settings.short_side
    known = {each.name: each.digest for each in manifest.references}
    guides = digest_of([known[name] for name in shot.guided_by])[:8] if shot.guided_by else "free"
    return choices / f"{weights}-{size}" / f"{middle(shot):06d}-{guides}"


def draw_choices(
    source: Path, manifest: Manifest, colorizer: LoadedNetworks, choices: Path
) -> None:
    """Draw every colouring of every shot that is not drawn yet, as ``0.jpg`` … in its folder.

    Raises:
        MediaError: A frame cannot be read.
    """
    last = f"{colorizer.outputs - 1}.jpg"
    missing = [
        replace(shot, variant=0)
        for shot in manifest.shots
        if shot.chosen != KEEP and not (choice_folder(choices, manifest, shot) / last).is_file()
    ]
    if not missing:
        return
    with open_source(source) as frames:
        rows = sheet_rows(frames, manifest.with_shots(missing), colorizer)
        for shot, row in zip(missing, rows, strict=True):
            folder = choice_folder(choices, manifest, shot)
            for number, picture in enumerate(row.outputs):
                path = folder / f"{number}.jpg"
                write_atomically(path, encode_picture(path, picture, None, 90))
