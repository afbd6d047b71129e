"""Muon (Jordan et al. 2024) for the matrices of a network, AdamW for all else, as one optimiser with one state.

Muon makes the momentum of a weight matrix nearly orthogonal before it steps, so that the step moves every direction alike.
A convolution kernel [out, in, height, width] is the matrix [out, in x height x width] that maps a patch of the picture to
the output channels: that is the linear map which is applied at each place, so orthogonalising it is sound. Kernels of one
input channel are left to AdamW: in a depthwise convolution each row belongs to a channel of its own and the rows are no
matrix, and in the first layer of a network the inventors advise against it.

``torch.optim.Muon`` takes matrices only and has no way to share a state with a second optimiser, which schedules and
checkpoints want; the arithmetic here is the same, and tested against it.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from typing_extensions import override

_QUINTIC = (3.4445, -4.775, 2.0315)
_ITERATIONS = 5
_LEAST_NORM = 1e-7
_RMS_OF_ADAMW = 0.2


def is_matrix(weight: Tensor) -> bool:
    """Whether Muon may have it: at least two dimensions, and more than one input channel."""
    return weight.ndim > 1 and weight.shape[1] > 1


class Muon(Optimizer):
    """Muon where a group says ``matrices``, AdamW elsewhere.

    The step of a matrix is scaled to the root mean square of AdamW's (Liu et al. 2025), so that one learning rate and one
    decoupled weight decay serve both.

    Args:
        groups: as of any optimiser of torch, each with ``matrices`` true or false.
        lr: learning rate of both.
        momentum: of Muon, in Nesterov's form.
        betas: of AdamW.
        eps: of AdamW.
        weight_decay: decoupled.
    """

    def __init__(
        self,
        groups: Iterable[dict[str, Any]],
        *,
        lr: float = 2e-3,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.95),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(groups, {**defaults, "matrices": False})

    @override
    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every weight that has a gradient; returns what the closure gives."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            move = self._orthogonal if group["matrices"] else self._adaptive
            for weight in group["params"]:
                if weight.grad is not None:
                    weight.mul_(1 - group["lr"] * group["weight_decay"])
                    move(weight, weight.grad, group)
        return loss

    def _orthogonal(self, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight, memory_format=torch.preserve_format)
        momentum = state["momentum"].lerp_(gradient, 1 - group["momentum"])
        matrix = gradient.lerp(momentum, group["momentum"]).flatten(1)
        scale = _RMS_OF_ADAMW * math.sqrt(max(matrix.shape))
        weight.add_(orthogonalised(matrix).reshape(weight.shape), alpha=-group["lr"] * scale)

    def _adaptive(self, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weight]
        if not state:
            state["step"] = 0
            state["mean"] = torch.zeros_like(weight, memory_format=torch.preserve_format)
            state["square"] = torch.zeros_like(weight, memory_format=torch.preserve_format)
        state["step"] += 1
        of_mean, of_square = group["betas"]
        mean = state["mean"].lerp_(gradient, 1 - of_mean)
        square = state["square"].mul_(of_square).addcmul_(gradient, gradient, value=1 - of_square)
        deviation = (square / (1 - of_square ** state["step"])).sqrt_().add_(group["eps"])
        weight.addcdiv_(mean, deviation, value=-group["lr"] / (1 - of_mean ** state["step"]))


def orthogonalised(matrix: Tensor) -> Tensor:
    """The matrix [A, B] with singular values drawn near to 1, by five Newton-Schulz iterations in bfloat16."""
    a, b, c = _QUINTIC
    x = matrix.bfloat16()
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = x.T
    x = x / x.norm().clamp(min=_LEAST_NORM)
    for _ in range(_ITERATIONS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    orthogonal: Tensor = (x.T if tall else x).to(matrix.dtype)
    return orthogonal
