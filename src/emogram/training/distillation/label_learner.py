"""What is trained on the labels: the classifier, with teachers' answers or frames beside them."""

from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from emogram.networks.classifier import Classifier
from emogram.training.configuration import Configuration
from emogram.training.data import Batch, generator
from emogram.training.distillation.frame_learner import FrameStudent
from emogram.training.distillation.frames import FrameDataset, collate_frames
from emogram.training.distillation.soft_labels import SoftLabels
from emogram.training.features import FeatureBatch
from emogram.training.learner import Learner
from emogram.training.optimisation.losses import masked_cross_entropy


class LabelLearner(Learner):
    """A `Learner` that listens to teachers as well.

    Args:
        classifier: with its standardisation measured already.
        configuration: of the run.
        soft: teachers' answers for the training part, or None.
        frames: the training part with the teacher's frames, and the student with its map to them, which stays as it is;
            None where frames are not learned beside the labels.
        options: as for `Learner`.
    """

    def __init__(
        self,
        classifier: Classifier,
        configuration: Configuration,
        *,
        soft: SoftLabels | None,
        frames: tuple[FrameDataset, FrameStudent] | None,
        **options: Any,
    ) -> None:
        super().__init__(classifier, configuration, **options)
        self.soft = soft
        # In a tuple, so that the map and its statistics are no part of this module, its optimiser and its checkpoints.
        self.frames = frames

    @override
    def training_step(self, batch: Batch | FeatureBatch, batch_index: int) -> Tensor:
        loss = super().training_step(batch, batch_index)
        if self.frames is None:
            return loss
        assert self.settings.distillation is not None
        return loss + self.settings.distillation.weight * self._frame_loss(batch.index, batch_index)

    @override
    def targets(self, batch: Batch | FeatureBatch) -> Tensor:
        """Labels [B, K]; where teachers speak, beside them the labels' share and the teachers' share, [B, 3 K]."""
        labels = super().targets(batch)
        if self.soft is None:
            return labels
        index = batch.index.cpu()
        share = self.soft.share * self.soft.known[index][:, None].to(labels.device)
        answers = self.soft.probabilities[index].to(labels.device)
        return torch.cat([labels, (1 - share) * labels, share * answers], dim=1)

    @override
    def loss(self, logits: Tensor, targets: Tensor, allowed: Tensor) -> Tensor:
        """Cross-entropy with the labels and, its logits divided by the temperature, with the teachers' answers.

        The second is multiplied by the squared temperature, which keeps its gradients as large (Hinton et al. 2015).
        A clip of which no teacher may speak has its label alone.
        """
        if self.soft is None:
            return super().loss(logits, targets, allowed)
        _, hard, soft = targets.chunk(3, dim=1)
        temperature = self.soft.temperature
        answered = masked_cross_entropy(logits / temperature, soft, allowed)
        return super().loss(logits, hard, allowed) + temperature**2 * answered

    def _frame_loss(self, index: Tensor, number: int) -> Tensor:
        """Mean squared error of the frames of copies of the clips of that batch of the epoch."""
        assert self.frames is not None
        dataset, student = self.frames
        student.to(self.device)
        batch = collate_frames([dataset[self.current_epoch, place] for place in index.tolist()])
        heard = self.transfer_batch_to_device(batch.heard, self.device, 0)
        spec, n_frames = self._augmented(
            heard, generator(self.settings.seed, "distillation", self.current_epoch, number)
        )
        frames, real = batch.frames.to(self.device), batch.real.to(self.device)
        error, _, count = student.compare(spec, n_frames, frames, real, bf16=self.bf16)
        return error / count.clamp_min(1)
