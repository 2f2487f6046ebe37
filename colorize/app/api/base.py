"""What all parts of the interface share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from colorize.app.error import PageError
from colorize.app.jobs import Job
from colorize.app.queue import Ticket
from colorize.app.studio import Studio

JPEG = "image/jpeg"


class Api(ABC):
    """A part of the interface, on what the page works with."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    @abstractmethod
    def routes(self) -> Sequence[Route]:
        """Return which addresses it answers."""

    def job_of(self, request: Request) -> Job:
        """Return the job of an address.

        Raises:
            PageError: There is none of that id.
        """
        return self.studio.jobs.get(request.path_params["id"])

    def check_idle(self, job: Job) -> None:
        """Refuse a change of what is being worked with.

        Raises:
            PageError: The job is at work.
        """
        if self.studio.is_active(job):
            raise PageError("the job is at work; stop it first", status=409)

    def shown_ticket(self, ticket: Ticket | None, *, since: int = 0) -> dict[str, Any] | None:
        """Return how far something is, for the page; log lines from number ``since`` on."""
        if ticket is None:
            return None
        return {
            "id": ticket.id,
            "state": ticket.state,
            "device": ticket.device,
            "ahead": self.studio.queue.ahead(ticket),
            "progress": ticket.progress,
            "lines": [self.studio.roots.hide(line) for line in ticket.log(since)],
            "said": ticket.said,
            "message": self.studio.roots.hide(ticket.message),
            "result": ticket.result,
        }

    async def receive(
        self, request: Request, folder: Path, *, name: str = "", replace: bool = False
    ) -> None:
        """Take the uploaded file of a request into ``folder``, by its own ``name`` or another.

        With ``replace`` it takes the place of one of the same name.

        Raises:
            PageError: See :meth:`colorize.app.uploads.Uploads.receive`.
        """
        length = request.headers.get("content-length")
        if length is not None and not length.isdecimal():
            raise PageError("content-length is no number")
        await self.studio.uploads.receive(
            folder,
            name or request.path_params["name"],
            request.stream(),
            announced=None if length is None else int(length),
            replace=replace,
        )


def whole_number(text: str | None, name: str, *, default: int = 0) -> int:
    """Return a whole number of a query.

    Raises:
        PageError: It is none.
    """
    if text is None:
        return default
    if not text.isdecimal():
        raise PageError(f"{name} is {text!r}: expected a whole number")
    return int(text)


def kept(content: bytes, *, media_type: str = JPEG) -> Response:
    """Return what never changes under its address: the browser need not ask again."""
    headers = {"Cache-Control": "private, max-age=86400, immutable"}
    return Response(content, media_type=media_type, headers=headers)
