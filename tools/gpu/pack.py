"""Prepare what must travel to a machine without a network: wheels, clips, pictures, weights.

Clips are re-encoded at the size that they are trained at, those to train on cut to their first two
seconds; pages of stories at the short side that they are read at, as many as there is room for.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import lzma
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from PIL import Image

from colorize.base.provenance import source_commit
from colorize.data.augment import fit_frame
from colorize.media import open_source
from colorize.media.pictures.folder import picture_files
from gpu.machine import NotReady
from gpu.plan import Plan
from gpu.stages import cut

LIMIT = 64 * 2**20  # bytes of the pack and of the checkout together
_ROOM = 2**20  # bytes of it that stay free
# What images of PyTorch seldom hold, and what that needs in its turn.
WHEELS = (
    *("antlr4-python3-runtime", "av", "beartype", "einops", "hydra-core", "hydra-joblib-launcher"),
    *("iniconfig", "jaxtyping", "lazy-loader", "lpips", "omegaconf", "pluggy", "pytest"),
    "wadler-lindig",
)
_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
_BT709 = 1  # as H.264 counts
_CLIP_SIZE, _PAGE_SIDE = (108, 192), 144
_CLIP_CRF, _PAGE_QUALITY = "12", 75
_TRAINED = 48  # frames of a clip to train on; the others are whole

Files = dict[str, bytes]


def pack_up(
    folder: Path,
    *,
    stages: Sequence[str],
    wheels: Sequence[str] | None,
    resume: Sequence[Path],
    data: Path,
) -> int:
    """Make the pack of some stages in ``folder``, print its size, and return the exit status.

    ``data`` is a folder of ``data/`` and ``weights/``, which ``tests`` and ``speed`` do without.

    Raises:
        NotReady: Something is not there, or the pack is too large even without pages.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*"):
        if old.is_file() and not old.name.startswith("wheels"):
            old.unlink()
    archives: dict[str, list[str]] = {}
    if names := list(WHEELS if wheels is None else wheels):
        archives["wheels"] = [_wheels(names, folder).name]
    if resume:
        archives["runs"] = cut(b"".join(each.read_bytes() for each in resume), folder / "runs.tar")
    root = Path(__file__).resolve().parents[2]
    taken = tracked_size(root) + sum(path.stat().st_size for path in folder.iterdir())
    files = _material(data, stages, room=LIMIT - _ROOM - taken)
    if files:
        archives["data"] = cut(_tar(files), folder / "data.tar")
    about = {
        "commit": source_commit(root / "colorize"),
        "stages": list(stages),
        "archives": archives,
        "wheels": names,
    }
    (folder / "pack.json").write_text(json.dumps(about, indent=2) + "\n")
    return _tell(folder, archives, tracked_size(root))


def tracked_size(root: Path) -> int:
    """Return the bytes of the files of a checkout, which travel with the pack."""
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z"], capture_output=True, text=True, check=True
    )
    paths = (root / name for name in listed.stdout.split("\0") if name)
    return sum(path.stat().st_size for path in paths if path.is_file())


def _tell(folder: Path, archives: Mapping[str, Sequence[str]], checkout: int) -> int:
    total = sum(path.stat().st_size for path in folder.iterdir())
    for name, parts in archives.items():
        size = sum((folder / part).stat().st_size for part in parts)
        print(f"  {name:<8} {size / 2**20:6.1f} MiB")
    together = total + checkout
    print(
        f"{folder}: {total / 2**20:.1f} MiB; with the checkout's {checkout / 2**20:.1f} MiB "
        f"{together / 2**20:.1f} of {LIMIT / 2**20:.0f} MiB"
    )
    if together > LIMIT:
        print("error: too large to travel: pack fewer --stages or --wheels", file=sys.stderr)
        return 1
    return 0


def _material(data: Path, stages: Sequence[str], *, room: int) -> Files:
    """Return clips, weights and pages by the names that stages know them by."""
    if not {"train", "table"} & set(stages):
        return {}
    if not (data / "data").is_dir():
        raise NotReady(f"{data / 'data'} is missing: --data DIR says where clips and pages lie")
    files = _weights(data / "weights", Plan()) if "table" in stages else {}
    files |= _clips(data / "data/penny-and-chip")
    if "train" in stages:
        left = room - sum(map(len, files.values()))
        files |= _pages(data / "data/storybook", room=left)
    return files


def _weights(folder: Path, plan: Plan) -> Files:
    names = sorted(set(re.findall(r"=weights/(\S+)", " ".join(plan.table))))
    return {f"weights/{name}": (folder / name).read_bytes() for name in names}


def _clips(folder: Path) -> Files:
    """Return clips from their first frames on, small, and the list of their splits."""
    with (folder / "clips.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    files: Files = {}
    for row in rows:
        first = int(row["first_frame"])
        last = first + _TRAINED if row["split"] == "train" else None
        frames = _frames(folder / "clips" / row["clip"], first=first, last=last)
        files[f"data/clips/{row['clip']}"] = encoded(frames, rate=24)
        row["first_frame"] = "0"
    files["data/clips/clips.csv"] = _listed(rows)
    return files


def _frames(path: Path, *, first: int, last: int | None) -> Iterator[np.ndarray]:
    with open_source(path) as source:
        for frame in itertools.islice(source.frames(), first, last):
            yield fit_frame(frame.rgb, _CLIP_SIZE, "crop")


def encoded(frames: Iterator[np.ndarray], *, rate: int) -> bytes:
    """Return frames as H.264 with colours at full resolution."""
    content = io.BytesIO()
    with av.open(content, "w", format="mp4") as film:
        stream: Any = None
        for rgb in frames:
            if stream is None:
                options = {"crf": _CLIP_CRF, "preset": "slow"}
                stream = film.add_stream("libx264", rate=rate, options=options)
                stream.height, stream.width, stream.pix_fmt = *rgb.shape[:2], "yuv444p"
                context = stream.codec_context
                context.colorspace = context.color_primaries = context.color_trc = _BT709
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            film.mux(stream.encode(frame.reformat(format="yuv444p", dst_colorspace="ITU709")))
        film.mux(stream.encode())
    return content.getvalue()


def _pages(folder: Path, *, room: int) -> Files:
    """Return pages of the stories to train on, evenly thinned so that they fit in ``room``."""
    with (folder / "stories.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "train"]
    stories = {row["story"]: picture_files(folder / row["story"]) for row in rows}
    small = {
        f"data/storybook/{story}/{path.stem}.webp": _page(path)
        for story, paths in stories.items()
        for path in paths
    }
    size = len(_listed(rows))
    names = list(small)
    share = 1.0
    kept = names
    # A header of 512 bytes, and up to as many to fill the last block, stand around each file.
    while kept and sum(len(small[name]) + 1024 for name in kept) + size > room:
        share -= 0.02
        kept = thinned(names, share)
    if not kept:
        raise NotReady(
            f"the pack is too large even without pages, for which {room / 2**20:.1f} MiB are left: "
            "pack fewer --stages at a time"
        )
    print(f"pages: {len(kept)} of {len(names)}")
    there = {name.split("/")[2] for name in kept}  # a story without pages is none
    listed = _listed([row for row in rows if row["story"] in there])
    return {name: small[name] for name in kept} | {"data/storybook/stories.csv": listed}


def thinned(names: Sequence[str], share: float) -> list[str]:
    """Return a share of some names, evenly spaced."""
    return [
        name for index, name in enumerate(names) if int((index + 1) * share) > int(index * share)
    ]


def _page(path: Path) -> bytes:
    with open_source(path) as source:
        rgb = next(iter(source.frames())).rgb
    scale = _PAGE_SIDE / min(rgb.shape[:2])
    size = (round(rgb.shape[1] * scale), round(rgb.shape[0] * scale))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    content = io.BytesIO()
    options = {"quality": _PAGE_QUALITY, "method": 6, "use_sharp_yuv": True}
    Image.fromarray(small).save(content, "webp", **options)
    return content.getvalue()


def _listed(rows: Sequence[Mapping[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _tar(files: Files) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, each in files.items():
            about = tarfile.TarInfo(name)
            about.size = len(each)
            archive.addfile(about, io.BytesIO(each))
    return content.getvalue()


def _wheels(names: Sequence[str], folder: Path) -> Path:
    """Return the archive of wheels in the versions that are installed here; made once for them."""
    path, listed = folder / "wheels.tar.xz", folder / "wheels.txt"
    wanted = "".join(f"{name}=={version(name)}\n" for name in sorted(names))
    if path.is_file() and listed.is_file() and listed.read_text() == wanted:
        return path
    with tempfile.TemporaryDirectory() as place:
        for requirement in wanted.splitlines():
            fetch(requirement, Path(place))
        squeeze(sorted(Path(place).glob("*.whl")), path)
    listed.write_text(wanted)
    return path


def fetch(requirement: str, folder: Path) -> None:
    """Download a wheel for 64-bit Linux, or build one where there is only source.

    Raises:
        NotReady: There is neither.
    """
    pip = [sys.executable, "-m", "pip"]
    quiet = ["--quiet", "--disable-pip-version-check", "--no-deps"]
    platforms = [word for each in _PLATFORMS for word in ("--platform", each)]
    wheel = [*quiet, "--only-binary=:all:", "--python-version", "3.12", *platforms]
    done = subprocess.run(
        [*pip, "download", *wheel, "--implementation", "cp", "-d", str(folder), requirement],
        capture_output=True,
    )
    if done.returncode:
        built = subprocess.run(
            [*pip, "wheel", *quiet, "-w", str(folder), requirement], capture_output=True, text=True
        )
        if built.returncode:
            reason = (built.stderr.strip().splitlines() or ["no reason"])[-1]
            raise NotReady(f"no wheel of {requirement} can be had: {reason}")


def squeeze(wheels: Sequence[Path], path: Path) -> None:
    """Write wheels into one archive: without their own compression, a third smaller as a whole."""
    part = path.with_name(f"{path.name}.part")
    with lzma.open(part, "wb", preset=6) as file, tarfile.open(fileobj=file, mode="w") as archive:
        for wheel in wheels:
            content = io.BytesIO()
            with zipfile.ZipFile(wheel) as before, zipfile.ZipFile(content, "w") as after:
                for member in before.infolist():
                    after.writestr(member.filename, before.read(member))
            about = tarfile.TarInfo(wheel.name)
            about.size = content.tell()
            content.seek(0)
            archive.addfile(about, content)
    shutil.move(part, path)
