"""Collect per-frame measurements, and write them as JSON, CSV and Markdown tables.

Knows nothing of models or pictures: values come in by clip, frame, row (variant) and metric key.
Means keep their sum and count, so that they are exact in any grouping.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from colorize.files import write_atomically

Values = Mapping[str, Mapping[str, Iterable[Any]]]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One metric of the table; ``unavailable`` says why all its cells read "n/a"."""

    key: str
    name: str
    better: Literal["higher", "lower", "closer"]
    digits: int = 3
    note: str = ""
    unavailable: str = ""

    @classmethod
    def of(cls, key: str, metric: Any) -> Column:
        """Return the column of a metric, which states its own name, order, digits and note."""
        return cls(
            key=key,
            name=metric.name,
            better=metric.better,
            digits=metric.digits,
            note=metric.note,
        )


@dataclass(frozen=True)
class Mean:
    """An exact mean: the sum of what was measured, and how many."""

    sum: float
    count: int

    @property
    def mean(self) -> float:
        """The sum divided by the count."""
        return self.sum / self.count


@dataclass(frozen=True)
class Record:
    """The values of one frame in one row of the table."""

    clip: str
    frame: str
    variant: str
    values: Mapping[str, float]


Table = dict[str, dict[str, Mean]]  # row -> metric key -> mean


@dataclass(kw_only=True)
class Report:
    """Records of one evaluation and the tables made of them.

    ``reference`` is the row whose value the "closer" columns should meet. It and the rows of
    ``unranked`` (an oracle that chose with the truth in hand) never count as the best.
    """

    columns: Sequence[Column]
    reference: str | None = None
    unranked: frozenset[str] = frozenset()
    records: list[Record] = field(default_factory=list)
    _seen: set[tuple[str, str, str]] = field(default_factory=set, repr=False)

    def add(self, *, clip: str, frames: Sequence[str], values: Values) -> None:
        """Add some frames of a clip: ``values`` is row → metric key → one value per frame.

        A row may leave out columns that do not apply to it, and shows "–" there.

        Raises: ValueError for a frame measured twice, an unknown key, a wrong number of values, or
        a value that is not finite.
        """
        known = {column.key for column in self.columns if not column.unavailable}
        for variant, by_key in values.items():
            if unknown := sorted(set(by_key) - known):
                raise ValueError(
                    f"report: no column {unknown[0]!r} for row {variant!r}, "
                    f"expected one of {', '.join(sorted(known))}"
                )
            numbers = {key: [float(value) for value in by_key[key]] for key in by_key}
            for key, column in numbers.items():
                if len(column) != len(frames):
                    raise ValueError(
                        f"report: {clip}, {variant}, {key}: expected {len(frames)} values, one "
                        f"per frame, got {len(column)}"
                    )
            for index, frame in enumerate(frames):
                row = {key: column[index] for key, column in numbers.items()}
                self._add(Record(clip, frame, variant, row))

    def _add(self, record: Record) -> None:
        place = (record.clip, record.variant, record.frame)
        if place in self._seen:
            raise ValueError(f"report: {', '.join(place)} is measured twice; name frames uniquely")
        for key, value in record.values.items():
            if not math.isfinite(value):
                raise ValueError(
                    f"report: {', '.join(place)}: {key} is {value}; look for NaN in the frame"
                )
        self._seen.add(place)
        self.records.append(record)

    def total(self) -> Table:
        """Return the means over all frames, rows in the order they were first added."""
        return _means(self.records)

    def clips(self) -> dict[str, Table]:
        """Return the means over the frames of each clip."""
        groups: dict[str, list[Record]] = {}
        for record in self.records:
            groups.setdefault(record.clip, []).append(record)
        return {clip: _means(records) for clip, records in groups.items()}

    def frame_count(self) -> int:
        """Return how many frames were measured.

        Raises: ValueError when there are none, or when rows cover different frames, which would
        make them incomparable.
        """
        frames: dict[str, set[tuple[str, str]]] = {}
        for record in self.records:
            frames.setdefault(record.variant, set()).add((record.clip, record.frame))
        if not frames:
            raise ValueError("report: no frame was measured; check that the data holds any")
        first, *others = frames
        for other in others:
            if difference := frames[first] ^ frames[other]:
                raise ValueError(
                    f"report: rows {first!r} and {other!r} differ in {len(difference)} frames "
                    f"(first: {', '.join(min(difference))}); measure both on the same frames"
                )
        return len(frames[first])

    def markdown(self, provenance: Mapping[str, Any] | None = None) -> str:
        """Return the total table, its footnotes, the table by clip, and the provenance."""
        frames, clips = self.frame_count(), self.clips()
        names = [_escape(column.name) for column in self.columns]
        total = [[_escape(row), *cells] for row, cells in self._cells(self.total())]
        by_clip = [
            [_escape(clip), _escape(row), *cells]
            for clip, table in clips.items()
            for row, cells in self._cells(table)
        ]
        parts = [
            "# Evaluation",
            f"Means over {_plural(frames, 'frame')} of {_plural(len(clips), 'clip')}.",
            _markdown_table(["", *names], total, text_columns=1),
            "\n".join(f"- {note}" for note in self._notes()),
            "## By clip",
            _markdown_table(["clip", "", *names], by_clip, text_columns=2),
        ]
        if provenance:
            lines = [f"- {key}: {_flat(value)}" for key, value in provenance.items()]
            parts += ["## How this was made", "\n".join(lines)]
        return "\n\n".join(part for part in parts if part) + "\n"

    def _notes(self) -> list[str]:
        rows = self.total()
        notes = [f"{column.name}: {column.note}." for column in self.columns if column.note]
        notes += [f"{c.name}: n/a: {c.unavailable}" for c in self.columns if c.unavailable]
        notes += [f"{row}: not ranked." for row in rows if row in self._aside()]
        return notes + (["**Bold**: the best of the ranked rows."] if len(rows) > 1 else [])

    def _aside(self) -> frozenset[str]:
        return self.unranked | ({self.reference} if self.reference else set())

    def _cells(self, table: Table) -> list[tuple[str, list[str]]]:
        """Return the formatted cells of each row, the best ones bold."""
        columns = [self._column_cells(column, table) for column in self.columns]
        return [(row, [cells[row] for cells in columns]) for row in table]

    def _column_cells(self, column: Column, table: Table) -> dict[str, str]:
        if column.unavailable:
            return dict.fromkeys(table, "n/a")
        means = {row: table[row][column.key].mean for row in table if column.key in table[row]}
        texts = {row: f"{mean:.{column.digits}f}" for row, mean in means.items()}
        best = self._best_text(column, means)
        bold = {row for row in texts if texts[row] == best and row not in self._aside()}
        return {row: f"**{texts[row]}**" if row in bold else texts.get(row, "–") for row in table}

    def _best_text(self, column: Column, means: Mapping[str, float]) -> str | None:
        """Return how the best of the ranked rows is written, if there is anything to rank."""
        ranked = [mean for row, mean in means.items() if row not in self._aside()]
        goal = means.get(self.reference) if self.reference else None
        best = _best(column.better, ranked, goal) if len(ranked) > 1 else None
        return None if best is None else f"{best:.{column.digits}f}"

    def csv(self) -> str:
        """Return the means as CSV, unrounded: the total (scope "total"), then each clip."""
        file = io.StringIO()
        keys = [column.key for column in self.columns]
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["scope", "clip", "variant", "frames", *keys])
        tables = [("total", "", self.total())]
        tables += [("clip", clip, table) for clip, table in self.clips().items()]
        for scope, clip, table in tables:
            for row, means in table.items():
                frames = max((mean.count for mean in means.values()), default=0)
                cells = [means[key].mean if key in means else "" for key in keys]
                writer.writerow([scope, clip, row, frames, *cells])
        return file.getvalue()

    def json(self, provenance: Mapping[str, Any] | None = None) -> str:
        """Return everything as JSON: provenance, columns, means with sum and count, frames."""
        head = {
            "provenance": dict(provenance or {}),
            "metrics": {column.key: asdict(column) for column in self.columns},
            "total": _plain(self.total()),
            "clips": {clip: _plain(table) for clip, table in self.clips().items()},
        }
        frames = [
            {"clip": r.clip, "frame": r.frame, "variant": r.variant, **r.values}
            for r in self.records
        ]
        # One frame a line keeps thousands of them readable and diffs small.
        lines = ",\n    ".join(_dump(frame) for frame in frames)
        return f'{_dump(head, indent=2)[:-2]},\n  "frames": [\n    {lines}\n  ]\n}}\n'

    def write(self, folder: Path, provenance: Mapping[str, Any] | None = None) -> list[Path]:
        """Write ``results.md``, ``results.csv`` and ``results.json``; return their paths."""
        texts = {
            "results.md": self.markdown(provenance),
            "results.csv": self.csv(),
            "results.json": self.json(provenance),
        }
        for name, text in texts.items():
            write_atomically(folder / name, text.encode())
        return [folder / name for name in texts]


def _means(records: Iterable[Record]) -> Table:
    values: dict[str, dict[str, list[float]]] = {}
    for record in records:
        row = values.setdefault(record.variant, {})
        for key, value in record.values.items():
            row.setdefault(key, []).append(value)
    return {
        variant: {key: Mean(math.fsum(column), len(column)) for key, column in row.items()}
        for variant, row in values.items()
    }


def _best(better: str, means: Sequence[float], goal: float | None) -> float | None:
    """Return the best of some means, or None where a goal is needed and missing."""
    if better == "higher":
        return max(means)
    if better == "lower":
        return min(means)
    if better == "closer":
        return None if goal is None else min(means, key=lambda mean: abs(mean - goal))
    raise ValueError(f"report: better is higher, lower or closer, got {better!r}")


def _markdown_table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, text_columns: int
) -> str:
    rule = ["---"] * text_columns + ["--:"] * (len(head) - text_columns)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def _escape(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {_flat(item)}" for key, item in value.items()) or "none"
    return "none" if value is None else " ".join(str(value).split())


def _plain(table: Table) -> dict[str, dict[str, dict[str, float]]]:
    return {
        row: {
            key: {"mean": mean.mean, "sum": mean.sum, "count": mean.count}
            for key, mean in means.items()
        }
        for row, means in table.items()
    }


def _dump(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
