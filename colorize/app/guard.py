"""Answer the page's own requests only: other sites that a browser has open must not reach it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_COOKIE = "tooncolor-key"
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
        "frame-ancestors 'none'; form-action 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """Refuses requests to other names of this machine and from other sites.

    ``hosts`` are the names by which the page may be called. With a ``key`` nobody without it gets
    anything: it comes once in the address (``/?key=…``) and stays as a cookie.
    """

    def __init__(self, app: ASGIApp, *, hosts: Sequence[str], key: str | None) -> None:
        self._app, self._hosts, self._key = app, set(hosts), key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        problem = self._problem(scope, headers)
        if problem:
            await JSONResponse({"error": problem}, 403)(scope, receive, _with_headers(send))
        elif self._key is not None and not self._has_key(headers):
            await self._ask_for_key(scope, receive, _with_headers(send))
        else:
            await self._app(scope, receive, _with_headers(send))

    def _problem(self, scope: Scope, headers: Headers) -> str:
        """Return why a request is none of the page's own; nothing if it is."""
        host = headers.get("host", "")
        if urlsplit(f"//{host}").hostname not in self._hosts and "*" not in self._hosts:
            return "this page is not called so; open it by the address that colorize-app printed"
        foreign = headers.get("sec-fetch-site", "none") not in ("same-origin", "none")
        # A link to the page may stand anywhere; what it leads to is the page alone.
        if foreign and (scope["method"], scope["path"]) != ("GET", "/"):
            return "only the page itself may ask for this"
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return "only the page itself may ask for this"
        # A form of another site cannot set a header of its own.
        if scope["method"] not in ("GET", "HEAD") and "x-tooncolor" not in headers:
            return "only the page itself may ask for this"
        return ""

    def _has_key(self, headers: Headers) -> bool:
        cookie = SimpleCookie(headers.get("cookie", "")).get(_COOKIE)
        assert self._key is not None
        return cookie is not None and secrets.compare_digest(cookie.value, self._key)

    async def _ask_for_key(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the key of the address, or refuse."""
        assert self._key is not None
        given = parse_qs(scope["query_string"].decode("latin-1")).get("key", [""])[0]
        if not secrets.compare_digest(given.encode(), self._key.encode()):
            text = "open this page by the whole address that colorize-app printed"
            await JSONResponse({"error": text}, 401)(scope, receive, send)
            return
        response = RedirectResponse("/", 303)
        response.set_cookie(_COOKIE, self._key, httponly=True, samesite="strict")
        await response(scope, receive, send)


def _with_headers(send: Send) -> Send:
    """Add what keeps a browser from doing more with an answer than the page wants."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sending
