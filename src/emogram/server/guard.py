"""Who may ask: names by which the server is called, pages that call it, and the bearer token."""

import base64
import binascii
import hmac
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from emogram.server.problems import Problem
from emogram.server.settings import Settings

SUBPROTOCOL = "emogram"
_TOKEN_SUBPROTOCOL = "bearer."  # noqa: S105  (what comes before the token)
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class Guard:
    """Turns away what must not come in, before any of it is read.

    Args:
        app: behind it.
        settings: of the server.
        token: that requests must carry, empty for none.
        public: paths that need no token.
    """

    def __init__(self, app: ASGIApp, settings: Settings, token: str, public: Collection[str]) -> None:
        self._app = app
        self._settings = settings
        self._token = token
        self._public = frozenset(public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope)
        except Problem as problem:
            await problem.response()(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        names = self._settings.hosts
        if names and _without_port(host) not in names:
            detail = f"this server is not called {host[:80]!r}; start it with --allowed-host NAME if it shall be"
            raise Problem(421, "wrong_host", detail)
        origin = headers.get("origin")
        changes = scope["type"] == "websocket" or scope["method"] not in _SAFE_METHODS
        if changes and origin is not None and not self._is_own(origin, host):
            detail = f"pages of {origin[:80]!r} may not call this server; start it with --cors-origin URL if they shall"
            raise Problem(403, "foreign_origin", detail)
        # A stream is told what is wrong with its token once it is open: before that, browsers hide the answer.
        needed = scope["type"] == "http" and scope["path"] not in self._public
        if needed and not is_allowed(HTTPConnection(scope), self._token):
            detail = "the bearer token is missing or wrong; send the header Authorization: Bearer TOKEN"
            raise Problem(401, "no_token", detail, headers={"WWW-Authenticate": "Bearer"})

    def _is_own(self, origin: str, host: str) -> bool:
        allowed = self._settings.cors_origin
        return "*" in allowed or origin in allowed or _host_of(origin) == host


def is_allowed(connection: HTTPConnection, token: str) -> bool:
    """Whether a request carries the token: as header, or a stream's as subprotocol ``bearer.BASE64URL`` or ``token=``."""
    if not token:
        return True
    scheme, _, given = connection.headers.get("authorization", "").partition(" ")
    offered = [given.strip()] if scheme.lower() == "bearer" else []
    if connection.scope["type"] == "websocket":
        offered += [_decoded(name) for name in connection.scope["subprotocols"] if name.startswith(_TOKEN_SUBPROTOCOL)]
        offered += connection.query_params.getlist("token")
    return any(hmac.compare_digest(one.encode(), token.encode()) for one in offered)


def _host_of(origin: str) -> str | None:
    """Name and port, None where it is no origin."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _decoded(subprotocol: str) -> str:
    text = subprotocol.removeprefix(_TOKEN_SUBPROTOCOL)
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).strip("[]").lower()
