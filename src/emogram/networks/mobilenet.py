"""MobileNetV3 as EfficientAT trains it on AudioSet (Schmid et al. 2023), https://github.com/fschmid56/EfficientAT.

Inverted residual blocks (Howard et al. 2019): each widens its channels, filters every channel by itself, lets squeeze and
excitation weigh them, and narrows. Parameters have the publisher's names, but for the prefixes in ``published_names``.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from emogram.networks.network import Network, frame_mask
from emogram.networks.pooling import mean_over_time
from emogram.networks.settings import NetworkType, Recipe


class MobileNetSettings(NetworkType):
    """MobileNetV3 of EfficientAT (Schmid et al. 2023), of any width."""

    recipes: ClassVar = {
        "mn04": Recipe(
            "MobileNetV3 at 0.4 of its width (EfficientAT, Schmid et al. 2023); AudioSet weights exist.",
            {"width": 0.4},
        ),
        "mn10": Recipe(
            "MobileNetV3 at its full width (EfficientAT, Schmid et al. 2023); AudioSet weights exist.",
            {"width": 1.0},
        ),
    }
    own_bands: ClassVar = 128
    name: str = Field("mn10", description="recipe that the other fields start from")
    width: float = Field(ge=0.1, le=4, description="factor of all channels")
    dropout: float = Field(0.2, ge=0, lt=1, description="before the last layer")

    @override
    def create(self, n_classes: int, in_channels: int, in_bands: int) -> "MobileNet":
        return MobileNet(self, n_classes, in_channels)


@dataclass(frozen=True)
class _Stage:
    """One inverted residual block of table 1 of Howard et al. (2019), at full width."""

    kernel: int
    expanded: int
    out: int
    excitation: bool
    activation: Literal["relu", "hardswish"]
    stride: int


_STEM = 16
_STAGES = (
    _Stage(3, 16, 16, False, "relu", 1),
    _Stage(3, 64, 24, False, "relu", 2),
    _Stage(3, 72, 24, False, "relu", 1),
    _Stage(5, 72, 40, True, "relu", 2),
    _Stage(5, 120, 40, True, "relu", 1),
    _Stage(5, 120, 40, True, "relu", 1),
    _Stage(3, 240, 80, False, "hardswish", 2),
    _Stage(3, 200, 80, False, "hardswish", 1),
    _Stage(3, 184, 80, False, "hardswish", 1),
    _Stage(3, 184, 80, False, "hardswish", 1),
    _Stage(3, 480, 112, True, "hardswish", 1),
    _Stage(3, 672, 112, True, "hardswish", 1),
    _Stage(5, 672, 160, True, "hardswish", 2),
    _Stage(5, 960, 160, True, "hardswish", 1),
    _Stage(5, 960, 160, True, "hardswish", 1),
)
_LAST_EXPANSION = 6
_HIDDEN = 1280
_ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "hardswish": nn.Hardswish}


class MobileNet(Network):
    """See the module.

    Shape:
        spec [B, C, F, N], n_frames [B] or None -> logits [B, K]

    Args:
        settings: see `MobileNetSettings`.
        n_classes: K.
        in_channels: C.
    """

    published_names: ClassVar = {"features": "layers", "classifier.2": "hidden", "classifier.5": "head"}

    def __init__(self, settings: MobileNetSettings, n_classes: int, in_channels: int) -> None:
        super().__init__()
        self.settings = settings
        channels = _scaled(_STEM, settings.width)
        layers: list[nn.Module] = [_Convolution(in_channels, channels, kernel=3, stride=2, activation="hardswish")]
        for stage in _STAGES:
            layers.append(_InvertedResidual(channels, stage, settings.width))
            channels = _scaled(stage.out, settings.width)
        layers.append(_Convolution(channels, _LAST_EXPANSION * channels, activation="hardswish"))
        self.layers = nn.ModuleList(layers)
        hidden = _scaled(_HIDDEN, settings.width)
        self.hidden = nn.Linear(_LAST_EXPANSION * channels, hidden)
        self.dropout = nn.Dropout(settings.dropout)
        self.head = nn.Linear(hidden, n_classes)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out")
            elif isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, 0, 0.01)
                nn.init.zeros_(layer.bias)

    @override
    def features(self, spec: Tensor, n_frames: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        mask = None if n_frames is None else frame_mask(n_frames, spec.shape[3])
        x = spec if mask is None else spec * mask
        for layer in self.layers:
            x, mask = layer(x, mask)
        return x, None if mask is None else mask[:, 0]

    @override
    def embedding(self, spec: Tensor, n_frames: Tensor | None = None) -> Tensor:
        features, mask = self.features(spec, n_frames)
        pooled = mean_over_time(features.mean(dim=2).float(), mask)
        return functional.hardswish(self.hidden(pooled)).float()


class _Convolution(nn.Sequential):
    """Convolution, normalisation and (unless None) activation, padding set to zero: [B, C, F, N], mask or None."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        activation: str | None,
    ) -> None:
        self.stride = stride
        convolution = nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=False)
        normalisation = nn.BatchNorm2d(out_channels, eps=0.001, momentum=0.01)
        super().__init__(convolution, normalisation, *([_ACTIVATIONS[activation]()] if activation else []))

    @override
    def forward(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:  # type: ignore[override]
        for layer in self:
            x = layer(x)
        if mask is not None:
            mask = mask[..., :: self.stride]
            x = x * mask
        return x, mask


class _SqueezeExcitation(nn.Module):
    """Weigh channels by what the whole clip holds; the publisher runs several side by side, here there is one."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = _divisible(channels // 4)
        layers = nn.ModuleDict({"fc1": nn.Linear(channels, squeezed), "fc2": nn.Linear(squeezed, channels)})
        self.conc_se_layers = nn.ModuleList([layers])

    def forward(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """See the class."""
        layers = self.conc_se_layers[0]
        assert isinstance(layers, nn.ModuleDict)
        summary = mean_over_time(x.mean(dim=2), None if mask is None else mask[:, 0])
        gate = layers["fc2"](functional.relu(layers["fc1"](summary))).sigmoid()
        return x * gate[:, :, None, None], mask


class _InvertedResidual(nn.Module):
    """Widen, filter, weigh, narrow; with a way around where shapes agree."""

    def __init__(self, in_channels: int, stage: _Stage, width: float) -> None:
        super().__init__()
        expanded, out = _scaled(stage.expanded, width), _scaled(stage.out, width)
        parts: list[nn.Module] = []
        if expanded != in_channels:
            parts.append(_Convolution(in_channels, expanded, activation=stage.activation))
        parts.append(
            _Convolution(
                expanded,
                expanded,
                kernel=stage.kernel,
                stride=stage.stride,
                groups=expanded,
                activation=stage.activation,
            )
        )
        if stage.excitation:
            parts.append(_SqueezeExcitation(expanded))
        parts.append(_Convolution(expanded, out, activation=None))
        self.block = nn.ModuleList(parts)
        self.around = stage.stride == 1 and in_channels == out

    def forward(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """[B, C, F, N] and mask [B, 1, 1, N] or None -> the same pair, strided."""
        y = x
        for part in self.block:
            y, mask = part(y, mask)
        return (x + y if self.around else y), mask


def _scaled(channels: int, width: float) -> int:
    return _divisible(channels * width)


def _divisible(value: float) -> int:
    """The nearest multiple of 8, at least 8 and at least nine tenths of the value (Howard et al. 2017)."""
    rounded = max(8, int(value + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * value else rounded + 8
