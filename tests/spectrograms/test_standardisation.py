"""Statistics for all values, for each channel, for each row."""

import pytest
import torch

from emogram.spectrograms import SPECTROGRAMS, Standardisation


def test_a_row_or_a_channel_has_its_own_statistics() -> None:
    generator = torch.Generator().manual_seed(0)
    specs = [
        torch.randn(2, 3, 4, frames, generator=generator) * torch.arange(1.0, 5)[:, None]
        + torch.arange(3.0)[:, None, None]
        for frames in (50, 80)
    ]
    together = torch.cat(specs, dim=3)
    for shape, dims in (((3, 4, 1), (0, 3)), ((3, 1, 1), (0, 2, 3)), ((), (0, 1, 2, 3))):
        standardisation = Standardisation(shape)
        standardisation.fit(specs)
        values = standardisation(together)
        torch.testing.assert_close(
            values.mean(dim=dims), torch.zeros(shape).reshape(values.mean(dim=dims).shape), atol=1e-5, rtol=0
        )
        assert float((values.std(dim=dims) - 1).abs().max()) < 1e-5
        assert standardisation.mean.shape == shape


@pytest.mark.parametrize(("name", "shape"), [("logmel", ()), ("mfcc", (1, 20, 1)), ("deltas", (3, 1, 1))])
def test_each_type_says_which_statistics_it_wants(name: str, shape: tuple[int, ...]) -> None:
    assert SPECTROGRAMS[name].model_validate({}).build(16_000).statistics_shape == shape
