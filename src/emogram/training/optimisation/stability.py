"""Signs of how steadily a run learns, and of a run that has come apart."""

import math

from pydantic import Field
from torch import Tensor

from emogram.errors import TrainingError
from emogram.training.settings import Settings


class StabilitySettings(Settings):
    """When a run has come apart and is ended. A loss or gradient that is no finite number always ends it."""

    explosion: float = Field(
        5.0, ge=0, le=1e6, description="a loss so many times that of guessing is an explosion; 0: none is"
    )
    batches: int = Field(20, ge=1, le=1_000_000, description="explosions in a row that end the run")


class Stability:
    """Sums over one epoch, and the explosions in a row.

    Args:
        settings: when a run has come apart.
        remedy: what the user can do about it.
    """

    def __init__(self, settings: StabilitySettings, remedy: str) -> None:
        self.settings = settings
        self.remedy = remedy
        self.explosions = 0
        self.begin(0)

    def begin(self, epoch: int) -> None:
        """Forget the sums; the epoch is counted from 0."""
        self.epoch = epoch
        self._losses: list[float] = []
        self._norms: list[float] = []

    def see_loss(self, loss: Tensor, n_emotions: int) -> float:
        """Take note of the loss of a batch.

        Raises:
            TrainingError: it is not finite, or far above that of guessing for too many batches in a row.
        """
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingError(f"{self._place()}: the loss is {value}; {self.remedy}")
        highest = self.settings.explosion * math.log(n_emotions)
        self.explosions = self.explosions + 1 if 0 < highest < value else 0
        if self.explosions >= self.settings.batches:
            raise TrainingError(
                f"{self._place()}: the loss has exploded to {value:.3g}, for {self.explosions} batches above {highest:.3g}, "
                f"{self.settings.explosion:g} times that of guessing; {self.remedy}"
            )
        self._losses.append(value)
        return value

    def see_gradient(self, norm: Tensor) -> None:
        """Take note of the norm of the gradient before it is clipped.

        Raises:
            TrainingError: it is not finite.
        """
        value = float(norm)
        if not math.isfinite(value):
            raise TrainingError(
                f"epoch {self.epoch + 1}, batch {len(self._losses)}: the norm of the gradient is {value}; {self.remedy}"
            )
        self._norms.append(value)

    def scores(self) -> dict[str, float]:
        """Variance of the loss over the batches of the epoch, and mean and largest norm of its gradients."""
        mean = math.fsum(self._losses) / len(self._losses)
        return {
            "train_loss_variance": math.fsum((loss - mean) ** 2 for loss in self._losses) / len(self._losses),
            "gradient_norm_mean": math.fsum(self._norms) / len(self._norms),
            "gradient_norm_max": max(self._norms),
        }

    def _place(self) -> str:
        return f"epoch {self.epoch + 1}, batch {len(self._losses) + 1}"
