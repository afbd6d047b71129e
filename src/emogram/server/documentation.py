"""The OpenAPI document, and a plain page that shows it: nothing is loaded from elsewhere."""

import html
import json
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from emogram import __version__
from emogram.server.problems import MEDIA_TYPE, TITLES
from emogram.server.schemas import JsonFile, JsonFiles, ProblemDetails

_DESCRIPTION = """Recognise emotion in speech. Recordings are decoded and recognised in memory; nothing is kept, unless the
server was started with a folder for the real-life test. Every error is a problem of RFC 9457.

`WS /v1/stream?sample_rate=16000` (also `hop_s`, `window_s`) takes 16-bit little-endian mono PCM in binary messages and sends
a JSON text message for each completed window, with the members of a segment and `speech`, the part of the window in which
somebody speaks. `{"end": true}` has the rest answered, then `{"done": true}`, and closes. An error is a problem as a text
message, then the code 1008 (wrong use), 1009 (too large) or 1013 (try again later).
"""

_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    429: _RETRY,
    503: _RETRY,
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that an endpoint may answer, for its ``responses``."""
    schema = {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}
    return {
        status: {"description": TITLES[status], "content": {MEDIA_TYPE: schema}}
        | ({"headers": _HEADERS[status]} if status in _HEADERS else {})
        for status in statuses
    }


def answers(form: type[BaseModel], *statuses: int) -> dict[int | str, dict[str, Any]]:
    """The form of the answer, and the problems that may come instead, for the ``responses`` of an endpoint."""
    return {200: {"model": form}, **problems(*statuses)}


def document(application: FastAPI, *, needs_token: bool) -> dict[str, Any]:
    """The OpenAPI document of the application."""
    made = get_openapi(title="emogram", version=__version__, description=_DESCRIPTION, routes=application.routes)
    components = made.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    forms: tuple[type[BaseModel], ...] = (ProblemDetails, JsonFile, JsonFiles)
    for form in forms:
        schemas[form.__name__] = form.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas[form.__name__].pop("$defs", None)
    if needs_token:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        for path, methods in made["paths"].items():
            if path.startswith("/v1/") or path == "/metrics":
                for method in methods.values():
                    method["security"] = [{"token": []}]
    return made


def as_page(document: Mapping[str, Any]) -> str:
    """The document as HTML without scripts or styles of elsewhere."""
    body = "\n".join(_sections(document))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>emogram: the API</title>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _sections(document: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h1>emogram {html.escape(document['info']['version'])}: the API</h1>"
    for paragraph in document["info"]["description"].strip().split("\n\n"):
        yield f"<p>{html.escape(paragraph)}</p>"
    yield '<p>For programs: <a href="/openapi.json">openapi.json</a></p>'
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"<h2><code>{method.upper()} {html.escape(path)}</code></h2>"
            yield f"<p>{html.escape(operation.get('summary', ''))}. {html.escape(operation.get('description', ''))}</p>"
            yield from _lists(operation)
    yield "<h2>Forms</h2>"
    for name, schema in document["components"]["schemas"].items():
        shown = html.escape(json.dumps(schema.get("properties", schema), indent=2))
        yield f"<details><summary><code>{html.escape(name)}</code></summary><pre>{shown}</pre></details>"


def _lists(operation: Mapping[str, Any]) -> Iterator[str]:
    parameters = operation.get("parameters", ())
    body = operation.get("requestBody", {})
    if parameters or body:
        yield "<ul>"
        for one in parameters:
            yield f"<li><code>{html.escape(one['name'])}</code> ({one['in']}): {html.escape(one.get('description', ''))}</li>"
        if body:
            kinds = ", ".join(f"<code>{html.escape(kind)}</code>" for kind in body["content"])
            yield f"<li>body: {html.escape(body.get('description', ''))} {kinds}</li>"
        yield "</ul>"
    answers = (f"{status} {html.escape(answer['description'])}" for status, answer in operation["responses"].items())
    yield f"<p>Answers: {'; '.join(answers)}</p>"
