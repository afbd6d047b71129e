"""Mel filters beside librosa's, and what they refuse."""

from typing import Any

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as search
from hypothesis import strategies as st

from emogram import filterbanks
from emogram.errors import ConfigurationError
from emogram.filterbanks import MelScale

TOLERANCE = 1e-6
"""Largest difference between a weight and librosa's, which works in single precision."""

SPEECH: dict[str, Any] = {"sample_rate": 16_000, "n_fft": 512, "n_mels": 64, "fmin_hz": 50.0, "fmax_hz": 7600.0}

SEARCH = search(deadline=None, max_examples=50)


def librosas(scale: MelScale, *, area_normalised: bool, **changes: Any) -> np.ndarray:
    values = SPEECH | changes
    weights: np.ndarray = librosa.filters.mel(
        sr=values["sample_rate"],
        n_fft=values["n_fft"],
        n_mels=values["n_mels"],
        fmin=values["fmin_hz"],
        fmax=values["fmax_hz"],
        htk=scale == "htk",
        norm="slaney" if area_normalised else None,
    )
    return weights


@pytest.mark.parametrize("scale", ["htk", "slaney"])
@pytest.mark.parametrize("area_normalised", [False, True])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"n_fft": 511},
        {"n_fft": 401, "n_mels": 32},
        {"sample_rate": 22_050, "n_fft": 2048, "n_mels": 128, "fmin_hz": 0.0, "fmax_hz": 11_025.0},
        {"n_fft": 400, "n_mels": 20, "fmax_hz": 8000.0},
    ],
    ids=["default", "odd", "odd-coarse", "music", "nyquist"],
)
def test_weights_are_librosas(scale: MelScale, area_normalised: bool, changes: dict[str, Any]) -> None:
    ours = filterbanks.mel(**(SPEECH | changes), scale=scale, area_normalised=area_normalised)
    theirs = librosas(scale, area_normalised=area_normalised, **changes)
    assert ours.dtype == np.float32
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < TOLERANCE


@pytest.mark.parametrize("scale", ["htk", "slaney"])
def test_scale_is_librosas_and_inverts(scale: MelScale) -> None:
    hz = np.concatenate([np.linspace(0, 24_000, 500), [999.999, 1000.0, 1000.001]])
    mels = filterbanks.hz_to_mel(hz, scale=scale)
    np.testing.assert_allclose(mels, librosa.hz_to_mel(hz, htk=scale == "htk"), rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(filterbanks.mel_to_hz(mels, scale=scale), hz, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("scale", ["htk", "slaney"])
def test_a_tone_at_a_centre_is_loudest_in_its_band(scale: MelScale) -> None:
    weights = filterbanks.mel(**(SPEECH | {"n_fft": 8192}), scale=scale)
    bands: dict[str, Any] = {name: SPEECH[name] for name in ("n_mels", "fmin_hz", "fmax_hz")}
    centres_hz = filterbanks.mel_centres_hz(**bands, scale=scale)
    nearest_bins = np.round(centres_hz / 16_000 * 8192).astype(int)
    assert weights[:, nearest_bins].argmax(axis=0).tolist() == list(range(64))


def test_neighbouring_triangles_sum_to_one_between_the_outer_centres() -> None:
    weights = filterbanks.mel(**SPEECH)
    centres_hz = filterbanks.mel_centres_hz(n_mels=64, fmin_hz=50.0, fmax_hz=7600.0)
    bins_hz = np.arange(257) * 16_000 / 512
    inside = (bins_hz >= centres_hz[0]) & (bins_hz <= centres_hz[-1])
    np.testing.assert_allclose(weights.sum(axis=0)[inside], 1.0, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "field", "remedy"),
    [
        ({"fmax_hz": 8001.0}, "fmax_hz=8001", "at most 8000"),
        ({"fmin_hz": 7600.0}, "fmin_hz=7600", "below fmax_hz=7600"),
        ({"fmin_hz": -1.0}, "fmin_hz=-1", "at least 0"),
        ({"fmin_hz": float("nan")}, "fmin_hz=nan", "at least 0"),
        ({"n_mels": 256}, "n_mels=256", "choose fewer bands, a longer n_fft"),
    ],
)
def test_a_refusal_names_field_and_remedy_in_one_line(changes: dict[str, Any], field: str, remedy: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        filterbanks.mel(**(SPEECH | changes))
    message = str(refusal.value)
    assert message.startswith(field)
    assert remedy in message
    assert "\n" not in message


@SEARCH
@given(
    n_fft=st.integers(16, 1024),
    n_mels=st.integers(1, 80),
    fmin_hz=st.floats(0, 4000),
    fmax_hz=st.floats(1, 8000),
    scale=st.sampled_from(["htk", "slaney"]),
)
def test_every_band_holds_a_bin_or_is_refused(
    n_fft: int, n_mels: int, fmin_hz: float, fmax_hz: float, scale: MelScale
) -> None:
    try:
        weights = filterbanks.mel(
            sample_rate=16_000, n_fft=n_fft, n_mels=n_mels, fmin_hz=fmin_hz, fmax_hz=fmax_hz, scale=scale
        )
    except ConfigurationError:
        return
    assert weights.shape == (n_mels, n_fft // 2 + 1)
    assert np.isfinite(weights).all()
    assert (weights >= 0).all()
    assert (weights.max(axis=1) > 0).all()
    assert weights.max() <= 1
