"""How much of a spectrogram one value of the last feature map looks at."""

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from emogram.networks.network import Network

_NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)


@dataclass(frozen=True)
class ReceptiveField:
    """What a value in the middle of the last feature map can depend on through convolutions and poolings.

    Squeeze-excitation, group and instance normalisation, recurrence and attention look at the whole clip beside that.

    Args:
        frames: number of frames; None where the field has no end, as with attention inside the network.
        first_band: lowest band.
        last_band: highest band.
        step: frames from one frame of the feature map to the next.
    """

    frames: int | None
    first_band: int
    last_band: int
    step: int


def receptive_field(network: Network, *, channels: int, bands: int, most_frames: int = 2000) -> ReceptiveField:
    """Find the field by sending a gradient back from one value, with all weights positive so that nothing cancels.

    Args:
        network: left as it is.
        channels: C of the spectrogram.
        bands: F of the spectrogram.
        most_frames: length of the clip that is tried.
    """
    positive = _positive(network)
    spec = torch.ones(1, channels, bands, most_frames, requires_grad=True)
    features, _ = positive.features(spec)
    rows, columns = features.shape[2:]
    features[0, :, rows // 2, columns // 2].sum().backward()  # type: ignore[no-untyped-call]
    assert spec.grad is not None
    reached = spec.grad[0].abs().sum(dim=0) > 0
    frames, heard = _span(reached.any(dim=0)), _span(reached.any(dim=1))
    width = frames[1] - frames[0] + 1
    return ReceptiveField(
        frames=width if width < most_frames else None,
        first_band=heard[0],
        last_band=heard[1],
        step=round(most_frames / columns),
    )


def _positive(network: Network) -> Network:
    """A copy with even positive kernels, average pooling and no normalisation; what is linear passes nothing on.

    Linear layers in a convolutional network weigh channels by the whole clip (squeeze-excitation) or work on each frame
    beside its convolutions: neither belongs to the field, so their weights are zero. A network that has linear layers on
    the way of every value keeps them.
    """
    copied = copy.deepcopy(network).cpu().float().eval()
    convolutional = any(isinstance(module, nn.Conv2d) for module in copied.modules())
    with torch.no_grad():
        for parent in list(copied.modules()):
            for name, module in list(parent.named_children()):
                if isinstance(module, _NORMALISATIONS):
                    parent.add_module(name, nn.Identity())
                elif isinstance(module, nn.MaxPool2d):
                    parent.add_module(name, nn.AvgPool2d(module.kernel_size, module.stride, module.padding))
        for module in copied.modules():
            if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Linear):
                module.weight.fill_(module.weight.shape[0] / module.weight.numel())
                if isinstance(module, nn.Linear) and convolutional:
                    module.weight.zero_()
                if module.bias is not None:
                    module.bias.zero_()
    return copied


def _span(reached: Tensor) -> tuple[int, int]:
    places = torch.nonzero(reached).flatten()
    return int(places[0]), int(places[-1])
