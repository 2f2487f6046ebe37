"""What a ``data`` component is, and the one that opens a prepared dataset."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from colorize.base.errors import require_choice
from colorize.data.clip import Clip
from colorize.data.clips import ClipDataset
from colorize.data.manifest import ClipRecord, DatasetError, Split, held_out, load_manifest


@runtime_checkable
class Clips(Protocol):
    """What a ``data`` component offers: clips by split, and a line that names them in tables."""

    label: str

    def split(self, name: str) -> ClipDataset:
        """Return the clips of ``train``, ``val`` or ``test``."""


class PreparedClips:
    """A dataset directory made by ``colorize-prepare``.

    Where no clip is for validation, the last shots of training clips are, and are not trained on
    (:func:`colorize.data.manifest.held_out`); of a single shot all frames are for both.
    """

    def __init__(self, *, root: str | Path) -> None:
        self.root = Path(root)
        self.label = f"prepared clips of {self.root.name}"

    def split(self, name: str) -> ClipDataset:
        """Open one split.

        Raises:
            DatasetError: No such dataset, a file of it is missing, or the split is empty.
        """
        require_choice("split", name, Split)
        records = load_manifest(self.root).clips
        train, own = ([r for r in records if r.split == split] for split in ("train", name))
        if name != "test" and all(record.split != "val" for record in records):
            clips = self._shared(train, validation=name == "val")
        else:
            clips = [self._open(record) for record in own]
        if not clips:
            raise DatasetError(
                f"{self.root / 'manifest.json'}: no clip is in the split {name!r}; add some: "
                f"colorize-prepare --{name} FOLDER -o {self.root}"
            )
        return ClipDataset(clips=clips)

    def _shared(self, records: Sequence[ClipRecord], *, validation: bool) -> list[Clip]:
        """Return what training clips hold for training, or for validation."""
        counts = held_out([record.shots_in_frames for record in records])
        if not any(counts):
            return [self._open(record) for record in records]
        parts = []
        for record, count in zip(records, counts, strict=True):
            clip = self._open(record)
            kept = len(clip.spans) - count
            spans = clip.spans[kept:] if validation else clip.spans[:kept]
            if spans:
                whole = len(spans) == len(clip.spans)
                parts.append(clip if whole else clip.part(spans[0][0], spans[-1][1]))
        return parts

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
