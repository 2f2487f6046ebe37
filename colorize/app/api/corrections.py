"""Frames to be corrected: taken away as pictures, brought back as references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from colorize.app.api.base import Api
from colorize.app.corrections import Examined, examine, forget_whole, keep_gray
from colorize.app.error import PageError
from colorize.app.jobs import Job
from colorize.app.kinds import PAINTED_SUFFIX, named_kind
from colorize.app.schema import read_json
from colorize.app.uploads import check_name
from colorize.base.files import write_atomically
from colorize.films.plan.references import frame_name, has_colors, read_picture
from colorize.inference.painted import read_painted
from colorize.media import open_source
from colorize.media.pictures.coding import encode_picture


@dataclass(frozen=True)
class Gray:
    """What the gray parts of a reference are: its true colours, or not painted yet."""

    keep: bool


class CorrectionsApi(Api):
    """Pictures of frames, out and in."""

    def routes(self) -> Sequence[Route]:
        """Return which addresses it answers."""
        job = "/api/jobs/{id}"
        return [
            # Not by a parameter: references may be called 10.png too.
            Route(job + "/original/{frame:int}.png", self.original),
            Route(job + "/result/{frame:int}.png", self.result),
            Route(job + "/references/{name}", self.drop, methods=["PUT"]),
            Route(job + "/references/{name}/gray", self.gray, methods=["POST"]),
            Route(job + "/corrections/{frame:int}/{name}", self.correct, methods=["PUT"]),
        ]

    def original(self, request: Request) -> Response:
        """Send a frame of the source, by a name that it is known by again."""
        return self._picture(request, coloured=False)

    def result(self, request: Request) -> Response:
        """Send a frame of the result, by a name that it is known by again."""
        return self._picture(request, coloured=True)

    def _picture(self, request: Request, *, coloured: bool) -> Response:
        job, frame = self.job_of(request), request.path_params["frame"]
        found = self.studio.views.frame(job, frame, coloured=coloured)
        name = f"{self._stem(job, frame)}{'' if coloured else '_gray'}.png"
        content = encode_picture(Path(name), found.rgb, found.alpha, 100)
        response = Response(content, media_type="image/png")
        response.headers["Content-Disposition"] = _saved_as(name)
        response.headers["Cache-Control"] = "no-store"
        return response

    async def drop(self, request: Request) -> Response:
        """Receive a reference, and tell which frame it shows; it replaces one of its name."""
        job, name = self.job_of(request), request.path_params["name"]
        self.check_idle(job)
        await self.receive(request, job.references, replace=True)
        name = await run_in_threadpool(self._flat, job, name)
        return JSONResponse(asdict(await run_in_threadpool(self._taken, job, name)), 201)

    async def correct(self, request: Request) -> Response:
        """Receive a corrected frame: a reference that shows it, by its own name."""
        job, frame = self.job_of(request), request.path_params["frame"]
        self.check_idle(job)
        given = request.path_params["name"]
        check_name(given)
        stem = await run_in_threadpool(self._stem, job, frame)
        name = stem + Path(given).suffix.lower()
        await self.receive(request, job.references, name=name, replace=True)
        name = await run_in_threadpool(self._flat, job, name)
        taken = await run_in_threadpool(self._taken, job, name)
        if taken.frame is None:
            await run_in_threadpool(self._forget, job, taken.name)
            raise PageError(
                f"{given} does not show frame {frame}: drop a picture of this frame, or drop it "
                "under References to follow it wherever it fits",
                status=415,
            )
        await run_in_threadpool(self._forget_others, job, taken.name)
        return JSONResponse(asdict(taken), 201)

    async def gray(self, request: Request) -> Response:
        """Take the answer to what gray parts of a reference are."""
        asked, job = await read_json(request, Gray), self.job_of(request)
        name = request.path_params["name"]
        check_name(name)
        self.check_idle(job)
        if asked.keep:
            keep_gray(job.references, name)
        else:
            forget_whole(job.references, name)
        self.studio.uploads.recount(job.references)
        return JSONResponse({})

    def _stem(self, job: Job, frame: int) -> str:
        """Return the name of a frame, without suffix."""
        with open_source(job.input(self.studio.roots)) as source:
            if source.count is not None and frame >= source.count:
                raise PageError(f"there is no frame {frame}: they are 0 to {source.count - 1}")
            return frame_name(source, frame)

    def _taken(self, job: Job, name: str) -> Examined:
        """Look at a picture that has come, and refuse one that has no colours to give."""
        path = job.references / name
        is_film = named_kind(name) == "film"
        if is_film or not has_colors(read_picture(path)):
            self._forget(job, name)
            what = "is a film: drop the frames that you mean" if is_film else "has no colours"
            raise PageError(f"{name} {what}; a reference is a picture in colour", status=415)
        forget_whole(job.references, name)  # of one that it replaces
        try:
            return examine(job, name, self.studio.roots)
        except PageError:  # no input yet: it is looked at with the film
            return Examined(name, None)
        finally:
            self.studio.uploads.recount(job.references)

    def _flat(self, job: Job, name: str) -> str:
        """Make a transparent picture of what is painted in layers; return its name."""
        path = job.references / name
        if path.suffix.lower() != PAINTED_SUFFIX:
            return name
        found, flat = read_painted(path), path.with_suffix(".png")
        write_atomically(flat, encode_picture(flat, found.rgb, found.alpha, 100))
        path.unlink()
        self.studio.uploads.recount(job.references)
        return flat.name

    def _forget(self, job: Job, name: str) -> None:
        forget_whole(job.references, name)
        self.studio.uploads.forget(job.references, name)

    def _forget_others(self, job: Job, name: str) -> None:
        """Remove earlier corrections of the frame, of other suffixes."""
        for path in job.references.iterdir():
            if path.stem == Path(name).stem and path.name != name and path.name[0] != ".":
                self._forget(job, path.name)


def _saved_as(name: str) -> str:
    """Return the header by which a browser saves a file under a name.

    Source: RFC 6266, section 4.3.
    """
    return f"attachment; filename*=utf-8''{quote(name, safe='')}"
