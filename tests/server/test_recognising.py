"""Predictions and timelines: every way to send a recording, and every way in which one is refused."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from emogram.recognition import Recognizer, load
from emogram.recognition.explanation import explain
from emogram.server.schemas import PredictionForm
from tests.recognition.small_models import LABELS, content
from tests.server.running import Running, clip

CLIP = clip()
WAV = {"Content-Type": "audio/wav"}


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return load(content())


def in_json(*files: bytes) -> dict[str, Any]:
    named = enumerate(files)
    return {"files": [{"name": f"{n}.wav", "data": base64.b64encode(data).decode()} for n, data in named]}


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem that an answer is, its form checked."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    fields: dict[str, Any] = answer.json()
    assert (fields["type"], fields["status"], fields["code"]) == ("about:blank", status, code)
    assert fields["title"]
    assert fields["detail"]
    assert "\n" not in fields["detail"]
    return fields


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("voice.wav", {"files": {"file": ("voice.wav", CLIP)}}),
        ("recording", {"content": CLIP, "headers": WAV}),
        ("recording", {"content": CLIP}),
        ("recording", {"content": CLIP, "headers": {"Content-Type": "application/octet-stream"}}),
        ("über.wav", {"content": CLIP, "headers": WAV | {"X-Filename": "%C3%BCber.wav"}}),
        ("a%41.wav", {"content": CLIP, "headers": WAV, "params": {"name": "a%41.wav"}}),
        ("0.wav", {"json": in_json(CLIP)}),
        ("recording", {"json": {"files": [{"data": base64.b64encode(CLIP).decode()}]}}),
    ],
)
def test_every_way_of_sending_gives_what_python_gives(
    client: httpx.Client, recognizer: Recognizer, name: str, request_: dict[str, Any]
) -> None:
    answer = client.post("/v1/predict", **request_)
    assert answer.status_code == 200, answer.text
    expected = recognizer.predict(CLIP).to_dict() | {"file": name}
    assert answer.json() == {"model": "tiny", "results": [expected]}


@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG", "AIFF", "MP3"])
def test_formats(client: httpx.Client, form: str) -> None:
    answer = client.post("/v1/predict", files={"file": clip(0.5, form=form)})
    assert list(answer.json()["results"][0]["probabilities"]) == list(LABELS)


def test_several_recordings_keep_their_order_and_their_errors(client: httpx.Client) -> None:
    files = [("file", ("a.wav", CLIP)), ("file", ("b.txt", b"no sound")), ("file", ("c.flac", clip(form="FLAC")))]
    for answer in (
        client.post("/v1/predict", files=files),
        client.post("/v1/predict", json=in_json(CLIP, b"no sound", clip(form="FLAC"))),
    ):
        first, second, third = answer.json()["results"]
        assert first["duration_s"] == third["duration_s"] == 1.2
        assert second["error"] == "is no audio that can be read; convert it to WAV, AIFF, FLAC, Ogg or MP3"
        assert set(second) == {"file", "error"}


@pytest.mark.parametrize(
    ("sound", "told"),
    [
        (b"no sound", "recording: is no audio that can be read; convert it"),
        (CLIP[:20], "recording: is"),
        (clip(level=1e-6), "recording: is silent"),
        (clip(9.0, form="FLAC"), "recording: is longer than the 8 s allowed; cut it into parts"),
    ],
    ids=["none", "cut", "silent", "long"],
)
@pytest.mark.parametrize("path", ["/v1/predict", "/v1/timeline"])
def test_a_recording_that_cannot_be_used(client: httpx.Client, path: str, sound: bytes, told: str) -> None:
    answer = client.post(path, content=sound, headers=WAV)
    if path == "/v1/timeline" and "silent" in told:
        assert answer.json()["segments"] == []
        return
    fields = problem(answer, 422, "unusable_audio")
    assert fields["detail"].startswith(told)
    assert fields["file"] == "recording"


def test_a_malformed_file_of_the_flac_tests_is_answered(client: httpx.Client, emogram_data: Path) -> None:
    files = sorted((emogram_data / "malformed").rglob("*.flac"))
    assert len(files) == 20
    for file in files:
        data = file.read_bytes()
        answer = client.post("/v1/predict", content=data[:390_000], headers={"X-Filename": file.name})
        assert answer.status_code in {200, 422}, (file, answer.text)
        if answer.status_code == 422:
            assert problem(answer, 422, "unusable_audio")["detail"].startswith(file.name)
    assert client.get("/readyz").status_code == 200


MULTIPART = {"Content-Type": "multipart/form-data; boundary=x"}
PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nRIFF\r\n'


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        ("no_file", {"content": b"", "headers": WAV}),
        ("no_file", {"json": {"files": []}}),
        ("no_file", {"content": b"--x--\r\n", "headers": MULTIPART}),
        ("malformed", {"content": b"{", "headers": {"Content-Type": "application/json"}}),
        ("malformed", {"content": b"\xff\xfe", "headers": {"Content-Type": "application/json"}}),
        ("malformed", {"content": b"[" * 1000, "headers": {"Content-Type": "application/json"}}),
        ("malformed", {"content": b"[]," * 1000, "headers": {"Content-Type": "application/json"}}),
        ("malformed", {"json": ["files"]}),
        ("malformed", {"json": {"files": [7]}}),
        ("malformed", {"json": {"files": [{"data": "no base64!"}]}}),
        ("malformed", {"json": {"files": [{"data": "ä"}]}}),
        ("malformed", {"json": {"files": [{"name": 7, "data": ""}]}}),
        ("malformed", {"files": {"sound": b"RIFF"}}),
        ("malformed", {"content": PART, "headers": {"Content-Type": "multipart/form-data"}}),
        ("malformed", {"content": PART, "headers": MULTIPART}),
        ("malformed", {"content": b"nothing", "headers": MULTIPART}),
        ("malformed", {"content": PART.replace(b"\r\n\r\n", b": x\r\n\r\n" * 99), "headers": MULTIPART}),
        ("too_many_files", {"json": in_json(*[CLIP] * 4)}),
        ("too_many_files", {"content": PART * 4000 + b"--x--\r\n", "headers": MULTIPART}),
    ],
)
def test_a_body_that_is_not_what_it_says(client: httpx.Client, code: str, request_: dict[str, Any]) -> None:
    problem(client.post("/v1/predict", **request_), 422, code)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Content-Type": "application/x-www-form-urlencoded"}, "unsupported_type"),
        ({"Content-Type": "video/mp4"}, "unsupported_type"),
        ({"Content-Type": "audio/wav", "Content-Encoding": "gzip"}, "unsupported_encoding"),
    ],
)
def test_a_type_that_is_not_taken(client: httpx.Client, headers: dict[str, str], code: str) -> None:
    problem(client.post("/v1/predict", content=CLIP, headers=headers), 415, code)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\sound\\a.wav", "a.wav"),
        ("..", "recording"),
        ("a\x00\x1b[31m\n.wav", "a[31m.wav"),
        ("x" * 500 + ".flac", "x" * 115 + ".flac"),
        ("Grüße 😀.wav", "Grüße 😀.wav"),
    ],
)
def test_names_are_safe(client: httpx.Client, given: str, shown: str) -> None:
    body = {"files": [{"name": given, "data": base64.b64encode(CLIP).decode()}]}
    assert client.post("/v1/predict", json=body).json()["results"][0]["file"] == shown
    if "\n" not in given:
        sent = client.post("/v1/predict", files={"file": (given, CLIP)})
        assert sent.json()["results"][0]["file"].endswith(shown[-5:])


def test_a_timeline_is_what_the_command_line_writes(client: httpx.Client, recognizer: Recognizer) -> None:
    call = clip(2.0)
    expected = recognizer.timeline(call)
    answer = client.post("/v1/timeline", content=call, headers=WAV).json()
    assert answer == json.loads(expected.to_json()) | {"file": "recording"}
    types = {"csv": "text/csv", "srt": "application/x-subrip", "vtt": "text/vtt", "audacity": "text/plain"}
    for name, kind in types.items():
        written = client.post("/v1/timeline", content=call, headers=WAV, params={"format": name})
        assert written.headers["content-type"].startswith(kind)
        text = getattr(expected, f"to_{name}")()
        assert written.text == text.replace("<bytes>", "recording")


def test_a_timeline_takes_one_recording(client: httpx.Client) -> None:
    problem(client.post("/v1/timeline", json=in_json(CLIP, CLIP)), 422, "too_many_files")
    problem(client.post("/v1/timeline", content=CLIP, headers=WAV, params={"format": "mp4"}), 422, "invalid_parameter")


def test_an_explanation_is_that_of_python(client: httpx.Client, recognizer: Recognizer) -> None:
    answer = client.post("/v1/predict", content=CLIP, headers=WAV, params={"explain": "true", "name": "a.wav"})
    expected = explain(recognizer, CLIP).to_dict() | {"file": "a.wav"}
    [result] = answer.json()["results"]
    assert result == recognizer.predict(CLIP).to_dict() | {
        "file": "a.wav",
        "explanation": json.loads(json.dumps(expected)),
    }
    PredictionForm.model_validate(result)


def test_sound_and_recordings_are_counted(server: Running) -> None:
    before = [server.metric(f'emogram_recordings_total{{outcome="{name}"}}') for name in ("answered", "failed")]
    heard = server.metric('emogram_audio_seconds_total{source="predict"}')
    server.client.post("/v1/predict", files=[("file", CLIP), ("file", b"none")])
    after = [server.metric(f'emogram_recordings_total{{outcome="{name}"}}') for name in ("answered", "failed")]
    assert [new - old for new, old in zip(after, before, strict=True)] == [1, 1]
    assert server.metric('emogram_audio_seconds_total{source="predict"}') - heard == pytest.approx(1.2)


def test_requests_at_once_do_not_mix(server: Running, recognizer: Recognizer) -> None:
    clips = {f"{level}.wav": clip(0.5, level=level) for level in np.linspace(0.01, 0.3, 12)}

    def ask(name: str) -> Any:
        while (answer := server.client.post("/v1/predict", files={"file": (name, clips[name])})).status_code == 429:
            pass
        return answer.json()["results"][0]

    with ThreadPoolExecutor(12) as pool:
        for (name, data), answer in zip(clips.items(), pool.map(ask, clips), strict=True):
            assert answer == recognizer.predict(data).to_dict() | {"file": name}
