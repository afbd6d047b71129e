"""The real-life test over HTTP: what is kept, what is told, and that nothing is written otherwise."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emogram import audio
from emogram.recognition.recordings import Recordings
from emogram.server import schemas
from tests.server.running import Running, clip, held, running, wait_until
from tests.server.test_recognising import CLIP, WAV, problem


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "new"


@pytest.fixture(scope="module")
def keeper(folder: Path) -> Iterator[Running]:
    with running(recordings=folder, workers=1, log=False) as one:
        yield one


def test_clips_are_kept_with_both_emotions(keeper: Running, folder: Path) -> None:
    assert keeper.client.get("/v1/recordings").json() == {"tally": {}, "total": 0, "agreeing": 0}
    assert not folder.exists()
    first = keeper.client.post("/v1/recordings?emotion=neutral&speaker=anna", content=CLIP, headers=WAV)
    assert first.status_code == 200, first.text
    assert schemas.RecordingAnswer.model_validate(first.json()).model_dump(exclude_unset=True) == first.json()
    assert (first.json()["intended"], first.json()["agrees"]) == ("neutral", True)
    second = keeper.client.post("/v1/recordings?emotion=Angry", files={"file": CLIP}).json()
    assert (second["intended"], second["agrees"]) == ("angry", False)
    told = {"tally": {"neutral": {"neutral": 1}, "angry": {"neutral": 1}}, "total": 2, "agreeing": 1}
    assert {name: second[name] for name in told} == told
    assert keeper.client.get("/v1/recordings").json() == told
    kept = list(Recordings(folder))
    assert [(one.emotion, one.predicted, one.speaker) for one in kept] == [
        ("neutral", "neutral", "anna"),
        ("angry", "neutral", ""),
    ]
    assert len(audio.load(folder / kept[0].path)) == len(audio.load(CLIP))
    assert keeper.client.get("/v1/model").json()["records"] is True


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "invalid_parameter"),
        ("?emotion=hungry", "invalid_parameter"),
        ("?emotion=../../etc", "invalid_parameter"),
        ("?emotion=sad&speaker=../x", "invalid_parameter"),
    ],
)
def test_what_cannot_be_kept_is_not(keeper: Running, folder: Path, query: str, code: str) -> None:
    before = sorted(folder.rglob("*"))
    problem(keeper.client.post(f"/v1/recordings{query}", content=CLIP, headers=WAV), 422, code)
    problem(keeper.client.post("/v1/recordings?emotion=sad", content=b"no sound", headers=WAV), 422, "unusable_audio")
    assert sorted(folder.rglob("*")) == before


def test_nothing_is_kept_of_a_client_that_left(keeper: Running, folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    with held(keeper) as holding:
        with keeper.connect() as connection:
            head = b"POST /v1/recordings?emotion=sad HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n"
            connection.sendall(head % len(CLIP) + CLIP)
            wait_until(lambda: holding.begun == 1)
        wait_until(lambda: keeper.metric('emogram_requests_total{method="POST",path="/v1/recordings",status="499"}'))
        holding.let_go()
    assert sorted(folder.rglob("*")) == before


def test_a_folder_that_cannot_be_written_is_an_error_of_the_server(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with running(recordings=tmp_path / "file" / "below", log=False) as one:
        answer = one.client.post("/v1/recordings?emotion=sad", content=CLIP, headers=WAV)
        assert str(tmp_path) not in str(problem(answer, 500, "internal"))


def test_prediction_writes_nothing(keeper: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert keeper.client.post("/v1/predict", files={"file": ("../x.wav", clip(10.0))}).status_code == 200
    assert list(tmp_path.iterdir()) == []
