"""The metadata of a model file: what is written is read, what is wrong is named."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emogram.errors import ModelError
from emogram.recognition import ModelInfo, read_model
from emogram.recognition.model_file import MAX_BYTES
from tests.recognition.small_models import content, graph, info, pack

FIELDS: dict[str, Any] = json.loads(info().to_metadata()["emogram"])


def metadata(**changes: Any) -> dict[str, str]:
    return {"emogram": json.dumps(FIELDS | changes)}


def without(name: str) -> dict[str, str]:
    return {"emogram": json.dumps({key: value for key, value in FIELDS.items() if key != name})}


def test_what_is_written_is_read() -> None:
    assert ModelInfo.from_metadata(info().to_metadata()) == info()


def test_the_metadata_is_one_json_entry_with_a_version() -> None:
    assert list(info().to_metadata()) == ["emogram"]
    assert FIELDS["format_version"] == 1
    assert FIELDS["labels"] == ["neutral", "happy", "sad"]
    assert FIELDS["scores"] == {"protocol": "speaker-disjoint", "accuracy": 0.61}


def test_what_is_optional_may_be_left_out() -> None:
    assert ModelInfo.from_metadata(without("scores")).scores == {}


@pytest.mark.parametrize("name", ["name", "labels", "sample_rate", "clip_s", "min_s", "window_s", "format_version"])
def test_what_is_required_is_missed(name: str) -> None:
    with pytest.raises(ModelError, match=f"^{name}: "):
        ModelInfo.from_metadata(without(name))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format_version", 2),
        ("format_version", True),
        ("format_version", "1"),
        ("name", ""),
        ("name", "two\nlines"),
        ("name", "x" * 201),
        ("name", 5),
        ("labels", ["only"]),
        ("labels", ["sad", "sad"]),
        ("labels", ["sad", ""]),
        ("labels", ["sad", 3]),
        ("labels", [["sad"], {}]),
        ("labels", "sad"),
        ("labels", [str(number) for number in range(101)]),
        ("sample_rate", 16000.0),
        ("sample_rate", True),
        ("sample_rate", 0),
        ("sample_rate", 10**7),
        ("clip_s", 0),
        ("clip_s", "3"),
        ("clip_s", 10**400),
        ("min_s", -1.0),
        ("window_s", 0.1),
        ("window_s", 61.0),
        ("window_s", None),
        ("temperature", 0.0),
        ("temperature", False),
        ("normalisation", []),
        ("normalisation", {"mean": [1]}),
        ("scores", {"": 1.0}),
        ("scores", {str(number): 1 for number in range(101)}),
        ("training_corpora", "ravdess"),
        ("licence", None),
        ("created", 2026),
    ],
)
def test_a_wrong_value_is_named(name: str, value: object) -> None:
    with pytest.raises(ModelError, match=rf"^{name}") as caught:
        ModelInfo.from_metadata(metadata(**{name: value}))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 250


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ModelError, match="'post_processing': unknown"):
        ModelInfo.from_metadata(metadata(post_processing="eval"))


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "[" * 100_000, '{"temperature": NaN}', '{"a": 1e999}', "1" * 5000, " " * (2**20 + 1)],
    ids=lambda text: text[:20],
)
def test_metadata_that_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(ModelError):
        ModelInfo.from_metadata({"emogram": text})


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from(list(FIELDS)),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
            max_leaves=8,
        ),
        max_size=3,
    )
)
def test_any_json_is_read_or_refused(changes: dict[str, Any]) -> None:
    try:
        read = ModelInfo.from_metadata(metadata(**changes))
    except ModelError:
        return
    assert ModelInfo.from_metadata(read.to_metadata()) == read


def test_a_model_is_read_from_a_path_and_from_bytes(tmp_path: Path) -> None:
    path = tmp_path / "tiny.onnx"
    path.write_bytes(content())
    for source in (path, str(path), content()):
        model = read_model(source)
        assert model.info == info()
        assert model.content == content()
    assert read_model(path).source == str(path)


def test_a_model_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"missing\.onnx: does not exist"):
        read_model(tmp_path / "missing.onnx")
    with pytest.raises(ModelError, match=r"is a folder; pass the \.onnx file in it"):
        read_model(tmp_path)
    (tmp_path / "tiny.onnx").touch()
    (tmp_path / "model.onnx").touch()
    with pytest.raises(ModelError, match=rf"is a folder; pass {tmp_path}/model\.onnx"):
        read_model(tmp_path)
    with pytest.raises(ModelError, match="is no file"):
        read_model("/dev/null")
    with pytest.raises(ModelError):
        read_model("a\0b.onnx")


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.onnx"
    with path.open("wb") as file:
        os.truncate(file.fileno(), 100 * MAX_BYTES)
    with pytest.raises(ModelError, match="larger than 200 MiB"):
        read_model(path)


def test_a_foreign_model_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "foreign.onnx"
    path.write_bytes(pack(graph(), {}).SerializeToString())
    with pytest.raises(ModelError, match=r"foreign\.onnx: is no emogram model"):
        read_model(path)
    path.write_bytes(pack(graph(), metadata(labels=[])).SerializeToString())
    with pytest.raises(ModelError, match=r"foreign\.onnx: labels: "):
        read_model(path)
