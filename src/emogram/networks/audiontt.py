"""AudioNTT, the network of BYOL-A v2 (Niizumi et al. 2023): two convolutions, then a perceptron on every frame.

The published weights are those of AudioNTT2022, https://github.com/nttcslab/byol-a/tree/master/v2. Parameters have the
publisher's names, but for the prefix in ``published_names``; the last layer is ours, the published network has none.
"""

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from typing_extensions import override

from emogram.errors import ConfigurationError
from emogram.networks.network import Network, long_enough
from emogram.networks.pooling import max_over_time, mean_over_time
from emogram.networks.settings import NetworkType, Recipe

_HALVINGS = 2


class AudioNTTSettings(NetworkType):
    """AudioNTT (Niizumi et al. 2023): two convolutions, a perceptron on every frame, mean and maximum added."""

    recipes: ClassVar = {
        "audiontt": Recipe("AudioNTT of BYOL-A v2 (Niizumi et al. 2023): 64 mel bands, 3072 numbers a clip.")
    }
    name: str = Field("audiontt", description="recipe that the other fields start from")
    channels: int = Field(64, ge=1, le=1024, description="channels of both convolutions")
    hidden: int = Field(2048, ge=1, le=8192, description="width of the perceptron's hidden layer")
    width: int = Field(3072, ge=2, le=16384, description="length of the vector of each frame, convolutions included")
    frame_dropout: float = Field(0.3, ge=0, lt=1, description="in the perceptron")
    dropout: float = Field(0.3, ge=0, lt=1, description="before the last layer")

    @override
    def create(self, n_classes: int, in_channels: int, in_bands: int) -> "AudioNTT":
        if in_bands < 2**_HALVINGS:
            raise ConfigurationError(
                f"network={self.name}: halves {in_bands} bands to nothing; "
                f"choose a spectrogram with at least {2**_HALVINGS}"
            )
        return AudioNTT(self, n_classes, in_channels, in_bands)


class AudioNTT(Network):
    """See the module.

    Shape:
        spec [B, C, F, N], n_frames [B] or None -> logits [B, K]

    Args:
        settings: see `AudioNTTSettings`.
        n_classes: K.
        in_channels: C.
        in_bands: F, 64 where published weights are to fit.

    Raises:
        ConfigurationError: ``width`` leaves no room for the perceptron beside the convolutions.
    """

    published_names: ClassVar = {"features": "convolutions"}

    def __init__(self, settings: AudioNTTSettings, n_classes: int, in_channels: int, in_bands: int) -> None:
        super().__init__()
        self.settings = settings
        convolved = settings.channels * (in_bands // 2**_HALVINGS)
        if settings.width <= convolved:
            raise ConfigurationError(
                f"network.width={settings.width}: {in_bands} bands alone give {convolved}; choose more"
            )
        self.convolutions = nn.Sequential(
            *_convolution(in_channels, settings.channels), *_convolution(settings.channels, settings.channels)
        )
        self.fc = nn.Sequential(
            nn.Linear(convolved, settings.hidden),
            nn.ReLU(),
            nn.Dropout(settings.frame_dropout),
            nn.Linear(settings.hidden, settings.width - convolved),
            nn.ReLU(),
        )
        self.dropout = nn.Dropout(settings.dropout)
        self.head = nn.Linear(settings.width, n_classes)

    @override
    def features(self, spec: Tensor, n_frames: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        x, mask = long_enough(spec, n_frames, 2**_HALVINGS)
        for layer in self.convolutions:
            x = layer(x)
            if mask is not None and isinstance(layer, nn.MaxPool2d):
                mask = mask[..., 1::2]  # a pair with padding in it is dropped, as at the end of a clip alone
            if mask is not None and isinstance(layer, nn.ReLU | nn.MaxPool2d):
                x = x * mask
        frames = x.permute(0, 3, 2, 1).flatten(2)  # [B, N', F' * C]: of each frame, channels side by side within bands
        stacked = torch.cat([frames, self.fc(frames)], dim=2)
        return stacked.transpose(1, 2)[:, :, None], None if mask is None else mask[:, 0]

    @override
    def embedding(self, spec: Tensor, n_frames: Tensor | None = None) -> Tensor:
        features, mask = self.features(spec, n_frames)
        frames = features[:, :, 0].float()
        return max_over_time(frames, mask) + mean_over_time(frames, mask)


def _convolution(in_channels: int, out_channels: int) -> list[nn.Module]:
    return [
        nn.Conv2d(in_channels, out_channels, 3, padding=1),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
        nn.MaxPool2d(2),
    ]
