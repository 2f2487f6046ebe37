"""Screen a folder, as ``classify-screen`` does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from classify.selection import Screening, screen, write_summary
from colorize.app.tasks.models import Models


def screen_folder(
    models: Models,
    *,
    folder: str,
    keep: str,
    rejected: str | None,
    target: str,
    threshold: float,
    move: bool,
    checkpoint: str,
    device: str,
) -> dict[str, Any]:
    """Sort the pictures of ``folder``; every decision is told as a line while it is made.

    Raises:
        ScreenError: The settings contradict each other, or a screening with others lies there.
        CheckpointError: The file holds no classifier.
    """
    screening = Screening(
        folder=Path(folder),
        keep=Path(keep),
        rejected=None if rejected is None else Path(rejected),
        target=target,
        threshold=threshold,
        move=move,
    )
    summary = screen(screening, models.classifier(Path(checkpoint), device=device))
    write_summary(summary)
    verdicts = ("kept", "rejected", "unreadable")
    return {
        **{verdict: summary.count(verdict) for verdict in verdicts},
        "looked_at": summary.looked_at,
        "seconds": summary.seconds,
    }
