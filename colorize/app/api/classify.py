"""The Classify tab: pictures are dropped, submitted, and each gets its classes."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from colorize.app.api.base import Api, kept
from colorize.app.error import PageError
from colorize.app.schema import read_json
from colorize.app.thumbnails import thumbnail
from colorize.app.uploads import check_name
from colorize.media.pictures.folder import natural_key


@dataclass(frozen=True)
class Submission:
    """Which checkpoint is to look at the pictures; an empty device is the first."""

    checkpoint: str
    device: str = ""


class ClassifyApi(Api):
    """Sets of pictures, each of one tab."""

    def routes(self) -> Sequence[Route]:
        """Return which addresses it answers."""
        one = "/api/pictures/{id}"
        return [
            Route("/api/pictures", self.make, methods=["POST"]),
            Route(one, self.pictures),
            Route(one + "/classify", self.classify, methods=["POST"]),
            Route(one + "/{name}", self.upload, methods=["PUT"]),
            Route(one + "/{name}", self.forget, methods=["DELETE"]),
            Route(one + "/{name}", self.picture),
        ]

    def make(self, request: Request) -> Response:
        """Make an empty set."""
        name = secrets.token_hex(8)
        (self.studio.work / "pictures" / name / "pictures").mkdir(parents=True)
        return JSONResponse({"id": name, "pictures": []}, 201)

    def pictures(self, request: Request) -> Response:
        """List the pictures of a set."""
        names = [path.name for path in self._files(self._folder(request))]
        return JSONResponse({"id": request.path_params["id"], "pictures": names})

    async def upload(self, request: Request) -> Response:
        """Receive a picture."""
        await self.receive(request, self._folder(request))
        return JSONResponse({}, 201)

    def forget(self, request: Request) -> Response:
        """Delete a picture."""
        self.studio.uploads.forget(self._folder(request), request.path_params["name"])
        return JSONResponse({})

    def picture(self, request: Request) -> Response:
        """Show a picture."""
        name = request.path_params["name"]
        check_name(name)
        return kept(thumbnail(self._folder(request) / name, name))

    async def classify(self, request: Request) -> Response:
        """Queue the classification of all pictures of a set."""
        asked = await read_json(request, Submission)
        files = self._files(self._folder(request))
        if not files:
            raise PageError("drop pictures first")
        ticket = self.studio.queue.submit(
            {
                "task": "classify",
                "pictures": [str(path) for path in files],
                "checkpoint": str(self.studio.roots.existing(asked.checkpoint)),
            },
            device=asked.device or self.studio.queue.devices[0],
            on_end=lambda ticket: None,
        )
        return JSONResponse(self.shown_ticket(ticket))

    def _folder(self, request: Request) -> Path:
        """Return where the pictures of a set lie."""
        name = request.path_params["id"]
        folder = self.studio.work / "pictures" / name / "pictures"
        if not re.fullmatch(r"[0-9a-f]{16}", name) or not folder.is_dir():
            raise PageError("there are no such pictures any more; drop them again", status=404)
        return folder

    def _files(self, folder: Path) -> list[Path]:
        files = (path for path in folder.iterdir() if path.name[0] != ".")
        return sorted(files, key=natural_key)
