"""What Lightning trains: the classifier, its loss, and validation scores by the averaged weights."""

from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor
from typing_extensions import override

from emogram.augmentation import draw
from emogram.augmentation.batch import Examples
from emogram.augmentation.spectrogram import Shape
from emogram.errors import TrainingError
from emogram.networks.classifier import Classifier
from emogram.training.configuration import Configuration
from emogram.training.data import Batch, generator
from emogram.training.optimisation import masked_cross_entropy, optimizer, schedule, soft_targets


class Learner(lightning.LightningModule):
    """One run's classifier with everything that fits it.

    Args:
        classifier: with its standardisation measured already.
        configuration: of the run.
        steps: optimiser steps of the whole run.
        weights: of rare emotions [K], or None.
        bf16: compute the network's convolutions in bfloat16.
    """

    def __init__(
        self, classifier: Classifier, configuration: Configuration, *, steps: int, weights: Tensor | None, bf16: bool
    ) -> None:
        super().__init__()
        self.classifier = classifier
        self.settings = configuration
        self.steps = steps
        self.bf16 = bf16
        self.register_buffer("class_weights", weights, persistent=False)
        self._correct = self._seen = 0
        self._loss = 0.0
        self._validation: list[tuple[Tensor, Tensor, Tensor]] = []

    @override
    def configure_optimizers(self) -> Any:
        """AdamW and its schedule, stepped after every batch."""
        chosen = optimizer(self.settings.fit.optimizer, self.classifier)
        rate = schedule(self.settings.fit.optimizer, chosen, steps=self.steps)
        return {"optimizer": chosen, "lr_scheduler": {"scheduler": rate, "interval": "step"}}

    @override
    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Move every tensor of the batch."""
        return Batch(*(getattr(batch, name).to(device) for name in Batch.__slots__))

    @override
    def on_train_epoch_start(self) -> None:
        """Begin the sums of the epoch."""
        self._correct = self._seen = 0
        self._loss = 0.0

    @override
    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Loss of one augmented batch."""
        epoch = self.current_epoch
        torch.manual_seed(int(generator(self.settings.seed, "dropout", epoch, batch_index).integers(2**62)))
        rng = generator(self.settings.seed, "batch", epoch, batch_index)
        targets = soft_targets(batch.target, batch.allowed, label_smoothing=self.settings.fit.label_smoothing)
        learnt = any(parameter.requires_grad for parameter in self.classifier.spectrogram.parameters())
        with torch.set_grad_enabled(learnt):
            spec, n_frames = self.classifier.spec(batch.wave, batch.n_samples)
            clips, _, bands, frames = spec.shape
            for bent in draw(self.settings.augmentation.spectrogram, rng, Shape(clips, bands, frames)):
                spec = bent.apply(spec, n_frames)
        examples = Examples(spec, targets, batch.allowed, n_frames)
        for mix in draw(self.settings.augmentation.batch, rng, clips):
            examples = mix.apply(examples)
        logits = self._network(examples.spec, examples.n_frames)
        loss = masked_cross_entropy(logits, examples.targets, examples.allowed, self.class_weights)  # type: ignore[arg-type]
        self._count(logits, examples.targets, loss)
        return loss

    def training_scores(self) -> tuple[float, float]:
        """Mean loss, and part of the clips whose heavier emotion was found, over the epoch so far."""
        return self._loss / self._seen, self._correct / self._seen

    @override
    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Keep the logits of whole, unaugmented clips."""
        logits = self._network(*self.classifier.spec(batch.wave, batch.n_samples))
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

    def _network(self, spec: Tensor, n_frames: Tensor | None) -> Tensor:
        spec = spec.contiguous(memory_format=torch.channels_last)
        with torch.autocast(spec.device.type, torch.bfloat16, enabled=self.bf16):
            logits: Tensor = self.classifier.network(spec, n_frames)
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
