"""Learning-rate schedules by name: which part of the highest rate is used at each step of a run.

A schedule counts optimiser steps over the whole run, so that it fits runs of any length. Each begins with a warm-up of
its own length (none, unless asked for; ``one_cycle`` always has one) and then runs over the steps that are left. It
multiplies every parameter group's own rate.
"""

import math
from abc import abstractmethod
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, field_validator
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from emogram.training.settings import NamedSettings, named

_WARM_UP = "part of the steps in which the rate first rises in a straight line (Goyal et al. 2017); 0: none"
_LAST = "rate at the end, as part of the highest"

_Part = Annotated[float, Field(gt=0, lt=1)]


class ScheduleTypeSettings(NamedSettings):
    """Settings of one schedule."""

    warm_up: float = Field(0.0, ge=0, lt=1, description=_WARM_UP)

    def at(self, step: int, steps: int) -> float:
        """Part of the highest rate that is used in a step, counted from 0, of a run of so many."""
        rising = round(self.warm_up * steps)
        if step < rising:
            return (step + 1) / (rising + 1)
        return self.after_warm_up(min(1.0, (step - rising) / max(1, steps - rising)))

    @abstractmethod
    def after_warm_up(self, progress: float) -> float:
        """Part of the highest rate that is used when `progress`, 0 to 1, of the steps after the warm-up are done."""


class ConstantSettings(ScheduleTypeSettings):
    """The highest rate throughout."""

    name: Literal["constant"] = "constant"

    def after_warm_up(self, progress: float) -> float:  # noqa: ARG002
        """See the parent."""
        return 1.0


class StepSettings(ScheduleTypeSettings):
    """A sudden drop at given points of the run (He et al. 2016)."""

    name: Literal["step"] = "step"
    drops: tuple[_Part, ...] = Field(
        (0.5, 0.75), min_length=1, max_length=100, description="where the rate drops, as parts of the run, ascending"
    )
    factor: float = Field(0.1, gt=0, lt=1, description="what is left of the rate after each drop")

    @field_validator("drops")
    @classmethod
    def _ascending(cls, drops: tuple[float, ...]) -> tuple[float, ...]:
        if list(drops) != sorted(set(drops)):
            raise ValueError("each must be above the one before; give them in order")
        return drops

    def after_warm_up(self, progress: float) -> float:
        """See the parent."""
        return float(self.factor ** sum(progress >= drop for drop in self.drops))


class ExponentialSettings(ScheduleTypeSettings):
    """The rate shrinks by the same part with every step."""

    name: Literal["exponential"] = "exponential"
    last: float = Field(0.01, gt=0, lt=1, description=_LAST)

    def after_warm_up(self, progress: float) -> float:
        """See the parent."""
        return float(self.last**progress)


class CosineSettings(ScheduleTypeSettings):
    """Half a cosine down to the end, without restarts (Loshchilov and Hutter 2017)."""

    name: Literal["cosine"] = "cosine"
    last: float = Field(0.0, ge=0, lt=1, description=_LAST)

    def after_warm_up(self, progress: float) -> float:
        """See the parent."""
        return _cosine(1.0, self.last, progress)


class OneCycleSettings(ScheduleTypeSettings):
    """One cosine up, and a longer one down to almost nothing (Smith and Topin 2019)."""

    name: Literal["one_cycle"] = "one_cycle"
    warm_up: float = Field(0.15, gt=0, lt=1, description="part of the steps in which the rate rises")
    first: float = Field(0.1, gt=0, le=1, description="rate at the beginning, as part of the highest")
    last: float = Field(1e-4, ge=0, lt=1, description=_LAST)

    def after_warm_up(self, progress: float) -> float:
        """See the parent."""
        return _cosine(1.0, self.last, progress)

    def at(self, step: int, steps: int) -> float:
        """See the parent. The warm-up takes a step at least, the first one of the run."""
        rising = max(1, round(self.warm_up * steps))
        if step < rising:
            return _cosine(self.first, 1.0, step / rising)
        return self.after_warm_up(min(1.0, (step - rising) / max(1, steps - rising)))


class PlateauSettings(ScheduleTypeSettings):
    """The rate drops whenever the score of the validation part, fit.monitor, has got no better for some epochs."""

    name: Literal["plateau"] = "plateau"
    factor: float = Field(0.5, gt=0, lt=1, description="what is left of the rate after each drop")
    patience: int = Field(5, ge=0, le=10_000, description="epochs without a better score before a drop")
    last: float = Field(1e-3, ge=0, lt=1, description="lowest rate, as part of the highest")

    def after_warm_up(self, progress: float) -> float:  # noqa: ARG002
        """See the parent; before any drop."""
        return 1.0


_DEFAULT = "one_cycle"

ScheduleSettings = Annotated[
    ConstantSettings | StepSettings | ExponentialSettings | CosineSettings | OneCycleSettings | PlateauSettings,
    Field(discriminator="name"),
    BeforeValidator(lambda values: named(values, "schedule", SCHEDULES, _DEFAULT)),
]
"""Settings of any schedule, told apart by ``name``."""

SCHEDULES: dict[str, type[ScheduleTypeSettings]] = {
    settings.model_fields["name"].default: settings for settings in get_args(get_args(ScheduleSettings)[0])
}
"""Settings class of each schedule, by its name."""


class RateSchedule(LambdaLR):
    """The rate of each step, as a multiple of every parameter group's own; stepped after every optimiser step.

    Args:
        settings: of the schedule.
        optimizer: whose rates follow it.
        steps: optimiser steps of the whole run.
    """

    def __init__(self, settings: ScheduleTypeSettings, optimizer: Optimizer, *, steps: int) -> None:
        self._settings = settings
        self._drop = 1.0
        self._best: float | None = None
        self._waited = 0
        super().__init__(optimizer, lambda step: settings.at(step, steps) * self._drop)

    def observe(self, score: float, *, larger_is_better: bool) -> None:
        """Take note of the score of an epoch. Only `PlateauSettings` makes something of it, from the next step on."""
        plateau = self._settings
        if not isinstance(plateau, PlateauSettings):
            return
        gain = score if larger_is_better else -score
        if self._best is None or gain > self._best:
            self._best, self._waited = gain, 0
        else:
            self._waited += 1
        if self._waited > plateau.patience:
            self._drop, self._waited = max(plateau.last, self._drop * plateau.factor), 0

    def apply(self) -> None:
        """Set the rates of the coming step; needed after `observe`, else done by ``step``."""
        for group, highest, factor in zip(self.optimizer.param_groups, self.base_lrs, self.lr_lambdas, strict=True):
            group["lr"] = highest * factor(self.last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps, all of it plain."""
        return {name: value for name, value in super().state_dict().items() if name != "_settings"}


def schedule(settings: ScheduleTypeSettings, optimizer: Optimizer, *, steps: int) -> RateSchedule:
    """The schedule of an optimiser over a run of so many optimiser steps."""
    return RateSchedule(settings, optimizer, steps=steps)


def _cosine(start: float, end: float, progress: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2
