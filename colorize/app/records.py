"""Find runs and recorded experiments below the roots, and read what they say."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from colorize.app.error import PageError
from colorize.app.roots import Roots

_MARKS = ("history.csv", "results.json")
_DEEPEST, _MOST = 5, 500
_PICTURES = {".png": "image/png", ".jpg": "image/jpeg"}
_LARGEST = 2**22  # bytes of a text or a table that are read


@dataclass(frozen=True)
class Record:
    """A folder of a run or an experiment: whether it has curves, a table, a description."""

    path: str
    title: str
    history: bool
    results: bool
    readme: bool


def find_records(roots: Roots) -> list[Record]:
    """Return the runs and experiments below all roots."""
    found: list[Record] = []
    for name in roots.names:
        top = roots.path(name)
        for place, folders, files in os.walk(top):
            depth = len(Path(place).relative_to(top).parts)
            folders[:] = sorted(f for f in folders if f[0] != ".") if depth < _DEEPEST else []
            if not any(mark in files for mark in _MARKS) or len(found) >= _MOST:
                continue
            path = roots.show(Path(place))
            marks = ("history.csv" in files, "results.json" in files, "README.md" in files)
            found.append(Record(path, path.partition("/")[2] or path, *marks))
    return found


def read_record(roots: Roots, text: str) -> dict[str, Any]:
    """Return what a run or an experiment says.

    Raises:
        PageError: There is none.
    """
    folder = roots.existing(text)
    if not any((folder / mark).is_file() for mark in (*_MARKS, "README.md")):
        raise PageError(f"{text} holds neither a run nor an experiment", status=404)
    readme, results = _text(folder / "README.md"), _text(folder / "results.json")
    return {
        "path": text,
        "readme": readme and roots.hide(readme),
        "history": _history(folder / "history.csv"),
        "tables": [] if results is None else _tables(results),
        "pictures": [
            path.name for path in sorted(folder.iterdir()) if path.suffix.lower() in _PICTURES
        ],
    }


def picture_type(path: Path) -> str:
    """Return the media type of a picture of a record.

    Raises:
        PageError: It is no such picture, whatever its name says.
    """
    kind = _PICTURES.get(path.suffix.lower())
    with path.open("rb") as file:
        head = file.read(8)
    if kind is None or not head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        raise PageError(f"{path.name} is no picture of a record", status=415)
    return kind


def _text(path: Path) -> str | None:
    if not path.is_file() or path.stat().st_size > _LARGEST:
        return None
    return path.read_text(errors="replace")


def _history(path: Path) -> dict[str, list[float | None]] | None:
    """Return the columns of a run's table of epochs."""
    text = _text(path)
    if text is None:
        return None
    rows = list(csv.DictReader(text.splitlines()))
    columns = [name for name in (rows[0] if rows else {}) if name]
    return {name: [_number(row.get(name)) for row in rows] for name in columns}


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None  # JSON knows no infinity, and no NaN


def _tables(text: str) -> list[dict[str, Any]]:
    """Return the tables of a ``results.json`` of colorize-evaluate, -table or classify-evaluate."""
    try:
        results = json.loads(text)
    except ValueError:
        return []
    if not isinstance(results, dict):
        return []
    tables = [
        _metrics_table(results, rows)
        for rows in (results.get("total"), results.get("rows"))
        if isinstance(rows, dict) and isinstance(results.get("metrics"), dict)
    ]
    if isinstance(results.get("confusion"), list) and isinstance(results.get("classes"), list):
        names = [str(each.get("name")) for each in results["classes"] if isinstance(each, dict)]
        tables.append(
            {
                "title": f"accuracy {results.get('accuracy', float('nan')):.4f}",
                "columns": names,
                "rows": dict(zip(names, results["confusion"], strict=False)),
                "heat": True,
            }
        )
    return [table for table in tables if table["rows"]]


def _metrics_table(results: dict[str, Any], rows: dict[str, Any]) -> dict[str, Any]:
    """Return means by row and metric, as text of the metric's own digits."""
    metrics = results["metrics"]
    return {
        "title": "",
        "columns": [str(each.get("name", key)) for key, each in metrics.items()],
        "rows": {
            str(row): [_shown(values.get(key), metrics[key].get("digits", 3)) for key in metrics]
            for row, values in rows.items()
            if isinstance(values, dict) and any(key in values for key in metrics)
        },
        "heat": False,
    }


def _shown(value: Any, digits: int) -> str:
    mean = value.get("mean") if isinstance(value, dict) else value
    return f"{mean:.{digits}f}" if isinstance(mean, (int, float)) else "–"
