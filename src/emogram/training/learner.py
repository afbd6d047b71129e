"""What Lightning trains: the classifier, its loss, and validation scores by the averaged weights."""

from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor
from typing_extensions import override

from emogram.augmentation import batch as batch_augmentation
from emogram.augmentation import spectrogram as spectrogram_augmentation
from emogram.augmentation.batch import MixupDraw
from emogram.errors import TrainingError
from emogram.networks.classifier import Classifier
from emogram.networks.whisper import WhisperNetwork
from emogram.training.configuration import Configuration
from emogram.training.data import Batch, generator
from emogram.training.features import FeatureBatch
from emogram.training.optimisation import masked_cross_entropy, optimizer, schedule, soft_targets
from emogram.training.transfer import parameter_groups


class Learner(lightning.LightningModule):
    """One run's classifier with everything that fits it.

    Args:
        classifier: with its standardisation measured already.
        configuration: of the run.
        steps: optimiser steps of the whole run.
        weights: of rare emotions [K], or None.
        bf16: compute the network's convolutions in bfloat16.
        frozen: how many first blocks stay as they are; their outputs come in the batches. None where nothing is frozen.
    """

    def __init__(
        self,
        classifier: Classifier,
        configuration: Configuration,
        *,
        steps: int,
        weights: Tensor | None,
        bf16: bool,
        frozen: int | None = None,
    ) -> None:
        super().__init__()
        self.classifier = classifier
        self.settings = configuration
        self.steps = steps
        self.bf16 = bf16
        self.frozen = frozen
        self.register_buffer("class_weights", weights, persistent=False)
        self._correct = self._seen = 0
        self._loss = 0.0
        self._validation: list[tuple[Tensor, Tensor, Tensor]] = []

    @override
    def configure_optimizers(self) -> Any:
        """AdamW and its schedule, stepped after every batch."""
        groups = parameter_groups(self.classifier, self.settings.transfer)
        chosen = optimizer(self.settings.fit.optimizer, groups)
        rate = schedule(self.settings.fit.optimizer, chosen, steps=self.steps)
        return {"optimizer": chosen, "lr_scheduler": {"scheduler": rate, "interval": "step"}}

    @override
    def transfer_batch_to_device(
        self, batch: Batch | FeatureBatch, device: torch.device, dataloader_idx: int
    ) -> Batch | FeatureBatch:
        """Move every tensor of the batch."""
        kind = type(batch)
        return kind(*(getattr(batch, name).to(device) for name in kind.__slots__))

    @override
    def on_train_epoch_start(self) -> None:
        """Begin the sums of the epoch."""
        self._correct = self._seen = 0
        self._loss = 0.0

    @override
    def training_step(self, batch: Batch | FeatureBatch, batch_index: int) -> Tensor:
        """Loss of one augmented batch."""
        epoch = self.current_epoch
        torch.manual_seed(int(generator(self.settings.seed, "dropout", epoch, batch_index).integers(2**62)))
        rng = generator(self.settings.seed, "batch", epoch, batch_index)
        targets = soft_targets(batch.target, batch.allowed, label_smoothing=self.settings.fit.label_smoothing)
        values, extent = self._augmented(batch, rng)
        allowed = batch.allowed
        mix = batch_augmentation.draw(self.settings.augmentation.batch, rng, clips=len(values))
        if mix is not None:
            partner = torch.from_numpy(mix.partner).to(values.device)
            values = batch_augmentation.apply(values, mix)
            targets = batch_augmentation.apply(targets, mix)
            allowed = allowed | allowed[partner]
            extent = None if extent is None else torch.maximum(extent, extent[partner])
        logits = self._network(values, extent)
        loss = self.loss(logits, targets, allowed, batch, mix)
        self._count(logits, targets, loss)
        return loss

    def loss(
        self,
        logits: Tensor,
        targets: Tensor,
        allowed: Tensor,
        batch: Batch | FeatureBatch,  # noqa: ARG002
        mix: MixupDraw | None,  # noqa: ARG002
    ) -> Tensor:
        """Loss of a training batch whose targets [B, K] and allowed emotions [B, K] were mixed as `mix` says."""
        return masked_cross_entropy(logits, targets, allowed, self.class_weights)  # type: ignore[arg-type]

    def training_scores(self) -> tuple[float, float]:
        """Mean loss, and part of the clips whose heavier emotion was found, over the epoch so far."""
        return self._loss / self._seen, self._correct / self._seen

    @override
    def validation_step(self, batch: Batch | FeatureBatch, batch_index: int) -> None:
        """Keep the logits of whole, unaugmented clips."""
        logits = self._network(*self._values(batch))
        self._validation.append((logits, batch.target, batch.allowed))

    @override
    def on_validation_epoch_end(self) -> None:
        """Tell loss, accuracy and unweighted average recall over the validation part."""
        logits, target, allowed = (torch.cat(parts) for parts in zip(*self._validation, strict=True))
        self._validation.clear()
        one_hot = soft_targets(target, allowed, label_smoothing=0.0)
        right = (logits.argmax(dim=1) == target).float()
        recalls = [right[target == emotion].mean() for emotion in torch.unique(target)]
        self.log("validation_loss", masked_cross_entropy(logits, one_hot, allowed))
        self.log("validation_accuracy", right.mean())
        self.log("validation_uar", torch.stack(recalls).mean())

    def _values(self, batch: Batch | FeatureBatch) -> tuple[Tensor, Tensor | None]:
        """What the part of the network that learns is given, and how far it is real: frames of each clip, or a mask."""
        if isinstance(batch, FeatureBatch):
            return batch.hidden, batch.mask
        return self.classifier.spec(batch.wave, batch.n_samples)

    def _augmented(self, batch: Batch | FeatureBatch, rng: np.random.Generator) -> tuple[Tensor, Tensor | None]:
        """As `_values`, and pictures with their masks on."""
        if isinstance(batch, FeatureBatch):
            return self._values(batch)
        learnt = any(parameter.requires_grad for parameter in self.classifier.spectrogram.parameters())
        with torch.set_grad_enabled(learnt):
            spec, n_frames = self._values(batch)
            clips, _, bands, frames = spec.shape
            masks = spectrogram_augmentation.draw(
                self.settings.augmentation.spectrogram, rng, clips=clips, bands=bands, frames=frames
            )
            return spectrogram_augmentation.apply(spec, masks), n_frames

    def _network(self, values: Tensor, extent: Tensor | None) -> Tensor:
        network = self.classifier.network
        with torch.autocast(values.device.type, torch.bfloat16, enabled=self.bf16):
            if self.frozen is not None:
                assert isinstance(network, WhisperNetwork)
                logits: Tensor = network.upper(values, extent, frozen=self.frozen)
            else:
                logits = network(values.contiguous(memory_format=torch.channels_last), extent)
        return logits.float()

    def _count(self, logits: Tensor, targets: Tensor, loss: Tensor) -> None:
        value = float(loss.detach())
        if not torch.isfinite(loss):
            raise TrainingError(
                f"epoch {self.current_epoch + 1}: the loss is {value}; lower fit.optimizer.learning_rate "
                f"(now {self.settings.fit.optimizer.learning_rate:g}) or use runtime.precision=fp32"
            )
        self._loss += value * len(logits)
        self._correct += int((logits.argmax(dim=1) == targets.argmax(dim=1)).sum())
        self._seen += len(logits)


class AveragedWeights(WeightAveraging):
    """Exponential moving average of the weights, with a faster decay over the first steps.

    Step t averages with decay min(decay, (1 + t) / (10 + t)), so that the random start is soon forgotten.
    """

    def __init__(self, decay: float) -> None:
        def average(averaged: Tensor, current: Tensor, count: Tensor | int) -> Tensor:
            if not averaged.is_floating_point():
                return current
            steps = int(count)
            return torch.lerp(averaged, current, 1 - min(decay, (1 + steps) / (10 + steps)))

        super().__init__(use_buffers=True, avg_fn=average)
