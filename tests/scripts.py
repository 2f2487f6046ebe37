"""Run the scripts of tools/ and experiments/ in this process, or load them as modules."""

from __future__ import annotations

import importlib.util
import runpy
import sys
from pathlib import Path
from types import ModuleType

import pytest


class Scripts:
    """Scripts of one folder, which import what stands beside them."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder, self._monkeypatch = folder, monkeypatch
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.setenv("PL_GLOBAL_SEED", "0")  # put back what a script seeds

    def run(self, name: str, *words: object) -> int:
        """Run a script with these words, and return its exit code."""
        self._monkeypatch.setattr(sys, "argv", [name, *map(str, words)])
        try:
            runpy.run_path(str(self._folder / f"{name}.py"), run_name="__main__")
        except SystemExit as end:
            return int(end.code or 0)
        return 0

    def module(self, name: str) -> ModuleType:
        """Load a script without running it."""
        spec = importlib.util.spec_from_file_location(f"script_{name}", self._folder / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        loaded = importlib.util.module_from_spec(spec)
        # Dataclasses look their module up.
        self._monkeypatch.setitem(sys.modules, spec.name, loaded)
        spec.loader.exec_module(loaded)
        return loaded
