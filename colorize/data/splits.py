"""What a ``data`` component is, and the one that opens a prepared dataset."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Protocol, runtime_checkable

from colorize.base.errors import require_choice
from colorize.data.clip import Clip
from colorize.data.clips import ClipDataset
from colorize.data.manifest import ClipRecord, DatasetError, Split, load_manifest


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
            DatasetError: No such dataset, a file of it is missing, or the split is empty.
        """
        require_choice("split", name, Split)
        records = [each for each in load_manifest(self.root).clips if each.split == name]
        if not records:
            raise DatasetError(
                f"{self.root / 'manifest.json'}: no clip is in the split {name!r}; prepare it "
                "again with --splits or --ratio"
            )
        return ClipDataset(clips=[self._open(record) for record in records])

    def _open(self, record: ClipRecord) -> Clip:
        """Return the clip of a record, checking that its file is there."""
        path = self.root / record.file
        if not path.is_file():
            raise DatasetError(f"{path}: missing; run the same colorize-prepare again to make it")
        identity = (record.fingerprint, record.first_frame, record.size, record.fit, record.shots)
        return Clip(
            name=record.name,
            frames=path,
            shape=(record.frames, *record.size, 3),
            shots=record.shots,
            fingerprint=hashlib.sha256(repr(identity).encode()).hexdigest(),
            series=str(self.root),
            origin=self.root.resolve().name,
        )
