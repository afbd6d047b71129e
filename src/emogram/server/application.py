"""The application: its routes, its errors, and the layers around it."""

import contextlib
import logging
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match
from starlette.types import ASGIApp

from emogram.errors import ConfigurationError, EmogramError
from emogram.server import adapting, browser_runtime, describing, documentation, keeping, page, recognising, streaming
from emogram.server.guard import Guard
from emogram.server.observation import Observation
from emogram.server.office import Office
from emogram.server.problems import TITLES, ClientGoneError, Problem

_log = logging.getLogger("emogram.server")

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def create(office: Office) -> ASGIApp:
    """The application around an office, whose threads it opens and closes."""
    application = _Application(office)
    for router in (recognising.router, keeping.router, adapting.router, describing.router, streaming.router):
        application.include_router(router)
    public = list(describing.PUBLIC)
    if office.settings.page:
        application.include_router(page.router())
        public += page.files()
        application.include_router(browser_runtime.router(office.settings.browser_runtime))
        public += browser_runtime.files(office.settings.browser_runtime)
    _answer_errors(application)
    inner: ASGIApp = Guard(application, office.settings, office.token, public)
    if office.settings.cors_origin:
        inner = CORSMiddleware(
            inner,
            allow_origins=office.settings.cors_origin,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "X-Filename"],
            expose_headers=["ETag", "Retry-After"],
        )
    return Observation(inner, office)


class _Application(FastAPI):
    """FastAPI with a document of its own, and neither Swagger nor ReDoc, which load from elsewhere."""

    def __init__(self, office: Office) -> None:
        super().__init__(docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan, redirect_slashes=False)
        self.state.office = office
        self.add_api_route("/openapi.json", self._document, include_in_schema=False)

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = documentation.document(self, needs_token=bool(self.state.office.token))
        return self.openapi_schema

    async def _document(self) -> Response:
        return JSONResponse(self.openapi())


@contextlib.asynccontextmanager
async def _lifespan(application: FastAPI) -> AsyncIterator[None]:
    office: Office = application.state.office
    await office.open()
    yield
    await office.close()


def _answer_errors(application: FastAPI) -> None:
    handlers: dict[type[Exception], Any] = {
        Problem: _of_problem,
        ClientGoneError: _of_client_gone,
        RequestValidationError: _of_validation,
        HTTPException: _of_http,
        ConfigurationError: _of_configuration,
        EmogramError: _of_emogram,
        Exception: _of_anything,
    }
    for error, handler in handlers.items():
        application.add_exception_handler(error, handler)


async def _of_problem(_: Request, problem: Problem) -> Response:
    return problem.response()


async def _of_client_gone(_: Request, __: ClientGoneError) -> Response:
    return Response(status_code=499)


async def _of_validation(_: Request, error: RequestValidationError) -> Response:
    told = "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors()[:5])
    return Problem(422, "invalid_parameter", told[:500]).response()


async def _of_http(request: Request, error: HTTPException) -> Response:
    if error.status_code == HTTPStatus.NOT_FOUND:
        return Problem(404, "not_found", f"there is no {request.url.path[:100]!r}; see /docs").response()
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(_methods(request))
        detail = f"{request.url.path[:100]} takes {allowed}, not {request.method[:20]}"
        return Problem(405, "method_not_allowed", detail, headers={"Allow": allowed}).response()
    told = str(error.detail or TITLES.get(error.status_code, "error"))
    return Problem(error.status_code, "refused", told, headers=error.headers).response()


async def _of_configuration(_: Request, error: ConfigurationError) -> Response:
    return Problem(422, "invalid_parameter", str(error)).response()


async def _of_emogram(_: Request, error: EmogramError) -> Response:
    _log.error("%s", error)
    return _internal()


async def _of_anything(_: Request, __: Exception) -> Response:
    return _internal()


def _internal() -> Response:
    # What went wrong names files of this machine, which are nobody's business.
    return Problem(500, "internal", "something went wrong within the server; its log says what").response()


def _methods(request: Request) -> list[str]:
    scopes = {method: {**request.scope, "method": method} for method in _METHODS}
    routes = request.app.routes
    return [name for name, scope in scopes.items() if any(one.matches(scope)[0] is Match.FULL for one in routes)]
