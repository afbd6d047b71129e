"""The history of a fit: one row an epoch, kept in the checkpoint, so that a continued run has all of it."""

import csv
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

import lightning
from lightning.pytorch.callbacks import Callback
from typing_extensions import override

from emogram.training.learner import Learner
from emogram.writing import whole


@dataclass(frozen=True, slots=True)
class Epoch:
    """Scores of one epoch. Training scores are of augmented clips, as they were met; validation is by averaged weights.

    Attributes:
        epoch: counted from 1.
        learning_rate: at its end.
        train_loss: mean over its clips.
        train_accuracy: part of the (mixed) clips whose heavier emotion was found.
        validation_loss: cross-entropy.
        validation_accuracy: part.
        validation_uar: unweighted average recall.
        train_loss_variance: of the loss over the batches of the epoch.
        gradient_norm_mean: of the gradients of the epoch's steps, before they were clipped.
        gradient_norm_max: largest of them.
        seconds: of training and validation.
        clips_per_s: trained, validation included in the time.
    """

    epoch: int
    learning_rate: float
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    validation_uar: float
    train_loss_variance: float
    gradient_norm_mean: float
    gradient_norm_max: float
    seconds: float
    clips_per_s: float

    def line(self) -> str:
        """What a person who waits wants to know."""
        return (
            f"loss {self.train_loss:.2f}, validation {self.validation_loss:.2f}, "
            f"recall {100 * self.validation_uar:.0f} %, {self.clips_per_s:.0f} clips/s"
        )


class History(Callback):
    """Collects the epochs and writes them as ``history.csv`` after each.

    Args:
        path: of the file.
        watch: called with every epoch as it ends; what it raises ends the fit.
    """

    row: ClassVar[type[Any]] = Epoch
    """Scores of one epoch: a dataclass with a method ``line``."""

    def __init__(self, path: Path, watch: "Watch | None" = None) -> None:
        self.path = path
        self.watch = watch
        self.epochs: list[Any] = []
        self._started = 0.0

    def scores(self, trainer: lightning.Trainer, learner: Learner, seconds: float) -> Any:
        """The row of the epoch that has just ended."""
        train_loss, train_accuracy = learner.training_scores()
        scores = {name: float(value) for name, value in trainer.callback_metrics.items()}
        batches = trainer.train_dataloader
        clips = len(batches) * batches.batch_sampler.batch_size if batches is not None else 0
        return Epoch(
            epoch=trainer.current_epoch + 1,
            learning_rate=float(trainer.optimizers[0].param_groups[0]["lr"]),
            train_loss=train_loss,
            train_accuracy=train_accuracy,
            validation_loss=scores["validation_loss"],
            validation_accuracy=scores["validation_accuracy"],
            validation_uar=scores["validation_uar"],
            **learner.stability.scores(),
            seconds=round(seconds, 3),
            clips_per_s=round(clips / seconds, 1),
        )

    @override
    def state_dict(self) -> dict[str, Any]:
        return {"epochs": [asdict(epoch) for epoch in self.epochs]}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.epochs = [self.row(**epoch) for epoch in state_dict["epochs"]]

    @override
    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        self._started = time.monotonic()

    @override
    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        seconds = time.monotonic() - self._started
        assert isinstance(pl_module, Learner)
        self.epochs.append(self.scores(trainer, pl_module, seconds))
        self.write()
        if self.watch is not None:
            self.watch(self.epochs[-1])

    def write(self) -> None:
        """Write all epochs; a reader sees the old file or the new one."""
        with whole(self.path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [field.name for field in fields(self.row)], lineterminator="\n")
            writer.writeheader()
            writer.writerows(asdict(epoch) for epoch in self.epochs)


Watch = Callable[[Epoch], None]
"""Told of an epoch as it ends."""
