"""Each type beside librosa or scipy, or beside the paper's formula written out in float64."""

from typing import Any

import librosa
import numpy as np
import pytest
import scipy.fft
import scipy.signal
import torch
from numpy.typing import NDArray

from emogram import filterbanks
from emogram.errors import ConfigurationError
from emogram.spectrograms import SPECTROGRAMS, LogMelSettings
from emogram.spectrograms.harmonic import sliding_median
from emogram.spectrograms.learnable import GaborFilterbank
from emogram.spectrograms.stages import PerChannelEnergyNormalisation

RATE, HOP, N_FFT, WINDOW = 16_000, 160, 512, 400

TOLERANCE = 1e-4
"""Largest difference from the reference, in parts of the reference's largest value."""

Array = NDArray[np.float64]


def wave(samples: int = 12_000) -> NDArray[np.float32]:
    """A gliding harmonic tone with clicks in faint noise."""
    time_s = np.arange(samples) / RATE
    phase = 2 * np.pi * (180 * time_s + 60 * time_s**2)
    tone = sum(0.2 / k * np.sin(k * phase) for k in range(1, 12)) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * time_s))
    clicks = np.zeros(samples)
    clicks[2000::2500] = 0.8
    return np.asarray(tone + clicks + 0.01 * np.random.default_rng(1).standard_normal(samples), dtype=np.float32)


def picture(name: str, sound: NDArray[np.float32] | None = None, **fields: Any) -> Array:
    """[C, F, N]"""
    sound = wave() if sound is None else sound
    with torch.no_grad():
        spec = SPECTROGRAMS[name].model_validate(fields).build(RATE)(torch.from_numpy(sound)[None])
    values: Array = spec[0].double().numpy()
    return values


def power_spectrum(sound: NDArray[np.float32], *, window: int = WINDOW, n_fft: int = N_FFT) -> Array:
    frames = librosa.stft(
        sound.astype(np.float64), n_fft=n_fft, win_length=window, hop_length=HOP, center=True, pad_mode="constant"
    )
    return np.asarray(np.abs(frames) ** 2)


def mel_power(sound: NDArray[np.float32]) -> Array:
    weights = librosa.filters.mel(
        sr=RATE, n_fft=N_FFT, n_mels=64, fmin=50, fmax=7600, htk=True, norm=None, dtype=np.float64
    )
    return np.asarray(weights @ power_spectrum(sound))


def assert_close(given: Array, expected: Array, tolerance: float = TOLERANCE) -> None:
    assert given.shape == expected.shape
    assert np.abs(given - expected).max() <= tolerance * np.abs(expected).max()


def test_stft_types_are_librosas() -> None:
    power = power_spectrum(wave())
    assert_close(picture("power")[0], power)
    assert_close(picture("magnitude")[0], np.sqrt(power))
    assert_close(picture("logstft")[0], librosa.power_to_db(power + 1e-6, amin=1e-30, top_db=None))


def test_stft_range_keeps_the_bins_within_it() -> None:
    chosen = picture("power", fmin_hz=100, fmax_hz=1000)[0]
    assert_close(chosen, power_spectrum(wave())[4:33])  # bins lie 31.25 Hz apart
    axis = SPECTROGRAMS["power"].model_validate({"fmin_hz": 100, "fmax_hz": 1000}).build(RATE).centres_hz
    assert (axis[0], axis[-1]) == (125.0, 1000.0)


def test_mel_is_librosas() -> None:
    assert_close(picture("mel")[0], mel_power(wave()))
    assert_close(picture("mel", exponent=0.5)[0], np.sqrt(mel_power(wave())))


def test_pcen_is_librosas() -> None:
    energy = mel_power(wave(40_000))
    frames = 0.4 * RATE / HOP
    smoothing = (np.sqrt(1 + 4 * frames**2) - 1) / (2 * frames**2)
    expected = librosa.pcen(
        energy,
        sr=RATE,
        hop_length=HOP,
        gain=0.98,
        bias=2,
        power=0.5,
        time_constant=0.4,
        eps=1e-6,
        zi=(1 - smoothing) * energy[:, :1],  # as if the first frame had lasted for ever
    )
    assert_close(picture("pcen", wave(40_000))[0], expected)


@pytest.mark.parametrize("smoothing", [0.003, 0.0247, 0.3, 0.999])
def test_pcen_smoothing_is_the_recursion(smoothing: float) -> None:
    """Also over more frames than the doubling spans, where it is cut at a millionth."""
    energy = np.abs(np.random.default_rng(2).standard_normal((1, 2500, 2))) ** 4
    energy[:, 1200:] *= 1e-3
    stage = PerChannelEnergyNormalisation(smoothing=smoothing, gain=1, bias=1, power=0.5, floor=1e-6)
    expected, _ = scipy.signal.lfilter(
        [smoothing], [1, smoothing - 1], energy, axis=1, zi=(1 - smoothing) * energy[:, :1]
    )
    given = stage.smooth(torch.from_numpy(energy)).numpy()
    assert np.abs(given - expected).max() < 2e-6 * energy.max()


def test_bark_is_the_papers_formula() -> None:
    """The critical-band curve of Hermansky 1990, bin by bin."""
    expected = np.zeros((64, 257))
    centres = np.linspace(6 * np.arcsinh(50 / 600), 6 * np.arcsinh(7600 / 600), 64)
    for band, centre in enumerate(centres):
        for place in range(257):
            away = 6 * np.arcsinh(place * RATE / N_FFT / 600) - centre
            if -1.3 <= away <= -0.5:
                expected[band, place] = 10 ** (2.5 * (away + 0.5))
            elif -0.5 < away < 0.5:
                expected[band, place] = 1
            elif 0.5 <= away <= 2.5:
                expected[band, place] = 10 ** (-1.0 * (away - 0.5))
    assert_close(picture("bark")[0], np.log(expected @ power_spectrum(wave()) + 1e-6))
    assert_close(picture("bark", compression="cube_root")[0], np.cbrt(expected @ power_spectrum(wave())))


def gammatone_weights() -> Array:
    """Power response of Patterson's filter over the bins, from Glasberg and Moore's bandwidths."""
    low, high = 21.4 * np.log10(1 + 0.00437 * 50), 21.4 * np.log10(1 + 0.00437 * 7600)
    centres_hz = (10 ** (np.linspace(low, high, 64) / 21.4) - 1) / 0.00437
    rows = []
    for centre_hz in centres_hz:
        width_hz = 1.019 * 24.7 * (4.37 * centre_hz / 1000 + 1)
        rows.append(1 / (1 + ((np.arange(257) * RATE / N_FFT - centre_hz) / width_hz) ** 2) ** 4)
    return np.stack(rows)


def test_gammatone_is_the_papers_formula() -> None:
    assert_close(picture("gammatone")[0], np.log(gammatone_weights() @ power_spectrum(wave()) + 1e-6))


def test_gammatone_weights_are_scipys_filters() -> None:
    """Half a decibel within the 6 dB width of scipy's recursive filters, but for the lowest, whose bins are few."""
    weights = filterbanks.gammatone(sample_rate=RATE, n_fft=N_FFT, n_bands=64, fmin_hz=50, fmax_hz=7600)
    centres_hz = filterbanks.gammatone_centres_hz(n_bands=64, fmin_hz=50, fmax_hz=7600)
    bins_hz = np.arange(257) * RATE / N_FFT
    for band in range(12, 58):
        numerator, denominator = scipy.signal.gammatone(centres_hz[band], "iir", fs=RATE)
        _, response = scipy.signal.freqz(numerator, denominator, worN=bins_hz, fs=RATE)
        near = weights[band] > 0.25
        assert near.sum() >= 2
        difference_db = 10 * np.log10(np.abs(response[near]) ** 2 / weights[band][near])
        assert np.abs(difference_db).max() < 0.5


def test_gammatone_bands_hold_the_energy_behind_scipys_filters() -> None:
    """Means over time, band by band, within a decibel of filtering every sample."""
    sound = np.random.default_rng(3).standard_normal(16_000).astype(np.float32)
    bands = picture("gammatone", sound, compression="none")[0].mean(axis=1)
    centres_hz = filterbanks.gammatone_centres_hz(n_bands=64, fmin_hz=50, fmax_hz=7600)
    # Energy in a frame's spectrum is n_fft / 2 (positive frequencies) times the energy of its windowed samples.
    scale = N_FFT / 2 * np.square(scipy.signal.get_window("hann", WINDOW)).sum()
    for band in range(12, 58, 5):
        filtered = scipy.signal.lfilter(*scipy.signal.gammatone(centres_hz[band], "iir", fs=RATE), sound)
        assert abs(10 * np.log10(bands[band] / (scale * np.mean(filtered**2)))) < 1.0


@pytest.mark.parametrize("lifter", [0, 22])
def test_mfcc_is_librosas(lifter: int) -> None:
    decibels = librosa.power_to_db(mel_power(wave()) + 1e-6, amin=1e-30, top_db=None)
    expected = librosa.feature.mfcc(S=decibels, n_mfcc=20, lifter=lifter)
    assert_close(picture("mfcc", lifter=lifter)[0], expected)


def test_lfcc_is_scipys_transform_of_linear_bands() -> None:
    edges_hz = np.linspace(50, 7600, 66)
    bins_hz = np.arange(257) * RATE / N_FFT
    bands = np.stack([np.interp(bins_hz, edges_hz[b : b + 3], [0, 1, 0], left=0, right=0) for b in range(64)])
    decibels = 10 * np.log10(bands @ power_spectrum(wave()) + 1e-6)
    assert_close(picture("lfcc")[0], scipy.fft.dct(decibels, axis=0, norm="ortho")[:20])


def test_gfcc_is_scipys_transform_of_cube_roots() -> None:
    roots = np.cbrt(gammatone_weights() @ power_spectrum(wave()))
    assert_close(picture("gfcc")[0], scipy.fft.dct(roots, axis=0, norm="ortho")[:20])


@pytest.mark.parametrize("frames", [3, 9, 15])
def test_deltas_are_librosas(frames: int) -> None:
    level = np.log(mel_power(wave()) + 1e-6)
    first, second, third = picture("deltas", delta_frames=frames)
    inside = slice(frames // 2, level.shape[1] - frames // 2)
    assert_close(first, level)
    assert_close(second[:, inside], librosa.feature.delta(level, width=frames)[:, inside])
    assert_close(third[:, inside], librosa.feature.delta(level, width=frames, order=2)[:, inside])


def test_deltas_at_the_ends_see_silence() -> None:
    sound = wave()
    longer = np.pad(sound, 10 * HOP)
    assert_close(picture("deltas", sound), picture("deltas", longer)[..., 10:-10])


def test_chroma_is_librosas() -> None:
    power = power_spectrum(wave(), window=1024, n_fft=1024)
    expected = librosa.feature.chroma_stft(S=power, sr=RATE, n_fft=1024, tuning=0.0, norm=np.inf)
    assert_close(picture("chroma", floor=1e-7)[0], expected)


def test_multiresolution_stacks_three_log_mels() -> None:
    together = picture("multiresolution")
    for channel, window_ms in enumerate((12.5, 25.0, 50.0)):
        alone = LogMelSettings(window_ms=window_ms, n_fft=1024).build(RATE)(torch.from_numpy(wave())[None])
        assert_close(together[channel], alone[0, 0].double().numpy())


def test_harmonic_and_percussive_are_librosas() -> None:
    power = power_spectrum(wave(), window=512)
    weights = librosa.filters.mel(
        sr=RATE, n_fft=N_FFT, n_mels=64, fmin=50, fmax=7600, htk=True, norm=None, dtype=np.float64
    )
    parts = librosa.decompose.hpss(np.sqrt(power), kernel_size=(17, 17))
    inside = slice(8, power.shape[1] - 8)
    for given, part in zip(picture("hpss"), parts, strict=True):
        assert_close(given[:, inside], np.log(weights @ part**2 + 1e-6)[:, inside])


def test_harmonic_is_what_lasts_and_percussive_what_is_broad() -> None:
    time_s = np.arange(8000) / RATE
    tone = (0.3 * np.sin(2 * np.pi * 1000 * time_s)).astype(np.float32)
    click = np.zeros(8000, np.float32)
    click[4000] = 1
    for sound, strong in ((tone, 0), (click, 1)):
        parts = picture("hpss", sound)[:, :, 20:30]
        assert parts[strong].max() > parts[1 - strong].max() + 3


@pytest.mark.parametrize("width", [3, 5, 7, 17, 31])
@pytest.mark.parametrize("dim", [1, 2])
def test_sliding_median_is_torchs(width: int, dim: int) -> None:
    values = torch.randn(2, 40, 37, generator=torch.Generator().manual_seed(0)).round(decimals=1)
    assert torch.equal(sliding_median(values, width, dim=dim), values.unfold(dim, width, 1).median(dim=-1).values)


def test_modulation_is_the_windowed_transform_of_magnitudes() -> None:
    """Frame by frame and rate by rate, in float64; steady parts taken out."""
    reach, step, rates_hz = 25, 4, (2.0, 4.0, 8.0, 16.0)
    sound = wave(16_000)
    level = np.sqrt(mel_power(np.pad(sound, reach * HOP)))
    window = np.hanning(2 * reach + 3)[1:-1]
    window /= window.sum()
    expected = np.zeros((4, 64, 1 + (len(sound) // HOP) // step))
    for channel, rate_hz in enumerate(rates_hz):
        turn = np.exp(-2j * np.pi * rate_hz * np.arange(-reach, reach + 1) * HOP / RATE)
        for frame in range(expected.shape[2]):
            part = level[:, frame * step : frame * step + 2 * reach + 1]
            steady = (part * window).sum(axis=1, keepdims=True)
            expected[channel, :, frame] = np.abs(((part - steady) * window * turn).sum(axis=1)) ** 2
    assert_close(picture("modulation", sound, compression="none"), expected)
    assert_close(picture("modulation", sound), np.log(expected + 1e-6))


def test_modulation_finds_the_rate_of_a_tremolo() -> None:
    time_s = np.arange(32_000) / RATE
    sound = np.sin(2 * np.pi * 1000 * time_s) * (1 + 0.8 * np.sin(2 * np.pi * 8 * time_s))
    strengths = picture("modulation", (0.1 * sound).astype(np.float32))[:, :, 20:30].max(axis=(1, 2))
    assert int(strengths.argmax()) == 2


def test_gabor_starts_as_gaussians_as_wide_as_the_mel_bands() -> None:
    edges_hz = librosa.mel_frequencies(66, fmin=50, fmax=7600, htk=True)
    bins_hz = np.arange(257) * RATE / N_FFT
    half_hz = (edges_hz[2:] - edges_hz[:-2]) / 4
    distance = (bins_hz[None, :] - edges_hz[1:-1, None]) / half_hz[:, None]
    # A band narrower than a bin is widened to one, so that it misses none.
    narrow = half_hz / np.sqrt(np.log(2)) < RATE / N_FFT
    weights = 0.5 ** (distance**2)
    expected = np.log(weights @ power_spectrum(wave()) + 1e-6)
    assert not narrow[20:].any()
    assert_close(picture("gabor")[0][~narrow], expected[~narrow])


def test_gabor_learns() -> None:
    front_end = SPECTROGRAMS["gabor"].model_validate({}).build(RATE)
    sound = torch.from_numpy(wave(4000))[None].repeat(3, 1)
    before = front_end(sound).square().mean()
    before.backward()
    bands = front_end.stages[0]
    assert isinstance(bands, GaborFilterbank)
    assert bands.centres.grad is not None
    assert (bands.centres.grad.abs() > 0).float().mean() > 0.9
    with torch.no_grad():
        for parameter in front_end.parameters():
            assert parameter.grad is not None
            parameter.sub_(1e-6 * parameter.grad)
        assert front_end(sound).square().mean() < before


@pytest.mark.parametrize("compression", ["log", "cube_root", "none"])
def test_gabor_learns_nothing_wild_from_silence(compression: str) -> None:
    front_end = SPECTROGRAMS["gabor"].model_validate({"compression": compression}).build(RATE)
    front_end(torch.zeros(2, 1600)).sum().backward()
    for parameter in front_end.parameters():
        assert parameter.grad is not None
        assert torch.isfinite(parameter.grad).all()


def test_gabor_has_no_denormal_weights() -> None:
    """They make the products slow."""
    bands = SPECTROGRAMS["gabor"].model_validate({}).build(RATE).stages[0]
    assert isinstance(bands, GaborFilterbank)
    weights = bands.weights()
    assert 0.0 < (weights > 0).float().mean() < 0.5
    assert weights[weights > 0].min() > 1e3 * torch.finfo(torch.float32).tiny


def test_gabor_follows_its_parameters_between_evaluations() -> None:
    front_end, other = (SPECTROGRAMS["gabor"].model_validate({}).build(RATE).eval() for _ in range(2))
    sound = torch.from_numpy(wave(1600))[None]
    with torch.inference_mode():
        before = front_end(sound)
    with torch.no_grad():
        for parameter in front_end.parameters():
            parameter.add_(0.01)
    with torch.inference_mode():
        stepped = front_end(sound)
        other.load_state_dict(front_end.state_dict())
        assert torch.equal(other(sound), stepped)
    assert not torch.equal(stepped, before)


def test_an_even_number_of_frames_has_no_middle() -> None:
    for name, field in (("deltas", "delta_frames"), ("hpss", "harmonic_frames"), ("hpss", "percussive_bins")):
        with pytest.raises(ConfigurationError, match=rf"^{field}=10: must be odd.*choose 11$"):
            SPECTROGRAMS[name].model_validate({field: 10}).build(RATE)


def test_modulation_refuses_what_its_frames_cannot_hold() -> None:
    for fields, field in (
        ({"modulations_hz": (2.0, 60.0)}, "modulations_hz"),
        ({"modulation_window_ms": 5.0}, "modulation_window_ms=5"),
    ):
        with pytest.raises(ConfigurationError, match=rf"^{field}"):
            SPECTROGRAMS["modulation"].model_validate(fields).build(RATE)
