"""What a ``data`` component is, and the one that opens a prepared dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from colorize.data.clips import ClipDataset


@runtime_checkable
class Clips(Protocol):
    """What a ``data`` component offers: clips by split, and a line that names them in tables."""

    label: str

    def split(self, name: str) -> ClipDataset:
        """Return the clips of ``train``, ``val`` or ``test``."""


class PreparedClips:
    """A dataset directory made by ``colorize-prepare``."""

    def __init__(self, *, root: str | Path) -> None:
        self.root = Path(root)
        self.label = f"prepared clips of {self.root.name}"

    def split(self, name: str) -> ClipDataset:
        """Open one split.

        Raises:
            DatasetError: No such dataset or split, or a file of it is missing.
        """
        return ClipDataset.from_manifest(root=self.root, split=name)
