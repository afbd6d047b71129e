"""Whisper's picture beside librosa's parts put together as its paper says."""

import librosa
import numpy as np
import pytest
import torch

from emogram.errors import ConfigurationError
from emogram.spectrograms import SPECTROGRAMS
from tests.spectrograms.test_references import RATE, wave

TOLERANCE = 1e-4


def test_it_is_log10_of_slaney_bands_with_a_floor_under_the_loudest() -> None:
    sound = wave(16_000)
    front_end = SPECTROGRAMS["whisper"].model_validate({}).build(RATE)
    given = front_end(torch.from_numpy(sound)[None])[0, 0].numpy()
    power = librosa.feature.melspectrogram(
        y=sound.astype(np.float64), sr=RATE, n_fft=400, hop_length=160, n_mels=80, pad_mode="constant", dtype=np.float64
    )
    level = np.log10(np.maximum(power, 1e-10))
    expected = (np.maximum(level, level.max() - 8) + 4) / 4
    assert given.shape == expected.shape == (80, 101)
    assert np.abs(given - expected).max() < TOLERANCE
    assert given.max() - given.min() <= 2 + TOLERANCE


def test_the_floor_follows_each_clip_and_not_the_batch() -> None:
    sound = torch.from_numpy(wave(8000))
    front_end = SPECTROGRAMS["whisper"].model_validate({}).build(RATE)
    together = front_end(torch.stack([sound, sound / 10]))
    assert torch.allclose(together[1], front_end((sound / 10)[None])[0], atol=1e-6)
    assert torch.allclose(together[0] - together[1], torch.tensor(0.5), atol=1e-4)


def test_no_other_rate() -> None:
    with pytest.raises(ConfigurationError, match=r"audio\.sample_rate=8000"):
        SPECTROGRAMS["whisper"].model_validate({}).build(8000)


def test_values_stay_as_they_are() -> None:
    assert not SPECTROGRAMS["whisper"].model_validate({}).build(RATE).standardise
