"""Log-mel spectrograms beside librosa's, on synthetic waves and real speech, and what the settings refuse."""

from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError
from torch import Tensor

from emogram import audio
from emogram.errors import ConfigurationError
from emogram.filterbanks import MelScale
from emogram.spectrograms import LogCompression, LogMelSettings, PowerSpectrum, Spectrogram, Standardisation

TOLERANCE = 1e-4
"""Largest difference between two computations of one log-mel value of noise, natural logarithm."""

SPEECH_TOLERANCE = 5e-4
"""The same for speech, whose quietest bands lie 70 dB under the loudest of their frame, where float32 is coarse."""

SPEECH_RMS_TOLERANCE = 2e-5
"""Root of the mean square of the same differences over a recording."""

RATE = 16_000
LENGTHS = (1, 2, 159, 160, 161, 399, 400, 512, 4000)

Wave = NDArray[np.float32]


def noise(samples: int, *, clips: int = 1, seed: int = 0, scale: float = 0.1) -> Tensor:
    values = np.random.default_rng(seed).standard_normal((clips, samples))
    return torch.from_numpy((scale * values).astype(np.float32))


def librosas(wave: Wave, chosen: LogMelSettings, sample_rate: int = RATE) -> NDArray[np.float64]:
    power = librosa.feature.melspectrogram(
        y=wave,
        sr=sample_rate,
        n_fft=chosen.n_fft,
        win_length=round(chosen.window_ms * sample_rate / 1000),
        hop_length=round(chosen.hop_ms * sample_rate / 1000),
        n_mels=chosen.n_mels,
        fmin=chosen.fmin_hz,
        fmax=chosen.fmax_hz,
        htk=chosen.mel_scale == "htk",
        norm=None,
        power=2.0,
        center=True,
        pad_mode="constant",
    )
    return np.log(power.astype(np.float64) + chosen.floor)


def ours(wave: Wave, chosen: LogMelSettings, sample_rate: int = RATE, *, export: bool = False) -> Wave:
    front_end = chosen.build(sample_rate)
    if export:
        front_end.for_export()
    values: Wave = front_end(torch.from_numpy(wave)[None])[0, 0].numpy()
    return values


@pytest.mark.parametrize("scale", ["htk", "slaney"])
@pytest.mark.parametrize("samples", LENGTHS)
@pytest.mark.filterwarnings("ignore:n_fft=512 is too large for input signal:UserWarning")
def test_values_are_librosas(scale: MelScale, samples: int) -> None:
    chosen = LogMelSettings(mel_scale=scale)
    wave = noise(samples)[0].numpy()
    theirs = librosas(wave, chosen)
    for export in (False, True):
        values = ours(wave, chosen, export=export)
        assert values.shape == theirs.shape
        assert np.abs(values - theirs).max() < TOLERANCE


@pytest.mark.parametrize(
    ("sample_rate", "changes"),
    [
        (RATE, {"window_ms": 32.0, "hop_ms": 8.0, "n_mels": 128, "n_fft": 2048}),
        (RATE, {"window_ms": 5.0, "hop_ms": 5.0, "n_mels": 20}),
        (RATE, {"window_ms": 24.9375, "n_fft": 512}),
        (44_100, {"n_fft": 2048, "fmax_hz": 20_000.0}),
        (8_000, {"fmax_hz": 4_000.0}),
    ],
    ids=["fine", "short", "odd-window", "44.1kHz", "telephone"],
)
def test_other_sizes_and_rates_are_librosas_too(sample_rate: int, changes: dict[str, Any]) -> None:
    chosen = LogMelSettings(**changes)
    wave = noise(5000)[0].numpy()
    theirs = librosas(wave, chosen, sample_rate)
    for export in (False, True):
        assert np.abs(ours(wave, chosen, sample_rate, export=export) - theirs).max() < TOLERANCE


@pytest.mark.parametrize("n_fft", [401, 511, 513])
def test_an_odd_transform_agrees_with_its_convolution(n_fft: int) -> None:
    chosen, wave = LogMelSettings(n_fft=n_fft, n_mels=40), noise(3200)[0].numpy()
    transformed, convolved = ours(wave, chosen), ours(wave, chosen, export=True)
    assert transformed.shape == convolved.shape == (40, 21)
    assert np.abs(transformed - convolved).max() < TOLERANCE


@pytest.mark.parametrize(
    "recording",
    ["ravdess/speech/Actor_01/03-01-05-02-01-01-01.flac", "tess/OAF_angry/OAF_back_angry.ogg"],
    ids=["ravdess-flac", "tess-opus"],
)
def test_real_speech_is_librosas(emogram_data: Path, recording: str) -> None:
    chosen, wave = LogMelSettings(), audio.load(emogram_data / recording, RATE)
    theirs = librosas(wave, chosen)
    transformed, convolved = ours(wave, chosen), ours(wave, chosen, export=True)
    assert np.ptp(theirs) > 5, "speech has loud and quiet places"
    for difference in (transformed - theirs, convolved - theirs, convolved - transformed):
        assert np.abs(difference).max() < SPEECH_TOLERANCE
        assert np.sqrt(np.mean(np.square(difference))) < SPEECH_RMS_TOLERANCE


@pytest.mark.parametrize("export", [False, True])
@pytest.mark.parametrize(
    "wave",
    [
        torch.zeros(1, 1600),
        torch.ones(1, 1600),
        -torch.ones(1, 1600),
        torch.sign(noise(1600)),
        torch.ones(1, 1),
        torch.zeros(1, 1),
        torch.full((1, 1600), 1e-20),
    ],
    ids=["silence", "dc", "negative-dc", "full-scale", "one-sample", "one-silent-sample", "denormal"],
)
def test_extremes_are_finite(wave: Tensor, export: bool) -> None:
    for floor in (1e-6, 1e-30):
        front_end = LogMelSettings(floor=floor).build(RATE)
        if export:
            front_end.for_export()
        assert torch.isfinite(front_end(wave)).all()


def test_silence_is_the_floor() -> None:
    assert np.allclose(ours(np.zeros(800, np.float32), LogMelSettings(floor=1e-4)), np.log(1e-4))


@pytest.mark.parametrize("clips", [2, 3, 4, 5])
def test_a_clip_in_a_batch_gives_what_it_gives_alone(clips: int) -> None:
    """Also across the chunks that a batch is cut into."""
    front_end, waves = LogMelSettings().build(RATE), noise(2000, clips=clips)
    together = front_end(waves)
    assert together.shape == (clips, 1, 64, 13)
    for clip in range(clips):
        assert (together[clip] - front_end(waves[clip : clip + 1])[0]).abs().max() < 1e-5


def test_zeros_after_a_clip_change_none_of_its_frames() -> None:
    front_end, wave = LogMelSettings().build(RATE), noise(3210)
    frames = int(front_end.n_frames(torch.tensor(3210)))
    padded = torch.nn.functional.pad(wave, (0, 3000))
    assert (front_end(padded)[..., :frames] - front_end(wave)).abs().max() < 1e-5


@given(samples=st.integers(1, 6000), hop_ms=st.floats(0.1, 25.0), window_ms=st.floats(25.0, 32.0))
@settings(max_examples=60, deadline=None)
def test_n_frames_is_the_number_of_frames(samples: int, hop_ms: float, window_ms: float) -> None:
    front_end = LogMelSettings(hop_ms=hop_ms, window_ms=window_ms, n_mels=8).build(RATE)
    frames = int(front_end.n_frames(torch.tensor([samples]))[0])
    assert front_end(torch.zeros(1, samples)).shape == (1, 1, 8, frames)
    assert front_end.for_export()(torch.zeros(1, samples)).shape == (1, 1, 8, frames)


def test_a_frame_is_centred_on_its_sample() -> None:
    wave = torch.zeros(1, 3200)
    wave[0, 1600] = 1.0
    energy = LogMelSettings().build(RATE)(wave)[0, 0].mean(dim=0)
    assert int(energy.argmax()) == 10


@pytest.mark.parametrize("clips", [1, 3])
@pytest.mark.parametrize("export", [False, True])
def test_gradient_reaches_the_wave_when_wanted(clips: int, export: bool) -> None:
    front_end: Spectrogram = LogMelSettings().build(RATE)
    if export:
        front_end.for_export()
    front_end.double()
    wave = noise(1600, clips=clips).double().requires_grad_()
    front_end(wave).sum().backward()
    gradient = wave.grad
    assert gradient is not None
    assert (gradient.abs().amax(dim=1) > 0).all()
    with torch.no_grad():
        step = 1e-6 * gradient / gradient.norm()
        rise = float(front_end(wave + step).sum() - front_end(wave - step).sum())
    assert rise == pytest.approx(2e-6 * float(gradient.norm()), rel=1e-4)


def test_the_wave_is_left_as_it_was() -> None:
    front_end, wave = LogMelSettings().build(RATE), noise(1600, clips=3)
    before = wave.clone()
    front_end(wave)
    assert torch.equal(wave, before)


def test_the_front_end_has_no_state_to_save_and_nothing_to_train() -> None:
    front_end = LogMelSettings().build(RATE).for_export()
    assert not front_end.state_dict()
    assert not list(front_end.parameters())
    assert front_end.n_bands == 64


@pytest.mark.parametrize(
    ("changes", "sample_rate", "field"),
    [
        ({"hop_ms": 26.0}, RATE, "hop_ms"),
        ({"window_ms": 40.0}, RATE, "n_fft=512"),
        ({"n_fft": 256}, RATE, "n_fft=256"),
        ({}, 8_000, "fmax_hz=7600"),
        ({"fmax_hz": 40.0}, RATE, "fmin_hz=50"),
        ({"n_mels": 200}, RATE, "n_mels=200"),
        ({}, 48_000, "n_fft=512"),
    ],
)
def test_settings_that_rule_each_other_out_name_the_field_in_one_line(
    changes: dict[str, Any], sample_rate: int, field: str
) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        LogMelSettings(**changes).build(sample_rate)
    message = str(refusal.value)
    assert message.startswith(field)
    assert "choose" in message or "below fmax_hz" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[
            (field, value)
            for field in ("window_ms", "hop_ms", "fmin_hz", "fmax_hz", "floor")
            for value in ("inf", "nan")
        ],
        ("window_ms", 0),
        ("window_ms", 1e305),
        ("hop_ms", -1),
        ("n_fft", 8),
        ("n_fft", 10**9),
        ("n_mels", 3),
        ("n_mels", 10**9),
        ("fmin_hz", -1),
        ("fmax_hz", 0),
        ("floor", 0),
        ("floor", 1e-40),
        ("mel_scale", "bark"),
        ("name", "mfcc"),
        ("n_mel", 64),
    ],
)
def test_values_out_of_bounds_name_the_field(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as refusal:
        LogMelSettings.model_validate({field: float(value) if value in ("inf", "nan") else value})
    assert [problem["loc"] for problem in refusal.value.errors()] == [(field,)]


def test_standardisation_measures_all_values_together() -> None:
    standardisation = Standardisation()
    first, second = torch.full((1, 1, 4, 5), 2.0), torch.full((1, 1, 4, 15), 6.0)
    standardisation.fit([first, second])
    # 20 values of 2 and 60 of 6: mean 5, sum of squares 20 * 9 + 60 * 1 = 240 over 79.
    assert float(standardisation.mean) == pytest.approx(5.0)
    assert float(standardisation.deviation) == pytest.approx((240 / 79) ** 0.5)
    assert standardisation(first)[0, 0, 0, 0] == pytest.approx(-3 / (240 / 79) ** 0.5)


def test_standardisation_of_fitted_values_has_mean_zero_and_deviation_one() -> None:
    standardisation = Standardisation()
    specs = [3.0 * noise(700, seed=seed, scale=1.0).reshape(1, 1, 7, 100) - 8.0 for seed in range(5)]
    standardisation.fit(specs)
    values = standardisation(torch.cat(specs))
    assert abs(float(values.mean())) < 1e-5
    assert float(values.std()) == pytest.approx(1.0, abs=1e-5)


def test_standardisation_survives_a_constant_and_travels_with_the_weights() -> None:
    standardisation, other = Standardisation(), Standardisation()
    standardisation.fit([torch.full((1, 1, 4, 5), -13.8)])
    other.load_state_dict(standardisation.state_dict())
    values = other(torch.full((1, 1, 4, 5), -13.8))
    assert torch.isfinite(values).all()
    assert float(values.abs().max()) < 0.1


def test_the_stages_compute_what_they_say() -> None:
    """The power of a tone lies in its bin, and the two parts of a bin stand side by side."""
    transform = PowerSpectrum(n_fft=64, window_length=64, hop_length=64)
    tone = torch.cos(2 * torch.pi * 8 * torch.arange(640) / 64)[None]
    parts = transform(tone)[0, 5]
    assert parts.shape == (66,)
    power = parts.reshape(33, 2).sum(dim=1)
    # A periodic Hann window sums to 32, so a cosine of amplitude 1 has magnitude 16 in its bin, and half of it beside.
    torch.testing.assert_close(power[7:10], torch.tensor([64.0, 256.0, 64.0]), rtol=1e-4, atol=1e-3)
    assert float(power[11:].max()) < 1e-6
    assert float(LogCompression(1.0)(torch.zeros(1))) == 0.0
