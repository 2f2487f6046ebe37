"""Where the weights lie that come with this package."""

from __future__ import annotations

from pathlib import Path

from colorize.base.errors import UserError

_FOLDER = Path(__file__).resolve().parent / "weights"


def shipped_names() -> list[str]:
    """Return the names of the weights that come with this package."""
    return sorted(path.stem for path in _FOLDER.glob("*.safetensors"))


def weights_path(name: str) -> Path:
    """Return the file of shipped weights called ``name``, such as ``default``.

    Raises:
        ValueError: There are none of this name.
    """
    path = _FOLDER / f"{name}.safetensors"
    if not path.is_file():
        known = ", ".join(shipped_names()) or "none in this installation"
        raise UserError(f"there are no weights called {name!r}; known are {known}")
    return path


def resolve(checkpoint: str | Path) -> Path:
    """Return the file that ``checkpoint`` means: a path, or the name of shipped weights."""
    return weights_path(str(checkpoint)) if str(checkpoint) in shipped_names() else Path(checkpoint)
