"""`GET /v1/model` and its file, `/healthz`, `/readyz`, `/metrics`, `/docs`: what the server is and how it does."""

import dataclasses
import functools
import hashlib
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from emogram.server.documentation import answers, as_page, problems
from emogram.server.metrics import MEDIA_TYPE
from emogram.server.office import Office, office_of
from emogram.server.page import unchanged
from emogram.server.problems import Problem
from emogram.server.schemas import LimitsForm, ModelAnswer, StateAnswer
from emogram.server.uploads import BYTES

PUBLIC = ("/healthz", "/readyz", "/openapi.json", "/docs")
"""Paths that need no token."""

router = APIRouter()

_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The ONNX file.",
        "content": {BYTES: {"schema": {"type": "string", "format": "binary"}}},
        "headers": {"ETag": {"schema": {"type": "string"}}},
    },
    304: {"description": "The client has it already."},
}
_COUNTS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The counts.", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


@router.get(
    "/v1/model",
    summary="The model and the limits",
    response_model=None,
    responses=answers(ModelAnswer, 401, 421),
    tags=["model"],
)
async def model(request: Request) -> Response:
    """What the model says about itself, and what the server takes."""
    office = office_of(request)
    serving = office.serving
    info = serving.model.info
    fields = {
        field.name: dict(value) if isinstance(value := getattr(info, field.name), Mapping) else value
        for field in dataclasses.fields(info)
    }
    more = {
        "threshold": info.threshold,
        "explains": True,
        "records": office.settings.recordings is not None,
        "adapts": office.adapt is not None,
        "intended": list(office.intended(serving)),
        "downloadable": office.settings.model_file,
        "browser_runtime": office.settings.page and office.settings.browser_runtime is not None,
        "limits": _limits(office),
    }
    return JSONResponse(fields | more)


@router.get(
    "/v1/model/file",
    summary="The model's file",
    response_model=None,
    responses=_FILE | problems(401, 404, 421),
    tags=["model"],
)
async def model_file(request: Request) -> Response:
    """For recognition within the browser; one graph from wave to probabilities."""
    office = office_of(request)
    if not office.settings.model_file:
        raise Problem(404, "switched_off", "this server does not hand out its model")
    content = office.serving.model.content
    headers = {"etag": _tag(content), "cache-control": "no-cache"}
    if unchanged(request, headers["etag"]):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=BYTES, headers=headers)


@router.get("/healthz", summary="Whether the process lives", responses=problems(421), tags=["state"])
async def healthz() -> StateAnswer:
    """Says ok as long as it can say anything."""
    return StateAnswer(status="ok")


@router.get("/readyz", summary="Whether to send requests here", responses=problems(421, 503), tags=["state"])
async def readyz(request: Request) -> StateAnswer:
    """Says ok while the model is loaded, the queue has room and the server is not shutting down."""
    if reason := office_of(request).unready:
        raise Problem(503, "not_ready", f"{reason}; try again later", headers={"Retry-After": "2"})
    return StateAnswer(status="ok")


@router.get(
    "/metrics",
    summary="Counts for Prometheus",
    response_model=None,
    responses=_COUNTS | problems(401, 421),
    tags=["state"],
)
async def metrics(request: Request) -> Response:
    """Requests and errors by status, times, queue, sound heard, streams, memory of the process."""
    return Response(office_of(request).metrics.text(), media_type=MEDIA_TYPE)


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Response:
    """The OpenAPI document for people."""
    return HTMLResponse(as_page(request.app.openapi()))


def _limits(office: Office) -> dict[str, float]:
    settings = office.settings
    return {name: getattr(settings, name) for name in LimitsForm.model_fields}


@functools.lru_cache(maxsize=4)
def _tag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'
