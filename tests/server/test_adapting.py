"""Adapting over HTTP: who may ask, what answers then, and what is told where it cannot be done."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from emogram.errors import ConfigurationError, CorpusError, EmogramError, LeakError, ModelError, SplitError
from emogram.server import schemas
from emogram.server.office import Adapted, Office
from emogram.server.settings import Settings
from tests.recognition import small_models
from tests.server.running import WAIT_S, Running, held, model, running, wait_until
from tests.server.test_recognising import CLIP, WAV, problem

LABELS = ("angry", "happy", "sad")
FACTS: dict[str, Any] = {
    "clips": 6,
    "speakers": 1,
    "emotions": list(LABELS),
    "other_speakers": False,
    "before": None,
    "after": {"value": 0.5, "low": None, "high": None},
    "sentence": None,
    "notes": ["the clips have one speaker"],
}


class Adapter:
    """Stands for the library: gives a model of other labels, or does what it is told."""

    def __init__(self) -> None:
        self.asked: list[tuple[Path, bytes]] = []
        self.then: Callable[[Callable[..., None]], Any] = lambda _: None

    def __call__(self, folder: Path, content: bytes, heard: Callable[..., None]) -> Adapted:
        self.asked.append((folder, content))
        self.then(heard)
        return Adapted(small_models.content(name="tiny-adapted", labels=LABELS), FACTS)


@pytest.fixture
def adapter() -> Adapter:
    return Adapter()


@pytest.fixture
def server(adapter: Adapter, tmp_path: Path) -> Iterator[Running]:
    settings = Settings(port=0, recordings=tmp_path, adapt=True, deadline_s=1.0, log=False)
    with running(office=Office(model(), settings, adapt=adapter)) as one:
        yield one


def labels(server: Running) -> list[str]:
    answer = server.client.post("/v1/predict", content=CLIP, headers=WAV).json()
    return list(answer["results"][0]["probabilities"])


def test_the_adapted_model_answers_until_it_is_taken_back(server: Running, adapter: Adapter, tmp_path: Path) -> None:
    assert server.client.get("/v1/adaptation").json() == {"adapted": None}
    original, before = server.client.get("/v1/model/file").content, labels(server)
    made = server.client.post("/v1/adaptation")
    assert made.status_code == 200, made.text
    assert made.json() == {"adapted": FACTS} == server.client.get("/v1/adaptation").json()
    schemas.AdaptationAnswer.model_validate(made.json())
    assert labels(server) == list(LABELS)
    told = server.client.get("/v1/model").json()
    assert (told["name"], told["adapts"]) == ("tiny-adapted", True)
    assert told["intended"] == ["neutral", "happy", "sad", "angry"]
    assert server.client.get("/v1/model/file").content != original
    server.client.post("/v1/adaptation")
    assert adapter.asked == [(tmp_path, original)] * 2  # never the adapted one
    assert server.client.delete("/v1/adaptation").json() == {"adapted": None}
    assert labels(server) == before
    assert server.client.get("/v1/model/file").content == original


def test_an_answer_names_the_model_that_gave_it(server: Running) -> None:
    """Also where another one is served by the time it is sent."""
    with held(server) as holding, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(server.client.post, "/v1/predict", content=CLIP, headers=WAV)
        wait_until(lambda: holding.begun)
        server.office.serve_adapted(Adapted(small_models.content(name="tiny-adapted", labels=LABELS), FACTS))
        holding.let_go()
        answer = asked.result(WAIT_S).json()
    assert answer["model"] == answer["results"][0]["model"] == "tiny"


def test_the_answer_to_adapting_is_what_was_adapted(
    server: Running, adapter: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where another client has taken it back since."""
    monkeypatch.setattr(server.office, "serve_adapted", lambda _: server.office.serve_original())
    assert server.client.post("/v1/adaptation").json() == {"adapted": FACTS}


def test_one_adaptation_at_a_time(server: Running, adapter: Adapter) -> None:
    with server.office.adapting:
        for method in ("POST", "DELETE"):
            problem(server.client.request(method, "/v1/adaptation"), 409, "adapting")
    assert adapter.asked == []


@pytest.mark.parametrize("kind", [ConfigurationError, CorpusError, LeakError, ModelError, SplitError])
def test_what_the_clips_do_not_allow_is_told_and_the_model_stays(
    server: Running, adapter: Adapter, kind: type[EmogramError]
) -> None:
    def refuse(_: Any) -> None:
        raise kind("clips: 1 of 'sad'; to learn and to test take 2 of each emotion")

    adapter.then = refuse
    answer = server.client.post("/v1/adaptation")
    problem(answer, 422, "cannot_adapt")
    assert "1 of 'sad'" in answer.json()["detail"]
    assert server.client.get("/v1/adaptation").json() == {"adapted": None}
    assert not server.office.adapting.locked()


def test_no_path_of_the_server_is_told(server: Running, adapter: Adapter, tmp_path: Path) -> None:
    def refuse(_: Any) -> None:
        raise CorpusError(f"{tmp_path}/sad/x.flac: cannot be read; remove it")

    adapter.then = refuse
    answer = server.client.post("/v1/adaptation")
    problem(answer, 422, "cannot_adapt")
    assert answer.json()["detail"] == "recordings/sad/x.flac: cannot be read; remove it"
    tmp_path.rmdir()
    answer = server.client.post("/v1/adaptation")
    problem(answer, 422, "cannot_adapt")
    assert answer.json()["detail"] == "no clips are kept yet; record some in the real-life test"


def test_what_takes_too_long_is_ended_and_changes_nothing(server: Running, adapter: Adapter) -> None:
    ended: list[bool] = []

    def go_on(heard: Callable[..., None]) -> None:
        until = time.monotonic() + WAIT_S
        try:
            while time.monotonic() < until:
                heard(1, 2)
                time.sleep(0.01)
        except Exception:
            ended.append(True)
            raise

    adapter.then = go_on
    answer = server.client.post("/v1/adaptation")
    problem(answer, 504, "deadline")
    assert "raise --deadline-s" in answer.json()["detail"]
    wait_until(lambda: ended and not server.office.adapting.locked())
    assert server.office.serving.adapted is None


def test_a_server_that_was_not_told_to_does_not(server: Running, tmp_path: Path) -> None:
    with running(recordings=tmp_path, log=False) as other:
        for method in ("GET", "POST", "DELETE"):
            problem(other.client.request(method, "/v1/adaptation"), 404, "switched_off")
        assert other.client.get("/v1/model").json()["adapts"] is False
    with pytest.raises(ConfigurationError, match="--adapt: there is nothing to adapt to; add --recordings DIR"):
        Settings(adapt=True)
