"""Find out what a machine has, and make of a pack what a stage needs: packages, data, weights."""

from __future__ import annotations

import importlib
import importlib.util
import io
import json
import lzma
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# What is imported, by the name of its package where that is another.
NEEDED = {
    "av": "av",
    "beartype": "beartype",
    "cv2": "opencv-python-headless",
    "einops": "einops",
    "filelock": "filelock",
    "hydra": "hydra-core",
    "hydra_plugins.hydra_joblib_launcher": "hydra-joblib-launcher",
    "jaxtyping": "jaxtyping",
    "lazy_loader": "lazy-loader",
    "lightning": "lightning",
    "lpips": "lpips",
    "matplotlib": "matplotlib",
    "numpy": "numpy",
    "omegaconf": "omegaconf",
    "PIL": "pillow",
    "pytest": "pytest",
    "safetensors": "safetensors",
    "scipy": "scipy",
    "skimage": "scikit-image",
    "tensorboard": "tensorboard",
    "torch": "torch",
    "torchvision": "torchvision",
    "tqdm": "tqdm",
}
OLDEST = (3, 11)
_ASK = """
import json, sys, torch
cuda = torch.cuda.is_available()
about = torch.cuda.get_device_properties(0) if cuda else None
print(json.dumps({
    "card": about.name if cuda else None,
    "card_memory_gib": round(about.total_memory / 2**30, 1) if cuda else None,
    "cards": torch.cuda.device_count(),
    "torch": torch.__version__, "cuda": torch.version.cuda, "python": sys.version.split()[0],
}))
"""


class NotReady(Exception):
    """What a machine lacks for any stage to run, in one line that says what to do."""


def missing() -> list[str]:
    """Return the packages of ``NEEDED`` that this Python cannot import, as they are installed."""
    importlib.invalidate_caches()
    return sorted({package for name, package in NEEDED.items() if not _found(name)})


def _found(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):  # its parent is missing
        return False


def writable(wanted: Path | None = None) -> Path:
    """Return a new folder in ``wanted``, or else in the first usual place that can be written to.

    Raises:
        NotReady: There is none.
    """
    usual = (tempfile.gettempdir(), "/dev/shm", os.getcwd())  # noqa: PTH109
    for place in (*([wanted] if wanted else []), *map(Path, usual)):
        try:
            place.mkdir(parents=True, exist_ok=True)
            return Path(tempfile.mkdtemp(prefix="on-cuda-", dir=place))
        except OSError:
            continue
    raise NotReady(f"no folder can be written to, neither of {', '.join(usual)}: pass --work DIR")


def unpack(pack: Path, work: Path) -> dict[str, Any]:
    """Unpack data, weights and runs into ``work``, install what is missing; return what is said.

    Raises:
        NotReady: There is no pack, or it is not whole.
    """
    about = pack / "pack.json"
    if not about.is_file():
        raise NotReady(f"{about} is missing: make the pack with --pack, and bring its folder along")
    said: dict[str, Any] = json.loads(about.read_text())
    for name, parts in said["archives"].items():
        lost = [part for part in parts if not (pack / part).is_file()]
        if lost:
            raise NotReady(f"{pack / lost[0]} is missing: the pack did not come whole")
        if name == "wheels":
            said["installed"] = install(pack / parts[0], work / "site")
        else:
            extract([pack / part for part in parts], work)
    return said


def extract(parts: Sequence[Path], folder: Path) -> None:
    """Unpack a tar archive that may be cut into parts."""
    content = io.BytesIO(b"".join(part.read_bytes() for part in parts))
    with tarfile.open(fileobj=content) as archive:
        archive.extractall(folder, filter="data")


def install(archive: Path, site: Path) -> list[str]:
    """Install those of the wheels in ``archive`` that are missing, into ``site``; return them.

    pip does it where there is one, without a network; else they are unpacked, as wheels can be.
    """
    absent = {_plain(name) for name in missing()}
    # What a missing package needs in its turn comes with it.
    companions = {"antlr4_python3_runtime", "wadler_lindig", "iniconfig", "pluggy"}
    wheels = site.parent / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    with lzma.open(archive) as file, tarfile.open(fileobj=file) as tar:
        tar.extractall(wheels, filter="data")
    chosen = [
        path
        for path in sorted(wheels.glob("*.whl"))
        if (name := _plain(path.name.split("-")[0])) in absent
        or (name in companions and not _distributed(name))
    ]
    if not chosen:
        return []
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    pip += ["--no-compile", "--no-cache-dir", "--disable-pip-version-check", "--target", str(site)]
    done = subprocess.run([*pip, *map(str, chosen)], capture_output=True, text=True)
    if done.returncode:
        print(f"pip: {done.stderr.strip().splitlines()[-1:]}; wheels are unpacked instead")
        for wheel in chosen:
            with zipfile.ZipFile(wheel) as content:
                content.extractall(site)
    if str(site) not in sys.path:
        sys.path.insert(0, str(site))
    importlib.invalidate_caches()
    return [path.name for path in chosen]


def _plain(name: str) -> str:
    return name.replace("-", "_").lower()


def _distributed(name: str) -> bool:
    from importlib.metadata import PackageNotFoundError, version

    try:
        version(name.replace("_", "-"))
    except PackageNotFoundError:
        return False
    return True


def environment(root: Path, work: Path, *, device: str) -> dict[str, str]:
    """Return the environment of stages: packages of the pack first, every cache in ``work``."""
    paths = [str(each) for each in (work / "site", root, root / "tools") if each.is_dir()]
    kept = os.environ.get("PYTHONPATH")
    caches = work / "caches"
    caches.mkdir(exist_ok=True)
    changed = {
        "PYTHONPATH": os.pathsep.join([*paths, *([kept] if kept else [])]),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        **dict.fromkeys(
            ("XDG_CACHE_HOME", "MPLCONFIGDIR", "TORCH_HOME", "TRITON_CACHE_DIR"), str(caches)
        ),
        "TORCHINDUCTOR_CACHE_DIR": str(caches / "inductor"),
        "TMPDIR": str(caches),
    }
    if device == "cpu":
        changed["CUDA_VISIBLE_DEVICES"] = ""
    return {**os.environ, **changed}


def examine(root: Path, variables: dict[str, str], *, device: str) -> dict[str, Any]:
    """Return the machine's card, cores and versions, and the commit of the code.

    Raises:
        NotReady: Python is too old, packages are missing, or there is no card to run on.
    """
    version = ".".join(map(str, OLDEST))
    if sys.version_info < OLDEST:
        raise NotReady(f"this Python is {sys.version.split()[0]}: run the script with {version} up")
    if lacking := missing():
        raise NotReady(
            f"{sys.executable} lacks {', '.join(lacking)}: run the script with a Python that has "
            f"them, or make the pack with --wheels {' '.join(lacking)}"
        )
    asked = subprocess.run(
        [sys.executable, "-c", _ASK], capture_output=True, text=True, env=variables, timeout=60
    )
    if asked.returncode:
        reason = (asked.stderr.strip().splitlines() or ["no reason"])[-1]
        raise NotReady(f"PyTorch cannot be used here ({reason}): run with another Python")
    found: dict[str, Any] = json.loads(asked.stdout.splitlines()[-1])
    if device != "cpu" and found["card"] is None:
        raise NotReady(
            f"PyTorch {found['torch']} sees no CUDA device: run where nvidia-smi shows a card, or "
            "pass --rehearse for a run on the CPU"
        )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {**found, "cores": cores, "commit": _commit(root)}


def _commit(root: Path) -> str | None:
    """Return the commit of a checkout, None where git tells none."""
    try:
        asked = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True
        )
    except OSError:
        return None
    return asked.stdout.strip() or None if asked.returncode == 0 else None
