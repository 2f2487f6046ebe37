"""The summary of a dataset names the losses that it says cannot be trained."""

from __future__ import annotations

import inspect

from colorize import losses
from colorize.data.prepare.summary import COMPARING
from tests.places import ROOT


def test_it_knows_every_loss_that_compares_frames() -> None:
    found: dict[int, set[str]] = {}
    for path in (ROOT / "conf" / "loss").glob("*.yaml"):
        target = path.read_text().split("_target_: ")[1].split()[0].rpartition(".")[2]
        loss = getattr(losses, target)
        assert inspect.isclass(loss)
        if loss.frames > 1:
            found.setdefault(loss.frames, set()).add(path.stem)
    assert {length: set(names) for length, names in COMPARING.items()} == found
