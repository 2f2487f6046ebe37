"""A stand-in for Lightning's trainer."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import lightning


def trainer(**changes: Any) -> Any:
    """A stand-in with as much of Lightning's trainer as the callbacks ask for."""
    state = {
        "current_epoch": 0,
        "max_epochs": 5,
        "global_step": 0,
        "log_every_n_steps": 1,
        "estimated_stepping_batches": 10,
        "is_global_zero": True,
        "sanity_checking": False,
        "callback_metrics": {},
        "loggers": [],
    }
    return Mock(spec=lightning.Trainer, **(state | changes))
