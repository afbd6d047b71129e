"""The fit: Lightning with averaged weights, early stopping and checkpoints that a killed run continues from."""

import logging
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from lightning.pytorch.callbacks.early_stopping import EarlyStoppingReason
from lightning.pytorch.utilities.exceptions import SIGTERMException
from torch.utils.data import DataLoader
from typing_extensions import override

from emogram import processors
from emogram.errors import ConfigurationError
from emogram.training import memory, processor
from emogram.training.batches import Batches
from emogram.training.checkpoints import SUFFIX, SafetensorsIO
from emogram.training.configuration import Configuration, RuntimeSettings
from emogram.training.distillation.frames import FrameBatch
from emogram.training.history import History, Watch
from emogram.training.learner import AveragedWeights, Learner
from emogram.training.progress import EpochProgress

BEST, LAST = "best", "last"


class _Checkpoint(ModelCheckpoint):
    FILE_EXTENSION = SUFFIX

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore which checkpoint is the best, also where the run folder has been moved since."""

        def here(path: str) -> str:
            return str(Path(str(self.dirpath)) / Path(path).name) if path else path

        moved = {name: here(state_dict[name]) for name in ("best_model_path", "kth_best_model_path", "last_model_path")}
        scores = {here(path): score for path, score in state_dict["best_k_models"].items()}
        super().load_state_dict({**state_dict, **moved, "best_k_models": scores, "dirpath": self.dirpath})


class _Released(Callback):
    """Clips of other lengths every epoch would otherwise leave holes of their own in memory."""

    @override
    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        memory.release()


class _EarlyStopping(EarlyStopping):
    @override
    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """A fit that had stopped before it was interrupted stays stopped."""
        trainer.should_stop = trainer.should_stop or self.stopping_reason != EarlyStoppingReason.NOT_STOPPED


def checkpoint(folder: Path, name: str) -> Path:
    """Where the checkpoint of that name lies in a run folder."""
    return folder / "checkpoints" / f"{name}{SUFFIX}"


def check_device(runtime: RuntimeSettings) -> None:
    """Make sure that there is the device that is asked for.

    Raises:
        ConfigurationError: there is none.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not present.get(runtime.device, True):
        raise ConfigurationError(f"runtime.device={runtime.device}: there is none here; choose auto or cpu")


def set_threads(runtime: RuntimeSettings) -> None:
    """Let torch compute in as many threads as are asked for; in no more than there are processors for, if none are."""
    torch.set_num_threads(runtime.threads or min(torch.get_num_threads(), processors.count()))


def device_of(runtime: RuntimeSettings) -> torch.device:
    """Where a run computes."""
    if runtime.device != "auto":
        return torch.device(runtime.device)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def uses_bf16(runtime: RuntimeSettings) -> bool:
    """Whether the network computes in bfloat16: where asked for, or where the processor is faster in it."""
    if runtime.precision != "auto":
        return runtime.precision == "bf16"
    if runtime.device in {"auto", "cuda"} and torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    return processor.gains_from_bf16()


def optimizer_steps(batches: int, configuration: Configuration) -> int:
    """Steps of the optimiser in a whole run of so many batches an epoch; an epoch's last step may be of fewer batches."""
    return -(-batches // configuration.fit.accumulation) * configuration.fit.epochs


def fit(
    learner: Learner,
    training: Batches | DataLoader[FrameBatch],
    validation: Batches | DataLoader[FrameBatch],
    folder: Path,
    *,
    watch: Watch | None = None,
    kept: type[History] = History,
) -> History:
    """Train until the last epoch or an early stop, from the last checkpoint if the folder holds one.

    Leaves ``history.csv``, as `kept` writes it, and the best and the last checkpoint in the folder. `watch` is told of
    every epoch.

    Raises:
        KeyboardInterrupt: interrupted; what is in the folder can be continued.
    """
    settings = learner.settings
    history = kept(folder / "history.csv", watch)
    _quiet()
    trainer = lightning.Trainer(
        max_epochs=settings.fit.epochs,
        accelerator=settings.runtime.device,
        devices=1,
        logger=False,
        callbacks=_callbacks(learner, history, folder / "checkpoints"),
        # One process, whatever cluster it may run on: Lightning would otherwise look for others and requeue jobs.
        plugins=[SafetensorsIO(weights_alone=BEST), LightningEnvironment()],
        accumulate_grad_batches=settings.fit.accumulation,
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    )
    last = checkpoint(folder, LAST)
    with warnings.catch_warnings():
        # Worker processes would not help: a batch is made in a few milliseconds. Lightning advises them all the same.
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*Checkpoint directory .* exists and is not empty.*")
        warnings.filterwarnings("ignore", message=".*The number of training batches .* is smaller than.*")
        warnings.filterwarnings("ignore", message=".*torch.jit.*", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=".*isinstance\\(treespec, LeafSpec\\).*")
        _fit(trainer, learner, training, validation, str(last) if last.exists() else None)
    return history


def _fit(
    trainer: lightning.Trainer,
    learner: Learner,
    training: Batches | DataLoader[FrameBatch],
    validation: Batches | DataLoader[FrameBatch],
    last: str | None,
) -> None:
    """Fit; interrupted or terminated, end as any other program does."""
    try:
        with memory.kept():
            trainer.fit(learner, training, validation, ckpt_path=last)
    except SIGTERMException:  # an exit with status 0
        sys.exit(128 + signal.SIGTERM)
    except SystemExit as ending:  # what Lightning makes of an interruption
        if not isinstance(ending.__context__, KeyboardInterrupt):
            raise
        raise KeyboardInterrupt from None


def _callbacks(learner: Learner, history: History, where: Path) -> list[Callback]:
    settings = learner.settings
    monitor, patience = settings.fit.monitor, settings.fit.patience
    mode = "min" if monitor == "validation_loss" else "max"
    kept: dict[str, Any] = {"save_top_k": 1, "enable_version_counter": False, "save_on_train_epoch_end": True}
    callbacks: list[Callback] = [
        history,
        EpochProgress(history, settings.name),
        _Released(),
        _Checkpoint(where, BEST, monitor=monitor, mode=mode, **kept),
        _Checkpoint(where, LAST, **kept),
    ]
    if settings.fit.averaging.name != "none":
        callbacks.append(AveragedWeights(settings.fit.averaging, learner.steps))
    if patience:
        callbacks.append(_EarlyStopping(monitor, mode=mode, patience=patience, check_on_train_epoch_end=True))
    return callbacks


def _quiet() -> None:
    for name in ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)
