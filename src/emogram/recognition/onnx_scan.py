"""A look into an ONNX file before anything runs it: its metadata, and what a stranger's file must not hold.

onnxruntime opens files that a model names as external data, even those in other folders, and even when the model itself
is passed as bytes. So the file's protobuf structure is walked here first, without the `onnx` package and without copying
its weights. Refused are external data, operators other than standard ONNX, functions, sparse tensors (small on disk, huge
in memory) and nested graphs (loops need not end). What is left is a plain graph of standard operators, which ends.

A file can be two things at once: onnxruntime takes bytes with the mark of its own format for that, whatever protobuf makes of
them. Such files are refused, since not everything that loads a model can be told which format to read (a browser cannot).

The field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from collections.abc import Iterator

from emogram.errors import ModelError

STANDARD_DOMAINS = (b"", b"ai.onnx")
RUNTIME_MARK = b"ORTM"
"""In bytes 4 to 8: what onnxruntime tells its own format by."""
MAX_FIELDS = 200_000
"""More structure than any network here has; bounds the time of the walk."""

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_REMEDY = "export the model with emogram"

_MODEL_GRAPH, _MODEL_OPSETS, _MODEL_METADATA, _MODEL_TRAINING, _MODEL_FUNCTIONS = 7, 8, 14, 20, 25
_GRAPH_NODE, _GRAPH_TENSOR, _GRAPH_SPARSE = 1, 5, 15
_NODE_ATTRIBUTE, _NODE_DOMAIN = 5, 7
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH, _ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS = 5, 6, 10, 11
_ATTRIBUTE_SPARSE, _ATTRIBUTE_SPARSES = 22, 23
_TENSOR_EXTERNAL, _TENSOR_LOCATION = 13, 14


def scan(name: str, content: bytes) -> dict[str, str]:
    """The metadata of an ONNX model, once it is known to be plain.

    Args:
        name: how messages call the model.
        content: the whole file.

    Returns:
        ``metadata_props``: text by key.

    Raises:
        ModelError: no ONNX, damaged, or with parts that are refused.
    """
    if content[4:8] == RUNTIME_MARK:
        raise ModelError(f"{name}: is in onnxruntime's own format, no ONNX model; {_REMEDY}")
    return _Scanner(name).model(memoryview(content))


class _Scanner:
    def __init__(self, name: str) -> None:
        self._name = name
        self._fields_left = MAX_FIELDS

    def model(self, model: memoryview) -> dict[str, str]:
        metadata: dict[str, str] = {}
        graphs = 0
        for number, value in self._messages(model):
            if number == _MODEL_GRAPH:
                graphs += 1
                self._graph(value)
            elif number == _MODEL_OPSETS:
                self._check_domain(self._last(value, 1))
            elif number == _MODEL_METADATA:
                metadata[self._text(self._last(value, 1))] = self._text(self._last(value, 2))
            elif number in (_MODEL_TRAINING, _MODEL_FUNCTIONS):
                raise self._refusal("holds functions of its own")
        if not graphs:
            raise self._refusal("is no ONNX model")
        return metadata

    def _graph(self, graph: memoryview) -> None:
        for number, value in self._messages(graph):
            if number == _GRAPH_NODE:
                self._node(value)
            elif number == _GRAPH_TENSOR:
                self._tensor(value)
            elif number == _GRAPH_SPARSE:
                raise self._refusal("holds sparse tensors")

    def _node(self, node: memoryview) -> None:
        for number, value in self._messages(node):
            if number == _NODE_DOMAIN:
                self._check_domain(bytes(value))
            elif number == _NODE_ATTRIBUTE:
                self._attribute(value)

    def _attribute(self, attribute: memoryview) -> None:
        for number, value in self._messages(attribute):
            if number in (_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS):
                self._tensor(value)
            elif number in (_ATTRIBUTE_GRAPH, _ATTRIBUTE_GRAPHS):
                raise self._refusal("holds nested graphs (If, Loop or Scan)")
            elif number in (_ATTRIBUTE_SPARSE, _ATTRIBUTE_SPARSES):
                raise self._refusal("holds sparse tensors")

    def _tensor(self, tensor: memoryview) -> None:
        for number, value in self._fields(tensor):
            if number == _TENSOR_EXTERNAL or (number == _TENSOR_LOCATION and value != 0):
                raise self._refusal("keeps weights in another file")

    def _check_domain(self, domain: bytes) -> None:
        if domain not in STANDARD_DOMAINS:
            raise self._refusal(f"needs operators of the domain {domain[:40].decode(errors='replace')!r}")

    def _last(self, message: memoryview, wanted: int) -> bytes:
        """The bytes of a field that occurs once: as in protobuf, the last one counts, and none is empty."""
        return bytes(
            next((value for number, value in reversed(list(self._messages(message))) if number == wanted), b"")
        )

    def _text(self, raw: bytes) -> str:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise self._refusal("holds metadata that is no text") from None

    def _messages(self, message: memoryview) -> Iterator[tuple[int, memoryview]]:
        for number, value in self._fields(message):
            if isinstance(value, memoryview):
                yield number, value

    def _fields(self, message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
        """Number and value of each field of a message: an integer, or the bytes of a text, tensor or inner message."""
        position = 0
        while position < len(message):
            self._fields_left -= 1
            if self._fields_left < 0:
                raise self._refusal(f"has more than {MAX_FIELDS} parts")
            tag, position = self._varint(message, position)
            if tag > 0xFFFFFFFF:  # protobuf drops the bits above, and would see another field than this walk
                raise self._refusal("is no ONNX model")
            number, wire = tag >> 3, tag & 7
            if wire == _VARINT:
                value, position = self._varint(message, position)
                yield number, value
            elif wire == _LENGTH:
                size, position = self._varint(message, position)
                if not number or position + size > len(message):
                    raise self._refusal("is no ONNX model, or cut short")
                yield number, message[position : position + size]
                position += size
            elif wire in (_FIXED64, _FIXED32):
                position += 8 if wire == _FIXED64 else 4
            else:
                raise self._refusal("is no ONNX model")

    def _varint(self, message: memoryview, position: int) -> tuple[int, int]:
        value = 0
        for shift in range(0, 70, 7):
            if position >= len(message):
                break
            byte = message[position]
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, position
        raise self._refusal("is no ONNX model, or cut short")

    def _refusal(self, problem: str) -> ModelError:
        return ModelError(f"{self._name}: {problem}; {_REMEDY}")
