"""What every tab needs: folders to choose from, checkpoints, devices, and things at work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from colorize.app.api.base import Api, whole_number
from colorize.app.asked import form
from colorize.app.kinds import FILM_SUFFIXES, PAINTED_SUFFIX, PICTURE_SUFFIXES
from colorize.app.weights import find_weights
from colorize.media.pictures.folder import natural_key

_MOST = 2000  # entries of a folder that are listed


class FilesApi(Api):
    """Folders below the roots, checkpoints, limits, and the state of the queue."""

    def routes(self) -> Sequence[Route]:
        """Return which addresses it answers."""
        return [
            Route("/api/about", self.about),
            Route("/api/weights", self.weights),
            Route("/api/folders", self.folders),
            Route("/api/tickets/{id}", self.ticket),
            Route("/api/tickets/{id}/stop", self.stop, methods=["POST"]),
        ]

    def about(self, request: Request) -> Response:
        """Tell what this server can do."""
        limits = self.studio.uploads.limits
        return JSONResponse(
            {
                "roots": self.studio.roots.names,
                "devices": self.studio.queue.devices,
                "limits": asdict(limits),
                "settings": form(),
                "pictures": sorted(PICTURE_SUFFIXES),
                "paintings": [PAINTED_SUFFIX],
                "films": sorted(FILM_SUFFIXES),
            }
        )

    def weights(self, request: Request) -> Response:
        """List the checkpoints below the roots."""
        return JSONResponse([asdict(each) for each in find_weights(self.studio.roots)])

    def folders(self, request: Request) -> Response:
        """List what a folder holds; without a path, the roots."""
        text = request.query_params.get("path", "")
        roots = self.studio.roots
        if not text:
            return JSONResponse({"path": "", "folders": roots.names, "files": [], "more": False})
        folder = roots.existing(text)
        entries = sorted(
            (path for path in folder.iterdir() if path.name[0] != "."), key=natural_key
        )
        shown: dict[str, Any] = {
            "path": roots.show(folder),
            "folders": [path.name for path in entries[:_MOST] if path.is_dir()],
            "files": [path.name for path in entries[:_MOST] if _is_media(path)],
            "more": len(entries) > _MOST,
        }
        return JSONResponse(shown)

    def ticket(self, request: Request) -> Response:
        """Tell how far something is."""
        ticket = self.studio.queue.ticket(request.path_params["id"])
        since = whole_number(request.query_params.get("since"), "since")
        return JSONResponse(self.shown_ticket(ticket, since=since))

    def stop(self, request: Request) -> Response:
        """Stop something."""
        ticket = self.studio.queue.ticket(request.path_params["id"])
        self.studio.queue.stop(ticket)
        return JSONResponse(self.shown_ticket(ticket))


def _is_media(path: Path) -> bool:
    return path.suffix.lower() in PICTURE_SUFFIXES | FILM_SUFFIXES and path.is_file()
