"""The jobs of the page: a folder each, which holds all that is needed to go on.

``page.json`` says what was asked for, ``input/`` is what was dropped (unless the source lies below
a root), ``references/`` the coloured frames, ``output/`` the result with the engine's own job in
it, ``choices/`` the drawn colourings.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from colorize.app.asked import Asked
from colorize.app.error import PageError
from colorize.app.kinds import named_kind
from colorize.app.roots import Roots
from colorize.app.schema import build
from colorize.base.files import write_atomically
from colorize.films.plan.manifest import Manifest, read_manifest
from colorize.films.store import Store, job_folder
from colorize.inference.settings import without_retired
from colorize.media import IMAGE_SUFFIXES
from colorize.media.pictures.folder import picture_files
from colorize.media.video.encoder import CONTAINERS

FORMAT = "tooncolor-page-1"


@dataclass
class Job:
    """A job of the page; ``source`` is a path below a root, None if the input was dropped."""

    folder: Path
    title: str = ""
    source: str | None = None
    asked: Asked = field(default_factory=Asked)
    state: Literal["draft", "waiting", "done", "failed", "stopped", "planned"] = "draft"
    message: str = ""
    created: float = 0.0
    outputs: int | None = None
    lock: threading.RLock = field(default_factory=threading.RLock, compare=False)

    @property
    def id(self) -> str:
        """The name of its folder."""
        return self.folder.name

    @property
    def references(self) -> Path:
        """Where its coloured frames lie."""
        return self.folder / "references"

    def write(self) -> None:
        """Write down what is asked for and how far it is."""
        content = {"format": FORMAT, **{name: getattr(self, name) for name in _WRITTEN}}
        content["asked"] = asdict(self.asked)
        text = json.dumps(content, indent=1, ensure_ascii=False)
        write_atomically(self.folder / "page.json", text.encode())

    def input(self, roots: Roots) -> Path:
        """Return the film or the folder of frames that is to be coloured.

        Raises:
            PageError: Nothing is there yet, or films and pictures are mixed.
        """
        if self.source is not None:
            return roots.existing(self.source)
        folder = self.folder / "input"
        names = (
            [path.name for path in folder.iterdir() if path.name[0] != "."]
            if (folder.is_dir())
            else []
        )
        if not names:
            raise PageError("drop a film or pictures first")
        films = [name for name in names if named_kind(name) == "film"]
        if len(films) > 1 or (films and len(names) > 1):
            raise PageError("drop one film, or pictures alone: each film is a job of its own")
        return folder / films[0] if films else folder

    def output(self, roots: Roots) -> Path:
        """Return where the result goes: a film beside nothing else, or a folder of frames."""
        source = self.input(roots)
        if source.is_dir():
            return self.folder / "output"
        suffix = source.suffix.lower()
        return self.folder / "output" / f"{source.stem}-colour{_film_suffix(suffix)}"

    def store(self, roots: Roots) -> Store:
        """Return the engine's own folder of this job."""
        output, is_folder = self.output(roots), self.input(roots).is_dir()
        folder = job_folder(output, kind="folder" if is_folder else "video")
        return Store(folder, frames=output if is_folder else None)

    def manifest(self, roots: Roots) -> Manifest:
        """Return its shots and settings as the command line has them.

        Raises:
            PageError: Its shots are not found yet.
        """
        path = self.store(roots).manifest
        if not path.is_file():
            raise PageError("the shots are not found yet; start the job", status=409)
        return read_manifest(path)


_WRITTEN = ("title", "source", "state", "message", "created", "outputs")


def references_of(job: Job) -> list[Path]:
    """Return the coloured frames that a job is to follow."""
    if not job.references.is_dir():
        return []
    return picture_files(job.references)


class Jobs:
    """All jobs, by the names of their folders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if re.fullmatch(r"[0-9a-f]{16}", path.name) and (path / "page.json").is_file():
                self._jobs[path.name] = _read(path)

    def make(self, *, title: str = "", source: str | None = None) -> Job:
        """Make a job without anything in it."""
        job = Job(self.folder / secrets.token_hex(8), title, source, created=time.time())
        job.write()
        with self._lock:
            self._jobs[job.id] = job
        return job

    def get(self, name: str) -> Job:
        """Return a job.

        Raises:
            PageError: There is none of that id.
        """
        with self._lock:
            if name not in self._jobs:
                raise PageError("there is no such job any more", status=404)
            return self._jobs[name]

    def all(self) -> list[Job]:
        """Return all jobs, the newest first."""
        with self._lock:
            return sorted(self._jobs.values(), key=lambda job: -job.created)

    def remove(self, job: Job) -> None:
        """Delete a job with all that it made."""
        with self._lock:
            self._jobs.pop(job.id, None)
        shutil.rmtree(job.folder, ignore_errors=True)


def _read(folder: Path) -> Job:
    """Return the job of a folder; one whose page.json is damaged is a draft again."""
    try:
        content: Mapping[str, Any] = json.loads((folder / "page.json").read_bytes())
        values = {name: content[name] for name in _WRITTEN}
        asked, gone = without_retired(content["asked"])
        if gone:
            values["message"] = f"{gone}; delete this job and make it anew to colour it without"
        return Job(folder, asked=build(Asked, asked), **values)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Job(folder, title="damaged job")


def _film_suffix(suffix: str) -> str:
    """Return the container of a result: that of the source where it can be written."""
    return suffix if suffix in CONTAINERS else ".mkv"


def copy_single(job: Job, path: Path) -> None:
    """Take a single picture below a root into the job, so that it is a folder of one frame."""
    if path.is_file() and path.suffix.lower() in IMAGE_SUFFIXES:
        folder = job.folder / "input"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / path.name)
        job.source = None
        job.write()
