"""Collect measurements of frames and shots, and write them as JSON, CSV and Markdown tables.

Knows nothing of models or pictures: values come in by clip, frame, row (variant) and metric key.
Means keep their sum and count, so that they are exact in any grouping.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from colorize.base.columns import Column, Mean, Table, cells, markdown_list, markdown_table, plural
from colorize.base.errors import UserError
from colorize.base.files import write_atomically

Values = Mapping[str, Mapping[str, Iterable[Any]]]


@dataclass(frozen=True)
class Record:
    """The values of one frame in one row of the table; of a pair or shot, those that end there."""

    clip: str
    frame: str
    variant: str
    values: Mapping[str, float]


@dataclass(kw_only=True)
class Report:
    """Records of one evaluation and the tables made of them.

    ``records`` are of single frames, ``shot_records`` of what needs several of a shot.

    ``reference`` is the row whose value the "closer" columns should meet. It and the rows of
    ``unranked`` (an oracle that chose with the truth in hand) never count as the best.
    """

    columns: Sequence[Column]
    reference: str | None = None
    unranked: frozenset[str] = frozenset()
    records: list[Record] = field(default_factory=list)
    shot_records: list[Record] = field(default_factory=list)
    _seen: set[tuple[str, str, str, bool]] = field(default_factory=set, repr=False)

    def add(self, *, clip: str, frames: Sequence[str], values: Values) -> None:
        """Add some frames of a clip: ``values`` is row → metric key → one value per frame.

        A row may leave out columns that do not apply to it, and shows "–" there.

        Raises: ValueError for a frame measured twice, an unknown key, a wrong number of values, or
        a value that is not finite.
        """
        self._add_all(clip, frames, values, of_shot=False)

    def add_shot(self, *, clip: str, frames: Sequence[str], values: Values) -> None:
        """Add a whole shot: ``values`` as for :meth:`add`, NaN at frames that have no value.

        Raises: ValueError as :meth:`add` does, but for NaN.
        """
        self._add_all(clip, frames, values, of_shot=True)

    def _add_all(self, clip: str, frames: Sequence[str], values: Values, *, of_shot: bool) -> None:
        for variant, by_key in values.items():
            numbers = self._numbers(clip, frames, variant, by_key)
            for index, frame in enumerate(frames):
                row = {key: column[index] for key, column in numbers.items()}
                if of_shot:
                    row = {key: value for key, value in row.items() if not math.isnan(value)}
                if row or not of_shot:
                    self._add(Record(clip, frame, variant, row), of_shot=of_shot)

    def _numbers(
        self, clip: str, frames: Sequence[str], variant: str, by_key: Mapping[str, Iterable[Any]]
    ) -> dict[str, list[float]]:
        """Return the columns of a row as numbers; refuse an unknown key or a wrong length."""
        known = {column.key for column in self.columns if not column.unavailable}
        if unknown := sorted(set(by_key) - known):
            raise UserError(
                f"report: no column {unknown[0]!r} for row {variant!r}, "
                f"expected one of {', '.join(sorted(known))}"
            )
        numbers = {key: [float(value) for value in by_key[key]] for key in by_key}
        for key, column in numbers.items():
            if len(column) != len(frames):
                raise UserError(
                    f"report: {clip}, {variant}, {key}: expected {len(frames)} values, one "
                    f"per frame, got {len(column)}"
                )
        return numbers

    def _add(self, record: Record, *, of_shot: bool) -> None:
        place = (record.clip, record.variant, record.frame)
        if (*place, of_shot) in self._seen:
            raise UserError(f"report: {', '.join(place)} is measured twice; name frames uniquely")
        for key, value in record.values.items():
            if not math.isfinite(value):
                raise UserError(
                    f"report: {', '.join(place)}: {key} is {value}; look for NaN in the frame"
                )
        self._seen.add((*place, of_shot))
        (self.shot_records if of_shot else self.records).append(record)

    def total(self) -> Table:
        """Return the means over all frames, pairs or shots, rows in the order first added."""
        return _means([*self.records, *self.shot_records])

    def clips(self) -> dict[str, Table]:
        """Return the means of each clip."""
        groups: dict[str, list[Record]] = {}
        for record in [*self.records, *self.shot_records]:
            groups.setdefault(record.clip, []).append(record)
        return {clip: _means(records) for clip, records in groups.items()}

    def frame_count(self) -> int:
        """Return how many frames were measured.

        Raises: ValueError when there are none, or when rows cover different frames, pairs or
        shots, which would make them incomparable.
        """
        if not self.records:
            raise UserError("report: no frame was measured; check that the data holds any")
        count = len(_places(self.records))
        for column in self.columns:
            _places(record for record in self.shot_records if column.key in record.values)
        return count

    def markdown(self, provenance: Mapping[str, Any] | None = None) -> str:
        """Return the total table, its footnotes, the table by clip, and the provenance."""
        frames, clips = self.frame_count(), self.clips()
        names = [column.name for column in self.columns]
        by_clip = [[clip, *line] for clip, table in clips.items() for line in self._lines(table)]
        parts = [
            "# Evaluation",
            f"Means over {plural(frames, 'frame')} of {plural(len(clips), 'clip')}.",
            markdown_table(["", *names], self._lines(self.total()), text_columns=1),
            "\n".join(f"- {note}" for note in self._notes()),
            "## By clip",
            markdown_table(["clip", "", *names], by_clip, text_columns=2),
        ]
        if provenance:
            parts += ["## How this was made", markdown_list(provenance)]
        return "\n\n".join(part for part in parts if part) + "\n"

    def _notes(self) -> list[str]:
        rows = self.total()
        notes = [f"{c.name}: {note}." for c in self.columns if (note := self._note(c))]
        notes += [f"{c.name}: n/a: {c.unavailable}" for c in self.columns if c.unavailable]
        notes += [f"{row}: not ranked." for row in rows if row in self._aside()]
        return notes + (["**Bold**: the best of the ranked rows."] if len(rows) > 1 else [])

    def _note(self, column: Column) -> str:
        """Return a column's own note, with how many values its means rest on if not all frames."""
        if column.per == "frame" or column.unavailable:
            return column.note
        counts = (row[column.key].count for row in self.total().values() if column.key in row)
        count = f"mean over {plural(max(counts, default=0), column.per)}"
        return f"{column.note}; {count}" if column.note else count

    def _aside(self) -> frozenset[str]:
        return self.unranked | ({self.reference} if self.reference else set())

    def _lines(self, table: Table) -> list[list[str]]:
        """Return each row with its formatted cells, the best ones bold."""
        columns = [
            cells(column, table, reference=self.reference, aside=self._aside())
            for column in self.columns
        ]
        return [[row, *(column[row] for column in columns)] for row in table]

    def csv(self) -> str:
        """Return the means as CSV, unrounded: the total (scope "total"), then each clip.

        ``frames`` counts the single frames measured; pairs and shots are counted in the JSON.
        """
        file = io.StringIO()
        keys = [column.key for column in self.columns]
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["scope", "clip", "variant", "frames", *keys])
        frames = Counter((record.clip, record.variant) for record in self.records)
        frames.update(("", record.variant) for record in self.records)
        tables = [("total", "", self.total())]
        tables += [("clip", clip, table) for clip, table in self.clips().items()]
        for scope, clip, table in tables:
            for row, means in table.items():
                texts = [means[key].mean if key in means else "" for key in keys]
                writer.writerow([scope, clip, row, frames[clip, row], *texts])
        return file.getvalue()

    def json(self, provenance: Mapping[str, Any] | None = None) -> str:
        """Return everything as JSON; see :meth:`write` for its structure."""
        head = {
            "provenance": dict(provenance or {}),
            "metrics": {column.key: asdict(column) for column in self.columns},
            "total": _plain(self.total()),
            "clips": {clip: _plain(table) for clip, table in self.clips().items()},
        }
        lists = {"frames": self.records, "shots": self.shot_records}
        bodies = [f'  "{name}": {_json_list(records)}' for name, records in lists.items()]
        return ",\n".join([_dump(head, indent=2)[:-2], *bodies]) + "\n}\n"

    def write(self, folder: Path, provenance: Mapping[str, Any] | None = None) -> list[Path]:
        """Write ``results.md``, ``results.csv`` and ``results.json``; return their paths.

        The JSON, which other programs read, is an object of

        - ``provenance``: as given;
        - ``metrics``: key → the fields of its :class:`Column`;
        - ``total``: row → key → ``{"mean", "sum", "count"}``; a row lacks the keys of metrics that
          do not apply to it, and ``count`` is of frames, pairs or shots as the metric's ``per``;
        - ``clips``: clip → the same as ``total``, over that clip;
        - ``frames``: objects of ``clip``, ``frame``, ``variant`` (the row) and key → value;
        - ``shots``: the same for metrics of pairs and shots, at the frame where each ends.
        """
        texts = {
            "results.md": self.markdown(provenance),
            "results.csv": self.csv(),
            "results.json": self.json(provenance),
        }
        for name, text in texts.items():
            write_atomically(folder / name, text.encode())
        return [folder / name for name in texts]


def _places(records: Iterable[Record]) -> set[tuple[str, str]]:
    """Return the clips and frames of records; refuse rows that cover different ones."""
    places: dict[str, set[tuple[str, str]]] = {}
    for record in records:
        places.setdefault(record.variant, set()).add((record.clip, record.frame))
    rows = list(places)
    for other in rows[1:]:
        if difference := places[rows[0]] ^ places[other]:
            raise UserError(
                f"report: rows {rows[0]!r} and {other!r} differ in {len(difference)} frames "
                f"(first: {', '.join(min(difference))}); measure both on the same frames"
            )
    return places[rows[0]] if rows else set()


def _json_list(records: Sequence[Record]) -> str:
    """Return a list with one record a line: thousands stay readable, and diffs small."""
    rows = [{"clip": r.clip, "frame": r.frame, "variant": r.variant, **r.values} for r in records]
    lines = ",\n    ".join(_dump(row) for row in rows)
    return f"[\n    {lines}\n  ]" if lines else "[]"


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


def _plain(table: Table) -> dict[str, dict[str, dict[str, float]]]:
    return {
        row: {key: {"mean": mean.mean, **asdict(mean)} for key, mean in means.items()}
        for row, means in table.items()
    }


def _dump(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
