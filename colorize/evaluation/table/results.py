"""The files of a table: what each of its runs left, and the table made of them."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from colorize import metrics
from colorize.base.columns import Column
from colorize.base.files import write_atomically
from colorize.base.provenance import provenance
from colorize.base.sweeps import directory_name
from colorize.evaluation.table.comparison import Comparison, Run
from colorize.evaluation.table.page import Missing, Page, Published
from colorize.evaluation.table.pictures import History, draw_histories, draw_table

EVALUATION = "evaluation"  # the folder of a run's measurements
_MEASURED = Path(EVALUATION) / "results.json"


@dataclass(frozen=True)
class Job:
    """One row with one seed, and the directory it is trained in."""

    row: str
    seed: int
    folder: Path

    @classmethod
    def of(cls, values: Mapping[str, str], *, seed: int, directory: Path) -> Job:
        """Return the job of a row that a sweep gives the settings ``values``.

        The row is called as its experiment, if it has one, and by its other settings.
        """
        named = [value.split("/")[-1] for key, value in values.items() if key == "experiment"]
        named += [f"{key}={value}" for key, value in values.items() if key != "experiment"]
        return cls(", ".join(named), seed, directory / directory_name(values) / f"seed-{seed}")


def write_state(folder: Path, state: str, *, reason: str = "", details: str = "") -> None:
    """Write how far a run came: done, failed (with the reason in one line), or stopped."""
    content = {"state": state, "reason": reason or state, "details": details}
    stamp(folder / "state.json", content)


def stamp(file: Path, settings: Mapping[str, Any]) -> None:
    """Write down the settings with which the files beside ``file`` were made."""
    text = json.dumps(settings, indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(file, (text + "\n").encode())


def is_stamped(file: Path, settings: Mapping[str, Any]) -> bool:
    """Return whether the files beside ``file`` were made with just these settings."""
    if not file.is_file():
        return False
    return json.loads(file.read_text()) == json.loads(json.dumps(settings))


def collect(
    jobs: Sequence[Job], directory: Path, *, published: Published, score: str, preset: str = ""
) -> list[Missing]:
    """Write the table of all finished runs; name and return those that are missing.

    ``score`` is the validation score whose curves are drawn; ``preset`` what the protocol set by
    itself.

    Writes ``results.json``, ``table.md``, ``table.png`` and ``curves.png`` to ``directory``.
    """
    missing = [gap for job in jobs if (gap := _gap(job))]
    gaps = {(gap.row, gap.seed) for gap in missing}
    finished = [job for job in jobs if (job.row, job.seed) not in gaps]
    for gap in missing:
        print(f"missing: {gap.row}, seed {gap.seed}: {gap.reason}")
    if not finished:
        return missing
    measured = {job: json.loads((job.folder / _MEASURED).read_text()) for job in finished}
    page = _page(measured, missing, published, title=directory.name, preset=preset)
    text = page.markdown()
    stamp(directory / "results.json", page.json())
    write_atomically(directory / "table.md", text.encode())
    write_atomically(directory / "table.png", draw_table(page.comparison, page.columns))
    gray = f"{score.rpartition('/')[0]}/gray"
    curves = draw_histories(
        {(job.row, job.seed): _history(job, score) for job in finished},
        gray=[point for job in finished for point in _history(job, gray)],
        title=score,
    )
    write_atomically(directory / "curves.png", curves)
    print(text.split("## How this was made")[0])
    print(f"written: {directory}/results.json, table.md, table.png, curves.png")
    return missing


def _gap(job: Job) -> Missing | None:
    path = job.folder / "state.json"
    state = json.loads(path.read_text()) if path.is_file() else {"reason": "not begun"}
    if state["reason"] == "done":
        if (job.folder / _MEASURED).is_file():
            return None
        state["reason"] = "its measurements are gone"
    return Missing(row=job.row, seed=job.seed, reason=state["reason"])


def _page(
    measured: Mapping[Job, Any],
    missing: Sequence[Missing],
    published: Published,
    *,
    title: str,
    preset: str,
) -> Page:
    first = next(iter(measured.values()))
    columns = {
        key: Column(**column)
        for content in measured.values()
        for key, column in content["metrics"].items()
    }
    runs = [_run(job, content["total"]) for job, content in measured.items()]
    return Page(
        title=title,
        comparison=Comparison(runs, {key: column.better for key, column in columns.items()}),
        columns=list(columns.values()),
        published=published,
        networks={job.row: _network(content) for job, content in measured.items()},
        missing=missing,
        provenance={
            **provenance(data=first["provenance"]["data"]),
            "weights": first["provenance"]["weights"],
            "device": first["provenance"]["device"],
            **({"set by the protocol": preset} if preset else {}),
            "commits of the runs": sorted(
                {str(content["provenance"]["commit"]) for content in measured.values()}
            ),
        },
    )


def _run(job: Job, total: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Run:
    """Return the means of a run: of its K outputs (or its one), of gray and of the true colours."""
    means = {
        row: {key: cell["mean"] for key, cell in cells.items()} for row, cells in total.items()
    }
    return Run(
        row=job.row,
        seed=job.seed,
        scores=means.get(metrics.MEAN) or means[metrics.COLORIZED],
        gray=means[metrics.GRAY],
        truth=means.get(metrics.TRUTH, {}),
    )


def _network(content: Mapping[str, Any]) -> str:
    """Name the feature network that a run was trained with."""
    labels = {
        label
        for place, label in content["provenance"]["weights"].items()
        if place.startswith(("model.", "loss."))
    }
    return ", ".join(sorted(labels)) or "none"


def _history(job: Job, score: str) -> History:
    """Return the (epoch, value) points of a validation score of a run; none where it has it not."""
    with (job.folder / "history.csv").open(newline="") as file:
        return [
            (int(row["epoch"]), float(row[score])) for row in csv.DictReader(file) if row.get(score)
        ]
