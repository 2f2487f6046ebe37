"""Write a comparison of rows over seeds as JSON and as a Markdown page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from colorize.base.columns import Column, markdown_list, markdown_table
from colorize.evaluation.table.comparison import Claim, Comparison, Paired, Spread

GRAY = "gray input"
_TRUTH = "true colours"


@dataclass(kw_only=True)
class Published:
    """The figures of a publication, row (``gray input`` too) → metric → value, and its claims."""

    source: str = ""
    rows: dict[str, dict[str, float]] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A cell of the table that is not there, and why."""

    row: str
    seed: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a table shows: the comparison, its columns, and what stands beside it.

    ``networks`` names the feature network of each row; ``provenance`` says how it was made.
    """

    title: str
    comparison: Comparison
    columns: Sequence[Column]
    published: Published
    networks: Mapping[str, str]
    missing: Sequence[Missing]
    provenance: Mapping[str, Any]

    def json(self) -> dict[str, Any]:
        """Return everything as plain containers.

        ``rows`` is row → ``network``, ``seeds`` and ``scores``: metric → mean, deviation, count,
        the values by seed, and the gain over gray. ``order`` holds the pairs of rows that stand the
        other way round than published; ``claims`` each published claim with its verdict.
        """
        keys = [column.key for column in self.columns]
        return {
            "provenance": dict(self.provenance),
            "metrics": {column.key: asdict(column) for column in self.columns},
            GRAY: {key: _plain(self.comparison.gray(key)) for key in keys},
            _TRUTH: {key: _plain(self.comparison.truth(key)) for key in keys},
            "rows": {row: self._row_json(row, keys) for row in self.comparison.rows},
            "published": {"source": self.published.source, "rows": self.published.rows},
            "order": _pairs_json(self._reversed()),
            "claims": [self._claim_json(claim) for claim in self._claims()],
            "missing": [asdict(missing) for missing in self.missing],
        }

    def markdown(self) -> str:
        """Return the page: all measures, each published one beside ours, order, claims."""
        parts = [
            f"# {self.title}",
            "Means over the frames measured and over the K outputs; mean ± sample deviation over "
            "seeds where there are several.",
            self._measures(),
            "\n".join(f"- {column.name}: {column.note}." for column in self.columns if column.note),
            *self._beside(),
            self._order(),
            self._verdicts(),
            self._gaps(),
            "## How this was made\n\n" + markdown_list(self.provenance),
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    def _measures(self) -> str:
        head = ["", "features", "seeds", *(column.name for column in self.columns)]
        rows = [
            [GRAY, "–", "–", *(_mean(self.comparison.gray(c.key), c) for c in self.columns)],
            [_TRUTH, "–", "–", *(_mean(self.comparison.truth(c.key), c) for c in self.columns)],
        ]
        for row in self._all_rows():
            seeds = str(len(self.comparison.of(row)))
            cells = [_text(self.comparison.score(row, c.key), c) for c in self.columns]
            rows.append([row, self.networks.get(row, "–"), seeds, *cells])
        return markdown_table(head, rows, text_columns=2)

    def _all_rows(self) -> list[str]:
        """Return the rows that were measured, then those that are missing altogether."""
        return list(dict.fromkeys([*self.comparison.rows, *(m.row for m in self.missing)]))

    def _published_columns(self) -> list[Column]:
        known = {key for row in self._published_rows() for key in self.published.rows[row]}
        return [column for column in self.columns if column.key in known]

    def _published_rows(self) -> list[str]:
        return [row for row in self._all_rows() if row in self.published.rows]

    def _beside(self) -> list[str]:
        return [
            f"## {column.name}: ours beside {self.published.source}\n\n{self._beside_table(column)}"
            for column in self._published_columns()
        ]

    def _beside_table(self, column: Column) -> str:
        key, rows = column.key, self._published_rows()
        theirs = {row: self.published.rows[row][key] for row in rows}
        gray = self.published.rows.get(GRAY, {}).get(key)
        ours = {row: s.mean for row in rows if (s := self.comparison.score(row, key))}
        places = _places(ours, column.better), _places(theirs, column.better)
        fine = _finer(column)
        sign = 1 if column.better == "higher" else -1
        lines = [[GRAY, _mean(self.comparison.gray(key), fine), "", _number(gray, fine), "", ""]]
        for row in rows:
            place = [str(table.get(row, "–")) for table in places]
            gain = None if gray is None else sign * (theirs[row] - gray)
            lines.append(
                [
                    row,
                    _text(self.comparison.score(row, key), fine),
                    _text(self.comparison.gain(row, key), fine, signed=True),
                    _number(theirs[row], fine),
                    _number(gain, fine, signed=True),
                    f"{place[0]} / {place[1]}" + (" **≠**" if place[0] != place[1] else ""),
                ]
            )
        head = ["", "ours", "gain over gray", "published", "its gain", "place: ours / published"]
        return markdown_table(head, lines, text_columns=1)

    def _reversed(self) -> list[Paired]:
        return self.comparison.reversed_pairs(self.published.rows)

    def _order(self) -> str:
        if not self._published_columns():
            return ""
        lines = [
            f"- {self._column(pair.metric).name}: published {pair.first} better than "
            f"{pair.second}; ours the other way round, by {self._advantage(pair)}"
            + (", within the spread of seeds" if pair.verdict.startswith("within") else "")
            for pair in self._reversed()
        ]
        return "## Where the order differs\n\n" + ("\n".join(lines) or "Nowhere.")

    def _claims(self) -> list[Claim]:
        """Return the claims of which this table has both sides, over its own rows alone."""
        rows = set(self._published_rows())
        claims = []
        for claim in self.published.claims:
            over = [other for other in claim.over if other in rows]
            if claim.row in rows and over:
                part = len(over) < len(claim.over)
                text = f"{claim.text} [of {len(claim.over)} rows, {len(over)} here]"
                claims.append(replace(claim, over=over, text=text if part else claim.text))
        return claims

    def _verdicts(self) -> str:
        if not self._claims():
            return ""
        lines = []
        for claim in self._claims():
            verdict, pairs = self.comparison.judge(claim)
            details = [
                f"  - {pair.metric}, over {pair.second}: {self._advantage(pair)}: {pair.verdict}"
                for pair in pairs
            ]
            lines += [f"- “{claim.text}” ({claim.row}): **{verdict}**", *details]
        explained = (
            "Paired differences over seeds, positive where the claim holds. A mean no larger than "
            "its deviation is called within the spread of seeds; one seed has no spread."
        )
        return f"## What {self.published.source} claims\n\n{explained}\n\n" + "\n".join(lines)

    def _advantage(self, pair: Paired) -> str:
        column = _finer(self._column(pair.metric))
        count = pair.advantage.count if pair.advantage else 0
        return f"{_text(pair.advantage, column, signed=True)} (n = {count})"

    def _column(self, key: str) -> Column:
        known = {column.key: column for column in self.columns}
        return known.get(key) or Column(key=key, name=key, better="higher")

    def _gaps(self) -> str:
        if not self.missing:
            return ""
        lines = [f"- {each.row}, seed {each.seed}: {each.reason}" for each in self.missing]
        return "## Missing\n\n" + "\n".join(lines)

    def _row_json(self, row: str, keys: Sequence[str]) -> dict[str, Any]:
        runs = self.comparison.of(row)
        scores = {}
        for key in keys:
            values = {str(run.seed): run.scores[key] for run in runs if key in run.scores}
            scores[key] = {
                **_plain(self.comparison.score(row, key)),
                "values": values,
                "gain over gray": _plain(self.comparison.gain(row, key)),
            }
        seeds = [run.seed for run in runs]
        return {"network": self.networks.get(row, ""), "seeds": seeds, "scores": scores}

    def _claim_json(self, claim: Claim) -> dict[str, Any]:
        verdict, pairs = self.comparison.judge(claim)
        return {"text": claim.text, "verdict": verdict, "differences": _pairs_json(pairs)}


def _places(values: Mapping[str, float], better: str) -> dict[str, int]:
    """Return the place of each row, 1 for the best."""
    ordered = sorted(values, key=lambda row: values[row], reverse=better == "higher")
    return {row: place for place, row in enumerate(ordered, start=1)}


def _finer(column: Column) -> Column:
    """Return the column with a decimal more, for differences between rows."""
    return replace(column, digits=column.digits + 1)


def _text(spread: Spread | None, column: Column, *, signed: bool = False) -> str:
    if spread is None:
        return "–"
    mean = _number(spread.mean, column, signed=signed)
    return mean if spread.deviation is None else f"{mean} ± {_number(spread.deviation, column)}"


def _mean(spread: Spread | None, column: Column) -> str:
    return _number(spread.mean if spread else None, column)


def _number(value: float | None, column: Column, *, signed: bool = False) -> str:
    return "–" if value is None else f"{value:{'+' if signed else ''}.{column.digits}f}"


def _plain(spread: Spread | None) -> dict[str, Any]:
    return asdict(spread) if spread else {"mean": None, "deviation": None, "count": 0}


def _pairs_json(pairs: Sequence[Paired]) -> list[dict[str, Any]]:
    return [
        {**asdict(pair), "advantage": _plain(pair.advantage), "verdict": pair.verdict}
        for pair in pairs
    ]
