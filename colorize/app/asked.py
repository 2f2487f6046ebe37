"""What a user chooses for a job, and the form that asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from colorize.inference.settings import RenderSettings, declared_settings


@dataclass(frozen=True, kw_only=True)
class Asked(RenderSettings):
    """The settings of a job with its network; ``checkpoint`` is a path as the page writes it.

    Raises:
        UserError: A value is none that the page takes.
    """

    checkpoint: str = ""
    device: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        for setting in declared_settings():
            setting.check(getattr(self, setting.name), on_page=True)


def form() -> list[dict[str, Any]]:
    """Return what the page needs to ask for each setting: a control by its kind."""
    controls = []
    for setting in declared_settings():
        if setting.label is not None:
            low, high = setting.offered or (setting.low, setting.high)
            limits = {"low": low, "high": high} if setting.kind in ("number", "slider") else {}
            words = ("name", "kind", "label", "default", "step", "choices", "numbered", "empty")
            controls.append({**{word: getattr(setting, word) for word in words}, **limits})
    return controls
