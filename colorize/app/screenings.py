"""Look at a screening that lies below the roots, and change it, wherever its journal points."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from classify.journal import NAME, Decision, latest, read_journal
from colorize.app.error import PageError
from colorize.app.roots import Roots


def open_journal(roots: Roots, keep: str) -> tuple[Path, Mapping[str, Any], list[Decision]]:
    """Return the journal of the screening in folder ``keep``: its path, settings and decisions.

    A journal says where pictures lie and go, and anybody may have put it there.

    Raises:
        PageError: There is none, or it names places that are not open to the page.
        ScreenError: It is damaged.
    """
    path = roots.path(keep) / NAME
    if not path.is_file():
        raise PageError(f"no screening lies in {keep}", status=404)
    head, decisions, _ = read_journal(path)
    folder = Path(str(head.get("folder")))
    places = [Path(each.place) for each in decisions if each.place]
    sources = [folder / each.file for each in decisions]
    rejected = [Path(head["rejected"])] if head.get("rejected") else []
    for place in (folder, path, *rejected, *places, *sources):
        if not roots.holds(place):
            raise PageError(
                f"the screening in {keep} is of a folder that is not open to the page", status=403
            )
    return path, head, decisions


def shown_screening(roots: Roots, keep: str) -> dict[str, Any]:
    """Return a screening for the page.

    Raises:
        PageError, ScreenError: See :func:`open_journal`.
    """
    _, head, decisions = open_journal(roots, keep)
    counting = latest(decisions)
    verdicts = ("kept", "rejected", "unreadable")
    return {
        "keep": keep,
        "folder": roots.show(Path(head["folder"])),
        "target": head["target"],
        "threshold": head["threshold"],
        "move": head["move"],
        "counts": {each: sum(one.verdict == each for one in counting) for each in verdicts},
        "decisions": [
            {
                "number": number,
                "file": one.file,
                "verdict": one.verdict,
                "probability": one.probability,
                "likeliest": one.likeliest,
                "problem": roots.hide(one.problem),
                "corrected": one.corrected,
            }
            for number, one in enumerate(counting)
        ],
    }


def picture_of(roots: Roots, keep: str, number: int) -> Path:
    """Return where picture ``number`` of a screening is now.

    Raises:
        PageError: There is no such picture.
    """
    _, head, decisions = open_journal(roots, keep)
    counting = latest(decisions)
    if number >= len(counting):
        raise PageError(f"there is no picture {number}", status=404)
    one = counting[number]
    source = Path(head["folder"]) / one.file
    return Path(one.place) if one.place and Path(one.place).is_file() else source
