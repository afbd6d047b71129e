"""Streams: the moments of Python's own stream, however messages are cut; and every way to abuse one."""

import contextlib
import json
import socket
import time
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from emogram.recognition import Recognizer, load
from tests.recognition.made_up import RATE, spoken
from tests.recognition.small_models import content
from tests.server.running import WAIT_S, Running, running, wait_until

SOUND = np.round(spoken(1.0, speech_s=1.0) * 32767).astype("<i2")


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return load(content())


def rest(stream: ClientConnection) -> tuple[list[dict[str, Any]], int]:
    """All messages until the stream is closed, and the code."""
    messages: list[dict[str, Any]] = []
    with contextlib.suppress(ConnectionClosed):
        messages.extend(map(json.loads, stream))
    assert stream.close_code is not None
    return messages, stream.close_code


def refusal(stream: ClientConnection) -> tuple[int, str, int]:
    """Status and code of the problem that comes last, and the code of the closing."""
    messages, code = rest(stream)
    assert set(messages[-1]) == {"type", "title", "status", "detail", "code"}
    return messages[-1]["status"], messages[-1]["code"], code


@pytest.mark.parametrize("size", [1001, 6400, 16_384])
@pytest.mark.parametrize(
    ("query", "arguments"), [("", {}), ("hop_s=0.25&window_s=0.5", {"hop_s": 0.25, "window_s": 0.5})]
)
def test_moments_are_those_of_python(
    server: Running, recognizer: Recognizer, size: int, query: str, arguments: dict[str, float]
) -> None:
    python = recognizer.stream(sample_rate=RATE, **arguments)
    expected = [moment.to_dict() for moment in [*python.feed(SOUND), *python.close()]]
    data = SOUND.tobytes()
    with connect(server.stream_url(f"sample_rate={RATE}&{query}")) as stream:
        for start in range(0, len(data), size):
            stream.send(data[start : start + size])
        stream.send('{"end": true}')
        messages, code = rest(stream)
    assert code == 1000
    assert messages == [*expected, {"done": True}]


def test_moments_come_while_sound_does(server: Running) -> None:
    with connect(server.stream_url()) as stream:
        stream.send(SOUND[:8000].tobytes())
        stream.send(SOUND[8000:16_000].tobytes())
        assert json.loads(stream.recv(5))["end_s"] == 1.0
        assert server.metric("emogram_stream_sessions") == 1
    wait_until(lambda: server.metric("emogram_stream_sessions") == 0)
    assert server.metric("emogram_stream_moments_total") >= 1


@pytest.mark.parametrize("rate", [8000, 48_000])
def test_other_rates(server: Running, rate: int) -> None:
    with connect(server.stream_url(f"sample_rate={rate}")) as stream:
        for _ in range(10):
            stream.send(bytes(rate // 5))
        stream.send('{"end": true}')
        messages, _ = rest(stream)
    assert messages[-2]["end_s"] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("sample_rate=10", "sample_rate: 10 is not between"),
        ("sample_rate=abc", "sample_rate: 'abc' is no number"),
        ("sample_rate=16000.5", "no whole number"),
        ("sample_rate=nan", "no number"),
        ("sample_rate=1e300", "sample_rate"),
        ("hop_s=0.01", "hop_s: 0.01 is less than 0.1 s"),
        ("hop_s=9", "hop_s: 9 is not between"),
        ("window_s=-1", "window_s: -1 is not between"),
        ("rate=16000", "rate: no such parameter"),
    ],
)
def test_parameters_that_cannot_be(server: Running, query: str, told: str) -> None:
    with connect(server.stream_url(query)) as stream:
        problem, code = rest(stream)
    assert told in problem[-1]["detail"]
    assert (problem[-1]["status"], code) == (422, 1008)


@pytest.mark.parametrize("text", ["hello", '{"end": false}', "[" * 5000, "{}", '"end"'])
def test_text_that_says_nothing(server: Running, text: str) -> None:
    with connect(server.stream_url()) as stream:
        stream.send(text)
        assert refusal(stream) == (422, "malformed", 1008)


def test_messages_are_bounded(server: Running) -> None:
    far_over = {1009, 1006}  # cut off unread, so that the connection can be reset before the code is seen
    with connect(server.stream_url()) as stream:
        stream.send(bytes(16_385))
        assert refusal(stream) == (413, "too_large", 1009)
    with connect(server.stream_url()) as stream:
        with contextlib.suppress(ConnectionClosed):
            stream.send(bytes(1_000_000))
        assert rest(stream)[1] in far_over
    with connect(server.stream_url()) as stream:
        with contextlib.suppress(ConnectionClosed):
            stream.send(iter([bytes(10_000)] * 100))
        assert rest(stream)[1] in far_over


def test_a_stream_is_bounded_in_length(server: Running) -> None:
    with connect(server.stream_url("sample_rate=1000&hop_s=1")) as stream:
        stream.send(bytes(8000))
        stream.send(bytes(2))
        assert refusal(stream) == (413, "too_long", 1009)


def test_who_says_nothing_is_not_waited_for(server: Running) -> None:
    with connect(server.stream_url()) as stream:
        assert refusal(stream) == (408, "idle", 1008)


@pytest.mark.parametrize("size", [0, 1])
def test_messages_without_sound_are_a_pause(server: Running, size: int) -> None:
    with connect(server.stream_url()) as stream:
        stream.send(bytes(2))
        began = time.monotonic()
        with contextlib.suppress(ConnectionClosed):
            stream.send(bytes(size))
            while time.monotonic() < began + WAIT_S:
                stream.send(b"")
                time.sleep(0.05)
        assert refusal(stream) == (408, "idle", 1008)
        assert time.monotonic() < began + 3


def test_a_stream_that_drips_is_ended() -> None:
    """Little sound, but some before every pause is over."""
    with running(session_s=1.0, idle_s=0.5, log=False) as one, connect(one.stream_url()) as stream:
        began = time.monotonic()
        with contextlib.suppress(ConnectionClosed):
            while time.monotonic() < began + WAIT_S:
                stream.send(bytes(2))
                time.sleep(0.05)
        assert refusal(stream) == (413, "too_long", 1009)
        assert 1.4 < time.monotonic() - began < 4


def test_there_are_only_so_many(server: Running) -> None:
    wait_until(lambda: server.office.sessions.count == 0)
    with connect(server.stream_url()), connect(server.stream_url()):
        wait_until(lambda: server.office.sessions.count == 2)
        with connect(server.stream_url()) as third:
            assert refusal(third) == (503, "too_many_sessions", 1013)
    wait_until(lambda: server.office.sessions.count == 0)


def test_a_client_that_is_killed_leaves_its_place(server: Running) -> None:
    wait_until(lambda: server.office.sessions.count == 0)
    for _ in range(4):
        with connect(server.stream_url()) as stream:
            stream.send(SOUND.tobytes()[:16_000])
            stream.socket.shutdown(socket.SHUT_RDWR)
            wait_until(lambda: server.office.sessions.count == 0)
    assert server.client.get("/readyz").status_code == 200


def test_shutdown_has_streams_say_what_they_have_left() -> None:
    with running(log=False) as one, connect(one.stream_url()) as stream:
        stream.send(SOUND[:12_000].tobytes())
        wait_until(lambda: one.office.sessions.count == 1)
        wait_until(lambda: one.metric('emogram_audio_seconds_total{source="stream"}') > 0.7)
        one.stop()
        messages, code = rest(stream)
    assert messages[0]["end_s"] == 0.75
    assert (messages[1]["code"], code) == ("closing", 1013)
