"""Squeeze-excitation: each block weighs its channels by what the whole clip holds (Hu et al. 2018)."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional
from typing_extensions import override

from emogram.networks.network import full_precision


class SqueezeExcitation(nn.Module):
    """Weigh channels by what the whole clip holds; see the module.

    Shape:
        [B, C, F, N], mask [B, 1, 1, N] of its real frames or None where all are real -> [B, C, F, N]
    """

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        self.squeeze = nn.Linear(channels, max(1, channels // reduction))
        self.excite = nn.Linear(max(1, channels // reduction), channels)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """See the class."""
        if torch.is_grad_enabled() and x.requires_grad:
            frames = x.new_full((1, 1), x.shape[3], dtype=torch.float32) if mask is None else mask[:, 0].sum(dim=2)
            layers = (self.squeeze.weight, self.squeeze.bias, self.excite.weight, self.excite.bias)
            weighed: Tensor = _Weighed.apply(x, frames, *layers)  # type: ignore[no-untyped-call]
            return weighed
        bands = x.mean(dim=2)
        summary = bands.mean(dim=2) if mask is None else bands.sum(dim=2) / mask[:, 0].sum(dim=2)
        gate = torch.sigmoid(self.excite(functional.relu(self.squeeze(summary))))
        return x * gate[:, :, None, None]


class _Weighed(torch.autograd.Function):
    """The same where it learns: the map's gradient in one pass over it, by its values and by the sum that made its gate.

    Left to autograd, the two would be computed apart, the latter laid out otherwise than the map, and added up: a twentieth
    of a step of ``cnn-base``.
    """

    @staticmethod
    @override
    def forward(
        ctx: Any, x: Tensor, frames: Tensor, down: Tensor, down_bias: Tensor, up: Tensor, up_bias: Tensor
    ) -> Tensor:
        with full_precision(x):
            summary = x.sum(dim=(2, 3), dtype=down.dtype) / (frames * x.shape[2]).to(down.dtype)
            hidden = functional.relu(functional.linear(summary, down, down_bias))
            gate = torch.sigmoid(functional.linear(hidden, up, up_bias))
        ctx.save_for_backward(x, frames, summary, hidden, gate, down, up)
        return x * gate.to(x.dtype)[:, :, None, None]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        x, frames, summary, hidden, gate, down, up = ctx.saved_tensors
        by_gate = (gradient * x).sum(dim=(2, 3), dtype=gate.dtype) * gate * (1 - gate)
        by_hidden = (by_gate @ up) * (hidden > 0)
        by_place = (by_hidden @ down) / (frames * x.shape[2]).to(gate.dtype)
        by_map = torch.addcmul(by_place.to(x.dtype)[:, :, None, None], gradient, gate.to(x.dtype)[:, :, None, None])
        return by_map, None, by_hidden.t() @ summary, by_hidden.sum(dim=0), by_gate.t() @ hidden, by_gate.sum(dim=0)
