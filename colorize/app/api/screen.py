"""The Screen tab: sort a folder by whether its pictures show one class, correct, undo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from classify.correction import correct
from classify.journal import NAME, undo
from colorize.app.api.base import Api, kept, whole_number
from colorize.app.error import PageError
from colorize.app.queue import Ticket
from colorize.app.schema import read_json
from colorize.app.screenings import open_journal, picture_of, shown_screening
from colorize.app.thumbnails import thumbnail


@dataclass(frozen=True)
class Asked:
    """The settings of a screening, as the page remembers them; folders are paths below roots.

    ``anew`` undoes the screening that lies in ``keep`` before.
    """

    checkpoint: str
    folder: str
    keep: str
    target: str = ""
    threshold: float = 0.95
    rejected: str = ""
    move: bool = False
    device: str = ""
    anew: bool = False


@dataclass(frozen=True)
class Keep:
    """The screening whose pictures are kept in a folder."""

    keep: str


@dataclass(frozen=True)
class Correction:
    """Another verdict on a picture."""

    keep: str
    file: str
    verdict: str


class ScreenApi(Api):
    """Screenings, each known by the folder of its kept pictures."""

    def routes(self) -> Sequence[Route]:
        """Return which addresses it answers."""
        return [
            Route("/api/screening", self.screening),
            Route("/api/screening/settings", self.settings),
            Route("/api/screening/start", self.start, methods=["POST"]),
            Route("/api/screening/correct", self.correct, methods=["POST"]),
            Route("/api/screening/undo", self.undo, methods=["POST"]),
            Route("/api/screening/{number:int}.jpg", self.picture),
        ]

    def settings(self, request: Request) -> Response:
        """Tell the settings of the last screening."""
        return JSONResponse(self.studio.remembered("screening"))

    async def start(self, request: Request) -> Response:
        """Queue a screening and remember its settings."""
        asked = await read_json(request, Asked)
        return JSONResponse(self.shown_ticket(await run_in_threadpool(self._start, asked)))

    def screening(self, request: Request) -> Response:
        """Tell what was decided."""
        keep = request.query_params.get("keep", "")
        return JSONResponse(shown_screening(self.studio.roots, keep))

    async def correct(self, request: Request) -> Response:
        """Change the verdict on a picture."""
        asked = await read_json(request, Correction)
        return JSONResponse(await run_in_threadpool(self._correct, asked))

    async def undo(self, request: Request) -> Response:
        """Bring back all that a screening moved, and remove its copies."""
        asked = await read_json(request, Keep)
        return JSONResponse(await run_in_threadpool(self._undo, asked.keep))

    def picture(self, request: Request) -> Response:
        """Show a picture."""
        number = request.path_params["number"]
        keep = request.query_params.get("keep", "")
        path = picture_of(self.studio.roots, keep, whole_number(str(number), "number"))
        return kept(thumbnail(path, path.name))

    def _start(self, asked: Asked) -> Ticket:
        roots = self.studio.roots
        if not 0 <= asked.threshold <= 1:
            raise PageError(f"the threshold is {asked.threshold}: expected 0 to 1")
        rejected = str(roots.path(asked.rejected)) if asked.rejected else None
        request = {
            "task": "screen",
            "folder": str(roots.existing(asked.folder)),
            "keep": str(roots.path(asked.keep)),
            "rejected": rejected,
            "target": asked.target,
            "threshold": float(asked.threshold),
            "move": asked.move,
            "checkpoint": str(roots.existing(asked.checkpoint)),
        }
        self._check_idle(asked.keep)
        if (roots.path(asked.keep) / NAME).is_file():
            open_journal(roots, asked.keep)  # it is gone on with: what it names must be open
            if asked.anew:
                self._undo(asked.keep)
        remembered = {key: value for key, value in asdict(asked).items() if key != "anew"}
        self.studio.remember("screening", remembered)
        device = asked.device or self.studio.queue.devices[0]
        ticket = self.studio.queue.submit(request, device=device, on_end=lambda ticket: None)
        self.studio.screenings[str(roots.path(asked.keep))] = ticket
        return ticket

    def _correct(self, asked: Correction) -> dict[str, Any]:
        self._check_idle(asked.keep)
        path, _, _ = open_journal(self.studio.roots, asked.keep)
        match asked.verdict:
            case "kept" | "rejected" as verdict:
                correct(path, asked.file, verdict)
            case _:
                raise PageError(f"verdict is {asked.verdict!r}: expected kept or rejected")
        return shown_screening(self.studio.roots, asked.keep)

    def _undo(self, keep: str) -> dict[str, Any]:
        self._check_idle(keep)
        path, _, _ = open_journal(self.studio.roots, keep)
        done, left = undo(path)
        if left:
            raise PageError(f"{done} undone, {len(left)} not: {left[0]}", status=409)
        return {"undone": done}

    def _check_idle(self, keep: str) -> None:
        """Refuse to change a screening that is at work."""
        ticket = self.studio.screenings.get(str(self.studio.roots.path(keep)))
        if ticket is not None and not ticket.ended:
            raise PageError("the screening is at work; stop it first", status=409)
