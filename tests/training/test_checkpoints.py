"""Checkpoints: what goes in comes out; what is no checkpoint is refused; nothing in one can run."""

import json
import pickle
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from emogram.errors import ModelError, TrainingError
from emogram.training.checkpoints import SafetensorsIO, load, load_weights, save

STATE: dict[str, Any] = {
    "epoch": 3,
    "rate": 1e-3,
    "infinite": [float("inf"), -float("inf")],
    "text": "é",
    "none": None,
    "flags": (True, False),
    "nested": {"a": [{"b": (1, [2, ()])}], 7: "seven", (1, "x"): "a pair", "": "no name"},
    "weights": {
        "half": torch.arange(6, dtype=torch.bfloat16).reshape(2, 3),
        "counts": torch.tensor([2**40, -1]),
        "one": torch.tensor(0.1),
        "none": torch.empty(0, 4),
        "mask": torch.tensor([True, False]),
    },
}


def same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b)
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and bool(a == b)


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "last.safetensors"
    save(STATE, path)
    assert same(load(path), STATE)
    assert [file.name for file in path.parent.iterdir()] == ["last.safetensors"]


def test_names_that_meet_are_kept_apart(tmp_path: Path) -> None:
    state = {"a.b": torch.zeros(1), "a": {"b": torch.ones(1), "b.key": torch.ones(2)}}
    state["a.b.key"] = torch.full((2,), 4.0)
    save(state, tmp_path / "x.safetensors")
    assert same(load(tmp_path / "x.safetensors"), state)


def test_tensors_that_share_memory_or_lie_askew_are_saved(tmp_path: Path) -> None:
    whole = torch.arange(12.0).reshape(3, 4)
    state = {
        "whole": whole,
        "part": whole[1],
        "turned": whole.T,
        "steps": whole[:, ::2],
        "grown": whole[:1].expand(2, 4),
    }
    save(state, tmp_path / "x.safetensors")
    assert same(load(tmp_path / "x.safetensors"), state)


@pytest.mark.parametrize("shape", [(8, 3, 5, 5), (8, 1, 3, 3), (8, 4, 1, 1), (1, 1, 1, 1)])
def test_the_order_in_memory_comes_back(tmp_path: Path, shape: tuple[int, ...]) -> None:
    """A fused optimiser pairs a weight with its moments by their places in memory."""
    plain = torch.randn(shape)
    turned = plain.to(memory_format=torch.channels_last)
    save({"plain": plain, "turned": turned}, tmp_path / "x.safetensors")
    loaded = load(tmp_path / "x.safetensors")
    assert same(loaded, {"plain": plain, "turned": turned})
    for name, value in {"plain": plain, "turned": turned}.items():
        assert torch.equal(memory(loaded[name]), memory(value))


def memory(value: torch.Tensor) -> torch.Tensor:
    return value.as_strided((value.numel(),), (1,))


def test_what_cannot_be_kept_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"checkpoint: \.callbacks\.odd is a set, which no checkpoint can hold"):
        save({"callbacks": {"odd": {1}}}, tmp_path / "x.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_to_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.safetensors"
    save({"epoch": 1}, path)

    def fail(_: Any, partial: Path, **__: Any) -> None:
        Path(partial).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("emogram.training.checkpoints.save_file", fail)
    with pytest.raises(OSError, match="No space left"):
        save({"epoch": 2}, path)
    assert load(path) == {"epoch": 1}
    assert list(tmp_path.iterdir()) == [path]


STRUCTURES = [
    "[1]",
    '"x"',
    "3",
    "null",
    "{}",
    '{"dict": 5}',
    '{"dict": [1]}',
    '{"dict": [[1, 2]]}',
    '{"dict": [[{"list": []}, {"value": 1}]]}',
    '{"dict": [[{"dict": []}, {"value": 1}]]}',
    '{"tensor": "missing"}',
    '{"tensor": ["a"]}',
    '{"channels_last": "a"}',
    '{"channels_last": "missing"}',
    '{"value": 3}',
    '{"list": []}',
    '{"dict": [], "list": []}',
    "{" * 100_000,
    '{"list":[' * 50_000 + "]}" * 50_000,
    "not json",
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
]


@pytest.mark.parametrize("structure", STRUCTURES, ids=[text[:30] for text in STRUCTURES])
def test_a_hostile_structure_is_refused(tmp_path: Path, structure: str) -> None:
    path = tmp_path / "hostile.safetensors"
    save_file({"a": torch.zeros(1)}, path, metadata={"structure": structure})
    with pytest.raises(ModelError, match=r"hostile\.safetensors: not a checkpoint of emogram") as refusal:
        load(path)
    assert "\n" not in str(refusal.value)


def header(content: bytes) -> bytes:
    return struct.pack("<Q", len(content)) + content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 7,
        b"not a checkpoint",
        header(b"{}"),
        header(b'{"__metadata__": {}}'),
        struct.pack("<Q", 2**62) + b"{}",
        header(json.dumps({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()),
        header(json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}).encode()) + b"1234",
    ],
)
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"odd\.safetensors: not a checkpoint of emogram, or damaged"):
        load(path)


@pytest.mark.parametrize("keep", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_checkpoint_is_refused(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "cut.safetensors"
    save(STATE, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(ModelError, match=r"cut\.safetensors: not a checkpoint of emogram, or damaged"):
        load(path)


def test_a_missing_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.safetensors"):
        load(tmp_path / "none.safetensors")


class Bomb:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return pytest.fail, ("a checkpoint ran code",)


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_pickle_is_never_read(tmp_path: Path, protocol: int) -> None:
    (tmp_path / "x.safetensors").write_bytes(pickle.dumps(Bomb(), protocol))
    with pytest.raises(ModelError):
        load(tmp_path / "x.safetensors")
    torch.save({"state_dict": {}}, tmp_path / "y.safetensors")
    with pytest.raises(ModelError):
        SafetensorsIO().load_checkpoint(tmp_path / "y.safetensors")


def test_weights_are_taken_by_prefix(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save({"state_dict": {"classifier.a.b": torch.ones(2), "other.a": torch.zeros(1)}}, path)
    assert same(load_weights(path, "classifier."), {"a.b": torch.ones(2)})
    with pytest.raises(ModelError, match=r"x\.safetensors: holds no weights named network"):
        load_weights(path, "network.")


@pytest.mark.parametrize("state", [{}, {"state_dict": 3}, {"state_dict": {1: 2}}])
def test_a_checkpoint_without_weights_is_refused(tmp_path: Path, state: dict[str, Any]) -> None:
    save(state, tmp_path / "x.safetensors")
    with pytest.raises(ModelError, match="holds no weights"):
        load_weights(tmp_path / "x.safetensors", "classifier.")


def test_lightning_writes_reads_and_removes_through_it(tmp_path: Path) -> None:
    path = tmp_path / "a" / "best.safetensors"
    checkpoints = SafetensorsIO(weights_alone="light")
    checkpoints.save_checkpoint({**STATE, "state_dict": {"a": torch.ones(2)}}, path.with_stem("light"))
    assert same(checkpoints.load_checkpoint(path.with_stem("light")), {"state_dict": {"a": torch.ones(2)}})
    checkpoints.save_checkpoint(STATE, str(path))
    assert same(checkpoints.load_checkpoint(str(path)), STATE)
    checkpoints.remove_checkpoint(str(path))
    checkpoints.remove_checkpoint(str(path))
    assert not path.exists()
