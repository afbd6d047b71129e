"""Parts of the CNN: convolutions with what follows them, parallel kernels, plain and residual blocks.

Every part takes a feature map [B, C, F, N] and the mask [B, 1, 1, N] of its real frames, or None where all are real, and
gives the same pair; padded frames come out as zeros.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from emogram.networks.excitation import SqueezeExcitation
from emogram.networks.layers import ACTIVATIONS, DROPS, normalisation

if TYPE_CHECKING:
    from emogram.networks.cnn import CNNSettings

Size = int | tuple[int, int]
"""In frequency and time; one number for both."""


class ConvolutionUnit(nn.Module):
    """Convolution, normalisation and (unless `activate` is false) activation, padding set to zero.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        settings: of the network.
        kernel: size of the kernel, odd.
        stride: step.
        dilation: step between the kernel's taps in time.
        separable: filter each channel by itself, then mix them (MobileNet, Howard et al. 2017).
        activate: end with the activation.

    Shape:
        [B, C, F, N], mask [B, 1, 1, N] or None -> the same pair, strided
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        settings: "CNNSettings",
        *,
        kernel: Size,
        stride: Size = 1,
        dilation: int = 1,
        separable: bool = False,
        activate: bool = True,
    ) -> None:
        super().__init__()
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        self.time_stride = stride if isinstance(stride, int) else stride[1]
        filtered = in_channels if separable else out_channels
        self.convolution = nn.Conv2d(
            in_channels,
            filtered,
            (height, width),
            stride,
            (height // 2, dilation * (width // 2)),
            (1, dilation),
            groups=in_channels if separable else 1,
            bias=settings.normalisation == "none" and not separable,
        )
        self.mixture = (
            nn.Conv2d(in_channels, out_channels, 1, bias=settings.normalisation == "none")
            if separable
            else nn.Identity()
        )
        self.normalisation = normalisation(settings.normalisation, out_channels)
        self.activation = ACTIVATIONS[settings.activation]() if activate else nn.Identity()

    def forward(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """See the class."""
        x = self.activation(self.normalisation(self.mixture(self.convolution(x))))
        if mask is not None:
            # A convolution with odd kernel and half padding keeps every stride-th frame, the first among them.
            mask = mask[..., :: self.time_stride]
            x = x * mask
        return x, mask


class ParallelStem(nn.Module):
    """Kernels of several shapes side by side (LIGHT-SERNet, Aftab et al. 2022), their channels stacked.

    Tall kernels hear harmonics, wide ones contours, square ones both. `out_channels` is shared out among them.
    """

    def __init__(self, in_channels: int, settings: "CNNSettings") -> None:
        super().__init__()
        kernels = settings.stem_branches
        share, rest = divmod(settings.stem_channels, len(kernels))
        self.branches = nn.ModuleList(
            ConvolutionUnit(in_channels, share + (number < rest), settings, kernel=kernel, stride=settings.stem_stride)
            for number, kernel in enumerate(kernels)
        )

    def forward(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """See the module."""
        maps, masks = zip(*(branch(x, mask) for branch in self.branches), strict=True)
        return torch.cat(maps, dim=1), masks[0]


class Block(nn.Module):
    """Two convolution units, with (residual; He et al. 2016) or without (plain) a way around them.

    The way around is averaged down by a window of 3 in each direction in which the block strides, so that up to a stride of
    3 no sample is skipped.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: Size,
        settings: "CNNSettings",
        *,
        drop_probability: float,
        dilation: int = 1,
    ) -> None:
        super().__init__()
        residual = settings.block == "residual"
        self.drop_probability = drop_probability if residual else 0.0
        separable = settings.convolution == "separable"
        kernel = settings.kernel
        self.first = ConvolutionUnit(
            in_channels, out_channels, settings, kernel=kernel, stride=stride, dilation=dilation, separable=separable
        )
        self.second = ConvolutionUnit(
            out_channels,
            out_channels,
            settings,
            kernel=kernel,
            dilation=dilation,
            separable=separable,
            activate=not residual,
        )
        self.excitation = SqueezeExcitation(out_channels) if settings.squeeze_excitation else None
        self.activation = ACTIVATIONS[settings.activation]() if residual else nn.Identity()
        self.shortcut = _Shortcut(in_channels, out_channels, stride, settings) if residual else None
        self.drop = DROPS[settings.block_dropout_kind](settings.block_dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """[B, C, F, N] and mask [B, 1, 1, N] -> the same pair, strided."""
        y, y_mask = self.second(*self.first(x, mask))
        if self.excitation is not None:
            y = self.excitation(y, y_mask)
        if self.shortcut is not None:
            y = self.activation(self._drop_path(y) + self.shortcut(x, y_mask))
        return self.drop(y), y_mask

    def _drop_path(self, y: Tensor) -> Tensor:
        """Leave the block out for some clips in training (stochastic depth, Huang et al. 2016)."""
        if not self.training or self.drop_probability == 0:
            return y
        keep = 1 - self.drop_probability
        kept = torch.rand(y.shape[0], 1, 1, 1, device=y.device) < keep
        return y * (kept.to(y.dtype) / keep)


class _Shortcut(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, stride: Size, settings: "CNNSettings") -> None:
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
