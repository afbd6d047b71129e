"""The classifier: wave in, logits out, front end and statistics inside, so that there is one path and no second."""

import torch
from torch import Tensor, nn

from emogram.networks.network import Network
from emogram.spectrograms import Spectrogram, Standardisation


class Classifier(nn.Module):
    """Front end, standardisation by training statistics, network.

    Args:
        spectrogram: wave [B, T] to spec [B, C, F, N].
        network: spec to logits [B, K].

    Shape:
        wave [B, T], n_samples [B] or None (all T) -> logits [B, K]
    """

    def __init__(self, spectrogram: Spectrogram, network: Network) -> None:
        super().__init__()
        self.spectrogram = spectrogram
        self.standardisation = Standardisation(spectrogram.statistics_shape)
        self.network = network

    def spec(self, wave: Tensor, n_samples: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Standardised spectrogram [B, C, F, N], and the number of real frames of each clip or None if all are."""
        n_frames = None
        if n_samples is not None and bool((n_samples < wave.shape[1]).any()):
            n_frames = self.spectrogram.n_frames(n_samples)
        return self.standardisation(self.spectrogram(wave)), n_frames

    def forward(self, wave: Tensor, n_samples: Tensor | None = None) -> Tensor:
        """See the class."""
        logits: Tensor = self.network(*self.spec(wave, n_samples))
        return logits


class Recognition(nn.Module):
    """What the exported file computes: calibrated probabilities of one or more waves of equal length.

    Args:
        classifier: trained.
        temperature: divides the logits (Guo et al. 2017); 1 leaves them.

    Shape:
        wave [B, T] -> probabilities [B, K]
    """

    def __init__(self, classifier: Classifier, temperature: float = 1.0) -> None:
        super().__init__()
        self.classifier = classifier
        self.temperature = temperature

    def forward(self, wave: Tensor) -> Tensor:
        """See the class."""
        return torch.softmax(self.classifier(wave) / self.temperature, dim=1)
