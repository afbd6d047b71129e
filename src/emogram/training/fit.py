"""The fit: Lightning with averaged weights, early stopping and checkpoints that a killed run continues from."""

import logging
import warnings
from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from torch.utils.data import DataLoader

from emogram.training.checkpoints import SUFFIX, SafetensorsIO
from emogram.training.configuration import Configuration, RuntimeSettings
from emogram.training.data import Batch, ClipDataset, EpochSampler, LengthSampler, collate
from emogram.training.history import History
from emogram.training.learner import AveragedWeights, Learner
from emogram.training.progress import EpochProgress

BEST, LAST = "best", "last"
_VALIDATION_BATCH = 16


class _Checkpoint(ModelCheckpoint):
    FILE_EXTENSION = SUFFIX


def checkpoint(folder: Path, name: str) -> Path:
    """Where the checkpoint of that name lies in a run folder."""
    return folder / "checkpoints" / f"{name}{SUFFIX}"


def uses_bf16(runtime: RuntimeSettings) -> bool:
    """Whether the network computes in bfloat16: where asked for, or where the processor has instructions for it."""
    if runtime.precision != "auto":
        return runtime.precision == "bf16"
    if runtime.device in {"auto", "cuda"} and torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def training_batches(dataset: ClipDataset, configuration: Configuration) -> DataLoader[Batch]:
    """Shuffled, augmented batches."""
    sampler = EpochSampler(
        dataset.targets,
        batch_size=configuration.fit.batch_size,
        seed=configuration.seed,
        balanced=configuration.fit.balance == "sampling",
    )
    return DataLoader(dataset, batch_sampler=sampler, collate_fn=collate)  # type: ignore[arg-type]


def evaluation_batches(dataset: ClipDataset, batch_size: int = _VALIDATION_BATCH) -> DataLoader[Batch]:
    """Every clip once, whole."""
    sampler = LengthSampler([clip.duration_s for clip in dataset.clips], batch_size=batch_size)
    return DataLoader(dataset, batch_sampler=sampler, collate_fn=collate)  # type: ignore[arg-type]


def fit(learner: Learner, training: DataLoader[Batch], validation: DataLoader[Batch], folder: Path) -> History:
    """Train until the last epoch or an early stop, from the last checkpoint if the folder holds one.

    Leaves ``history.csv`` and the best and the last checkpoint in the folder.
    """
    settings = learner.settings
    history = History(folder / "history.csv")
    mode = "min" if settings.fit.monitor == "validation_loss" else "max"
    where = folder / "checkpoints"
    callbacks: list[Callback] = [
        history,
        EpochProgress(history, settings.name),
        _Checkpoint(
            where,
            BEST,
            monitor=settings.fit.monitor,
            mode=mode,
            save_top_k=1,
            enable_version_counter=False,
            save_on_train_epoch_end=True,
        ),
        _Checkpoint(where, LAST, save_top_k=1, enable_version_counter=False, save_on_train_epoch_end=True),
    ]
    if settings.fit.averaging:
        callbacks.append(AveragedWeights(settings.fit.averaging))
    if settings.fit.patience:
        callbacks.append(
            EarlyStopping(
                settings.fit.monitor, mode=mode, patience=settings.fit.patience, check_on_train_epoch_end=True
            )
        )
    _quiet()
    trainer = lightning.Trainer(
        max_epochs=settings.fit.epochs,
        accelerator=settings.runtime.device,
        devices=1,
        logger=False,
        callbacks=callbacks,
        plugins=[SafetensorsIO()],
        gradient_clip_val=settings.fit.optimizer.gradient_clip,
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
        trainer.fit(learner, training, validation, ckpt_path=str(last) if last.exists() else None)
    return history


def _quiet() -> None:
    for name in ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)
