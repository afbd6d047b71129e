"""Settings of the fit: how long, by which optimiser and schedule, and against which excesses."""

from typing import Literal

from pydantic import Field

from emogram.training.optimisation.averaging import AveragingSettings, EMASettings
from emogram.training.optimisation.optimizers import AdamWSettings, OptimizerSettings
from emogram.training.optimisation.schedules import OneCycleSettings, ScheduleSettings
from emogram.training.optimisation.stability import StabilitySettings
from emogram.training.settings import Settings


class FitSettings(Settings):
    """How long and how carefully to fit."""

    epochs: int = Field(40, ge=1, le=10_000, description="how often every training clip is heard")
    batch_size: int = Field(32, ge=2, le=4096, description="clips whose gradient is computed at once")
    accumulation: int = Field(
        1, ge=1, le=1024, description="batches whose gradients are averaged for one step of the optimiser"
    )
    optimizer: OptimizerSettings = Field(AdamWSettings(), description="what makes steps of gradients")
    schedule: ScheduleSettings = Field(OneCycleSettings(), description="learning rate over the run")
    gradient_clip: float = Field(5.0, ge=0, le=1e6, description="largest norm of the gradient; 0: any")
    label_smoothing: float = Field(
        0.1, ge=0, lt=1, description="probability spread over the corpus's emotions (Szegedy et al. 2016)"
    )
    balance: Literal["none", "weights", "sampling"] = Field(
        "none", description="rare emotions: weigh their loss, or draw them more often"
    )
    averaging: AveragingSettings = Field(
        EMASettings(), description="weights that are validated and kept; a number is the decay of ema, 0 is none"
    )
    monitor: Literal["validation_uar", "validation_accuracy", "validation_loss"] = Field(
        "validation_uar", description="picks the checkpoint, stops early and lowers the rate of the plateau schedule"
    )
    soup: int = Field(
        1,
        ge=1,
        le=64,
        description="fits from the same start with other draws, of whose weights the mean is kept (Wortsman et al. 2022)",
    )
    patience: int = Field(0, ge=0, le=10_000, description="epochs without a better score before stopping; 0: never")
    stability: StabilitySettings = Field(StabilitySettings(), description="when a run has come apart and is ended")
