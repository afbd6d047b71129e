"""The loop that `training_epoch` compares with: plain PyTorch in fp32, channels first, and librosa, as tutorials write it.

It runs in a process of its own, as it does for who writes it, so that nothing that emogram sets for its own fit reaches it.
"""

import statistics
import time
from collections.abc import Sequence

import librosa
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from emogram.corpora import Clip
from emogram.networks.classifier import Classifier
from emogram.networks.network import Network
from emogram.spectrograms import LogMelSettings
from emogram.training.building import build_classifier
from emogram.training.configuration import Configuration

Wave = npt.NDArray[np.float32]

_EVALUATED_AT_ONCE, _STEPS = 16, 5


class PlainLoop:
    """A network, an optimiser, and what they train on.

    Args:
        configuration: of the run beside which it stands.
        emotions: of the run, in order.
        training: clips that train it.
        validation: clips that validate it.
    """

    def __init__(
        self,
        configuration: Configuration,
        emotions: Sequence[str],
        training: Sequence[Clip],
        validation: Sequence[Clip],
    ) -> None:
        self.configuration = configuration
        self.emotions = emotions
        self.training, self.validation = training, validation
        classifier: Classifier = build_classifier(configuration, len(emotions))
        self.network = classifier.network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=1e-3)
        self.length = round(configuration.audio.clip_s * configuration.audio.sample_rate)
        self.rng = np.random.default_rng(0)

    def whole(self) -> float:
        """Seconds of an epoch that reads, augments and validates as emogram's does."""
        started = time.monotonic()
        for batch in self._batches():
            self._step(torch.stack([self._log_mel(self._augmented(self._wave(clip))) for clip in batch]), batch)
        self.network.eval()
        right = 0
        with torch.no_grad():
            for start in range(0, len(self.validation), _EVALUATED_AT_ONCE):
                clips = self.validation[start : start + _EVALUATED_AT_ONCE]
                specs = torch.stack([self._log_mel(self._wave(clip)) for clip in clips])
                right += int((self.network(specs).argmax(dim=1) == self._targets(clips)).sum())
        return time.monotonic() - started

    def from_files(self) -> float:
        """Seconds of an epoch that reads and trains, and does nothing else."""
        started = time.monotonic()
        for batch in self._batches():
            self._step(torch.stack([self._log_mel(self._wave(clip)[: self.length]) for clip in batch]), batch)
        return time.monotonic() - started

    def from_spectrograms(self) -> float:
        """Seconds of an epoch whose spectrograms are ready in memory."""
        specs = {clip.path: self._log_mel(self._wave(clip)[: self.length]) for clip in self.training}
        started = time.monotonic()
        for batch in self._batches():
            self._step(torch.stack([specs[clip.path] for clip in batch]), batch)
        return time.monotonic() - started

    def network_alone(self, spec: Tensor) -> float:
        """Seconds of one batch forward and backward."""
        self.network.train()
        return step_seconds(self.network, spec, len(self.emotions), bf16=False)

    def _batches(self) -> list[list[Clip]]:
        size = self.configuration.fit.batch_size
        order = self.rng.permutation(len(self.training))
        starts = range(0, len(order) - size + 1, size)
        return [[self.training[index] for index in order[start : start + size]] for start in starts]

    def _step(self, specs: Tensor, batch: Sequence[Clip]) -> None:
        self.network.train()
        loss = functional.cross_entropy(self.network(specs), self._targets(batch))
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()

    def _targets(self, batch: Sequence[Clip]) -> Tensor:
        return torch.tensor([self.emotions.index(clip.emotion) for clip in batch])

    def _wave(self, clip: Clip) -> Wave:
        wave, _ = librosa.load(clip.path, sr=self.configuration.audio.sample_rate)
        return wave

    def _augmented(self, wave: Wave) -> Wave:
        """Another speed and loudness, and a crop, as the configuration has it."""
        rate = self.configuration.audio.sample_rate
        wave = librosa.resample(wave, orig_sr=rate, target_sr=rate / self.rng.uniform(0.9, 1.1))
        wave = wave * np.float32(10 ** (self.rng.uniform(-6, 6) / 20))
        start = self.rng.integers(max(1, len(wave) - self.length))
        return wave[start : start + self.length]

    def _log_mel(self, wave: Wave) -> Tensor:
        settings = self.configuration.spectrogram
        assert isinstance(settings, LogMelSettings)
        rate = self.configuration.audio.sample_rate
        mel = librosa.feature.melspectrogram(
            y=wave,
            sr=rate,
            n_fft=settings.n_fft,
            hop_length=round(settings.hop_ms * rate / 1000),
            n_mels=settings.n_mels,
        )
        return torch.from_numpy(np.log(mel + settings.floor))[None]


def step_seconds(network: Network, spec: Tensor, n_classes: int, *, bf16: bool) -> float:
    """Seconds of one batch forward and backward: the median of a few, one after the other, the first left out."""
    targets = torch.arange(len(spec)) % n_classes
    seconds = []
    for _ in range(1 + _STEPS):
        network.zero_grad()
        started = time.monotonic()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = network(spec)
        functional.cross_entropy(logits.float(), targets).backward()  # type: ignore[no-untyped-call]
        seconds.append(time.monotonic() - started)
    return statistics.median(seconds[1:])


_LOOPS: list[PlainLoop] = []
"""That of this process, once it has begun."""


def begin(
    threads: int,
    configuration: Configuration,
    emotions: Sequence[str],
    training: Sequence[Clip],
    validation: Sequence[Clip],
) -> None:
    """Set the loop of this process up."""
    torch.set_num_threads(threads)
    _LOOPS.append(PlainLoop(configuration, emotions, training, validation))


def measure(what: str, *given: Tensor) -> float:
    """Seconds that one of the loop's methods tells."""
    seconds: float = getattr(_LOOPS[0], what)(*given)
    return seconds
