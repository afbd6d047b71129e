"""From the body of a request to recordings: multipart, JSON with base64, or the bytes of one file as they are."""

import base64
import binascii
import json
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from emogram.server.problems import Problem

MULTIPART, JSON, BYTES = "multipart/form-data", "application/json", "application/octet-stream"

_FALLBACK_NAME = "recording"
_NAME_CHARACTERS = 120
_HEADER_BYTES = 4096
"""Of a header of a part. Not every release of the parser has a limit, nor takes options apart in linear time."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A recording that was sent.

    Attributes:
        name: how answers call it: one line, no folders.
        data: the file.
    """

    name: str
    data: bytes | bytearray


def safe_name(name: str | None) -> str:
    """The last part of a path from anywhere, as printable text of bounded length."""
    last = (name or "").replace("\\", "/").rstrip("/").rpartition("/")[2]
    printable = "".join(letter for letter in last if letter.isprintable()).strip()
    shown = printable if printable.strip(".") else ""
    if len(shown) > _NAME_CHARACTERS:
        suffix = PurePath(shown).suffix[:10]
        shown = shown[: _NAME_CHARACTERS - len(suffix)] + suffix
    return shown or _FALLBACK_NAME


def kind_of(content_type: str, encoding: str = "") -> str:
    """How to read a body: `MULTIPART`, `JSON` or `BYTES`.

    Raises:
        Problem: none of them.
    """
    if encoding.strip().lower() not in {"", "identity"}:
        raise Problem(415, "unsupported_encoding", "Content-Encoding is not supported; send the file as it is")
    kind = content_type.partition(";")[0].strip().lower()
    if kind in {MULTIPART, JSON}:
        return kind
    if kind in {"", BYTES, "application/ogg"} or kind.startswith("audio/"):
        return BYTES
    detail = f"Content-Type is {kind[:80]!r}; send audio/*, {BYTES}, {MULTIPART} or {JSON}"
    raise Problem(415, "unsupported_type", detail, headers={"Accept-Post": f"audio/*, {BYTES}, {MULTIPART}, {JSON}"})


def read(body: bytearray, content_type: str, name: str | None, max_files: int) -> list[Upload]:
    """The recordings in a body, at least one.

    Args:
        body: of the request.
        content_type: as its header says.
        name: of the one recording, where the body is nothing else.
        max_files: the most there may be.

    Raises:
        Problem: it is not what its type says, or holds none or too many.
    """
    kind = kind_of(content_type)
    if kind == BYTES:
        uploads = [Upload(safe_name(name), body)] if body else []
    elif kind == JSON:
        uploads = _in_json(body, max_files)
    else:
        uploads = _in_parts(body, content_type, max_files)
    if not uploads:
        raise Problem(422, "no_file", "the request holds no recording; send at least one, in parts called 'file'")
    return uploads


def _in_json(body: bytearray, max_files: int) -> list[Upload]:
    # Base64 has none of these signs, so a body with many of them is no recordings, and could be a hundredfold as objects.
    if sum(body.count(sign) for sign in b"[{,") > 1000 + 100 * max_files:
        raise _malformed("has far more members than recordings")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _malformed(f"is no JSON ({str(error)[:100]})") from None
    files = value.get("files") if isinstance(value, dict) else None
    if not isinstance(files, list):
        raise _malformed('has no list "files"')
    if len(files) > max_files:
        raise _too_many(max_files)
    return [_from_json(f"files[{number}]", item) for number, item in enumerate(files)]


def _from_json(where: str, item: Any) -> Upload:
    if not isinstance(item, dict) or not isinstance(item.get("data"), str):
        raise _malformed(f'{where} has no text "data"')
    if not isinstance(item.get("name", ""), str):
        raise _malformed(f'{where} has a "name" that is no text')
    try:
        data = base64.b64decode(item["data"], validate=True)
    except (binascii.Error, ValueError):
        raise _malformed(f'{where} has "data" that is no base64') from None
    return Upload(safe_name(item.get("name")), data)


def _in_parts(body: bytearray, content_type: str, max_files: int) -> list[Upload]:
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if not boundary:
        raise _malformed("has a Content-Type without boundary")
    parts = _Parts(max_files)
    try:
        parser = MultipartParser(boundary, parts.callbacks())
        parser.write(body)  # type: ignore[arg-type]  # it only searches and slices; a copy would be another 25 MB
        parser.finalize()
    except FormParserError as error:
        raise _malformed(f"is no {MULTIPART} ({str(error)[:100]})") from None
    if not parts.ended:
        raise _malformed("ends before its last boundary: it was cut off")
    return [Upload(name, data) for name, data in parts.found]


class _Parts:
    """Collects the parts of a body as a parser walks through it. Nothing goes to disk."""

    def __init__(self, max_files: int) -> None:
        self.found: list[tuple[str, bytearray]] = []
        self._max_files = max_files
        self.ended = False
        self._field, self._value = bytearray(), bytearray()
        self._headers: dict[str, str] = {}

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: _add(self._field, data, start, end),
            "on_header_value": lambda data, start, end: _add(self._value, data, start, end),
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": lambda data, start, end: self.found[-1][1].extend(memoryview(data)[start:end]),
            "on_end": self._end,
        }

    def _begin(self) -> None:
        if len(self.found) == self._max_files:
            raise _too_many(self._max_files)
        self._headers = {}

    def _end_header(self) -> None:
        self._headers[self._field.decode("latin-1").lower()] = self._value.decode("utf-8", "replace")
        self._field, self._value = bytearray(), bytearray()

    def _end_headers(self) -> None:
        # The parser of options takes Latin-1 apart, browsers send names in UTF-8.
        disposition = self._headers.get("content-disposition", "").encode().decode("latin-1")
        _, options = parse_options_header(disposition)
        field, name = (options.get(key, b"").decode("utf-8", "replace") for key in (b"name", b"filename"))
        if field != "file":
            raise _malformed(f"has a part called {field[:40]!r}")
        self.found.append((safe_name(name), bytearray()))

    def _end(self) -> None:
        self.ended = True


def _add(text: bytearray, data: bytes, start: int, end: int) -> None:
    if len(text) + end - start > _HEADER_BYTES:
        raise _malformed(f"has a part with a header of more than {_HEADER_BYTES} bytes")
    text.extend(data[start:end])


def _too_many(max_files: int) -> Problem:
    return Problem(422, "too_many_files", f"more than {max_files} recordings in one request; send them in several")


def _malformed(problem: str) -> Problem:
    remedy = (
        f'send {MULTIPART} with parts called \'file\', or {JSON} such as {{"files": [{{"name": …, "data": BASE64}}]}}'
    )
    return Problem(422, "malformed", f"the body {problem}; {remedy}")
