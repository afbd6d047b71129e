"""What a network costs, part by part: parameters and multiply-adds."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from emogram.networks.classifier import Classifier
from emogram.networks.network import Network
from emogram.networks.sequence import AttentionLayer
from emogram.networks.whisper import SelfAttention

_SILENT = ("Dropout", "Dropout2d", "Identity")


@dataclass(frozen=True)
class Part:
    """One part of a network, in the order of computation.

    Args:
        name: as in the network's own parameters.
        kind: its class.
        shape: of its output for one clip, without the batch.
        parameters: number of trained numbers.
        multiply_adds: for that clip.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int


def n_parameters(module: nn.Module) -> int:
    """Number of trained numbers."""
    return sum(parameter.numel() for parameter in module.parameters())


@torch.no_grad()
def multiply_adds(classifier: Classifier, n_samples: int) -> int:
    """Multiply-adds of the network for one clip of that many samples.

    Counted are convolutions, linear layers, recurrences and attention between frames; the spectrogram, normalisations
    and activations are left out, as is usual in the literature.
    """
    training = classifier.training
    classifier.eval()
    try:
        spec = classifier.spec(torch.zeros(1, n_samples))[0]
    finally:
        classifier.train(training)
    _, channels, bands, frames = spec.shape
    return sum(part.multiply_adds for part in parts(classifier.network, channels=channels, bands=bands, frames=frames))


@torch.no_grad()
def parts(network: Network, *, channels: int, bands: int, frames: int) -> list[Part]:
    """The parts of a network with what each costs for one clip; lists of layers are told layer by layer.

    The network is left as it is: shapes are followed through a copy that holds no values, so that this takes no time.

    Args:
        network: of any size.
        channels: C of the spectrogram.
        bands: F of the spectrogram.
        frames: N of the spectrogram.
    """
    empty = copy.deepcopy(network).to("meta").eval()
    shapes: dict[str, tuple[int, ...]] = {}
    costs: dict[str, int] = {}
    for name, module in empty.named_modules():
        module.register_forward_hook(_watch(name, shapes, costs))
    empty(torch.zeros(1, channels, bands, frames, device="meta"))
    units = _units(empty, shapes)
    rows = [
        Part(
            name,
            type(module).__name__,
            shapes.get(name, ()),
            sum(parameter.numel() for parameter in module.parameters()),
            sum(cost for inner, cost in costs.items() if inner == name or inner.startswith(f"{name}.")),
        )
        for name, module in sorted(units.items(), key=lambda unit: _place(unit[0], shapes))
    ]
    return [
        row for before, row in pairwise([None, *rows]) if row is not None and (row.parameters or _reshapes(before, row))
    ]


def _units(module: nn.Module, shapes: dict[str, tuple[int, ...]], name: str = "") -> dict[str, nn.Module]:
    """The parts that are told one by one: a list is opened, and so is what is not called as a whole."""
    opened = name == "" or isinstance(module, nn.ModuleList) or type(module) is nn.Sequential or name not in shapes
    children = dict(module.named_children())
    if not opened or not children:
        return {name: module}
    units = {
        inner: unit
        for key, child in children.items()
        for inner, unit in _units(child, shapes, f"{name}.{key}".lstrip(".")).items()
    }
    for key, parameter in module.named_parameters(recurse=False):
        units[f"{name}.{key}".lstrip(".")] = nn.ParameterList([parameter])
    return units


def _reshapes(before: Part | None, row: Part) -> bool:
    return row.kind not in _SILENT and (before is None or row.shape != before.shape)


def _place(name: str, shapes: dict[str, tuple[int, ...]]) -> int:
    """In the order of computation; what is no step of it comes last."""
    return list(shapes).index(name) if name in shapes else len(shapes)


def _convolved(module: nn.Module, _: Tensor, output: Tensor) -> int:
    weight = module.weight
    assert isinstance(weight, Tensor)
    return output.numel() * weight.numel() // weight.shape[0]


def _recurred(module: nn.Module, given: Tensor, _: Tensor) -> int:
    assert isinstance(module, nn.GRU)
    weights = sum(weight.numel() for name, weight in module.named_parameters() if name.startswith("weight"))
    return given.shape[0] * given.shape[1] * weights


def _attended(_: nn.Module, given: Tensor, __: Tensor) -> int:
    clips, frames, width = given.shape
    return 2 * clips * frames * frames * width


_COSTS: dict[type[nn.Module], Callable[[nn.Module, Tensor, Tensor], int]] = {
    nn.Conv1d: _convolved,
    nn.Conv2d: _convolved,
    nn.Linear: _convolved,
    nn.GRU: _recurred,
    AttentionLayer: _attended,
    SelfAttention: _attended,
}
"""Multiply-adds of a module from its input and output, without those of the modules inside."""


def _watch(name: str, shapes: dict[str, tuple[int, ...]], costs: dict[str, int]) -> Callable[..., None]:
    def note(module: nn.Module, given: tuple[Any, ...], output: Any) -> None:
        made = output[0] if isinstance(output, tuple) else output
        shapes[name] = tuple(made.shape[1:])
        if type(module) in _COSTS:
            costs[name] = costs.get(name, 0) + _COSTS[type(module)](module, given[0], made)

    return note
