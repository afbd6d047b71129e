"""What Lightning trains: the classifier, its loss, and validation scores by the averaged weights."""

import math
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor
from typing_extensions import override

from emogram.augmentation import draw
from emogram.augmentation.batch import Examples
from emogram.augmentation.spectrogram import Shape
from emogram.networks.classifier import Classifier
from emogram.networks.encoder import EncoderNetwork
from emogram.training.configuration import Configuration
from emogram.training.data import Batch, generator
from emogram.training.features import FeatureBatch
from emogram.training.optimisation.averaging import AveragingTypeSettings
from emogram.training.optimisation.losses import masked_cross_entropy, soft_targets
from emogram.training.optimisation.optimizers import optimizer
from emogram.training.optimisation.schedules import RateSchedule, schedule
from emogram.training.optimisation.stability import Stability
from emogram.training.transfer import hold, parameter_groups, unfreeze


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
        rate = configuration.fit.optimizer.learning_rate
        self.stability = Stability(
            configuration.fit.stability,
            f"lower fit.optimizer.learning_rate (now {rate:g}) or use runtime.precision=fp32",
        )
        self._rate: RateSchedule | None = None
        self._correct = self._seen = 0
        self._loss = 0.0
        self._validation: list[tuple[Tensor, Tensor, Tensor]] = []

    @override
    def configure_optimizers(self) -> Any:
        """The optimiser and its schedule, which moves on with every step of the optimiser."""
        chosen = self.optimizer_of_run()
        self._rate = schedule(self.settings.fit.schedule, chosen, steps=self.steps)
        return {"optimizer": chosen, "lr_scheduler": {"scheduler": self._rate, "interval": "step"}}

    def optimizer_of_run(self) -> torch.optim.Optimizer:
        """The optimiser of all weights that learn at some time, each group at its own highest rate."""
        return optimizer(self.settings.fit.optimizer, parameter_groups(self.classifier, self.settings.transfer))

    def enter(self, epoch: int) -> None:
        """Let learn what is to in an epoch, counted from 0, and nothing else. To call in training mode."""
        unfreeze(self.classifier.network, self.settings.transfer, epoch)
        hold(self.classifier.network, self.settings.transfer)

    @override
    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: int | float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Measure the norm of the gradient, and shorten it to the largest that is allowed."""
        self.clip_gradient(optimizer)

    def clip_gradient(self, optimizer: torch.optim.Optimizer) -> None:
        """Measure the norm of the gradient of all weights that an optimiser has, and shorten it where it is too long.

        Raises:
            TrainingError: it is not finite.
        """
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        longest = self.settings.fit.gradient_clip or math.inf
        self.stability.see_gradient(torch.nn.utils.clip_grad_norm_(weights, longest))

    @override
    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep what the signs of divergence remember from one epoch to the next."""
        checkpoint["explosions"] = self.stability.explosions

    @override
    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """See `on_save_checkpoint`."""
        self.stability.explosions = int(checkpoint["explosions"])

    @override
    def transfer_batch_to_device(
        self, batch: Batch | FeatureBatch, device: torch.device, dataloader_idx: int
    ) -> Batch | FeatureBatch:
        """Move every tensor of the batch."""
        kind = type(batch)
        return kind(*(getattr(batch, name).to(device) for name in kind.__slots__))

    @override
    def on_train_epoch_start(self) -> None:
        """Begin the sums of the epoch, at the rate that the last validation left."""
        if self._rate is not None:
            self._rate.apply()
        self.enter(self.current_epoch)
        self.stability.begin(self.current_epoch)
        self._correct = self._seen = 0
        self._loss = 0.0

    @override
    def training_step(self, batch: Batch | FeatureBatch, batch_index: int) -> Tensor:
        """Loss of one augmented batch."""
        epoch = self.current_epoch
        torch.manual_seed(int(generator(self.settings.seed, "dropout", epoch, batch_index).integers(2**62)))
        rng = generator(self.settings.seed, "batch", epoch, batch_index)
        values, n_frames = self._augmented(batch, rng)
        examples = Examples(values, self.targets(batch), batch.allowed, n_frames)
        for mix in draw(self.settings.augmentation.batch, rng, len(values)):
            examples = mix.apply(examples)
        logits = self._network(examples.spec, examples.n_frames)
        loss = self.loss(logits, examples.targets, examples.allowed)
        self._count(logits, examples.targets[:, : logits.shape[1]], loss)
        return loss

    def targets(self, batch: Batch | FeatureBatch) -> Tensor:
        """What the batch is to give [B, M], before clips are mixed; the first K columns are parts of each emotion."""
        return soft_targets(batch.target, batch.allowed, label_smoothing=self.settings.fit.label_smoothing)

    def loss(self, logits: Tensor, targets: Tensor, allowed: Tensor) -> Tensor:
        """Loss of logits [B, K] with targets [B, M] and allowed emotions [B, K], both mixed."""
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
        scores = {
            "validation_loss": masked_cross_entropy(logits, one_hot, allowed),
            "validation_accuracy": right.mean(),
            "validation_uar": torch.stack(recalls).mean(),
        }
        for name, score in scores.items():
            self.log(name, score)
        monitor = self.settings.fit.monitor
        if self._rate is not None:
            self._rate.observe(float(scores[monitor]), larger_is_better=monitor != "validation_loss")

    def _values(self, batch: Batch | FeatureBatch) -> tuple[Tensor, Tensor | None]:
        """What the part of the network that learns is given, and how many frames of each clip are real."""
        if isinstance(batch, FeatureBatch):
            return batch.hidden, batch.n_positions
        return self.classifier.spec(batch.wave, batch.n_samples)

    def _augmented(self, batch: Batch | FeatureBatch, rng: np.random.Generator) -> tuple[Tensor, Tensor | None]:
        """As `_values`, pictures augmented; what frozen blocks gave was augmented as a wave."""
        if isinstance(batch, FeatureBatch):
            return self._values(batch)
        learnt = any(parameter.requires_grad for parameter in self.classifier.spectrogram.parameters())
        with torch.set_grad_enabled(learnt):
            spec, n_frames = self._values(batch)
            clips, _, bands, frames = spec.shape
            for bent in draw(self.settings.augmentation.spectrogram, rng, Shape(clips, bands, frames)):
                spec = bent.apply(spec, n_frames)
            return spec, n_frames

    def _network(self, values: Tensor, n_frames: Tensor | None) -> Tensor:
        network = self.classifier.network
        with torch.autocast(values.device.type, torch.bfloat16, enabled=self.bf16):
            if self.frozen is not None:
                assert isinstance(network, EncoderNetwork)
                logits: Tensor = network.upper(values, n_frames, frozen=self.frozen)
            else:
                logits = network(values.contiguous(memory_format=torch.channels_last), n_frames)
        return logits.float()

    def _count(self, logits: Tensor, targets: Tensor, loss: Tensor) -> None:
        value = self.stability.see_loss(loss, logits.shape[1])
        self._loss += value * len(logits)
        self._correct += int((logits.argmax(dim=1) == targets.argmax(dim=1)).sum())
        self._seen += len(logits)


class AveragedWeights(WeightAveraging):
    """Averaged weights beside the trained ones: they are validated, and what a run leaves.

    Args:
        settings: how to average.
        steps: optimiser steps of the whole run.
    """

    def __init__(self, settings: AveragingTypeSettings, steps: int) -> None:
        def average(averaged: list[Tensor], current: list[Tensor], count: Tensor | int) -> None:
            # All tensors of one type at once: asked one by one, an accelerator would be waited for as many times a step.
            if averaged[0].is_floating_point():
                torch._foreach_lerp_(averaged, current, settings.share(int(count), steps))
            else:
                torch._foreach_copy_(averaged, current)

        super().__init__(use_buffers=True, multi_avg_fn=average)
