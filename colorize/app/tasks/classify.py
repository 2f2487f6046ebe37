"""Say what uploaded pictures show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from colorize.app.tasks.models import Models
from colorize.base.progress import tracked


def classify_pictures(
    models: Models,
    *,
    pictures: Sequence[str],
    checkpoint: str,
    device: str,
) -> dict[str, Any]:
    """Return the classes, and for every picture its name, probabilities or what is wrong with it.

    Raises:
        CheckpointError: The file holds no classifier.
    """
    classifier = models.classifier(Path(checkpoint), device=device)
    files = [Path(each) for each in pictures]
    predictions = tracked(classifier.files(files), "classifying", total=len(files), unit="picture")
    rows = [
        {
            "name": each.path.name,
            "probabilities": None if each.probabilities is None else each.probabilities.tolist(),
            "problem": each.problem,
        }
        for each in predictions
    ]
    return {"classes": list(classifier.classes), "pictures": rows}
