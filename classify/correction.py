"""Correct by hand what a screening decided, so that it can still be continued and undone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from classify.journal import (
    Decision,
    Journal,
    ScreenError,
    carry_out,
    free_name,
    latest,
    read_journal,
    take_back,
)


def correct(path: Path, file: str, verdict: Literal["kept", "rejected"]) -> Decision:
    """Give the picture ``file`` of the journal at ``path`` another verdict, and carry it out.

    The correction is on the disk before the picture is touched; it is a decision like the others.

    Raises:
        ScreenError: The journal knows no such picture, or the picture cannot be moved.
    """
    head, decisions, _ = read_journal(path)
    known = {decision.file: decision for decision in latest(decisions)}
    if file not in known or known[file].verdict == "unreadable":
        raise ScreenError(f"{file}: no picture of this screening that can be kept or rejected")
    old = known[file]
    if old.verdict == verdict:
        return old
    goal = (
        path.parent.resolve() if verdict == "kept" else head["rejected"] and Path(head["rejected"])
    )
    place = str(free_name(goal, Path(file).name, set())) if goal else ""
    new = replace(old, verdict=verdict, place=place, corrected=True)
    journal = Journal(path, {key: value for key, value in head.items() if key != "format"})
    journal.add([new])
    take_back(old, Path(head["folder"]), move=head["move"])
    carry_out(new, Path(head["folder"]), move=head["move"])
    journal.mark_done()
    return new
