"""The Colour tab: jobs, from what is dropped to what is taken away."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from colorize.app.api.base import Api, kept, whole_number
from colorize.app.asked import Asked
from colorize.app.corrections import forget_whole
from colorize.app.error import PageError
from colorize.app.jobs import Job, copy_single, references_of
from colorize.app.kinds import PAINTED_SUFFIX
from colorize.app.reel import check_size
from colorize.app.schema import read_json
from colorize.app.serving import serving
from colorize.app.uploads import check_name
from colorize.app.views import done_parts
from colorize.films.plan.manifest import AUTO
from colorize.media.pictures.folder import natural_key, picture_files


@dataclass(frozen=True)
class NewJob:
    """A job to be made; ``source`` is a path below a root, None if files will be dropped."""

    title: str = ""
    source: str | None = None


@dataclass(frozen=True)
class Start:
    """How to start: ``plan_only`` finds the shots and draws their colourings."""

    plan_only: bool = False


class ColourApi(Api):
    """Jobs: made, filled, started, looked at, fetched and deleted."""

    def routes(self) -> Sequence[Route]:
        """Return which addresses it answers."""
        job = "/api/jobs/{id}"
        return [
            Route("/api/jobs", self.jobs),
            Route("/api/jobs", self.make, methods=["POST"]),
            Route(job, self.job),
            Route(job, self.remove, methods=["DELETE"]),
            Route(job + "/settings", self.settings, methods=["POST"]),
            Route(job + "/start", self.start, methods=["POST"]),
            Route(job + "/stop", self.stop, methods=["POST"]),
            Route(job + "/{slot}/{name}", self.upload, methods=["PUT"]),
            Route(job + "/{slot}/{name}", self.forget, methods=["DELETE"]),
            Route(job + "/references/{name}", self.reference),
            Route(job + "/original/{frame:int}.jpg", self.original),
            Route(job + "/result/{frame:int}.jpg", self.result),
            Route(job + "/download", self.download),
        ]

    def jobs(self, request: Request) -> Response:
        """List all jobs."""
        return JSONResponse([self._head(job) for job in self.studio.jobs.all()])

    async def make(self, request: Request) -> Response:
        """Make a job, of dropped files to come or of a source below a root."""
        new = await read_json(request, NewJob)
        path = None if new.source is None else self.studio.roots.existing(new.source)
        title = new.title or ("" if path is None else path.name)
        job = self.studio.jobs.make(title=title[:200], source=new.source)
        if path is not None:
            await run_in_threadpool(copy_single, job, path)
        return JSONResponse(self._whole(job), 201)

    def job(self, request: Request) -> Response:
        """Tell all about a job."""
        since = whole_number(request.query_params.get("since"), "since")
        return JSONResponse(self._whole(self.job_of(request), since=since))

    def remove(self, request: Request) -> Response:
        """Delete a job."""
        job = self.job_of(request)
        ticket = self.studio.ticket(job)
        if ticket is not None and not ticket.ended:
            self.studio.queue.stop(ticket)
        self.studio.jobs.remove(job)
        return JSONResponse({})

    async def settings(self, request: Request) -> Response:
        """Take the settings of a job; those of its manifest follow at its next start."""
        asked = await read_json(request, Asked)
        job = self.job_of(request)
        with job.lock:
            self.check_idle(job)
            job.asked = asked
            job.write()
        return JSONResponse(self._whole(job))

    async def start(self, request: Request) -> Response:
        """Queue a job."""
        start = await read_json(request, Start)
        job = self.job_of(request)
        await run_in_threadpool(self.studio.start, job, plan_only=start.plan_only)
        return JSONResponse(self._whole(job))

    def stop(self, request: Request) -> Response:
        """Stop a job; what is finished stays."""
        job = self.job_of(request)
        ticket = self.studio.ticket(job)
        if ticket is not None:
            self.studio.queue.stop(ticket)
        return JSONResponse(self._whole(job))

    async def upload(self, request: Request) -> Response:
        """Receive a file of the input."""
        job = self.job_of(request)
        self.check_idle(job)
        folder = self._slot(request, job)
        if folder.name == "input" and Path(request.path_params["name"]).suffix == PAINTED_SUFFIX:
            raise PageError("layers are no frame of a film; drop them under References", status=415)
        if folder.name == "input" and job.source is not None:
            raise PageError("the job has its source in a folder; make another for dropped files")
        await self.receive(request, folder)
        if not job.title:
            job.title = request.path_params["name"]
            job.write()
        return JSONResponse({}, 201)

    def forget(self, request: Request) -> Response:
        """Remove a file of the input, or a reference from the job and from its shots."""
        job, name = self.job_of(request), request.path_params["name"]
        self.check_idle(job)
        folder = self._slot(request, job)
        self.studio.uploads.forget(folder, name)
        if folder == job.references:
            forget_whole(folder, name)
            self._forget_in_shots(job, name)
        return JSONResponse({})

    def _forget_in_shots(self, job: Job, name: str) -> None:
        """Let no shot name a reference that is gone."""
        with job.lock:
            try:
                manifest = job.manifest(self.studio.roots)
            except (ValueError, OSError):  # no shots are found yet
                return
            shots = [
                shot if shot.references == AUTO else shot.without_reference(name)
                for shot in manifest.shots
            ]
            if tuple(shots) != manifest.shots:
                manifest.with_shots(shots).write(job.store(self.studio.roots).manifest)

    def reference(self, request: Request) -> Response:
        """Show a reference."""
        name = request.path_params["name"]
        check_name(name)
        path = self.job_of(request).references / name
        if not path.is_file():
            raise PageError(f"there is no {name}", status=404)
        return kept(self.studio.views.reels.of(path).picture(0, short_side=180))

    def original(self, request: Request) -> Response:
        """Show a frame of the source."""
        job, frame, size = self._frame(request)
        return kept(self.studio.views.original(job, frame, short_side=size))

    def result(self, request: Request) -> Response:
        """Show a frame of the result."""
        job, frame, size = self._frame(request)
        return kept(self.studio.views.result(job, frame, short_side=size))

    def download(self, request: Request) -> Response:
        """Send the film, the picture, or the frames in an archive."""
        job = self.job_of(request)
        output = job.output(self.studio.roots)
        state = self.studio.state(job)
        if state == "changed":
            raise PageError("shots have changed since; colour them first", status=409)
        if state != "done":
            raise PageError("the job is not finished; start it and wait for its end", status=409)
        files = [output] if output.is_file() else picture_files(output)
        if len(files) == 1:
            return FileResponse(files[0], filename=files[0].name, content_disposition_type=_SAVE)
        archive = _archive(files, self.studio.work)
        name = f"{Path(job.title).stem or 'frames'}-colour.zip"
        clean = BackgroundTask(archive.unlink, missing_ok=True)
        return FileResponse(
            archive, filename=name, content_disposition_type=_SAVE, background=clean
        )

    def _slot(self, request: Request, job: Job) -> Path:
        """Return the folder of a job that files are dropped into."""
        slot = request.path_params["slot"]
        if slot not in ("input", "references"):
            raise PageError(f"{slot!r}: files are dropped as input or references", status=404)
        return job.folder / slot

    def _frame(self, request: Request) -> tuple[Job, int, int]:
        """Return which frame is asked for, and at which size."""
        size = whole_number(request.query_params.get("size"), "size", default=540)
        check_size(size)
        return self.job_of(request), request.path_params["frame"], size

    def _head(self, job: Job) -> dict[str, Any]:
        """Return what a list tells of a job."""
        return {
            "id": job.id,
            "title": job.title or "new job",
            "source": job.source,
            "state": self.studio.state(job),
            "message": job.message,
            "created": job.created,
            "outputs": job.outputs,
        }

    def _whole(self, job: Job, *, since: int = 0) -> dict[str, Any]:
        """Return all that the page shows of a job."""
        return {
            **self._head(job),
            "asked": asdict(job.asked),
            "input": _names(job.folder / "input"),
            "references": _names(job.references),
            "served": self._served(job),
            "footage": self._footage(job),
            "ticket": self.shown_ticket(self.studio.ticket(job), since=since),
            "view": self._view(job),
        }

    def _served(self, job: Job) -> dict[str, Any]:
        """Return by name what is known of the references: their frames, their shots."""
        try:
            manifest = job.manifest(self.studio.roots)
        except (ValueError, OSError):
            manifest = None
        return {path.name: asdict(serving(path, manifest)) for path in references_of(job)}

    def _footage(self, job: Job) -> dict[str, Any] | None:
        """Return the length, rate, size and sound of the source; None before it is there."""
        try:
            return self.studio.footage.of(job.input(self.studio.roots))
        except (ValueError, OSError):
            return None

    def _view(self, job: Job) -> dict[str, Any] | None:
        """Return what there is to be seen; None before the shots are found."""
        try:
            view = self.studio.views.of(job)
        except (ValueError, OSError):  # the list of jobs must not fail with one of them
            return None
        height, width = view.size
        return {
            "frames": view.manifest.source.frames,
            "kind": view.manifest.source.kind,
            "digest": view.manifest.source.digest[:16],
            "rate": float(view.rate or 12),
            "height": height,
            "width": width,
            "parts": done_parts(view, job.store(self.studio.roots)),
        }


_SAVE = "attachment"


def _names(folder: Path) -> list[str]:
    """Return the names of uploaded files, in natural order."""
    if not folder.is_dir():
        return []
    return [p.name for p in sorted(folder.iterdir(), key=natural_key) if p.name[0] != "."]


def _archive(files: Sequence[Path], work: Path) -> Path:
    """Write files into a ZIP archive that holds them as they are, and return its path."""
    with tempfile.NamedTemporaryFile(dir=work, suffix=".zip", delete=False) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for path in files:
                archive.write(path, path.name)
        return Path(file.name)
