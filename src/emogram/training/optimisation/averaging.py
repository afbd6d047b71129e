"""Averaged weights by name: what the validation part is scored with, and what a run leaves."""

from abc import abstractmethod
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field

from emogram.training.settings import NamedSettings, named


class AveragingTypeSettings(NamedSettings):
    """Settings of one way to average."""

    @abstractmethod
    def share(self, step: int, steps: int) -> float:
        """Part of the average that the weights after a step, counted from 0, of a run of so many make up."""


class NoAveragingSettings(AveragingTypeSettings):
    """The last weights as they are."""

    name: Literal["none"] = "none"

    def share(self, step: int, steps: int) -> float:  # noqa: ARG002
        """See the parent."""
        return 1.0


class EMASettings(AveragingTypeSettings):
    """Exponential moving average over the steps (Polyak and Juditsky 1992, Tarvainen and Valpola 2017).

    Step t averages with decay min(decay, (1 + t) / (10 + t)), so that the random start is soon forgotten.
    """

    name: Literal["ema"] = "ema"
    decay: float = Field(0.99, gt=0, lt=1, description="part of the average that stays at each step")

    def share(self, step: int, steps: int) -> float:  # noqa: ARG002
        """See the parent."""
        return 1 - min(self.decay, (1 + step) / (10 + step))


class SWASettings(AveragingTypeSettings):
    """Stochastic weight averaging: the even mean over the steps of the last part of the run (Izmailov et al. 2018).

    The authors take one step an epoch and then measure the statistics of batch normalisation again; here every step counts
    and the statistics are averaged with the weights. Best with a rate that stays high, such as ``schedule: constant``.
    """

    name: Literal["swa"] = "swa"
    start: float = Field(0.75, ge=0, lt=1, description="where it begins, as part of the run; before, the last weights")

    def share(self, step: int, steps: int) -> float:
        """See the parent."""
        return 1 / max(1, step - round(self.start * steps) + 1)


def _from_number(values: Any) -> Any:
    """A number is the decay of a moving average, 0 is none."""
    if isinstance(values, int | float) and not isinstance(values, bool):
        values = {"name": "ema", "decay": values} if values else "none"
    return named(values, "averaging", AVERAGINGS, "ema")


AveragingSettings = Annotated[
    NoAveragingSettings | EMASettings | SWASettings,
    Field(discriminator="name"),
    BeforeValidator(_from_number),
]
"""Settings of any way to average, told apart by ``name``."""

AVERAGINGS: dict[str, type[AveragingTypeSettings]] = {
    settings.model_fields["name"].default: settings for settings in get_args(get_args(AveragingSettings)[0])
}
"""Settings class of each way to average, by its name."""
