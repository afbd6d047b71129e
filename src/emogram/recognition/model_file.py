"""The model file: one ONNX graph that explains itself.

The graph has one input ``wave``, float32 ``[B, T]`` at `ModelInfo.sample_rate`, both dimensions free, and one output
``probabilities``, float32 ``[B, K]``: spectrogram, network, temperature and softmax are inside. It uses standard ONNX
operators only, keeps its weights inside, and has neither nested graphs nor functions.

Everything else that is needed to use it lies in the file's ``metadata_props`` under the one key ``emogram``, as JSON: the
fields of `ModelInfo` and ``format_version``. A card of the model, for people to read, lies beside it as plain text under
``emogram_card``, which readers of older releases pass over.
"""

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emogram.audio import MAX_RATE, MIN_RATE
from emogram.errors import ModelError
from emogram.recognition.onnx_scan import scan

FORMAT_VERSION = 1
METADATA_KEY = "emogram"
CARD_KEY = "emogram_card"
INPUT_NAME = "wave"
OUTPUT_NAME = "probabilities"

MAX_BYTES = 200 * 2**20
MAX_METADATA_CHARACTERS = 2**20
MAX_CARD_CHARACTERS = 100_000
MAX_LABELS = 100
MAX_ENTRIES = 100
MAX_WINDOW_S = 60.0
UNCERTAIN_FACTOR = 1.5
"""A model without a threshold of its own is uncertain below so many times the probability of a guess."""

_HUGE = 1e300


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """What a model file says about itself. Every field is checked when it is made.

    Attributes:
        name: of the model, shown beside its answers: ``cnn-small``.
        labels: the emotions, in the order of the output.
        sample_rate: in Hz, of the wave that the graph takes.
        clip_s: length of the clips it was trained on, in seconds.
        min_s: shorter recordings are padded with zeros to this length.
        window_s: longer recordings are cut into overlapping windows of this length, whose probabilities are averaged.
        temperature: by which the logits are divided inside the graph, fitted on the validation part.
        uncertain_below: an answer whose probability stays below this is called uncertain, fixed on the validation part;
            None where it was not, and then `UNCERTAIN_FACTOR` times the probability of a guess counts.
        normalisation: how the spectrogram is normalised inside the graph, for the record.
        training_corpora: names of the corpora that it learnt from.
        licence: of the weights, an SPDX identifier where there is one.
        scores: what it reached, by name, with the protocol and part they were measured on.
        emogram_version: that wrote the file.
        created: date, or date and time, in ISO 8601.
        configuration_hash: identity of the run that trained it.
        card: what it was trained on, what it reaches, what it must not be used for and whose notices it carries, as plain
            text in lines; empty where it has none.
    """

    name: str
    labels: tuple[str, ...]
    sample_rate: int
    clip_s: float
    min_s: float
    window_s: float
    temperature: float = 1.0
    uncertain_below: float | None = None
    normalisation: Mapping[str, float | str] = field(default_factory=dict)
    training_corpora: tuple[str, ...] = ()
    licence: str = ""
    scores: Mapping[str, float | str] = field(default_factory=dict)
    emogram_version: str = ""
    created: str = ""
    configuration_hash: str = ""
    card: str = ""

    def __post_init__(self) -> None:
        """Check every field.

        Raises:
            ModelError: names the first field that is wrong.
        """
        for name in ("name", "licence", "emogram_version", "created", "configuration_hash"):
            _check_text(name, getattr(self, name), empty=name != "name")
        for name in ("labels", "training_corpora"):
            _check_names(name, getattr(self, name))
        if not 2 <= len(self.labels) <= MAX_LABELS:
            raise _wrong("labels", len(self.labels), f"2 to {MAX_LABELS} of them")
        if type(self.sample_rate) is not int or not MIN_RATE <= self.sample_rate <= MAX_RATE:
            raise _wrong("sample_rate", self.sample_rate, f"a whole number of Hz, {MIN_RATE} to {MAX_RATE}")
        for name in ("clip_s", "min_s", "window_s", "temperature"):
            value = getattr(self, name)
            if not _is_number(value) or not value > 0:
                raise _wrong(name, value, "a number above 0")
        if self.uncertain_below is not None and not (_is_number(self.uncertain_below) and 0 < self.uncertain_below < 1):
            raise _wrong("uncertain_below", self.uncertain_below, "a number between 0 and 1, or null")
        if not self.min_s <= self.window_s <= MAX_WINDOW_S:
            raise _wrong("window_s", self.window_s, f"at least min_s ({self.min_s:g}) and at most {MAX_WINDOW_S:g}")
        for name in ("normalisation", "scores"):
            _check_entries(name, getattr(self, name))
        _check_card(self.card)

    @property
    def threshold(self) -> float:
        """The probability below which an answer is uncertain."""
        return UNCERTAIN_FACTOR / len(self.labels) if self.uncertain_below is None else self.uncertain_below

    def to_metadata(self) -> dict[str, str]:
        """The entries for the ``metadata_props`` of the ONNX file."""
        fields = {"format_version": FORMAT_VERSION} | {
            item.name: _plain(getattr(self, item.name)) for item in dataclasses.fields(self) if item.name != "card"
        }
        entries = {METADATA_KEY: json.dumps(fields, ensure_ascii=False, allow_nan=False)}
        return entries | {CARD_KEY: self.card} if self.card else entries

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> "ModelInfo":
        """What `to_metadata` wrote.

        Raises:
            ModelError: no emogram model, one of another format version, or a field that is missing, unknown or wrong.
        """
        text = metadata.get(METADATA_KEY)
        if text is None:
            raise ModelError("is no emogram model (it has no metadata 'emogram'); export the model with emogram")
        fields = _parse(text)
        version = fields.pop("format_version", None)
        if type(version) is not int or version != FORMAT_VERSION:
            shown = str(version)[:40]
            raise ModelError(
                f"format_version: {shown} is not {FORMAT_VERSION}; update emogram or export the model again"
            )
        known = {item.name: item for item in dataclasses.fields(cls) if item.name != "card"}
        for name in fields:
            if name not in known:
                raise ModelError(
                    f"{name[:40]!r}: unknown field of the metadata; update emogram or export the model again"
                )
        for name, item in known.items():
            required = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
            if required and name not in fields:
                raise ModelError(f"{name}: missing from the metadata; export the model again")
        values: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in fields.items()}
        return cls(**values, card=metadata.get(CARD_KEY, ""))


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model file that has been read and checked, and not yet run.

    Attributes:
        source: how messages call it, its path.
        content: the ONNX file.
        info: what it says about itself.
    """

    source: str
    content: bytes = field(repr=False)
    info: ModelInfo


def read_model(source: str | os.PathLike[str] | bytes) -> ModelFile:
    """Read and check a model file, without running any of it.

    Args:
        source: its path, or its bytes.

    Raises:
        ModelError: missing, too large, no ONNX, damaged, or against the contract of this module.
    """
    name, content = ("<bytes>", source) if isinstance(source, bytes) else _read_file(Path(source))
    if len(content) > MAX_BYTES:
        raise _too_large(name)
    metadata = scan(name, content)
    try:
        info = ModelInfo.from_metadata(metadata)
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from None
    return ModelFile(name, content, info)


def _read_file(path: Path) -> tuple[str, bytes]:
    name = str(path)
    try:
        if not path.exists():
            raise ModelError(f"{name}: does not exist; check the path of the model")
        if path.is_dir():
            inside = [path / "model.onnx", *sorted(path.glob("*.onnx"))]
            found = next((str(file) for file in inside if file.is_file()), "the .onnx file in it")
            raise ModelError(f"{name}: is a folder; pass {found}")
        if not path.is_file():
            raise ModelError(f"{name}: is no file; pass the path of an .onnx file")
        if path.stat().st_size > MAX_BYTES:
            raise _too_large(name)
        with path.open("rb") as file:
            return name, file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ModelError(f"{name}: cannot be read ({reason}); check its path and permissions") from None


def _too_large(name: str) -> ModelError:
    return ModelError(f"{name}: larger than {MAX_BYTES // 2**20} MiB; is it an emogram model?")


def _parse(text: str) -> dict[str, Any]:
    try:
        if len(text) > MAX_METADATA_CHARACTERS:
            raise ValueError(f"more than {MAX_METADATA_CHARACTERS} characters")
        fields = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"metadata 'emogram' cannot be read ({error}); export the model again") from None
    if not isinstance(fields, dict):
        raise ModelError("metadata 'emogram' is no JSON object; export the model again")
    return fields


def _refuse_constant(constant: str) -> float:
    raise ValueError(f"{constant} is no number")


def _check_text(name: str, value: object, *, empty: bool = False) -> None:
    if not isinstance(value, str) or len(value) > 200 or not value.isprintable() or not (value or empty):
        raise _wrong(name, value, "a line of at most 200 characters")


def _check_card(value: object) -> None:
    if not (isinstance(value, str) and len(value) <= MAX_CARD_CHARACTERS and value.replace("\n", "").isprintable()):
        raise _wrong("card", value, f"text of at most {MAX_CARD_CHARACTERS} characters in lines")


def _check_names(name: str, value: object) -> None:
    if not isinstance(value, tuple) or len(value) > MAX_ENTRIES or len(set(map(repr, value))) != len(value):
        raise _wrong(name, value, "a list of distinct names")
    for item in value:
        _check_text(name, item)


def _check_entries(name: str, value: object) -> None:
    if not isinstance(value, Mapping) or len(value) > MAX_ENTRIES:
        raise _wrong(name, value, f"an object of at most {MAX_ENTRIES} numbers and texts")
    for key, entry in value.items():
        _check_text(name, key)
        if not _is_number(entry):
            _check_text(f"{name}.{key}", entry, empty=True)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -_HUGE < value < _HUGE


def _wrong(name: str, value: object, wanted: str) -> ModelError:
    shown = repr(value)
    return ModelError(f"{name}: {shown[:60]}{'…' if len(shown) > 60 else ''} is not {wanted}; export the model again")


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else value
