"""One configurable convolutional network over spectrograms, and its named recipes.

A stem, then stages of blocks (plain or residual), each stage with a step in frequency and time (halving both, mostly),
then the mean over frequency, a pooling over time and one linear layer. Clips of any length: frames that are padding are set
to zero after every layer, as a convolution sees the outside of a clip, so that a padded clip in a batch gives what it gives
alone, with two exceptions. Group and instance normalisation measure each clip with its padding, so there a padded clip
differs from the clip alone. Batch normalisation measures the whole batch with its padding, but only in training: evaluation
uses the statistics that training stored.
"""

from typing import Annotated, Any, Literal

import torch
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from torch import Tensor, nn
from torch.nn import functional

from emogram.errors import ConfigurationError, did_you_mean
from emogram.networks.pooling import Pooling, PoolingName, pooling

BlockName = Literal["plain", "residual"]
NormalisationName = Literal["batch", "group", "instance", "none"]
ActivationName = Literal["relu", "leaky_relu", "elu", "gelu", "silu", "mish"]

_Positive = Annotated[int, Field(ge=1)]


def _step(value: Any) -> Any:
    """Refuse here what is no step, because the union of both kinds would tell of either in turn."""
    steps = value if isinstance(value, list | tuple) else [value]
    if len(steps) not in {1, 2} or not all(isinstance(step, int) and step >= 1 for step in steps):
        raise ValueError("input should be greater than or equal to 1, or a pair of such: in frequency, in time")
    return steps[0] if len(steps) == 1 else value


_Step = Annotated[int | tuple[int, int], BeforeValidator(_step)]
"""Of a stage: one number for both directions, or one for frequency and one for time."""

_ACTIVATIONS: dict[ActivationName, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
}


class CNNSettings(BaseModel):
    """The convolutional network. ``name`` picks a recipe; any field given beside it changes that one thing."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str = Field("cnn-base", description="recipe that the other fields start from")
    stem_channels: int = Field(ge=1, description="channels after the first convolution")
    stem_kernel: int = Field(5, ge=1, description="size of the first kernel, odd")
    stem_stride: tuple[_Positive, _Positive] = Field(
        (2, 2), description="step of the first convolution in frequency and time"
    )
    channels: tuple[_Positive, ...] = Field(min_length=1, description="channels of each stage")
    strides: tuple[_Step, ...] = Field(
        min_length=1, description="step of each stage's first block: a number, or a pair for frequency and time"
    )
    blocks_per_stage: int = Field(1, ge=1, description="blocks in each stage")
    block: BlockName = Field("residual", description="with or without a way around the two convolutions")
    kernel: int = Field(3, ge=1, description="size of the kernels, odd")
    squeeze_excitation: bool = Field(False, description="let each block weigh its channels (Hu et al. 2018)")
    normalisation: NormalisationName = Field(
        "batch",
        description="after each convolution; group and instance measure padding too, so a padded clip differs from itself alone",
    )
    activation: ActivationName = Field("relu", description="after each normalisation")
    stochastic_depth: float = Field(0.0, ge=0, lt=1, description="chance that the last block is left out in training")
    pooling: PoolingName = Field("average_max", description="over time")
    dropout: float = Field(0.3, ge=0, lt=1, description="before the last layer")

    @model_validator(mode="before")
    @classmethod
    def _start_from_recipe(cls, values: Any) -> Any:
        """Fill in the recipe's fields under those given; a bare name is a recipe."""
        if isinstance(values, str):
            values = {"name": values}
        if not isinstance(values, dict):
            return values
        name = values.get("name", cls.model_fields["name"].default)
        if not isinstance(name, str) or name not in RECIPES:
            raise ValueError(
                f"no network {name!r}{did_you_mean(str(name), RECIPES) or ';'} choose {', '.join(RECIPES)}"
            )
        return {**RECIPES[name], **values}

    @model_validator(mode="after")
    def _consistent(self) -> "CNNSettings":
        if len(self.strides) != len(self.channels):
            raise ValueError(f"strides: {len(self.strides)} given for {len(self.channels)} stages; give one a stage")
        return self

    @field_validator("kernel", "stem_kernel")
    @classmethod
    def _odd(cls, size: int) -> int:
        if size % 2 == 0:
            raise ValueError("must be odd, so that a frame has a middle")
        return size

    def build(self, n_classes: int, in_channels: int = 1) -> "CNN":
        """The network with random weights for that many emotions, on pictures with that many channels."""
        return CNN(self, n_classes, in_channels)


RECIPES: dict[str, dict[str, Any]] = {
    "cnn-tiny": {"stem_channels": 8, "channels": (16, 32, 64), "strides": (2, 2, 2), "dropout": 0.1},
    "cnn-small": {"stem_channels": 16, "channels": (24, 48, 72, 104), "strides": (1, 2, 2, 2)},
    "cnn-base": {
        "stem_channels": 32,
        "channels": (48, 96, 192, 384),
        "strides": (2, 2, 2, 2),
        "squeeze_excitation": True,
    },
    "cnn-student": {
        "stem_channels": 32,
        "channels": (48, 96, 192, 384),
        "strides": (2, 2, (2, 1), (2, 1)),
        "squeeze_excitation": True,
    },
}
"""Named networks: ``cnn-tiny`` for tests and the demonstration, ``cnn-small`` (at most 0.5 M parameters) for studies,
``cnn-base`` (at most 3 M): early stride and wide late layers, where this arithmetic is cheapest. ``cnn-student`` is
``cnn-base`` with a frame every 8 of the spectrogram's instead of every 32, fine enough to follow a teacher's frames."""


class CNN(nn.Module):
    """See the module.

    Shape:
        spec [B, C, F, N], n_frames [B] or None -> logits [B, K]

    Args:
        settings: see `CNNSettings`.
        n_classes: K.
        in_channels: C.
    """

    def __init__(self, settings: CNNSettings, n_classes: int, in_channels: int = 1) -> None:
        super().__init__()
        if n_classes < 2:
            raise ConfigurationError(f"{n_classes} emotion: a classifier needs at least two")
        self.settings = settings
        self.stem = ConvolutionUnit(
            in_channels, settings.stem_channels, settings, kernel=settings.stem_kernel, stride=settings.stem_stride
        )
        widths = list(zip(settings.channels, settings.strides, strict=True))
        total = len(widths) * settings.blocks_per_stage
        blocks: list[Block] = []
        channels = settings.stem_channels
        for width, stage_stride in widths:
            for position in range(settings.blocks_per_stage):
                stride = stage_stride if position == 0 else 1
                drop = settings.stochastic_depth * (len(blocks) + 1) / total
                blocks.append(Block(channels, width, stride, settings, drop_probability=drop))
                channels = width
        self.blocks = nn.ModuleList(blocks)
        self.pooling: Pooling = pooling(settings.pooling, channels)
        self.dropout = nn.Dropout(settings.dropout)
        self.head = nn.Linear(self.pooling.out_features, n_classes)

    def forward(self, spec: Tensor, n_frames: Tensor | None = None) -> Tensor:
        """See the class."""
        features, mask = self.features(spec, n_frames)
        # The sums of the pooling want full precision even where the convolutions ran in bfloat16.
        pooled = self.pooling(features.mean(dim=2).float(), mask)
        with torch.autocast(spec.device.type, enabled=False):
            logits: Tensor = self.head(self.dropout(pooled))
        return logits

    def features(self, spec: Tensor, n_frames: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Last feature map [B, D, F', N'], and the mask [B, 1, N'] of its real frames or None."""
        mask = None if n_frames is None else _mask(n_frames, spec.shape[3])
        if mask is not None:
            spec = spec * mask
        x, mask = self.stem(spec, mask)
        for block in self.blocks:
            x, mask = block(x, mask)
        return x, None if mask is None else mask[:, 0]


class ConvolutionUnit(nn.Module):
    """Convolution, normalisation and (unless `activate` is false) activation, padding set to zero.

    Shape:
        [B, C, F, N], mask [B, 1, 1, N] or None -> the same pair, strided
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        settings: CNNSettings,
        *,
        kernel: int,
        stride: int | tuple[int, int] = 1,
        activate: bool = True,
    ) -> None:
        super().__init__()
        self.time_stride = stride if isinstance(stride, int) else stride[1]
        bias = settings.normalisation == "none"
        self.convolution = nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=bias)
        self.normalisation = _normalisation(settings.normalisation, out_channels)
        self.activation = _ACTIVATIONS[settings.activation]() if activate else nn.Identity()

    def forward(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """See the class."""
        x = self.activation(self.normalisation(self.convolution(x)))
        if mask is not None:
            # A convolution with odd kernel and half padding keeps every stride-th frame, the first among them.
            mask = mask[..., :: self.time_stride]
            x = x * mask
        return x, mask


class SqueezeExcitation(nn.Module):
    """Weigh channels by what the whole clip holds (Hu et al. 2018): [B, C, F, N] -> the same."""

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        self.squeeze = nn.Linear(channels, max(1, channels // reduction))
        self.excite = nn.Linear(max(1, channels // reduction), channels)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """See the class."""
        bands = x.mean(dim=2)
        summary = bands.mean(dim=2) if mask is None else bands.sum(dim=2) / mask[:, 0].sum(dim=2)
        gate = torch.sigmoid(self.excite(functional.relu(self.squeeze(summary))))
        return x * gate[:, :, None, None]


class Block(nn.Module):
    """Two convolution units, with (residual; He et al. 2016) or without (plain) a way around them.

    The way around is averaged down by a window of 3 in each direction in which the block strides, so that up to a stride of
    3 no sample is skipped.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int | tuple[int, int],
        settings: CNNSettings,
        *,
        drop_probability: float,
    ) -> None:
        super().__init__()
        residual = settings.block == "residual"
        self.drop_probability = drop_probability if residual else 0.0
        self.first = ConvolutionUnit(in_channels, out_channels, settings, kernel=settings.kernel, stride=stride)
        self.second = ConvolutionUnit(
            out_channels, out_channels, settings, kernel=settings.kernel, activate=not residual
        )
        self.excitation = SqueezeExcitation(out_channels) if settings.squeeze_excitation else None
        self.activation = _ACTIVATIONS[settings.activation]() if residual else nn.Identity()
        self.shortcut = _Shortcut(in_channels, out_channels, stride, settings) if residual else None

    def forward(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """[B, C, F, N] and mask [B, 1, 1, N] -> the same pair, strided."""
        y, y_mask = self.second(*self.first(x, mask))
        if self.excitation is not None:
            y = self.excitation(y, y_mask)
        if self.shortcut is not None:
            y = self.activation(self._drop_path(y) + self.shortcut(x, y_mask))
        return y, y_mask

    def _drop_path(self, y: Tensor) -> Tensor:
        """Leave the block out for some clips in training (stochastic depth, Huang et al. 2016)."""
        if not self.training or self.drop_probability == 0:
            return y
        keep = 1 - self.drop_probability
        kept = torch.rand(y.shape[0], 1, 1, 1, device=y.device) < keep
        return y * (kept.to(y.dtype) / keep)


class _Shortcut(nn.Module):
    def __init__(
        self, in_channels: int, out_channels: int, stride: int | tuple[int, int], settings: CNNSettings
    ) -> None:
        super().__init__()
        steps = (stride, stride) if isinstance(stride, int) else stride
        padding = (int(steps[0] > 1), int(steps[1] > 1))
        window = (1 + 2 * padding[0], 1 + 2 * padding[1])
        strided = max(steps) > 1
        self.average = nn.AvgPool2d(window, steps, padding, count_include_pad=True) if strided else nn.Identity()
        same = in_channels == out_channels and not strided
        self.project = None if same else ConvolutionUnit(in_channels, out_channels, settings, kernel=1, activate=False)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Input of the block and mask of its output -> what is added to its output."""
        x = self.average(x)
        if self.project is not None:
            x, _ = self.project(x, mask)
        return x


class _GroupNormalisation(nn.GroupNorm):
    def forward(self, x: Tensor) -> Tensor:
        """As its parent, which refuses a clip so short that one value a group is left; here that gives the bias."""
        return torch.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)


def _normalisation(name: NormalisationName, channels: int) -> nn.Module:
    if name == "batch":
        return nn.BatchNorm2d(channels)
    if name == "group":
        return _GroupNormalisation(next(groups for groups in (8, 4, 2, 1) if channels % groups == 0), channels)
    if name == "instance":
        return _GroupNormalisation(channels, channels)
    return nn.Identity()


def _mask(n_frames: Tensor, length: int) -> Tensor:
    positions = torch.arange(length, device=n_frames.device)
    return (positions[None, :] < n_frames[:, None]).float()[:, None, None, :]
