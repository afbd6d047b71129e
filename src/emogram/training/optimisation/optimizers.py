"""Optimisers by name: their settings, the union of them, and parameter groups that learn at rates of their own."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

import torch
from pydantic import BeforeValidator, Field
from torch import Tensor, nn
from torch.optim import Optimizer

from emogram.errors import TrainingError
from emogram.training.optimisation.lion import Lion
from emogram.training.optimisation.muon import Muon, is_matrix
from emogram.training.settings import NamedSettings, named

_RATE: Any = {"gt": 0, "le": 10, "description": "highest learning rate; the schedule says how much of it is used when"}
_L2: Any = {"ge": 0, "le": 100, "description": "of weights with two dimensions or more, added to the gradient (L2)"}
_DECOUPLED: Any = {
    "ge": 0,
    "le": 100,
    "description": "of weights with two dimensions or more, times the learning rate, apart from the gradient",
}
_EPSILON: Any = {"gt": 0, "le": 1, "description": "added to the divisor"}
_MOMENTUM: Any = {"ge": 0, "lt": 1, "description": "part of the last step that goes on"}

_Beta = Annotated[float, Field(ge=0, lt=1)]
Betas = tuple[_Beta, _Beta]
_BETAS = "memory of the mean of the gradient and of the mean of its square"


class OptimizerTypeSettings(NamedSettings):
    """Settings of one optimiser."""

    learning_rate: float
    weight_decay: float

    @abstractmethod
    def build(self, groups: Iterable[dict[str, Any]]) -> Optimizer:
        """The optimiser of these groups, each with its ``params``, ``lr`` and ``weight_decay``."""


class SGDSettings(OptimizerTypeSettings):
    """Stochastic gradient descent: a step down the gradient (Robbins and Monro 1951)."""

    name: Literal["sgd"] = "sgd"
    learning_rate: float = Field(0.1, **_RATE)
    weight_decay: float = Field(5e-4, **_L2)

    def build(self, groups: Iterable[dict[str, Any]]) -> Optimizer:
        """See the parent."""
        return torch.optim.SGD(groups, lr=self.learning_rate)


class MomentumSettings(OptimizerTypeSettings):
    """Gradient descent with momentum, the heavy ball (Polyak 1964)."""

    name: Literal["momentum"] = "momentum"
    learning_rate: float = Field(0.02, **_RATE)
    momentum: float = Field(0.9, **_MOMENTUM)
    weight_decay: float = Field(5e-4, **_L2)

    def build(self, groups: Iterable[dict[str, Any]]) -> Optimizer:
        """See the parent."""
        return torch.optim.SGD(groups, lr=self.learning_rate, momentum=self.momentum)


class NesterovSettings(OptimizerTypeSettings):
    """Gradient descent with Nesterov's momentum, which looks ahead (Nesterov 1983, Sutskever et al. 2013)."""

    name: Literal["nesterov"] = "nesterov"
    learning_rate: float = Field(0.02, **_RATE)
    momentum: float = Field(0.9, gt=0, lt=1, description=_MOMENTUM["description"])
    weight_decay: float = Field(5e-4, **_L2)

    def build(self, groups: Iterable[dict[str, Any]]) -> Optimizer:
        """See the parent."""
        return torch.optim.SGD(groups, lr=self.learning_rate, momentum=self.momentum, nesterov=True)


class RMSpropSettings(OptimizerTypeSettings):
    """RMSprop: steps divided by the recent size of the gradient (Tieleman and Hinton 2012)."""

    name: Literal["rmsprop"] = "rmsprop"
    learning_rate: float = Field(1e-3, **_RATE)
    smoothing: float = Field(0.99, ge=0, lt=1, description="memory of the mean of the squared gradient")
    momentum: float = Field(0.0, **_MOMENTUM)
    epsilon: float = Field(1e-8, **_EPSILON)
    weight_decay: float = Field(1e-4, **_L2)

    def build(self, groups: Iterable[dict[str, Any]]) -> Optimizer:
        """See the parent."""
        return torch.optim.RMSprop(
            groups, lr=self.learning_rate, alpha=self.smoothing, momentum=self.momentum, eps=self.epsilon
        )


class AdagradSettings(OptimizerTypeSettings):
    """Adagrad: steps divided by the size of all gradients so far (Duchi et al. 2011)."""

    name: Literal["adagrad"] = "adagrad"
    learning_rate: float = Field(0.02, **_RATE)
    epsilon: float = Field(1e-10, **_EPSILON)
    weight_decay: float = Field(1e-4, **_L2)

    def build(self, groups: Iterable[dict[str, Any]]) -> Optimizer:
        """See the parent."""
        return torch.optim.Adagrad(groups, lr=self.learning_rate, eps=self.epsilon)


class _AdaptiveSettings(OptimizerTypeSettings):
    learning_rate: float = Field(1e-3, **_RATE)
    betas: Betas = Field((0.9, 0.999), description=_BETAS)
    epsilon: float = Field(1e-8, **_EPSILON)
    weight_decay: float = Field(1e-4, **_L2)

    def _arguments(self) -> dict[str, Any]:
        return {"lr": self.learning_rate, "betas": self.betas, "eps": self.epsilon}


class AdamSettings(_AdaptiveSettings):
    """Adam: momentum, divided by the recent size of the gradient (Kingma and Ba 2015)."""

    name: Literal["adam"] = "adam"

    def build(self, groups: Iterable[dict[str, Any]]) -> Optimizer:
        """See the parent."""
        return torch.optim.Adam(groups, **self._arguments())


class NAdamSettings(_AdaptiveSettings):
    """NAdam: Adam with Nesterov's momentum (Dozat 2016)."""

    name: Literal["nadam"] = "nadam"
    momentum_decay: float = Field(4e-3, ge=0, le=1, description="how fast the momentum grows to its full size")

    def build(self, groups: Iterable[dict[str, Any]]) -> Optimizer:
        """See the parent."""
        return torch.optim.NAdam(groups, momentum_decay=self.momentum_decay, **self._arguments())


class RAdamSettings(_AdaptiveSettings):
    """RAdam: Adam that distrusts its divisor in the first steps, a warm-up by itself (Liu et al. 2020)."""

    name: Literal["radam"] = "radam"

    def build(self, groups: Iterable[dict[str, Any]]) -> Optimizer:
        """See the parent."""
        return torch.optim.RAdam(groups, **self._arguments())


class AdamWSettings(_AdaptiveSettings):
    """AdamW: Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019)."""

    name: Literal["adamw"] = "adamw"
    learning_rate: float = Field(2e-3, **_RATE)
    weight_decay: float = Field(0.05, **_DECOUPLED)

    def build(self, groups: Iterable[dict[str, Any]]) -> Optimizer:
        """See the parent."""
        return torch.optim.AdamW(groups, fused=True, **self._arguments())


class LionSettings(OptimizerTypeSettings):
    """Lion: steps of one size for all weights, by the sign of a momentum (Chen et al. 2023)."""

    name: Literal["lion"] = "lion"
    learning_rate: float = Field(2e-4, **_RATE)
    betas: Betas = Field((0.9, 0.99), description="memory in the direction of a step, and of the momentum")
    weight_decay: float = Field(0.5, **_DECOUPLED)

    def build(self, groups: Iterable[dict[str, Any]]) -> Optimizer:
        """See the parent."""
        return Lion(groups, lr=self.learning_rate, betas=self.betas)


class MuonSettings(OptimizerTypeSettings):
    """Muon: orthogonal steps of the weight matrices and kernels, AdamW for all else (Jordan et al. 2024)."""

    name: Literal["muon"] = "muon"
    learning_rate: float = Field(2e-3, **_RATE)
    momentum: float = Field(0.95, ge=0, lt=1, description="of the matrices, in Nesterov's form")
    betas: Betas = Field((0.9, 0.95), description=f"AdamW's, for all that is no matrix: {_BETAS}")
    epsilon: float = Field(1e-8, gt=0, le=1, description="AdamW's: added to the divisor")
    weight_decay: float = Field(0.05, **_DECOUPLED)

    def build(self, groups: Iterable[dict[str, Any]]) -> Optimizer:
        """See the parent."""
        parted = [
            {**group, "params": chosen, "matrices": matrices}
            for group in groups
            for matrices in (True, False)
            if (chosen := [weight for weight in group["params"] if is_matrix(weight) == matrices])
        ]
        return Muon(parted, lr=self.learning_rate, momentum=self.momentum, betas=self.betas, eps=self.epsilon)


_DEFAULT = "adamw"

OptimizerSettings = Annotated[
    SGDSettings
    | MomentumSettings
    | NesterovSettings
    | RMSpropSettings
    | AdagradSettings
    | AdamSettings
    | NAdamSettings
    | RAdamSettings
    | AdamWSettings
    | LionSettings
    | MuonSettings,
    Field(discriminator="name"),
    BeforeValidator(lambda values: named(values, "optimizer", OPTIMIZERS, _DEFAULT)),
]
"""Settings of any optimiser, told apart by ``name``."""

OPTIMIZERS: dict[str, type[OptimizerTypeSettings]] = {
    settings.model_fields["name"].default: settings for settings in get_args(get_args(OptimizerSettings)[0])
}
"""Settings class of each optimiser, by its name."""


@dataclass(frozen=True)
class ParameterGroup:
    """Weights that learn at one rate.

    Attributes:
        weights: those without gradient are left out.
        lr_scale: their learning rate as a multiple of the run's.
    """

    weights: Sequence[Tensor]
    lr_scale: float = 1.0


def optimizer(settings: OptimizerTypeSettings, learners: nn.Module | Sequence[ParameterGroup]) -> Optimizer:
    """The optimiser, without decay on biases and normalisations, which have nothing to gain from being small.

    Args:
        settings: of the optimiser.
        learners: a network, or groups of weights with rates of their own.

    Raises:
        TrainingError: no weight is to be trained.
    """
    whole = isinstance(learners, nn.Module)
    given = [ParameterGroup(tuple(learners.parameters()))] if isinstance(learners, nn.Module) else learners
    groups = [
        {"params": chosen, "lr": settings.learning_rate * group.lr_scale, "weight_decay": decay}
        for group in given
        for decays, decay in ((True, settings.weight_decay), (False, 0.0))
        if (chosen := [w for w in group.weights if w.requires_grad and (w.ndim > 1) == decays])
    ]
    if not groups:
        what = "the network" if whole else "no group"
        raise TrainingError(f"fit: {what} has no weight that is to be trained; unfreeze some")
    return settings.build(groups)
