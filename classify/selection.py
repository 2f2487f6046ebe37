"""Sort a folder of pictures into kept and rejected ones, picture by picture."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classify.journal import (
    NAME,
    Decision,
    Journal,
    ScreenError,
    carry_out,
    free_name,
    latest,
)
from classify.measures import Screened
from classify.predict import Classifier, Prediction
from classify.preprocessing import PICTURE_SUFFIXES
from classify.results import target_index
from colorize.base.columns import escape, markdown_table, plural
from colorize.base.files import write_atomically
from colorize.base.progress import say, task
from colorize.media import fingerprint


@dataclass(frozen=True, kw_only=True)
class Screening:
    """Where to look, what for, and where pictures go.

    Pictures whose probability of ``target`` is ``threshold`` or more go to ``keep``, the others to
    ``rejected`` or nowhere. They are copied, or moved if ``move``.

    Source: Sun & Yang, equation (1) and section 5. Differs: nothing is ever deleted; the original
    deletes what it rejects.
    """

    folder: Path
    keep: Path
    target: str
    threshold: float = 0.95
    rejected: Path | None = None
    move: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise ScreenError(f"--threshold is {self.threshold}: expected 0 to 1")
        if not self.folder.is_dir():
            raise ScreenError(f"{self.folder} is no folder; pass a folder of pictures")
        for option, place in (("--keep", self.keep), ("--rejected", self.rejected)):
            if place is not None and self.folder.resolve().is_relative_to(place.resolve()):
                raise ScreenError(f"{option} {place} holds the screened folder; name another")
        if self.rejected is not None and self.rejected.resolve() == self.keep.resolve():
            raise ScreenError(f"--keep and --rejected are both {self.keep}; name two folders")

    def settings(self, checkpoint: Path) -> dict[str, str | float | bool | None]:
        """Return what must be the same when a screening continues."""
        return {
            "folder": str(self.folder.resolve()),
            "rejected": None if self.rejected is None else str(self.rejected.resolve()),
            "checkpoint": fingerprint(checkpoint),
            "target": self.target,
            "threshold": self.threshold,
            "move": self.move,
        }

    def pictures(self) -> list[Path]:
        """Return the picture files to look at, in subfolders too, but not those sorted already."""
        places = [place.resolve() for place in (self.keep, self.rejected) if place is not None]
        return [
            path
            for path in sorted(self.folder.rglob("*"))
            if path.suffix.lower() in PICTURE_SUFFIXES
            and path.is_file()
            and not any(path.resolve().is_relative_to(place) for place in places)
        ]


@dataclass(frozen=True)
class Summary:
    """All decisions of a screening, and how long this run took for how many of them."""

    screening: Screening
    decisions: list[Decision]
    seconds: float
    looked_at: int

    def count(self, verdict: str) -> int:
        """Return how many pictures got ``verdict``."""
        return sum(decision.verdict == verdict for decision in self.decisions)

    def screened(self, truth: Mapping[str, str]) -> Screened:
        """Count the readable pictures whose class ``truth`` knows (file → class)."""
        known = [d for d in self.decisions if d.file in truth and d.verdict != "unreadable"]
        return Screened.of(
            np.array([truth[d.file] == self.screening.target for d in known], dtype=bool),
            np.array([d.verdict == "kept" for d in known], dtype=bool),
        )

    def markdown(self, truth: Mapping[str, str] | None = None) -> str:
        """Return the summary; with ``truth`` in the rows of the source."""
        screening = self.screening
        counts = [
            (verdict, str(self.count(verdict))) for verdict in ("kept", "rejected", "unreadable")
        ]
        parts = [
            f"# Screening for {escape(screening.target)} from {screening.threshold:g} on",
            f"{plural(len(self.decisions), 'picture')} of {screening.folder}, "
            f"{'moved' if screening.move else 'copied'}.",
            markdown_table(["pictures", "count"], counts, text_columns=1),
        ]
        if self.looked_at:
            mean = self.seconds / self.looked_at
            parts.append(f"{mean:.4f} s a picture on average, reading included (last run).")
        if truth is not None:
            rows = self.screened(truth).rows()
            parts += [
                "## Against the truth",
                markdown_table(["classification", "data"], rows, text_columns=1),
            ]
        broken = [d.problem for d in self.decisions if d.verdict == "unreadable"]
        if broken:
            parts += ["## Unreadable", "\n".join(f"- {escape(problem)}" for problem in broken)]
        return "\n\n".join(parts) + "\n"

    def csv(self) -> str:
        """Return one line per picture."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["file", "verdict", "probability", "likeliest", "place", "problem"])
        for d in self.decisions:
            chance = "" if d.probability is None else f"{d.probability:.5f}"
            writer.writerow([d.file, d.verdict, chance, d.likeliest, d.place, d.problem])
        return text.getvalue()


def screen(screening: Screening, classifier: Classifier, *, batch_size: int = 16) -> Summary:
    """Sort all pictures, continuing where an interrupted run with the same settings stopped.

    Decisions are on the disk before a picture is touched, so that every picture is in exactly one
    place whenever the run is stopped, and the same command finishes it.

    Raises:
        ScreenError: The journal is of other settings, or a file cannot be written.
    """
    target = target_index(screening.target, classifier.classes)
    journal = Journal(screening.keep / NAME, screening.settings(classifier.checkpoint.path))
    for decision in journal.decisions[journal.done :]:
        carry_out(decision, screening.folder, move=screening.move)
    journal.mark_done()
    started = time.monotonic()
    waiting = _undecided(screening, journal)
    taken = {place: set[str]() for place in (screening.keep, screening.rejected) if place}
    with task("screening", total=len(waiting), unit="picture") as bar:
        for start in range(0, len(waiting), batch_size):
            predictions = classifier.files(
                waiting[start : start + batch_size], batch_size=batch_size
            )
            decisions = [
                _decide(one, screening, target, classifier.classes, taken) for one in predictions
            ]
            journal.add(decisions)
            for decision in decisions:
                carry_out(decision, screening.folder, move=screening.move)
                chance = "" if decision.probability is None else f" {decision.probability:.4f}"
                say(f"{decision.verdict}{chance} {decision.file}")
                bar.advance()
            journal.mark_done()
    return Summary(screening, latest(journal.decisions), time.monotonic() - started, len(waiting))


def write_summary(summary: Summary, truth: Mapping[str, str] | None = None) -> list[Path]:
    """Write ``screening.md`` and ``screening.csv`` beside the kept pictures."""
    texts = {"screening.md": summary.markdown(truth), "screening.csv": summary.csv()}
    for name, text in texts.items():
        content = text.encode("utf-8", "surrogateescape")
        write_atomically(summary.screening.keep / name, content)
    return [summary.screening.keep / name for name in texts]


def _undecided(screening: Screening, journal: Journal) -> list[Path]:
    """Return the pictures that no decision is about.

    A picture that was moved away is decided; one that has its name now is another.
    """
    decided = {
        decision.file for decision in journal.decisions if not (screening.move and decision.place)
    }
    pictures = screening.pictures()
    return [p for p in pictures if p.relative_to(screening.folder).as_posix() not in decided]


def _decide(
    prediction: Prediction,
    screening: Screening,
    target: int,
    classes: tuple[str, ...],
    taken: Mapping[Path, set[str]],
) -> Decision:
    file = prediction.path.relative_to(screening.folder).as_posix()
    if prediction.probabilities is None:
        return Decision(file, "unreadable", problem=prediction.problem)
    chance = float(prediction.probabilities[target])
    kept = chance >= screening.threshold
    folder = screening.keep if kept else screening.rejected
    place = free_name(folder.resolve(), prediction.path.name, taken[folder]) if folder else ""
    likeliest = classes[int(prediction.probabilities.argmax())]
    return Decision(file, "kept" if kept else "rejected", chance, likeliest, str(place))
