"""One configurable convolutional network over spectrograms.

A stem, then stages of blocks (plain or residual), each with a step in frequency and time (halving both, mostly), then the
mean over frequency, layers over time where wanted, a pooling over time and one linear layer; `emogram.networks.recipes` has
its named forms. Clips of any length: frames that are padding are set to zero after every layer, as a convolution sees the
outside of a clip, so that a padded clip in a batch gives what it gives alone, with two exceptions. Group and instance
normalisation measure each clip with its padding, so there a padded clip differs from the clip alone. Batch normalisation
measures the whole batch with its padding, but only in training: evaluation uses the statistics that training stored.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator
from torch import Tensor, nn
from typing_extensions import override

from emogram.networks.blocks import Block, ConvolutionUnit, ParallelStem
from emogram.networks.layers import ActivationName, DropName, NormalisationName
from emogram.networks.network import Network, frame_mask, full_precision
from emogram.networks.pooling import Pooling, PoolingName, pooling
from emogram.networks.recipes import RECIPES
from emogram.networks.sequence import SequenceName, sequence
from emogram.networks.settings import Channels, NetworkType, OddSize

BlockName = Literal["plain", "residual"]
ConvolutionName = Literal["full", "separable"]

_Step = Annotated[int, Field(ge=1, le=16)]


def _pair_or_number(value: Any) -> Any:
    """Refuse here what is no step, because the union of both kinds would tell of either in turn."""
    steps = value if isinstance(value, list | tuple) else [value]
    known = all(isinstance(step, int) and not isinstance(step, bool) for step in steps)
    if len(steps) not in {1, 2} or not known or min(steps) < 1:
        raise ValueError("input should be greater than or equal to 1, or a pair of such: in frequency, in time")
    if max(steps) > 16:
        raise ValueError("input should be less than or equal to 16, or a pair of such: in frequency, in time")
    return steps[0] if len(steps) == 1 else value


_StageStep = Annotated[int | tuple[int, int], BeforeValidator(_pair_or_number)]
"""Of a stage: one number for both directions, or one for frequency and one for time."""


class CNNSettings(NetworkType):
    """The convolutional network. ``name`` picks a recipe; any field given beside it changes that one thing."""

    recipes: ClassVar = RECIPES
    name: str = Field("cnn-base", description="recipe that the other fields start from")
    stem_channels: Channels = Field(description="channels after the first convolution")
    stem_kernel: OddSize = Field(5, description="size of the first kernel, odd")
    stem_branches: tuple[tuple[OddSize, OddSize], ...] = Field(
        (), max_length=16, description="instead: kernels side by side, each with its size in frequency and time, odd"
    )
    stem_stride: tuple[_Step, _Step] = Field((2, 2), description="step of the first convolution in frequency and time")
    channels: tuple[Channels, ...] = Field(min_length=1, max_length=16, description="channels of each stage")
    strides: tuple[_StageStep, ...] = Field(
        min_length=1,
        max_length=16,
        description="step of each stage's first block: a number, or a pair for frequency and time",
    )
    dilations: tuple[_Step, ...] = Field(
        (), max_length=16, description="step between the taps of each stage's kernels in time; none: 1 everywhere"
    )
    blocks_per_stage: int = Field(1, ge=1, le=64, description="blocks in each stage")
    block: BlockName = Field("residual", description="with or without a way around the two convolutions")
    convolution: ConvolutionName = Field(
        "full", description="in the blocks: full, or each channel by itself and then mixed (separable)"
    )
    kernel: OddSize = Field(3, description="size of the kernels, odd")
    squeeze_excitation: bool = Field(False, description="let each block weigh its channels (Hu et al. 2018)")
    normalisation: NormalisationName = Field(
        "batch",
        description="after each convolution; group and instance measure padding too, so a padded clip differs from itself alone",
    )
    activation: ActivationName = Field("relu", description="after each normalisation")
    stochastic_depth: float = Field(0.0, ge=0, lt=1, description="chance that the last block is left out in training")
    block_dropout: float = Field(0.0, ge=0, lt=1, description="part of the values to drop after each block")
    block_dropout_kind: DropName = Field(
        "block", description="drop single values, whole channels, or squares (DropBlock, Ghiasi et al. 2018)"
    )
    sequence: SequenceName = Field(
        "none", description="over the frames, before pooling: recurrence both ways, or attention between frames"
    )
    sequence_width: int = Field(128, ge=2, le=4096, description="width of those layers, even")
    sequence_layers: int = Field(1, ge=1, le=16, description="number of those layers")
    sequence_heads: int = Field(4, ge=1, le=64, description="ways of looking in each layer of attention")
    pooling: PoolingName = Field("average_max", description="over time")
    dropout: float = Field(0.3, ge=0, lt=1, description="before the last layer")

    @model_validator(mode="after")
    def _consistent(self) -> "CNNSettings":
        for name, given in {"strides": self.strides, "dilations": self.dilations}.items():
            if len(given) != len(self.channels) and (given or name == "strides"):
                raise ValueError(f"{name}: {len(given)} given for {len(self.channels)} stages; give one a stage")
        if len(self.stem_branches) > self.stem_channels:
            raise ValueError(
                f"stem_branches: {len(self.stem_branches)} given for stem_channels={self.stem_channels}; choose fewer"
            )
        divisor = {"none": 1, "gru": 2, "attention": self.sequence_heads}[self.sequence]
        if self.sequence_width % divisor:
            raise ValueError(f"sequence_width={self.sequence_width}: must be a multiple of {divisor}")
        return self

    @override
    def create(self, n_classes: int, in_channels: int, in_bands: int) -> "CNN":
        return CNN(self, n_classes, in_channels)


class CNN(Network):
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
        self.settings = settings
        self.stem: nn.Module = (
            ParallelStem(in_channels, settings)
            if settings.stem_branches
            else ConvolutionUnit(
                in_channels, settings.stem_channels, settings, kernel=settings.stem_kernel, stride=settings.stem_stride
            )
        )
        blocks = _blocks(settings)
        channels = settings.channels[-1]
        self.blocks = nn.ModuleList(blocks)
        self.sequence = sequence(
            settings.sequence,
            channels,
            width=settings.sequence_width,
            layers=settings.sequence_layers,
            heads=settings.sequence_heads,
        )
        if self.sequence is not None:
            channels = self.sequence.out_channels
        self.pooling: Pooling = pooling(settings.pooling, channels)
        self.dropout = nn.Dropout(settings.dropout)
        self.head = nn.Linear(self.pooling.out_features, n_classes)

    @override
    def embedding(self, spec: Tensor, n_frames: Tensor | None = None) -> Tensor:
        features, mask = self.features(spec, n_frames)
        # The sums of the pooling want full precision even where the convolutions ran in bfloat16.
        frames = features.mean(dim=2).float()
        if self.sequence is not None:
            with full_precision(frames):
                frames = self.sequence(frames, mask)
        pooled: Tensor = self.pooling(frames, mask)
        return pooled

    @override
    def features(self, spec: Tensor, n_frames: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        mask = None if n_frames is None else frame_mask(n_frames, spec.shape[3])
        if mask is not None:
            spec = spec * mask
        x, mask = self.stem(spec, mask)
        for block in self.blocks:
            x, mask = block(x, mask)
        return x, None if mask is None else mask[:, 0]


def _blocks(settings: CNNSettings) -> list[Block]:
    dilations = settings.dilations or (1,) * len(settings.channels)
    stages = list(zip(settings.channels, settings.strides, dilations, strict=True))
    total = len(stages) * settings.blocks_per_stage
    blocks: list[Block] = []
    channels = settings.stem_channels
    for width, stage_stride, dilation in stages:
        for position in range(settings.blocks_per_stage):
            stride = stage_stride if position == 0 else 1
            drop = settings.stochastic_depth * (len(blocks) + 1) / total
            blocks.append(Block(channels, width, stride, settings, drop_probability=drop, dilation=dilation))
            channels = width
    return blocks
