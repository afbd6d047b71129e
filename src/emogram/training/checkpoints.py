"""Checkpoints without pickle: tensors in one safetensors file, everything else as JSON in its metadata.

A checkpoint from a stranger can therefore hold numbers and nothing that runs.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import CheckpointIO
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from typing_extensions import override

from emogram.errors import ModelError, TrainingError
from emogram.writing import whole

SUFFIX = ".safetensors"


class SafetensorsIO(CheckpointIO):
    """Lightning's reading and writing of checkpoints, atomic and without pickle.

    Args:
        weights_alone: name of the checkpoint that no fit continues from: of it the weights are written, a quarter of the rest.
    """

    def __init__(self, weights_alone: str = "") -> None:
        self.weights_alone = weights_alone

    @override
    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        """Write a checkpoint; a reader sees the old file or the new one, never a part."""
        alone = Path(path).stem == self.weights_alone
        save({"state_dict": checkpoint["state_dict"]} if alone else checkpoint, Path(path))

    @override
    def load_checkpoint(
        self,
        path: str | Path,
        map_location: Callable[..., Any] | None = None,
        weights_only: bool | None = None,
    ) -> dict[str, Any]:
        """Read a checkpoint onto the processor."""
        return load(Path(path))

    @override
    def remove_checkpoint(self, path: str | Path) -> None:
        """Delete a checkpoint."""
        Path(path).unlink(missing_ok=True)


def save(checkpoint: dict[str, Any], path: Path) -> None:
    """Write nested dicts, lists and tuples of tensors, numbers, strings and None.

    Raises:
        TrainingError: a value of another kind.
    """
    tensors: dict[str, Tensor] = {}
    structure = _flatten(checkpoint, "", tensors)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as partial:
        save_file(tensors, partial, metadata={"structure": json.dumps(structure)})


def load(path: Path) -> dict[str, Any]:
    """Read what `save` wrote.

    Raises:
        ModelError: missing, damaged or not such a file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            structure = json.loads((file.metadata() or {})["structure"])
        value = _unflatten(structure, tensors)
    except (OSError, SafetensorError, LookupError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise ModelError(
            f"{path}: not a checkpoint of emogram, or damaged; delete the run folder and train again"
        ) from error
    if not isinstance(value, dict):
        raise ModelError(f"{path}: not a checkpoint of emogram; delete the run folder and train again")
    return value


def _flatten(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        # Numbered, since nested names can meet: {"a.b": …} and {"a": {"b": …}}.
        unique = f"{len(tensors):05d}{name}"
        # safetensors wants memory of its own for each tensor, in plain order. The order in memory has to come back all
        # the same: a fused optimiser pairs weights with their moments by place in memory.
        tensors[unique] = value.detach().cpu().contiguous().clone()
        channels_last = not value.is_contiguous() and _is_channels_last(value)
        return {"channels_last" if channels_last else "tensor": unique}
    if isinstance(value, dict):
        return {
            "dict": [
                [_flatten(k, f"{name}.key", tensors), _flatten(v, f"{name}.{k}", tensors)] for k, v in value.items()
            ]
        }
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_flatten(item, f"{name}.{i}", tensors) for i, item in enumerate(value)]}
    if isinstance(value, Path):
        return {"value": str(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return {"value": value}
    raise TrainingError(f"checkpoint: {name or 'value'} is a {type(value).__name__}, which no checkpoint can hold")


def _is_channels_last(value: Tensor) -> bool:
    return value.ndim == 4 and value.is_contiguous(memory_format=torch.channels_last)


def _unflatten(structure: Any, tensors: dict[str, Tensor]) -> Any:
    ((kind, content),) = structure.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "channels_last":
        return tensors[content].contiguous(memory_format=torch.channels_last)
    if kind == "dict":
        return {_unflatten(key, tensors): _unflatten(value, tensors) for key, value in content}
    if kind in {"list", "tuple"}:
        items = [_unflatten(item, tensors) for item in content]
        return items if kind == "list" else tuple(items)
    return content


def load_weights(path: Path, prefix: str) -> dict[str, Tensor]:
    """The averaged (or only) weights of a checkpoint whose names start with a prefix, without it.

    Raises:
        ModelError: as `load`, or there are none.
    """
    state = load(path).get("state_dict")
    named = state.items() if isinstance(state, dict) else ()
    weights = {str(name).removeprefix(prefix): value for name, value in named if str(name).startswith(prefix)}
    if not weights:
        raise ModelError(f"{path}: holds no weights named {prefix}…; delete the run folder and train again")
    return weights
