"""Stages of a front end by themselves."""

import numpy as np
import pytest
import torch

from emogram import filterbanks
from emogram.spectrograms.stages import Filterbank


def bands(name: str, n_bands: int) -> np.ndarray:
    if name == "dense":
        return np.random.default_rng(0).random((n_bands, 257)).astype(np.float32)
    return filterbanks.mel(sample_rate=16_000, n_fft=512, n_mels=n_bands, fmin_hz=50.0, fmax_hz=7600.0)


@pytest.mark.parametrize("n_bands", [1, 16, 23, 64, 80])
@pytest.mark.parametrize("name", ["mel", "dense"])
def test_bands_summed_a_few_at_a_time_are_those_of_the_whole_product(name: str, n_bands: int) -> None:
    stage = Filterbank(bands(name, n_bands))
    power = torch.rand(2, 7, 514, generator=torch.Generator().manual_seed(1))
    whole = power.double() @ stage.weights.double()
    np.testing.assert_allclose(stage(power), whole, rtol=2e-6, atol=1e-6)
    assert bool(stage.blocks) == (name == "mel" and n_bands > 16)


def test_a_band_that_hears_nothing_is_zero() -> None:
    weights = np.zeros((40, 257), np.float32)
    weights[3, 10] = weights[39, 250] = 2.0
    stage = Filterbank(weights)
    assert stage.blocks
    sums = stage(torch.ones(1, 1, 514))[0, 0]
    assert sums.nonzero().flatten().tolist() == [3, 39]
    assert sums[3] == sums[39] == 4.0  # both parts of the power


def test_a_gradient_goes_through_the_whole_product() -> None:
    stage = Filterbank(bands("mel", 64))
    power = torch.rand(1, 3, 514, requires_grad=True)
    stage(power).sum().backward()
    assert power.grad is not None
    assert torch.equal(power.grad[0, 0], stage.weights.sum(dim=1))
