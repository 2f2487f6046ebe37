"""Say how a figure came about: which data, code and machine, and when."""

from __future__ import annotations

import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

# What figures depend on, as seen from a package's folder.
_CODE = (".", "../colorize", "../classify", "../conf")


def provenance(
    *,
    data: str,
    checkpoint: str | None = None,
    weights: Mapping[str, str] | None = None,
    seed: int | None = None,
    device: torch.device | str = "cpu",
) -> dict[str, Any]:
    """Return how a table came about: what was measured, by which code, on which machine, when.

    ``weights`` names every pretrained network and where its weights came from. The command is the
    running one, with the program's name in place of its path.
    """
    device = torch.device(device)
    accelerator = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    packages = ("torch", "torchvision", "lpips", "scikit-image")
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "commit": source_commit(Path(__file__).parents[1]),
        "data": data,
        "checkpoint": checkpoint,
        "weights": dict(weights or {}),
        "seed": seed,
        "device": accelerator,
        "cpu": _cpu_model(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in packages},
    }


def source_commit(folder: Path) -> str:
    """Return the git commit of the code in ``folder``, "+ local changes" if code or conf differ.

    "unknown" with a reason where git is absent or does not track the folder: an installed package
    must not report the commit of whatever repository surrounds it.
    """
    try:
        if not _git(folder, "ls-files", "--", "."):
            return "unknown (the code is not tracked by git)"
        commit = _git(folder, "rev-parse", "HEAD")
        changes = _git(folder, "status", "--porcelain", "--", *_CODE)
    except FileNotFoundError:
        return "unknown (git is not installed)"
    except subprocess.SubprocessError:
        return "unknown (not a git checkout)"
    return f"{commit} + local changes" if changes else commit


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.strip()


def _cpu_model() -> str:
    """Return the processor's name; the standard library knows it outside Linux only."""
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine() or "unknown"
