"""Lion (Chen et al. 2023, *Symbolic Discovery of Optimization Algorithms*): steps of one size, by the sign of a momentum."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.optim import Optimizer
from typing_extensions import override


class Lion(Optimizer):
    """Each weight moves by the learning rate up or down.

    With gradient g, momentum m, rate r and decay d: the sign of b1 m + (1 - b1) g says where to; w becomes
    w - r (sign + d w); then m becomes b2 m + (1 - b2) g.

    Args:
        groups: as of any optimiser of torch.
        lr: learning rate; a third to a tenth of Adam's, since every weight takes a full step.
        betas: b1 of the step, b2 of the momentum.
        weight_decay: decoupled; three to ten times AdamW's, since it is multiplied by the smaller rate.
    """

    def __init__(
        self,
        groups: Iterable[dict[str, Any]],
        *,
        lr: float = 2e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(groups, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @override
    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every weight that has a gradient; returns what the closure gives."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            of_step, of_momentum = group["betas"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight, memory_format=torch.preserve_format)
                momentum = state["momentum"]
                direction = torch.lerp(weight.grad, momentum, of_step).sign_()
                weight.mul_(1 - group["lr"] * group["weight_decay"]).add_(direction, alpha=-group["lr"])
                momentum.lerp_(weight.grad, 1 - of_momentum)
        return loss
