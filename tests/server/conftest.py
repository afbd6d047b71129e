"""Fixtures of the tests of the server."""

from collections.abc import Iterator

import httpx
import pytest

from tests.server.running import Running, running


@pytest.fixture(scope="session")
def server() -> Iterator[Running]:
    """A server with settings as they are, but for small limits and short waits."""
    with running(
        workers=2,
        queue=4,
        max_files=3,
        max_request_mb=0.4,
        max_audio_s=8.0,
        deadline_s=5.0,
        receive_s=0.5,
        max_sessions=2,
        max_message_kb=16,
        session_s=4.0,
        idle_s=0.5,
        log=False,
    ) as one:
        yield one


@pytest.fixture
def client(server: Running) -> httpx.Client:
    return server.client
