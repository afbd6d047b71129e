"""Hostile and damaged ONNX files are refused before anything runs them."""

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from emogram.errors import ModelError
from emogram.recognition.onnx_scan import MAX_FIELDS, scan
from tests.recognition.small_models import attribute_model, content, graph, info, pack


def externalise(tensor: Any, location: str = "/etc/passwd") -> None:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location


def external_weights(model: Any) -> None:
    externalise(model.graph.initializer[1])


def external_without_location(model: Any) -> None:
    externalise(model.graph.initializer[1])
    del model.graph.initializer[1].external_data[:]


def external_entries_only(model: Any) -> None:
    model.graph.initializer[1].external_data.add().key = "location"


def foreign_opset(model: Any) -> None:
    model.opset_import.append(helper.make_opsetid("evil.ops", 1))


def foreign_node(model: Any) -> None:
    model.graph.node[0].domain = "com.microsoft"


def loop(model: Any) -> None:
    model.graph.node.append(helper.make_node("Loop", ["", ""], ["x"], body=graph()))


def graphs(model: Any) -> None:
    node = helper.make_node("Anything", [], ["x"])
    node.attribute.append(helper.make_attribute("many", [graph()]))
    model.graph.node.append(node)


def function(model: Any) -> None:
    model.functions.append(helper.make_function("", "F", [], [], [], [helper.make_opsetid("", 18)]))


def training(model: Any) -> None:
    model.training_info.add()


def sparse(model: Any) -> None:
    values = numpy_helper.from_array(np.ones(1, np.float32), "huge")
    where = numpy_helper.from_array(np.zeros(1, np.int64), "where")
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, where, [2**40]))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (external_weights, "keeps weights in another file"),
        (external_without_location, "keeps weights in another file"),
        (external_entries_only, "keeps weights in another file"),
        (foreign_opset, "domain 'evil.ops'"),
        (foreign_node, "domain 'com.microsoft'"),
        (loop, "nested graphs"),
        (graphs, "nested graphs"),
        (function, "functions of its own"),
        (training, "functions of its own"),
        (sparse, "sparse tensors"),
    ],
)
def test_what_a_strangers_model_must_not_hold_is_refused(change: Callable[[Any], None], problem: str) -> None:
    with pytest.raises(ModelError, match=f"^m.onnx: .*{problem}"):
        scan("m.onnx", content(change))


def test_external_data_in_an_attribute_is_refused() -> None:
    model = attribute_model()
    assert scan("m.onnx", model.SerializeToString()) == info().to_metadata()
    externalise(model.graph.node[0].attribute[0].t)
    with pytest.raises(ModelError, match="another file"):
        scan("m.onnx", model.SerializeToString())


def test_a_plain_model_gives_its_metadata() -> None:
    assert scan("m.onnx", content()) == info().to_metadata()
    assert scan("m.onnx", pack(graph(), {}, [("ai.onnx", 18)]).SerializeToString()) == {}


def test_a_field_number_beyond_protobufs_is_refused() -> None:
    """Protobuf keeps 32 bits of a tag: without the check a field could hide from the walk and not from onnxruntime."""
    hidden_tag = (8 << 3 | 2) + (1 << 32)
    varint = bytes([hidden_tag & 0x7F | 0x80, hidden_tag >> 7 & 0x7F | 0x80, 0x80, 0x80, hidden_tag >> 28])
    with pytest.raises(ModelError, match="is no ONNX model"):
        scan("m.onnx", content() + varint + b"\x00")


def test_two_graphs_are_both_walked() -> None:
    with pytest.raises(ModelError, match="another file"):
        scan("m.onnx", content(external_weights) + content())


def test_a_file_that_onnxruntime_takes_for_its_own_format_is_refused() -> None:
    """It is valid protobuf with an honest graph, but that would not be the graph that runs."""

    def marked(model: Any) -> None:
        model.producer_name = "ORTM"

    data = content(marked)
    assert data[4:8] == b"ORTM"
    with pytest.raises(ModelError, match=r"^m.onnx: is in onnxruntime's own format, no ONNX model; export the model"):
        scan("m.onnx", data)


@pytest.mark.parametrize("damaged", [b"", b"x", b"\x00" * 50, b"PK\x03\x04" * 20, b"\x80" * 100, b"\x0b" * 10])
def test_what_is_no_onnx_is_refused(damaged: bytes) -> None:
    with pytest.raises(ModelError, match="is no ONNX model"):
        scan("m.onnx", damaged)


def test_every_cut_is_refused_or_keeps_to_whole_fields() -> None:
    whole = content()
    for length in range(0, len(whole), 7):
        with contextlib.suppress(ModelError):
            scan("m.onnx", whole[:length])
    with pytest.raises(ModelError, match="cut short"):
        scan("m.onnx", whole[:-5])


def test_millions_of_parts_are_refused() -> None:
    with pytest.raises(ModelError, match="has more than"):
        scan("m.onnx", b"\x08\x01" * (MAX_FIELDS + 1))


def test_metadata_that_is_no_text_is_refused() -> None:
    with pytest.raises(ModelError, match="no text"):
        scan("m.onnx", content() + bytes([14 << 3 | 2, 3, 0x0A, 1, 0xFF]))


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.integers(0, len(content()) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_mutated_models_are_read_or_refused(changes: list[tuple[int, int]]) -> None:
    data = bytearray(content())
    for place, value in changes:
        data[place] = value
    with contextlib.suppress(ModelError):
        assert isinstance(scan("m.onnx", bytes(data)), dict)
