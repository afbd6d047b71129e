"""CNN6, CNN10 and CNN14 of PANNs (Kong et al. 2020), https://github.com/qiuqiangkong/audioset_tagging_cnn.

Blocks of one convolution of 5 x 5 or two of 3 x 3, each block but the sixth averaged down by two, then the mean over
frequency, maximum plus mean over time, and one hidden layer. Parameters have the publisher's names, but for the last layer
(``published_names``). The publisher's pictures are [time, frequency] and so are the kernels: a spectrogram is transposed on
its way in.
"""

from typing import Annotated, ClassVar

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from emogram.errors import ConfigurationError
from emogram.networks.network import Network, long_enough
from emogram.networks.pooling import max_over_time, mean_over_time
from emogram.networks.settings import Channels, NetworkType, OddSize, Recipe

_MOST_HALVINGS = 5


class PANNsSettings(NetworkType):
    """Networks of PANNs (Kong et al. 2020)."""

    recipes: ClassVar = {
        "cnn6": Recipe(
            "CNN6 of PANNs (Kong et al. 2020): four convolutions of 5 x 5; AudioSet weights exist.",
            {"channels": (64, 128, 256, 512), "kernel": 5, "convolutions_per_block": 1},
        ),
        "cnn10": Recipe(
            "CNN10 of PANNs (Kong et al. 2020): four blocks of two convolutions; AudioSet weights exist.",
            {"channels": (64, 128, 256, 512)},
        ),
        "cnn14": Recipe(
            "CNN14 of PANNs (Kong et al. 2020): six blocks of two convolutions; AudioSet weights exist.",
            {"channels": (64, 128, 256, 512, 1024, 2048)},
        ),
    }
    name: str = Field("cnn14", description="recipe that the other fields start from")
    channels: tuple[Channels, ...] = Field(min_length=1, max_length=8, description="channels of each block")
    kernel: OddSize = Field(3, description="size of the kernels, odd")
    convolutions_per_block: Annotated[int, Field(ge=1, le=2)] = Field(2, description="convolutions in each block")
    block_dropout: float = Field(0.2, ge=0, lt=1, description="after each block")
    hidden_dropout: float = Field(0.5, ge=0, lt=1, description="before the hidden layer")
    dropout: float = Field(0.5, ge=0, lt=1, description="before the last layer")

    @override
    def create(self, n_classes: int, in_channels: int, in_bands: int) -> "PANN":
        return PANN(self, n_classes, in_channels, in_bands)


class PANN(Network):
    """See the module.

    Shape:
        spec [B, C, F, N], n_frames [B] or None -> logits [B, K]

    Args:
        settings: see `PANNsSettings`.
        n_classes: K.
        in_channels: C.
        in_bands: F, 64 where published weights are to fit.

    Raises:
        ConfigurationError: too few bands for as many halvings as there are.
    """

    published_names: ClassVar = {"fc_audioset": "head"}

    def __init__(self, settings: PANNsSettings, n_classes: int, in_channels: int, in_bands: int) -> None:
        super().__init__()
        self.settings = settings
        blocks = len(settings.channels)
        self.least = 2 ** min(blocks, _MOST_HALVINGS)
        if in_bands < self.least:
            raise ConfigurationError(
                f"network={settings.name}: halves {in_bands} bands to nothing; choose a spectrogram with at least {self.least}"
            )
        self.bn0 = nn.BatchNorm2d(in_bands)
        source = in_channels
        for number, width in enumerate(settings.channels, start=1):
            block = _Block(source, width, settings, pool=2 if number <= _MOST_HALVINGS else 1)
            self.add_module(f"conv_block{number}", block)
            source = width
        self.fc1 = nn.Linear(source, source)
        self.dropout = nn.Dropout(settings.dropout)
        self.head = nn.Linear(source, n_classes)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
            if isinstance(layer, nn.Linear):
                nn.init.zeros_(layer.bias)

    @override
    def features(self, spec: Tensor, n_frames: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        spec, mask = long_enough(spec, n_frames, self.least)
        # [B, C, F, N] -> [B, F, N, C], where each band has its own mean and deviation -> [B, C, N, F]
        x = self.bn0(spec.permute(0, 2, 3, 1)).permute(0, 3, 2, 1)
        if mask is not None:
            mask = mask.transpose(2, 3)
            x = x * mask
        for block in self.children():
            if isinstance(block, _Block):
                x, mask = block(x, mask)
        return x.transpose(2, 3), None if mask is None else mask[:, 0].transpose(1, 2)

    @override
    def embedding(self, spec: Tensor, n_frames: Tensor | None = None) -> Tensor:
        features, mask = self.features(spec, n_frames)
        frames = features.mean(dim=2).float()
        pooled = max_over_time(frames, mask) + mean_over_time(frames, mask)
        hidden = self.fc1(functional.dropout(pooled, self.settings.hidden_dropout, self.training))
        return functional.relu(hidden).float()


class _Block(nn.Module):
    """One or two convolutions, then the average of each `pool` x `pool` values: [B, C, N, F], mask [B, 1, N, 1] or None."""

    def __init__(self, in_channels: int, out_channels: int, settings: PANNsSettings, *, pool: int) -> None:
        super().__init__()
        self.pool, self.dropout = pool, settings.block_dropout
        self.convolutions = settings.convolutions_per_block
        kernel = settings.kernel
        for number in range(1, self.convolutions + 1):
            convolution = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=False)
            self.add_module(f"conv{number}", convolution)
            self.add_module(f"bn{number}", nn.BatchNorm2d(out_channels))
            in_channels = out_channels

    def forward(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """See the class."""
        for number in range(1, self.convolutions + 1):
            x = functional.relu(getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(x)))
            if mask is not None:
                x = x * mask
        if self.pool > 1:
            x = functional.avg_pool2d(x, self.pool)
            if mask is not None:
                # A window with padding in it is dropped, as at the end of a clip alone.
                mask = mask[:, :, self.pool - 1 :: self.pool]
                x = x * mask
        return functional.dropout(x, self.dropout, self.training), mask
