"""Limits of size, time, number and memory, with clients that keep none of them; the server answers the next one."""

import asyncio
import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

import httpx
import pytest
from starlette.requests import Request
from uvicorn.server import ServerState

from emogram.server.bodies import Deadline, Memory, receive
from emogram.server.connections import HttpConnection, kinds
from emogram.server.listening import prediction
from emogram.server.problems import Problem
from emogram.server.settings import Settings
from emogram.server.uploads import Upload
from emogram.server.work import AbandonedError
from tests.server.running import Running, clip, held, running, wait_until
from tests.server.test_recognising import CLIP, WAV, problem

POST = b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: audio/wav\r\n"


@pytest.fixture(autouse=True)
def answers_afterwards(server: Running) -> Iterator[None]:
    yield
    wait_until(lambda: server.office.desk.pending == 0)
    wait_until(lambda: server.office.memory.held == 0)
    assert server.client.post("/v1/predict", content=CLIP, headers=WAV).status_code == 200


def answer_of(connection: socket.socket) -> tuple[int, dict[str, str], dict[str, object]]:
    """Status, headers and problem of what comes until the server closes."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            received += part
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(first.split()[1]), headers, json.loads(body)


def clients_of(server: Running) -> list[object]:
    return [getattr(one, "client", None) for one in server.server.server_state.connections]


def test_a_body_that_is_said_to_be_too_large_is_not_received(server: Running) -> None:
    with server.connect() as connection:
        connection.sendall(POST + b"Content-Length: 400001\r\nExpect: 100-continue\r\n\r\n")
        status, headers, fields = answer_of(connection)
    assert (status, fields["code"], headers["connection"]) == (413, "too_large", "close")
    assert "0.4 MB" in str(fields["detail"])


def test_a_body_of_unknown_length_is_cut_off_as_it_comes() -> None:
    """A request made by hand, which counts how often it is asked for more."""
    asked = 0

    async def endless() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": bytes(1000), "more_body": True}

    async def take() -> None:
        memory = Memory(1_000_000)
        with memory.share() as share:
            scope = {"type": "http", "method": "POST", "headers": []}
            with pytest.raises(Problem, match="larger than"):
                await receive(Request(scope, endless), 10_000, Deadline(5), 5, share)
            assert memory.held == 10_000
        assert memory.held == 0

    asyncio.run(take())
    assert asked == 11


def test_a_client_that_sends_for_ever_is_cut_off(server: Running) -> None:
    with server.connect() as connection, contextlib.suppress(ConnectionError):
        connection.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(100_000):
            connection.sendall(b"10000\r\n" + bytes(65536) + b"\r\n")
        pytest.fail("six gigabytes were taken")


def test_a_client_that_sends_all_before_it_reads_gets_the_answer(server: Running) -> None:
    with server.connect() as connection:
        body = bytes(600_000)
        connection.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert answer_of(connection)[0] == 413


def test_a_body_that_stops_is_not_waited_for(server: Running) -> None:
    with server.connect() as connection:
        connection.sendall(POST + b"Content-Length: 1000\r\n\r\n" + bytes(10))
        started = time.monotonic()
        status, _, fields = answer_of(connection)
    assert (status, fields["code"]) == (408, "too_slow")
    assert time.monotonic() - started < 4


def test_a_body_that_drips_meets_the_deadline() -> None:
    with running(deadline_s=0.4, receive_s=0.3) as one, one.connect() as connection:
        connection.sendall(POST + b"Content-Length: 1000\r\n\r\n")
        stop = threading.Event()

        def drip() -> None:
            with contextlib.suppress(OSError):
                while not stop.wait(0.05):
                    connection.sendall(b".")

        thread = threading.Thread(target=drip)
        thread.start()
        status, _, fields = answer_of(connection)
        stop.set()
        thread.join()
    assert (status, fields["code"]) == (408, "too_slow")


@pytest.mark.parametrize("begin", [b"", b"POST /v1/pre"])
def test_a_head_that_does_not_come_is_not_waited_for(server: Running, begin: bytes) -> None:
    with server.connect() as connection:
        connection.sendall(begin)
        started = time.monotonic()
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(100) == b""
        assert 0.3 < time.monotonic() - started < 4


def test_a_second_head_that_does_not_come_is_not_waited_for(server: Running) -> None:
    with server.connect() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        received = b""
        while not received.endswith(b"}"):
            received += connection.recv(65536)
        connection.sendall(b"GET /h")
        started = time.monotonic()
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(100) == b""
        assert time.monotonic() - started < 4


def test_what_is_no_http_is_a_problem(server: Running) -> None:
    with server.connect() as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        status, headers, fields = answer_of(connection)
    assert (status, fields["code"], headers["content-type"]) == (400, "no_http", "application/problem+json")


def test_clients_that_are_killed_leave_nothing_behind(server: Running) -> None:
    head = POST + b"Content-Length: %d\r\n\r\n" % len(CLIP)
    for sent in (head[:30], head, head + CLIP[:1000], head + CLIP):
        connection = server.connect()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(sent)
        connection.close()


def test_what_nobody_waits_for_any_more_is_not_begun(server: Running) -> None:
    with held(server) as holding:
        connections = [server.connect() for _ in range(4)]
        for connection in connections:
            connection.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(CLIP) + CLIP)
        wait_until(lambda: server.office.desk.pending == 4)
        assert server.office.desk.waiting == 2
        assert server.metric("emogram_queue_depth") == 2
        for connection in connections:
            connection.close()
        wait_until(lambda: server.office.desk.pending == 2)
        holding.let_go()
        wait_until(lambda: server.office.desk.pending == 0)
        assert holding.begun == 2


def test_a_full_queue_is_told_with_when_to_come_again(server: Running) -> None:
    with held(server) as holding, ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(server.client.post, "/v1/predict", content=CLIP, headers=WAV) for _ in range(6)]
        wait_until(lambda: server.office.desk.pending == 6)
        refused = server.client.post("/v1/predict", content=CLIP, headers=WAV)
        problem(refused, 429, "busy")
        assert int(refused.headers["retry-after"]) >= 1
        problem(server.client.get("/readyz"), 503, "not_ready")
        assert server.client.get("/healthz").status_code == 200
        holding.let_go()
        assert [one.result().status_code for one in asked] == [200] * 6


def test_an_answer_that_takes_too_long_is_given_up() -> None:
    with running(workers=1, deadline_s=0.3) as one, held(one) as holding:
        problem(one.client.post("/v1/predict", content=CLIP, headers=WAV), 504, "deadline")
        holding.let_go()


def test_decoding_stops_when_nobody_waits(server: Running) -> None:
    abandoned = threading.Event()
    abandoned.set()
    with pytest.raises(AbandonedError):
        prediction(server.office.serving.recognizer, Upload("a", clip()), 60)(abandoned)


def test_bodies_share_a_bounded_memory() -> None:
    with running(max_request_mb=0.1, max_memory_mb=0.1) as one, one.connect() as slow:
        slow.sendall(POST + b"Content-Length: 90000\r\n\r\n" + bytes(80_000))
        wait_until(lambda: one.office.memory.held == 80_000)
        assert one.metric("emogram_body_bytes") == 80_000
        refused = one.client.post("/v1/predict", content=CLIP, headers=WAV)
        problem(refused, 503, "out_of_memory")
        assert refused.headers["retry-after"] == "2"
        slow.close()
        wait_until(lambda: one.office.memory.held == 0)
        assert one.client.post("/v1/predict", content=CLIP, headers=WAV).status_code == 200


def test_there_are_only_so_many_connections() -> None:
    with running(max_connections=2) as one:
        assert one.client.get("/healthz").status_code == 200
        with one.connect() as second:
            second.sendall(b"GET")
            wait_until(lambda: len(one.server.server_state.connections) == 2)
            with one.connect() as third:
                status, headers, fields = answer_of(third)
        assert (status, fields["code"], headers["retry-after"]) == (503, "too_many_connections", "2")
        wait_until(lambda: len(one.server.server_state.connections) <= 1)
        assert one.client.get("/healthz").status_code == 200


def test_a_client_that_does_not_read_its_answer_is_not_waited_for(server: Running) -> None:
    content = server.office.serving.model.content
    object.__setattr__(server.office.serving.model, "content", bytes(60_000_000))
    try:
        with server.connect() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(b"GET /v1/model/file HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            name = connection.getsockname()
            wait_until(lambda: name in clients_of(server))
            wait_until(lambda: name not in clients_of(server))
    finally:
        object.__setattr__(server.office.serving.model, "content", content)


@pytest.mark.parametrize("kind", [0, 1], ids=["http", "stream"])
def test_a_connection_whose_client_reads_again_goes_on(server: Running, kind: int) -> None:
    aborted = []

    async def wait() -> None:
        for reads_again in (True, False):
            transport = mock.Mock(get_extra_info=lambda _: None)
            protocol = kinds(Settings(receive_s=0.1))[kind](server.server.config, ServerState(), {})
            protocol.connection_made(transport)
            if isinstance(protocol, HttpConnection):
                protocol._stop_waiting()
            protocol.pause_writing()
            if reads_again:
                protocol.resume_writing()
            await asyncio.sleep(0.2)
            aborted.append(transport.abort.called)

    asyncio.run(wait())
    assert aborted == [False, True]


def test_shutdown_finishes_what_is_in_flight() -> None:
    with running(workers=1) as one, held(one) as holding, ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(httpx.post, f"{one.client.base_url}/v1/predict", content=CLIP, headers=WAV) for _ in "ab"]
        wait_until(lambda: one.office.desk.pending == 2)
        one.stop()
        wait_until(lambda: one.office.leaving)
        assert one.office.unready == "the server is shutting down"
        time.sleep(0.2)
        assert not any(each.done() for each in asked)
        holding.let_go()
        assert [each.result().status_code for each in asked] == [200, 200]
    with pytest.raises(OSError, match="refused"):
        one.connect()


def test_before_it_stops_it_is_not_ready_for_a_while() -> None:
    with running(drain_s=0.6) as one:
        one.stop()
        wait_until(lambda: one.office.leaving)
        problem(one.client.get("/readyz"), 503, "not_ready")
        assert one.client.post("/v1/predict", content=CLIP, headers=WAV).status_code == 200


def test_shutdown_waits_only_so_long() -> None:
    with running(workers=1, shutdown_s=0.3, deadline_s=5) as one, ThreadPoolExecutor(1) as pool, held(one) as holding:
        asked = pool.submit(httpx.post, f"{one.client.base_url}/v1/predict", content=CLIP, headers=WAV)
        wait_until(lambda: one.office.desk.pending == 1)
        one.stop()
        problem(asked.result(), 503, "closing")
        holding.let_go()
