"""The Runs tab: recorded experiments, and the curves of local runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from colorize.app.api.base import Api
from colorize.app.records import find_records, picture_type, read_record


class RunsApi(Api):
    """Runs and experiments below the roots."""

    def routes(self) -> Sequence[Route]:
        """Return which addresses it answers."""
        return [
            Route("/api/runs", self.runs),
            Route("/api/runs/one", self.run),
            Route("/api/runs/picture", self.picture),
        ]

    def runs(self, request: Request) -> Response:
        """List all runs and experiments."""
        return JSONResponse([asdict(each) for each in find_records(self.studio.roots)])

    def run(self, request: Request) -> Response:
        """Tell what one says."""
        path = request.query_params.get("path", "")
        return JSONResponse(read_record(self.studio.roots, path))

    def picture(self, request: Request) -> Response:
        """Show a picture of one."""
        path = self.studio.roots.existing(request.query_params.get("path", ""))
        return FileResponse(path, media_type=picture_type(path))
