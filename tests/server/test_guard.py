"""Who may ask: names, origins, tokens; and what the answers tell a browser."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.server.running import Running, running
from tests.server.test_recognising import CLIP, WAV, problem

TOKEN = "correct-horse/battery=staple"
ORIGIN = "https://app.example.org"


@pytest.fixture(scope="module")
def locked() -> Iterator[Running]:
    with running(token=TOKEN, cors_origin=(ORIGIN,), log=False) as one:
        yield one


@pytest.mark.parametrize(
    "given",
    [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ä".encode("latin-1")],
)
@pytest.mark.parametrize("path", ["/v1/predict", "/v1/timeline", "/v1/recordings", "/v1/nothing"])
def test_without_the_token_nothing_is_answered(locked: Running, path: str, given: str | bytes | None) -> None:
    headers: dict[str, Any] = WAV | ({} if given is None else {"Authorization": given})
    answer = locked.client.post(path, content=CLIP, headers=headers)
    problem(answer, 401, "no_token")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_the_token_opens(locked: Running) -> None:
    for path in ("/v1/model", "/metrics"):
        problem(locked.client.get(path), 401, "no_token")
        assert locked.client.get(path, headers={"Authorization": f"bearer  {TOKEN}"}).status_code == 200
    answer = locked.client.post("/v1/predict", content=CLIP, headers=WAV | {"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/openapi.json", "/docs"])
def test_what_tells_nothing_needs_no_token(locked: Running, path: str) -> None:
    assert locked.client.get(path).status_code == 200


def test_a_stream_takes_the_token_in_three_ways(locked: Running) -> None:
    coded = base64.urlsafe_b64encode(TOKEN.encode()).decode().rstrip("=")
    ways: list[tuple[str, dict[str, Any]]] = [
        ("", {"additional_headers": {"Authorization": f"Bearer {TOKEN}"}}),
        ("", {"subprotocols": ["emogram", f"bearer.{coded}"]}),
        ("token=correct-horse%2Fbattery%3Dstaple", {}),
    ]
    for query, arguments in ways:
        with connect(locked.stream_url(query), **arguments) as stream:
            stream.send('{"end": true}')
            assert stream.recv() == '{"done": true}'
            assert stream.subprotocol == ("emogram" if "subprotocols" in arguments else None)


@pytest.mark.parametrize("subprotocols", [None, ["emogram", "bearer.d3Jvbmc"], ["emogram", "bearer.!"]])
def test_a_stream_without_the_token_is_told_so(locked: Running, subprotocols: Any) -> None:
    with connect(locked.stream_url(), subprotocols=subprotocols) as stream:
        assert '"code": "no_token"' in str(stream.recv())
        with pytest.raises(Exception, match="1008"):
            stream.recv()


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost", "garbage", "http://[", "http://[::1]x"]
)
def test_pages_from_elsewhere_may_change_nothing(server: Running, origin: str) -> None:
    answer = server.client.post("/v1/predict", files={"file": CLIP}, headers={"Origin": origin})
    problem(answer, 403, "foreign_origin")
    assert "access-control-allow-origin" not in answer.headers
    with pytest.raises(InvalidStatus), connect(server.stream_url(), additional_headers={"Origin": origin}):
        pass
    answer = server.client.get("/v1/model", headers={"Origin": origin})
    assert "access-control-allow-origin" not in answer.headers


def test_its_own_page_may(server: Running) -> None:
    own = {"Origin": f"http://127.0.0.1:{server.port}"}
    assert server.client.post("/v1/predict", files={"file": CLIP}, headers=own).status_code == 200
    with connect(server.stream_url(), additional_headers=own):
        pass


def test_a_page_that_is_named_may_ask(locked: Running) -> None:
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    allowed = locked.client.options("/v1/predict", headers=asked)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    given = {"Origin": ORIGIN, "Authorization": f"Bearer {TOKEN}"} | WAV
    answer = locked.client.post("/v1/predict", content=CLIP, headers=given)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, ORIGIN)
    refused = locked.client.options("/v1/predict", headers=asked | {"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in refused.headers


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8000", ""])
def test_a_local_server_has_local_names_only(server: Running, host: str) -> None:
    problem(server.client.get("/healthz", headers={"Host": host}), 421, "wrong_host")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8000"])
def test_local_names(server: Running, host: str) -> None:
    assert server.client.get("/healthz", headers={"Host": host}).status_code == 200


def test_every_answer_is_safe_in_a_browser(server: Running) -> None:
    for path in ("/healthz", "/nothing", "/docs", "/v1/model"):
        headers = server.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers
