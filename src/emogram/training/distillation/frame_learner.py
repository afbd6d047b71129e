"""What is trained before the labels: the student, and a linear map from its feature map to the teacher's frames."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import lightning
import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from emogram.errors import TrainingError
from emogram.networks.classifier import Classifier
from emogram.networks.encoder import EncoderNetwork
from emogram.training.data import generator
from emogram.training.distillation.alignment import FeatureMaps
from emogram.training.distillation.frames import FrameBatch
from emogram.training.history import History
from emogram.training.learner import Learner

_SMALLEST_DEVIATION = 1e-3


class FrameStudent(Classifier):
    """A classifier's front end and network with a linear map to the teacher's frames, which is dropped afterwards.

    The map sees the mean over the rows of the feature map, as the pooling of the labels does: what is learned here has to
    be where the emotions will be looked for. Rows side by side would leave it to a map that is thrown away.

    Args:
        classifier: whose modules are shared.
        channels: D of the student's feature map.
        width: D' of the teacher's frames.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, classifier: Classifier, channels: int, width: int) -> None:
        super().__init__(classifier.spectrogram, classifier.network)
        self.standardisation = classifier.standardisation
        self.map = nn.Linear(channels, width)
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))

    @torch.no_grad()
    def measure(self, frames: Sequence[Tensor]) -> None:
        """Take mean and deviation of each dimension from frames of the training part, each [N', D']."""
        values = torch.cat(list(frames)).double()
        self.mean.copy_(values.mean(dim=0))
        self.deviation.copy_(values.std(dim=0).clamp_min(_SMALLEST_DEVIATION))
        if isinstance(self.network, EncoderNetwork):
            self._start_from_last_block()

    def _start_from_last_block(self) -> None:
        """Read the outputs of the last block as the teacher's: a network that is made of an encoder need not look for them."""
        wide, own = self.map.out_features, self.map.in_features
        if own % wide:
            return
        self.map.weight.zero_()
        self.map.weight[:, own - wide :] = torch.diag(1 / self.deviation)
        self.map.bias.copy_(-self.mean / self.deviation)

    def compare(
        self, spec: Tensor, n_frames: Tensor | None, frames: Tensor, real: Tensor, *, bf16: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """How far the student is from the teacher, over what is real of both.

        Args:
            spec: [B, C, F, N].
            n_frames: [B], real ones of the spectrogram, or None for all.
            frames: of the teacher, [B, N', D'].
            real: [B, N'], one where the teacher has a frame.
            bf16: compute the network in bfloat16.

        Returns:
            The sum of squared errors of standardised frames, their own sum of squares, and how many numbers those are.
        """
        network = self.network
        assert isinstance(network, FeatureMaps)
        with torch.autocast(spec.device.type, torch.bfloat16, enabled=bf16):
            maps, mask = network.features(spec.contiguous(memory_format=torch.channels_last), n_frames)
        given = self.map(maps.float().mean(dim=2).transpose(1, 2))
        beyond = given.shape[1] - frames.shape[1]
        wanted = (functional.pad(frames, (0, 0, 0, beyond)) - self.mean) / self.deviation
        both = functional.pad(real, (0, beyond))
        if mask is not None:
            both = both * mask[:, 0]
        error = ((given - wanted).square().sum(dim=2) * both).sum()
        power = (wanted.square().sum(dim=2) * both).sum()
        return error, power, both.sum() * wanted.shape[2]


@dataclass(frozen=True, slots=True)
class FrameEpoch:
    """Scores of one epoch of learning frames.

    Attributes:
        epoch: counted from 1.
        learning_rate: at its end.
        train_loss: mean squared error of standardised frames over its augmented clips.
        validation_loss: part of the variance of the teacher's frames that the averaged weights leave unexplained.
        seconds: of training and validation.
    """

    epoch: int
    learning_rate: float
    train_loss: float
    validation_loss: float
    seconds: float

    def line(self) -> str:
        """What a person who waits wants to know."""
        return f"frames: loss {self.train_loss:.2f}, {100 * (1 - self.validation_loss):.0f} % of variance explained"


class FrameHistory(History):
    """Collects the epochs of learning frames."""

    row: ClassVar[type[Any]] = FrameEpoch

    @override
    def scores(self, trainer: lightning.Trainer, learner: Learner, seconds: float) -> FrameEpoch:
        return FrameEpoch(
            epoch=trainer.current_epoch + 1,
            learning_rate=float(trainer.optimizers[0].param_groups[0]["lr"]),
            train_loss=learner.training_scores()[0],
            validation_loss=float(trainer.callback_metrics["validation_loss"]),
            seconds=round(seconds, 3),
        )


class FrameLearner(Learner):
    """Fits a `FrameStudent` to the teacher's frames; labels are not looked at."""

    classifier: FrameStudent
    _error = _power = 0.0

    @override
    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        """Mean squared error of one augmented batch."""
        assert isinstance(batch, FrameBatch)
        epoch = self.current_epoch
        torch.manual_seed(int(generator(self.settings.seed, "dropout", epoch, batch_index).integers(2**62)))
        spec, n_frames = self._augmented(batch.heard, generator(self.settings.seed, "batch", epoch, batch_index))
        error, _, count = self.classifier.compare(spec, n_frames, batch.frames, batch.real, bf16=self.bf16)
        loss = error / count.clamp_min(1)
        if not torch.isfinite(loss):
            raise TrainingError(
                f"distillation, epoch {epoch + 1}: the loss is {float(loss.detach())}; lower distillation.learning_rate "
                f"(now {self.settings.fit.optimizer.learning_rate:g}) or use runtime.precision=fp32"
            )
        self._loss += float(error.detach())
        self._seen += int(count)
        return loss

    @override
    def training_scores(self) -> tuple[float, float]:
        """Mean squared error over the epoch so far; there is no accuracy."""
        return self._loss / max(1, self._seen), 0.0

    @override
    def validation_step(self, batch: Any, batch_index: int) -> None:
        """Add up the errors of whole, unaugmented clips."""
        assert isinstance(batch, FrameBatch)
        spec, n_frames = self._values(batch.heard)
        error, power, _ = self.classifier.compare(spec, n_frames, batch.frames, batch.real, bf16=self.bf16)
        self._error += float(error)
        self._power += float(power)

    @override
    def on_validation_epoch_end(self) -> None:
        """Tell which part of the variance is left unexplained, and begin anew."""
        self.log("validation_loss", self._error / max(self._power, torch.finfo(torch.float32).tiny))
        self._error = self._power = 0.0

    @override
    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Move every tensor of the batch, and of the batch in it."""
        if not isinstance(batch, FrameBatch):
            return super().transfer_batch_to_device(batch, device, dataloader_idx)
        heard = super().transfer_batch_to_device(batch.heard, device, dataloader_idx)
        return FrameBatch(heard, batch.frames.to(device), batch.real.to(device))  # type: ignore[arg-type]
