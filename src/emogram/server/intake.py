"""What every endpoint that takes recordings does first: look for room, receive the body, take it apart."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import Header, Query
from starlette.requests import Request

from emogram.server import uploads
from emogram.server.bodies import Deadline, receive
from emogram.server.office import office_of
from emogram.server.problems import Problem
from emogram.server.uploads import Upload

_INLINE_BYTES = 2**16
"""A body up to this length is taken apart at once, a longer one by a thread."""

Name = Annotated[
    str | None, Query(max_length=200, description="Name of the recording, where the body is nothing else.")
]
NameHeader = Annotated[
    str | None, Header(alias="X-Filename", description="The same as a header; percent-encoded where it is not ASCII.")
]


@dataclass(frozen=True, slots=True)
class Intake:
    """Recordings that were received.

    Attributes:
        uploads: at least one.
        deadline: of the answer.
    """

    uploads: list[Upload]
    deadline: Deadline

    def only(self) -> Upload:
        """The one recording.

        Raises:
            Problem: there are several.
        """
        if len(self.uploads) != 1:
            raise Problem(422, "too_many_files", f"takes one recording, not {len(self.uploads)}; send them one by one")
        return self.uploads[0]


@contextlib.asynccontextmanager
async def taken_in(request: Request, name: str | None, filename: str | None) -> AsyncIterator[Intake]:
    """The recordings of a request, counted to the memory until they are done with.

    Raises:
        Problem: there is no room, or the body cannot be used.
        ClientGoneError: the client hung up.
    """
    office = office_of(request)
    settings = office.settings
    content_type = request.headers.get("content-type", "")
    uploads.kind_of(content_type, request.headers.get("content-encoding", ""))
    office.desk.check()
    deadline = Deadline(settings.deadline_s)
    with office.memory.share() as share:
        body = await receive(request, settings.max_request_bytes, deadline, settings.receive_s, share)
        arguments = (body, content_type, name or unquote(filename or ""), settings.max_files)
        if len(body) <= _INLINE_BYTES:
            found = uploads.read(*arguments)
        else:
            found = await asyncio.to_thread(uploads.read, *arguments)
        del body, arguments
        yield Intake(found, deadline)


def body_form(*, several: bool) -> dict[str, Any]:
    """The body in the OpenAPI document."""
    raw = {"schema": {"type": "string", "format": "binary"}}
    part = {"type": "string", "format": "binary"}
    parts = {"type": "array", "items": part, "minItems": 1} if several else part
    form = {"type": "object", "properties": {"file": parts}, "required": ["file"], "additionalProperties": False}
    words = "One recording or several" if several else "One recording"
    return {
        "requestBody": {
            "required": True,
            "description": f"{words}: parts called `file`, the file as it is, or base64 within JSON.",
            "content": {
                uploads.MULTIPART: {
                    "schema": form,
                    "encoding": {"file": {"contentType": "audio/*, application/octet-stream"}},
                },
                "audio/*": raw,
                uploads.BYTES: raw,
                uploads.JSON: {"schema": {"$ref": "#/components/schemas/JsonFiles"}},
            },
        }
    }
