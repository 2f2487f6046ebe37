"""A page for each test, with a tiny checkpoint."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="the page's packages are not installed (extra app)")

from tests.colorize.app.pages import Page
from tests.colorize.tiny import write_safetensors


@pytest.fixture(autouse=True)
def _no_shipped_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let tests find the weights that they make, and no others."""
    monkeypatch.setattr("colorize.inference.shipped._FOLDER", tmp_path / "no-weights")


@pytest.fixture
def page(tmp_path: Path) -> Page:
    made = Page(tmp_path)
    write_safetensors(tmp_path / "models" / "model.safetensors")
    yield made
    made.studio.close()
