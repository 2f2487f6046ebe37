"""Say what a column of a table of results is, which cell of it is best, and write tables.

Knows nothing of where values come from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from colorize.base.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Column:
    """One metric of the table; ``unavailable`` says why all its cells read "n/a".

    ``per`` says what has one value: a "frame", a "pair" of consecutive ones, or a "shot".
    """

    key: str
    name: str
    better: Literal["higher", "lower", "closer"]
    digits: int = 3
    note: str = ""
    unavailable: str = ""
    per: str = "frame"

    @classmethod
    def of(cls, key: str, metric: Any) -> Column:
        """Return the column of a metric, which states its own name, order, digits and note."""
        return cls(
            key=key,
            name=metric.name,
            better=metric.better,
            digits=metric.digits,
            note=metric.note,
            per=getattr(metric, "per", "frame"),
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


Table = dict[str, dict[str, Mean]]  # row -> metric key -> mean


def cells(
    column: Column, table: Table, *, reference: str | None, aside: Collection[str]
) -> dict[str, str]:
    """Return row → how its mean is written: the best ones bold, "–" where there is none.

    Rows of ``aside`` are not ranked; ``reference`` is the row that "closer" columns should meet.
    """
    if column.unavailable:
        return dict.fromkeys(table, "n/a")
    means = {row: table[row][column.key].mean for row in table if column.key in table[row]}
    texts = {row: f"{mean:.{column.digits}f}" for row, mean in means.items()}
    ranked = [mean for row, mean in means.items() if row not in aside]
    goal = means.get(reference) if reference else None
    best = _best(column.better, ranked, goal) if len(ranked) > 1 else None
    best_text = None if best is None else f"{best:.{column.digits}f}"
    bold = {row for row in texts if texts[row] == best_text and row not in aside}
    return {row: f"**{texts[row]}**" if row in bold else texts.get(row, "–") for row in table}


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]], *, text_columns: int) -> str:
    """Return a Markdown table; all columns but the first ``text_columns`` are numbers."""
    rule = ["---"] * text_columns + ["--:"] * (len(head) - text_columns)
    lines = [list(map(escape, texts)) for texts in (head, rule, *rows)]
    return "\n".join(f"| {' | '.join(texts)} |" for texts in lines)


def escape(text: str) -> str:
    """Return a text on one line that a cell of a Markdown table can hold."""
    return " ".join(text.split()).replace("|", r"\|")


def markdown_list(facts: Mapping[str, Any]) -> str:
    """Return a Markdown list of facts by name, each on one line."""
    return "\n".join(f"- {name}: {_flat(fact)}" for name, fact in facts.items())


def plural(count: int, noun: str) -> str:
    """Return a count with its noun, "1 frame" or "2 frames"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _best(better: str, means: Sequence[float], goal: float | None) -> float | None:
    """Return the best of some means, or None where a goal is needed and missing."""
    if better == "higher":
        return max(means)
    if better == "lower":
        return min(means)
    if better == "closer":
        return None if goal is None else min(means, key=lambda mean: abs(mean - goal))
    raise UserError(f"report: better is higher, lower or closer, got {better!r}")


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {_flat(item)}" for key, item in value.items()) or "none"
    return "none" if value is None else " ".join(str(value).split())
