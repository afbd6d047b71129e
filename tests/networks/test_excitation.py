"""Squeeze-excitation: what it computes where it learns is what it computes elsewhere, and its gradient is the true one."""

import copy

import pytest
import torch

from emogram.networks.excitation import SqueezeExcitation
from emogram.networks.network import frame_mask

_BATCH, _CHANNELS, _BANDS, _FRAMES = 3, 16, 4, 7


def _layer(dtype: torch.dtype = torch.float64) -> SqueezeExcitation:
    torch.manual_seed(0)
    return SqueezeExcitation(_CHANNELS).to(dtype)


def _map(n_frames: torch.Tensor | None, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor | None]:
    """A feature map whose padded frames are zero, as they come in a network, and the mask of the others."""
    torch.manual_seed(1)
    x = torch.randn(_BATCH, _CHANNELS, _BANDS, _FRAMES, dtype=dtype)
    if n_frames is None:
        return x, None
    mask = frame_mask(n_frames, _FRAMES)
    return x * mask.to(dtype), mask


@pytest.mark.parametrize("n_frames", [None, torch.tensor([7, 4, 1])], ids=["whole", "padded"])
class TestSqueezeExcitation:
    def test_weighs_by_the_mean_over_the_real_frames(self, n_frames: torch.Tensor | None) -> None:
        layer = _layer()
        x, mask = _map(n_frames)
        with torch.no_grad():
            got = layer(x, mask)
        lengths = [_FRAMES] * _BATCH if n_frames is None else n_frames.tolist()
        for clip, length in enumerate(lengths):
            summary = x[clip, :, :, :length].mean(dim=(1, 2))
            gate = torch.sigmoid(layer.excite(torch.relu(layer.squeeze(summary))))
            torch.testing.assert_close(got[clip], x[clip] * gate[:, None, None])

    def test_gives_the_same_where_it_learns(self, n_frames: torch.Tensor | None) -> None:
        layer = _layer()
        x, mask = _map(n_frames)
        with torch.no_grad():
            expected = layer(x, mask)
        torch.testing.assert_close(layer(x.requires_grad_(), mask), expected)

    def test_its_gradient_is_that_of_finite_differences(self, n_frames: torch.Tensor | None) -> None:
        layer = _layer()
        x, mask = _map(n_frames)
        names, weights = zip(*layer.named_parameters(), strict=True)

        def weighed(x: torch.Tensor, *weights: torch.Tensor) -> torch.Tensor:
            given: torch.Tensor = torch.func.functional_call(layer, dict(zip(names, weights, strict=True)), (x, mask))
            return given

        assert torch.autograd.gradcheck(weighed, (x.requires_grad_(), *weights))

    def test_in_bfloat16_it_learns_as_in_single_precision(self, n_frames: torch.Tensor | None) -> None:
        exact = _layer(torch.float32)
        rounded = copy.deepcopy(exact)
        x, mask = _map(n_frames, torch.float32)
        gradients = []
        for layer, dtype in ((exact, torch.float32), (rounded, torch.bfloat16)):
            given = x.to(dtype).contiguous(memory_format=torch.channels_last).requires_grad_()
            with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
                y = layer(given, mask)
            assert y.dtype == given.dtype
            assert y.is_contiguous(memory_format=torch.channels_last)
            y.float().square().sum().backward()
            assert given.grad is not None
            assert given.grad.is_contiguous(memory_format=torch.channels_last)
            gradients.append([given.grad.float(), *(weight.grad for weight in layer.parameters())])
        for one, other in zip(*gradients, strict=True):
            assert one is not None
            assert other is not None
            assert torch.linalg.vector_norm(one - other) < 0.02 * torch.linalg.vector_norm(one)
