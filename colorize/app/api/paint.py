"""The Paint tab: frames painted by hand, seen in colour at once, and given to the film."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from colorize.app.api.base import Api
from colorize.app.error import PageError
from colorize.app.packed import packed, unpacked
from colorize.app.painting import Painting
from colorize.app.reel import check_size
from colorize.app.schema import read_json
from colorize.films.painting.palette import colors_of_gpl, gpl_of

_GPL = 2**20  # bytes of a palette of GIMP


@dataclass(frozen=True)
class Suggest:
    """How many frames to suggest, beside those that are painted already."""

    count: int = 8


@dataclass(frozen=True)
class Draft:
    """How large a draft is to be (its short side), and whether it is one of a shot being played.

    ``known`` is the key of the one that is there already.
    """

    size: int = 1080
    playing: bool = False
    known: str = ""


@dataclass(frozen=True)
class NewSwatch:
    """A colour for the palette of a ``version``."""

    version: str
    color: str
    name: str | None = None


@dataclass(frozen=True)
class ChangedSwatch:
    """Another colour and name for a swatch of the palette of a ``version``."""

    version: str
    id: int
    color: str
    name: str | None = None


@dataclass(frozen=True)
class GoneSwatch:
    """A swatch to be taken out of the palette of a ``version``."""

    version: str
    id: int


class PaintApi(Api):
    """Paint, the palette, and drafts."""

    def routes(self) -> Sequence[Route]:
        """Return which addresses it answers."""
        paint = "/api/jobs/{id}/paint"
        frame = paint + "/frames/{frame:int}"
        return [
            Route(paint, self.all),
            Route(paint + "/suggest", self.suggest, methods=["POST"]),
            Route(paint + "/hints.zip", self.hints),
            Route(paint + "/series.json", self.series),
            Route(paint + "/palette.gpl", self.export_palette),
            Route(paint + "/palette.gpl", self.import_palette, methods=["PUT"]),
            Route(paint + "/palette/add", self.add_swatch, methods=["POST"]),
            Route(paint + "/palette/change", self.change_swatch, methods=["POST"]),
            Route(paint + "/palette/remove", self.remove_swatch, methods=["POST"]),
            Route(frame, self.frame),
            Route(frame, self.keep, methods=["PUT"]),
            Route(frame, self.clear, methods=["DELETE"]),
            Route(frame + "/regions", self.regions),
            Route(frame + "/draft", self.draft, methods=["POST"]),
            Route(frame + "/offers", self.offers),
            Route(frame + "/accept", self.accept, methods=["POST"]),
        ]

    def all(self, request: Request) -> Response:
        """Tell what is painted, what could be, and the palette."""
        painting = self._painting(request)
        return JSONResponse({**painting.all(), **self._work(painting)})

    def _work(self, painting: Painting) -> dict[str, Any]:
        job = painting.job
        ticket = self.studio.suggesting(job)
        return {
            "title": job.title,
            "active": self.studio.is_active(job),
            "state": self.studio.state(job),
            "suggesting": self.shown_ticket(ticket),
        }

    async def suggest(self, request: Request) -> Response:
        """Look for frames to paint."""
        asked, job = await read_json(request, Suggest), self.job_of(request)
        if not 1 <= asked.count <= 48:
            raise PageError(f"count is {asked.count}: expected 1 to 48 frames")
        ticket = await run_in_threadpool(self.studio.suggest, job, asked.count)
        return JSONResponse(self.shown_ticket(ticket))

    def frame(self, request: Request) -> Response:
        """Send the luma of a frame, and its layer."""
        painting, number = self._painting(request), request.path_params["frame"]
        luma = painting.luma(number)
        layer, version = painting.store.layer(number, luma.shape)
        height, width = luma.shape
        head = {"frame": number, "width": width, "height": height, "version": version}
        return packed(head, [luma, layer])

    async def keep(self, request: Request) -> Response:
        """Take the layer of a frame."""
        painting, number = self._painting(request), request.path_params["frame"]
        version = request.headers.get("if-match", "").strip('"')
        luma = await run_in_threadpool(painting.luma, number)
        body = await _body(request, 2 * luma.size + 2**16)
        kept = await run_in_threadpool(painting.keep, number, unpacked(body, luma.shape), version)
        return JSONResponse({"version": kept})

    def clear(self, request: Request) -> Response:
        """Take the paint of a frame away, and the reference that was made of it."""
        painting, number = self._painting(request), request.path_params["frame"]
        self.check_idle(painting.job)
        painting.clear(number)
        return JSONResponse(painting.all())

    def regions(self, request: Request) -> Response:
        """Send the regions of a frame that a click fills."""
        found = self._painting(request).regions(request.path_params["frame"])
        arrays = [found.finest.astype(np.uint16), *(e.astype(np.uint16) for e in found.levels)]
        return packed({"usual": found.usual}, arrays)

    def offers(self, request: Request) -> Response:
        """Tell which named colours are found again in a frame."""
        number = request.path_params["frame"]
        return JSONResponse({"offers": self._painting(request).offers(number)})

    async def draft(self, request: Request) -> Response:
        """Colour a frame at once, by what is painted."""
        asked, painting = await read_json(request, Draft), self._painting(request)
        check_size(asked.size)
        answer = await run_in_threadpool(
            painting.draft,
            request.path_params["frame"],
            asked.size,
            playing=asked.playing,
            known=asked.known,
        )
        if answer is None:
            return packed({"same": True}, [])
        planes = [
            np.frombuffer(base64.b64decode(answer.pop(name)), np.uint8)
            for name in ("picture", "unsure")
        ]
        return packed(answer, planes)

    async def accept(self, request: Request) -> Response:
        """Let the film follow the paint of a frame."""
        painting, number = self._painting(request), request.path_params["frame"]
        self.check_idle(painting.job)
        await run_in_threadpool(painting.accept, number)
        return JSONResponse(await run_in_threadpool(painting.all))

    async def add_swatch(self, request: Request) -> Response:
        """Add a colour to the palette."""
        asked, painting = await read_json(request, NewSwatch), self._painting(request)
        return JSONResponse(
            await run_in_threadpool(painting.add_swatch, asked.version, asked.color, asked.name)
        )

    async def change_swatch(self, request: Request) -> Response:
        """Change a colour of the palette, wherever it is painted."""
        asked, painting = await read_json(request, ChangedSwatch), self._painting(request)
        return JSONResponse(
            await run_in_threadpool(
                painting.change_swatch, asked.version, asked.id, asked.color, asked.name
            )
        )

    async def remove_swatch(self, request: Request) -> Response:
        """Take a colour that is painted nowhere out of the palette."""
        asked, painting = await read_json(request, GoneSwatch), self._painting(request)
        return JSONResponse(
            await run_in_threadpool(painting.remove_swatch, asked.version, asked.id)
        )

    def export_palette(self, request: Request) -> Response:
        """Send the palette as GIMP reads it."""
        painting = self._painting(request)
        palette, _ = painting.store.palette()
        return _saved(gpl_of(palette, painting.job.title).encode(), "palette.gpl", "text/plain")

    async def import_palette(self, request: Request) -> Response:
        """Take the colours of a palette of GIMP."""
        painting = self._painting(request)
        body = await _body(request, _GPL)
        colors = colors_of_gpl(body.decode("utf-8", errors="replace"), "the palette")
        return JSONResponse(await run_in_threadpool(painting.import_colors, colors))

    def hints(self, request: Request) -> Response:
        """Send all that is painted as transparent pictures, as the command line takes hints."""
        return _saved(self._painting(request).hints(), "hints.zip", "application/zip")

    def series(self, request: Request) -> Response:
        """Send the named colours with examples, as the command line takes them."""
        return _saved(self._painting(request).series(), "series.json", "application/json")

    def _painting(self, request: Request) -> Painting:
        return self.studio.painting(self.job_of(request))


async def _body(request: Request, most: int) -> bytes:
    """Return the body of a request of at most so many bytes.

    Raises:
        PageError: It is longer.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise PageError(f"more than {most} bytes came", status=413)
    return bytes(body)


def _saved(content: bytes, name: str, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)
