"""The Shots tab: the manifest of a job, which is the command line's, to look at and to change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, make_dataclass, replace
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from colorize.app.api.base import Api, kept
from colorize.app.asked import form
from colorize.app.edits import changed_shots, choose, merge, serve, split
from colorize.app.error import PageError
from colorize.app.jobs import Job
from colorize.app.schema import read_json
from colorize.app.tasks.colour import choice_folder
from colorize.app.uploads import check_name
from colorize.films.plan.manifest import KEEP, Manifest, Shot


@dataclass(frozen=True)
class Choice:
    """What to do with the shot that begins at frame ``start``."""

    start: int
    variant: int | str


@dataclass(frozen=True)
class Merge:
    """Join the shot that begins at frame ``start`` and the one after it."""

    start: int


@dataclass(frozen=True)
class Split:
    """Let a new shot begin at ``frame``, within the one that begins at ``start``."""

    start: int
    frame: int


@dataclass(frozen=True)
class Serve:
    """Give the reference ``name`` to the shot that begins at frame ``start``, or take it away."""

    start: int
    name: str
    serves: bool


# What is set for all shots at once; None leaves it as it is.
SLIDERS = [each["name"] for each in form() if each["kind"] == "slider"]
Look = make_dataclass("Look", [(name, float | None, None) for name in SLIDERS], frozen=True)


class ShotsApi(Api):
    """The shots of a job."""

    def routes(self) -> Sequence[Route]:
        """Return which addresses it answers."""
        shots = "/api/jobs/{id}/shots"
        return [
            Route(shots, self.shots),
            Route(shots + "/choose", self.choose, methods=["POST"]),
            Route(shots + "/merge", self.merge, methods=["POST"]),
            Route(shots + "/split", self.split, methods=["POST"]),
            Route(shots + "/references", self.references, methods=["POST"]),
            Route(shots + "/look", self.look, methods=["POST"]),
            Route(shots + "/{start:int}/{number:int}.jpg", self.picture),
        ]

    def shots(self, request: Request) -> Response:
        """List the shots."""
        return JSONResponse(self._shown(self.job_of(request)))

    async def choose(self, request: Request) -> Response:
        """Choose a colouring for a shot."""
        asked, job = await read_json(request, Choice), self.job_of(request)
        return await self._edit(
            job, lambda m: choose(m, start=asked.start, variant=asked.variant, outputs=job.outputs)
        )

    async def merge(self, request: Request) -> Response:
        """Merge a shot with the next."""
        asked = await read_json(request, Merge)
        return await self._edit(self.job_of(request), lambda m: merge(m, start=asked.start))

    async def split(self, request: Request) -> Response:
        """Split a shot."""
        asked = await read_json(request, Split)
        return await self._edit(
            self.job_of(request), lambda m: split(m, start=asked.start, frame=asked.frame)
        )

    async def references(self, request: Request) -> Response:
        """Give a shot a reference, or take it away."""
        asked, job = await read_json(request, Serve), self.job_of(request)
        check_name(asked.name)
        path = job.references / asked.name
        return await self._edit(
            job, lambda m: serve(m, start=asked.start, path=path, serves=asked.serves)
        )

    async def look(self, request: Request) -> Response:
        """Set what can be set of the whole job."""
        asked, job = asdict(await read_json(request, Look)), self.job_of(request)
        look = {name: value for name, value in asked.items() if value is not None}

        def edit(manifest: Manifest) -> Manifest:
            job.asked = replace(job.asked, **look)
            job.write()
            return replace(manifest, settings=replace(manifest.settings, **look))

        return await self._edit(job, edit)

    def picture(self, request: Request) -> Response:
        """Show a colouring of a shot."""
        job = self.job_of(request)
        manifest, start = job.manifest(self.studio.roots), request.path_params["start"]
        for shot in manifest.shots:
            if shot.start == start:
                folder = choice_folder(job.folder / "choices", manifest, shot)
                path = folder / f"{request.path_params['number']}.jpg"
                if path.is_file():
                    return kept(path.read_bytes())
        raise PageError("this colouring is not drawn yet", status=404)

    async def _edit(self, job: Job, edit: Callable[[Manifest], Manifest]) -> Response:
        return JSONResponse(await run_in_threadpool(self._edited, job, edit))

    def _edited(self, job: Job, edit: Callable[[Manifest], Manifest]) -> dict[str, Any]:
        """Change the manifest, draw what is missing, and return the shots."""
        with job.lock:
            if self.studio.is_active(job):
                raise PageError("the job is at work; stop it or wait for its end", status=409)
            manifest = edit(job.manifest(self.studio.roots))
            manifest.write(job.store(self.studio.roots).manifest)
        if any(self._missing(job, manifest, shot) for shot in manifest.shots):
            self.studio.start(job, plan_only=True)
        return self._shown(job)

    def _missing(self, job: Job, manifest: Manifest, shot: Shot) -> bool:
        """Return whether the colourings of a shot have to be drawn."""
        folder = choice_folder(job.folder / "choices", manifest, shot)
        return shot.chosen != KEEP and not folder.is_dir()

    def _shown(self, job: Job) -> dict[str, Any]:
        """Return the shots for the page."""
        manifest = job.manifest(self.studio.roots)
        changed = changed_shots(job, manifest, self.studio.roots)
        waiting = [s for s, is_changed in zip(manifest.shots, changed, strict=True) if is_changed]
        return {
            "shots": [
                self._shot(job, manifest, shot, is_changed)
                for shot, is_changed in zip(manifest.shots, changed, strict=True)
            ],
            "outputs": job.outputs,
            "changed": len(waiting),
            "frames": sum(shot.stop - shot.start for shot in waiting),
            **{name: getattr(manifest.settings, name) for name in SLIDERS},
        }

    def _shot(self, job: Job, manifest: Manifest, shot: Shot, is_changed: bool) -> dict[str, Any]:
        folder = choice_folder(job.folder / "choices", manifest, shot)
        drawn = sorted(folder.glob("*.jpg"), key=lambda path: int(path.stem))
        key = f"{folder.parent.name}-{folder.name}"
        pictures = [f"{shot.start}/{path.stem}.jpg?v={key}" for path in drawn]
        return {
            "start": shot.start,
            "stop": shot.stop,
            "variant": shot.variant,
            "auto": shot.auto,
            "chosen": shot.chosen,
            "changed": is_changed,
            "pictures": pictures,
            "references": list(shot.guided_by),
        }
