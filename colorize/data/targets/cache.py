"""Keep targets on disk, so that each is computed once for all epochs and all runs.

One compressed ``.npz`` file holds the targets of one group
(:data:`colorize.data.targets.compute.GROUPS`) of one sample. Its name is a digest of all that
decides them: the clip's fingerprint, the frames, the size, and those settings that the group
depends on. Nothing is ever stale, so nothing is deleted: remove the folder when it grows too large.
Neighbours of a frame of 108x192 take about 190 KB, flow and visibility 75 KB, segments 4 KB.
"""

from __future__ import annotations

import hashlib
import io
import uuid
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from colorize.base.errors import UserError
from colorize.base.files import write_atomically
from colorize.data.sampler import Sample
from colorize.data.targets.settings import FlowSettings, TargetSettings
from colorize.media import fingerprint

# Count it up when an algorithm of a target changes: whatever is on disk is then computed anew.
VERSION = 1


def cache_file(
    *, group: str, names: frozenset[str], settings: TargetSettings, clip: str, sample: Sample
) -> Path:
    """Return the file of the targets ``names``, all of one group; ``clip`` is a fingerprint."""
    assert settings.cache is not None
    key = (
        VERSION,
        clip,
        (sample.frame, sample.length, tuple(sample.size)),
        sorted(names),
        _decisive(group, names, settings),
    )
    digest = hashlib.sha256(repr(key).encode()).hexdigest()
    return Path(settings.cache).expanduser() / group / digest[:2] / f"{digest}.npz"


def read_targets(path: Path, names: frozenset[str]) -> dict[str, Tensor] | None:
    """Return what a file holds, or None if there is none; warn of a damaged one."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: torch.from_numpy(stored[name]) for name in sorted(names)}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        said = " ".join(str(error).split()) or type(error).__name__
        warnings.warn(f"{path}: damaged ({said}); computed again", stacklevel=2)
        return None


def write_targets(path: Path, targets: Mapping[str, Tensor]) -> None:
    """Write a file, whole or not at all, however many processes write it at once.

    Raises:
        ValueError: The folder cannot be written to.
    """
    content = io.BytesIO()
    arrays = {name: target.numpy() for name, target in targets.items()}
    np.savez_compressed(content, allow_pickle=False, **arrays)
    own = path.with_name(f"{uuid.uuid4().hex}.npz")  # two writers must not share a part file
    try:
        write_atomically(own, content.getvalue())
        own.replace(path)
    except OSError as error:
        raise UserError(
            f"targets.cache: {path}: cannot be written ({error.strerror}); "
            "make room, choose another folder, or set targets.cache=null"
        ) from error


def _decisive(group: str, names: frozenset[str], settings: TargetSettings) -> object:
    """Return the settings that decide the targets of a group, and none that do not."""
    if group == "flow":
        flow = settings.flow
        alone = names == {"flow"} or flow.method == "truth"
        return _flow(flow), None if alone else (flow.visibility, flow.threshold)
    if group == "refiner_flow":
        return _flow(settings.refiner)
    if group == "segments":
        return settings.segments
    if group == "neighbors":
        search = settings.neighbors
        radius = search.radius if search.method == "windowed" else None
        return search.method, search.count, radius, search.spatial_scale
    assert group == "segment_planes", group
    return None


def _flow(flow: FlowSettings) -> tuple[str, ...]:
    """Return what decides an estimate of flow; DIS has no weights."""
    weights = _weights(flow.weights) if flow.method.startswith("raft") else ""
    return flow.method, flow.input, weights


@lru_cache
def _weights(weights: str) -> str:
    """Return the content of a weights file as a digest, or the name of weights that are no file."""
    path = Path(weights).expanduser()
    return fingerprint(path) if path.is_file() else weights
