"""What the server says about itself: model, state, metrics, the OpenAPI document, and that answers keep to it."""

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pydantic
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from emogram.server import schemas
from tests.server.running import Running, running, wait_until
from tests.server.test_recognising import CLIP, WAV, problem

ENDPOINTS = (
    *("POST /v1/predict", "POST /v1/timeline", "POST /v1/recordings", "GET /v1/recordings"),
    *("GET /v1/adaptation", "POST /v1/adaptation", "DELETE /v1/adaptation"),
    *("GET /v1/model", "GET /v1/model/file", "GET /healthz", "GET /readyz", "GET /metrics"),
)

load_all_checks()
# What the schema allows can be no audio, and what it forbids can be harmless.
NOT_CHECKED = CHECKS.get_by_names(["positive_data_acceptance", "negative_data_rejection"])


@pytest.fixture(scope="module")
def document(server: Running) -> dict[str, Any]:
    fields: dict[str, Any] = server.client.get("/openapi.json").json()
    return fields


def test_the_model_says_what_it_is(server: Running) -> None:
    fields = server.client.get("/v1/model").json()
    schemas.ModelAnswer.model_validate(fields)
    assert fields["labels"] == ["neutral", "happy", "sad"]
    assert fields["scores"] == {"protocol": "speaker-disjoint", "accuracy": 0.61}
    assert fields["threshold"] == 0.5
    assert fields["limits"]["max_request_bytes"] == 400_000
    assert fields["records"] is False


def test_the_model_is_handed_out_once(server: Running) -> None:
    first = server.client.get("/v1/model/file")
    assert first.content == server.office.serving.model.content
    assert first.headers["content-type"] == "application/octet-stream"
    tag = first.headers["etag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        again = server.client.get("/v1/model/file", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert server.client.get("/v1/model/file", headers={"If-None-Match": '"x"'}).status_code == 200


def test_what_is_switched_off_is_not_there() -> None:
    with running(page=False, model_file=False, log=False) as one:
        problem(one.client.get("/v1/model/file"), 404, "switched_off")
        problem(one.client.get("/v1/recordings"), 404, "switched_off")
        problem(one.client.post("/v1/recordings?emotion=sad", content=CLIP, headers=WAV), 404, "switched_off")
        problem(one.client.get("/"), 404, "not_found")
        assert one.client.get("/v1/model").json()["downloadable"] is False


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/nothing", 404, None),
        ("GET", "/v1/model/", 404, None),
        ("GET", "/../../etc/passwd", 404, None),
        ("POST", "/", 404, None),
        ("DELETE", "/v1/predict", 405, "POST"),
        ("PUT", "/v1/recordings", 405, "GET, POST"),
        ("POST", "/healthz", 405, "GET"),
        ("BREW", "/v1/model", 405, "GET"),
    ],
)
def test_what_is_not_there(server: Running, method: str, path: str, status: int, allow: str | None) -> None:
    answer = server.client.request(method, path)
    if path == "/" and answer.status_code == 405:
        return  # the page is there
    problem(answer, status, {404: "not_found", 405: "method_not_allowed"}[status])
    assert answer.headers.get("allow") == allow


def test_metrics_count_answers_by_status(server: Running) -> None:
    line = 'emogram_requests_total{{method="{}",path="{}",status="{}"}}'
    lines = [line.format("POST", "/v1/predict", 415), line.format("other", "other", 404)]
    before = [server.metric(one) for one in lines]
    server.client.post("/v1/predict", content=CLIP, headers={"Content-Type": "text/plain"})
    server.client.request("BREW", f"/{before}")
    assert [server.metric(one) for one in lines] == [count + 1 for count in before]
    text = server.client.get("/metrics").text
    for name in (
        "emogram_request_seconds_bucket",
        "emogram_queue_depth",
        "emogram_info",
        "process_resident_memory_bytes",
    ):
        assert f"\n{name}" in text


def test_an_error_of_ours_tells_nothing_of_this_machine(
    server: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> None:
        raise OSError("/secret/path")

    monkeypatch.setattr(server.office.serving.recognizer, "predict", fail)
    answer = server.client.post("/v1/predict", content=CLIP, headers=WAV)
    assert "secret" not in str(problem(answer, 500, "internal"))
    wait_until(lambda: "/secret/path" in caplog.text)


def test_the_log_has_a_line_for_each_request_and_no_query(server: Running, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "emogram.server"):
        server.client.get("/v1/nothing%1B?token=secret")
        wait_until(lambda: "/v1/nothing" in caplog.text)  # the line is written after the answer has gone out
    [line] = [record.getMessage() for record in caplog.records if record.name == "emogram.server"]
    assert re.fullmatch(r"127\.0\.0\.1 GET /v1/nothing\\x1b 404 \d+\.\d ms", line)


def test_the_document_names_every_endpoint_and_error(document: dict[str, Any]) -> None:
    named = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    assert named == set(ENDPOINTS)
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["summary"], path
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"]
    posts = [document["paths"][path]["post"] for path in ("/v1/predict", "/v1/timeline", "/v1/recordings")]
    for operation in posts:
        assert {*operation["responses"]} >= {"200", "401", "413", "415", "422", "429", "503", "504"}
        assert len(operation["requestBody"]["content"]) == 4
    forms = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(document)))
    assert forms == set(document["components"]["schemas"])
    assert "WS /v1/stream" in document["info"]["description"]


@pytest.mark.parametrize(
    ("form", "path"),
    [
        (schemas.PredictAnswer, "/v1/predict"),
        (schemas.PredictionForm, "/v1/predict"),
        (schemas.TimelineAnswer, "/v1/timeline"),
    ],
)
def test_answers_have_the_documented_form(client: httpx.Client, form: type[pydantic.BaseModel], path: str) -> None:
    fields = client.post(path, files=[("file", CLIP)]).json()
    if form is schemas.PredictionForm:
        [fields] = fields["results"]
    given = form.model_validate(fields)
    assert set(form.model_fields) - set(fields) <= {"explanation"}
    assert given.model_dump(exclude_unset=True) == fields


def test_the_page_of_the_document_loads_nothing(server: Running, document: dict[str, Any]) -> None:
    page = server.client.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert re.findall(r"<(?:script|link|img|style)|https?://", page.text) == []
    for path in document["paths"]:
        assert f" {path}</code>" in page.text


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with running(recordings=tmp_path_factory.mktemp("recordings"), receive_s=2, log=False) as one:
        yield schemathesis.openapi.from_url(f"{one.client.base_url}/openapi.json")
        assert (one.office.desk.pending, one.office.memory.held) == (0, 0)


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_anything_is_answered_as_documented(fuzzed: Any, endpoint: str, mode: GenerationMode) -> None:
    method, path = endpoint.split()
    operation = fuzzed[path][method]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=10, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def ask(case: Any) -> None:
        case.call_and_validate(excluded_checks=NOT_CHECKED)

    with contextlib.suppress(Unsatisfiable):  # nothing wrong can be sent where nothing is taken
        ask()
