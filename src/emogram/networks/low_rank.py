"""Low-rank adaptation (LoRA, Hu et al. 2022): a large matrix stays as it is, and a product of two thin ones is added to it."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from typing_extensions import override

_ORIGINAL, _FIRST = "parametrizations.weight.original", "parametrizations.weight.0."


class LowRank(nn.Module):
    """Adds `up` times `down` to a matrix; nothing at first, as `up` starts at zero.

    Args:
        out_features: rows of the matrix.
        in_features: its columns.
        rank: columns of `up` and rows of `down`.

    Shape:
        weight [out_features, in_features] -> the same
    """

    def __init__(self, out_features: int, in_features: int, rank: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.randn(rank, in_features) / in_features**0.5)
        self.up = nn.Parameter(torch.zeros(out_features, rank))

    @override
    def forward(self, weight: Tensor) -> Tensor:
        return weight + self.up @ self.down


def adapt(layers: Iterable[nn.Linear], rank: int) -> None:
    """Let each layer learn by a product of that rank alone, in place: its own weight and bias stay as they are."""
    for layer in layers:
        layer.requires_grad_(False)
        addition = LowRank(layer.out_features, layer.in_features, rank)
        parametrize.register_parametrization(layer, "weight", addition)


def merge(module: nn.Module) -> None:
    """Add what was learned to the matrices, in place: the module is as if it had never been adapted."""
    for layer in list(module.modules()):
        if isinstance(layer, nn.Linear) and parametrize.is_parametrized(layer, "weight"):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)


def merged(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of an adapted module under the names of one that was merged."""
    plain: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name.endswith(_ORIGINAL):
            layer = name.removesuffix(_ORIGINAL)
            plain[f"{layer}weight"] = tensor + tensors[f"{layer}{_FIRST}up"] @ tensors[f"{layer}{_FIRST}down"]
        elif _FIRST not in name:
            plain[name] = tensor
    return plain
