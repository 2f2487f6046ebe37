"""Put the page together: its interface, its files, its guard, and its errors of one line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from colorize.app.api import APIS
from colorize.app.error import PageError
from colorize.app.guard import Guard
from colorize.app.studio import Studio
from colorize.base.errors import line_for_user

STATIC = Path(__file__).parent / "static"
LOCAL = ("127.0.0.1", "localhost", "::1")


def make_app(studio: Studio, *, hosts: Sequence[str] = LOCAL, key: str | None = None) -> Starlette:
    """Return the page as an ASGI application.

    ``hosts`` are the names it may be called by; with a ``key`` only who knows it gets in.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        studio.resume()
        yield
        studio.close()

    routes = [route for api in APIS for route in api(studio).routes()]
    return Starlette(
        routes=[
            Route("/", lambda request: FileResponse(STATIC / "index.html")),
            *routes,
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(Guard, hosts=hosts, key=key)],
        exception_handlers={
            ValueError: lambda request, error: _refuse(studio, error),
            OSError: lambda request, error: _refuse(studio, error),
            404: lambda request, error: JSONResponse({"error": "there is nothing here"}, 404),
            500: _defect,
        },
        lifespan=lifespan,
    )


def _refuse(studio: Studio, error: Exception) -> Response:
    """Answer with the one line that an error says to the user, without places of the server."""
    line = line_for_user(error)
    if line is None:
        raise error
    status = error.status if isinstance(error, PageError) else 400
    return JSONResponse({"error": studio.roots.hide(line)}, status)


def _defect(request: Request, error: Exception) -> Response:
    text = f"a defect ({type(error).__name__}): the terminal of colorize-app says more"
    return JSONResponse({"error": text}, 500)
