"""Progress of a fit, on standard error and only where a person looks."""

import multiprocessing
import sys
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from typing_extensions import override

from emogram.training.history import History


class EpochProgress(Callback):
    """A bar over the epochs with the latest scores beside it.

    Args:
        history: where the scores are kept.
        label: what is being trained.
    """

    def __init__(self, history: History, label: str) -> None:
        self.history = history
        self.label = label
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[scores]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            # One of several processes would draw over the bars of the others.
            disable=not sys.stderr.isatty() or multiprocessing.parent_process() is not None,
        )
        self.task: Any = None

    @override
    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        self.bar.start()
        self.task = self.bar.add_task(
            self.label, total=trainer.max_epochs, completed=trainer.current_epoch, scores=self._scores()
        )

    @override
    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        done = trainer.current_epoch + (batch_idx + 1) / max(1.0, float(trainer.num_training_batches))
        self.bar.update(self.task, completed=round(done, 2), scores=self._scores())

    @override
    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        self.bar.update(self.task, completed=trainer.current_epoch + 1, scores=self._scores())

    @override
    def on_exception(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, exception: BaseException
    ) -> None:
        self.bar.stop()

    @override
    def teardown(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, stage: str) -> None:
        self.bar.stop()

    def _scores(self) -> str:
        epochs = self.history.epochs
        return str(epochs[-1].line()) if epochs else ""
