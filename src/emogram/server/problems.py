"""Errors as problem details (RFC 9457): one form for everything that goes wrong, whoever notices it."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"

TITLES = {status.value: status.phrase for status in HTTPStatus}
TITLES |= {413: "Content Too Large", 422: "Unprocessable Content", 499: "Client Closed Request"}


class Problem(Exception):  # noqa: N818  (it is what the answer calls it)
    """What is told to a client in place of an answer.

    Args:
        status: of HTTP.
        code: the same in a word that programs can tell apart, such as ``too_large``.
        detail: what is wrong and what to do about it, one line.
        headers: further ones of the answer.
        members: further members of the object.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = " ".join(detail.split())
        self.headers = dict(headers or {})
        self.members = dict(members or {})

    def to_dict(self) -> dict[str, Any]:
        """The object of RFC 9457; ``code`` and what follows are extensions."""
        return {
            "type": "about:blank",
            "title": TITLES.get(self.status, "Error"),
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            **self.members,
        }

    def to_json(self) -> str:
        """`to_dict` as text."""
        return json.dumps(self.to_dict(), ensure_ascii=False)

    def response(self) -> Response:
        """The answer."""
        return Response(self.to_json(), self.status, self.headers, MEDIA_TYPE)


class ClientGoneError(Exception):
    """The client hung up; there is nobody to answer."""


def too_large(limit: int) -> Problem:
    """The request is longer than allowed."""
    detail = (
        f"the request is larger than the {limit / 1e6:g} MB allowed; send less, or compress the audio (FLAC, Ogg, MP3)"
    )
    return Problem(413, "too_large", detail)


def closing() -> Problem:
    """The server ends."""
    return Problem(503, "closing", "the server is shutting down; try again later", headers={"Retry-After": "5"})
