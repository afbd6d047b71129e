"""Spectrograms: clips a second on one thread, emogram beside librosa or scipy and nnAudio, in turn on the same noise.

The reference of a type is what a user would call instead, with the same window, hop and bands; nnAudio stands beside where
it has the type, as torch modules over the whole batch. Beside the ratios stands what bounds ours: *transform* (windowing and
Fourier transform), *arithmetic* (matrix products) or *memory* (passes over the values), as told by the slowest part and its
share of the time.
"""

import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import librosa
import numpy as np
import numpy.typing as npt
import scipy.fft
import scipy.ndimage
import scipy.signal
import torch
from nnAudio import features
from torch import nn

from emogram import filterbanks
from emogram.spectrograms import SPECTROGRAMS, Spectrogram
from emogram.spectrograms.scattering import deviation_s
from emogram.spectrograms.stages import LogCompression

_CLIPS, _CLIP_S, _RATE, _ROUNDS = 8, 3.5, 16_000, 7
_N_FFT, _WINDOW, _HOP, _BANDS = 512, 400, 160, 64
_FMIN_HZ, _FMAX_HZ, _FLOOR = 50.0, 7600.0, 1e-6
_BOUNDS = {
    "PowerSpectrum": "transform",
    "Parallel": "transform",
    "MultirateCorrelation": "arithmetic",
    "Filterbank": "arithmetic",
    "GaborFilterbank": "arithmetic",
    "Matrix": "arithmetic",
    "TimeFilters": "arithmetic",
    "Orders": "arithmetic",
}

Wave = npt.NDArray[np.float32]
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Reference:
    """What a user would call instead.

    Args:
        source: the package and function.
        compute: the spectrogram of a wave.
        target: the ratio that is promised.
    """

    source: str
    compute: Callable[[Wave], object]
    target: float = 1.0


def main() -> None:
    """Print a row for each type with a reference: the rates, the median of the ratios round by round, and the bound."""
    torch.set_num_threads(1)
    waves = (0.1 * np.random.default_rng(0).standard_normal((_CLIPS, round(_CLIP_S * _RATE)))).astype(np.float32)
    print(f"{_CLIP_S} s clips at {_RATE} Hz, one thread, clips/s of processor time, median of {_ROUNDS - 1} rounds")
    packages = ", ".join(f"{package} {version(package)}" for package in ("torch", "librosa", "scipy", "nnAudio"))
    print(f"{packages}\n")
    header = f"{'type':16} {'emogram':>8} {'reference':>9} {'ratio':>7} {'target':>7} {'nnAudio':>8} {'ratio':>7}"
    print(f"{header}  {'reference':42} bound")
    beside = _nnaudio()
    for name in SPECTROGRAMS:
        for reference in _references().get(name, ()):
            _compare(name, reference, beside.get(name), waves)


def _compare(name: str, reference: Reference, beside: nn.Module | None, waves: Wave) -> None:
    front_end = SPECTROGRAMS[name].model_validate({}).build(_RATE)
    batch = torch.from_numpy(waves)
    few = waves[:2] if reference.target > 10 else waves

    def ours() -> None:
        with torch.inference_mode():
            front_end(batch)

    def theirs() -> None:
        for wave in few:
            reference.compute(wave)

    def others() -> None:
        with torch.inference_mode():
            if beside is not None:
                beside(batch)

    rates = [ours, theirs, *([] if beside is None else [others])]
    rows = [[_rate(work, len(few) if work is theirs else _CLIPS) for work in rates] for _ in range(_ROUNDS)][1:]
    mine, *found = (statistics.median(column) for column in zip(*rows, strict=True))
    ratios = [statistics.median(row[0] / row[place] for row in rows) for place in range(1, len(rates))]
    bound = _bound(front_end, batch)
    told = f"{found[1]:8.0f} {ratios[1]:7.1f}" if beside is not None else f"{'-':>8} {'-':>7}"
    print(
        f"{name:16} {mine:8.0f} {found[0]:9.1f} {ratios[0]:7.1f} {reference.target:7.1f} {told}  {reference.source:42} {bound}"
    )


def _bound(front_end: Spectrogram, batch: torch.Tensor) -> str:
    """The slowest part, its share of the time, and so what bounds the whole."""
    seconds: dict[str, float] = defaultdict(float)
    with torch.inference_mode():
        for _ in range(_ROUNDS):
            for chunk in torch.split(batch, 2):
                values = chunk
                for part in (front_end.transform, *front_end.stages):
                    started = time.process_time()
                    values = part(values)
                    seconds[type(part).__name__] += time.process_time() - started
    slowest = max(seconds, key=lambda part: seconds[part])
    return f"{_BOUNDS.get(slowest, 'memory')} ({slowest} {seconds[slowest] / sum(seconds.values()):.0%})"


def _nnaudio() -> dict[str, nn.Module]:
    """The types that nnAudio has, by our names."""
    framed: dict[str, Any] = {
        "sr": _RATE,
        "n_fft": _N_FFT,
        "win_length": _WINDOW,
        "hop_length": _HOP,
        "pad_mode": "constant",
        "verbose": False,
    }
    bands: dict[str, Any] = {**framed, "n_mels": _BANDS, "fmin": _FMIN_HZ, "fmax": _FMAX_HZ, "htk": True, "norm": None}
    octaves = {**_OCTAVES, "verbose": False}
    gammatone: dict[str, Any] = {**framed, "n_bins": _BANDS, "fmin": _FMIN_HZ, "fmax": _FMAX_HZ}
    mel = features.MelSpectrogram(**bands)
    return {
        "magnitude": features.STFT(**framed, output_format="Magnitude"),
        "mel": mel,
        "logmel": nn.Sequential(mel, LogCompression(_FLOOR)),
        "gammatone": nn.Sequential(features.Gammatonegram(**gammatone), LogCompression(_FLOOR)),
        "mfcc": features.MFCC(sr=_RATE, n_mfcc=20, **{name: value for name, value in bands.items() if name != "sr"}),
        "cqt": features.CQT1992v2(**octaves),
        "vqt": features.VQT(**octaves, gamma=20.0),
    }


def _references() -> dict[str, tuple[Reference, ...]]:
    """By type; recordings in, arrays out."""
    return {
        "magnitude": (Reference("librosa.stft", lambda y: np.abs(_stft(y))),),
        "power": (Reference("librosa.stft", lambda y: np.abs(_stft(y)) ** 2),),
        "logstft": (Reference("librosa.stft, power_to_db", lambda y: librosa.power_to_db(np.abs(_stft(y)) ** 2)),),
        "mel": (Reference("librosa.feature.melspectrogram", _mel),),
        "logmel": (Reference("librosa.feature.melspectrogram, log", lambda y: np.log(_mel(y) + _FLOOR), 3.5),),
        "pcen": (Reference("librosa.pcen", lambda y: librosa.pcen(_mel(y), sr=_RATE, hop_length=_HOP)),),
        "bark": (Reference("librosa.stft, matrix", lambda y: np.log(_BARK @ np.abs(_stft(y)) ** 2 + _FLOOR)),),
        "gammatone": (Reference("scipy.signal.gammatone (IIR), lfilter", _gammatone, 20.0),),
        "mfcc": (Reference("librosa.feature.mfcc", _mfcc, 3.0),),
        "lfcc": (Reference("librosa.stft, scipy.fft.dct", lambda y: _cepstrum(_LINEAR, y, np.log)),),
        "gfcc": (Reference("librosa.stft, scipy.fft.dct", lambda y: _cepstrum(_GAMMATONE, y, np.cbrt)),),
        "deltas": (Reference("librosa.feature.delta, twice", _deltas),),
        "multiresolution": (Reference("librosa, three log-mels", _three_windows),),
        "chroma": (Reference("librosa.feature.chroma_stft", _chroma),),
        "cqt": (Reference("librosa.cqt", lambda y: np.abs(librosa.cqt(y, **_OCTAVES)), 5.0),),
        "vqt": (Reference("librosa.vqt", lambda y: np.abs(librosa.vqt(y, gamma=20.0, **_OCTAVES)), 5.0),),
        "chroma_cqt": (Reference("librosa.feature.chroma_cqt", _chroma_cqt, 5.0),),
        "scalogram": (Reference("scipy.signal.fftconvolve, wavelet by wavelet", _wavelets),),
        "hpss": (Reference("librosa.decompose.hpss, mel", _hpss),),
        "gabor": (Reference("librosa.feature.melspectrogram, log (fixed)", lambda y: np.log(_mel(y) + _FLOOR)),),
        "modulation": (Reference("librosa mel, scipy.signal.stft along time", _modulation),),
        "scattering": (Reference("scipy.signal.fftconvolve, path by path", _scattering),),
    }


_OCTAVES: dict[str, Any] = {
    "sr": _RATE,
    "hop_length": _HOP,
    "fmin": 55.0,
    "n_bins": 84,
    "bins_per_octave": 12,
    "pad_mode": "constant",
}
_BAND_FIELDS: dict[str, Any] = {
    "sample_rate": _RATE,
    "n_fft": _N_FFT,
    "n_bands": _BANDS,
    "fmin_hz": _FMIN_HZ,
    "fmax_hz": _FMAX_HZ,
}
_BARK, _LINEAR, _GAMMATONE = (
    filterbank(**_BAND_FIELDS) for filterbank in (filterbanks.bark, filterbanks.linear, filterbanks.gammatone)
)
_CENTRES_HZ = filterbanks.gammatone_centres_hz(n_bands=_BANDS, fmin_hz=_FMIN_HZ, fmax_hz=_FMAX_HZ)


def _stft(wave: Wave, *, window: int = _WINDOW, n_fft: int = _N_FFT) -> Array:
    return np.asarray(librosa.stft(wave, n_fft=n_fft, win_length=window, hop_length=_HOP, pad_mode="constant"))


def _mel(wave: Wave, *, window: int = _WINDOW, n_fft: int = _N_FFT) -> Array:
    power = np.abs(_stft(wave, window=window, n_fft=n_fft)) ** 2
    return np.asarray(
        librosa.feature.melspectrogram(
            S=power, sr=_RATE, n_fft=n_fft, n_mels=_BANDS, fmin=_FMIN_HZ, fmax=_FMAX_HZ, htk=True, norm=None
        )
    )


def _mfcc(wave: Wave) -> Array:
    return np.asarray(librosa.feature.mfcc(S=librosa.power_to_db(_mel(wave)), n_mfcc=20))


def _cepstrum(weights: Array, wave: Wave, compress: Callable[[Array], Array]) -> Array:
    bands = compress(weights @ np.abs(_stft(wave)) ** 2 + _FLOOR)
    return np.asarray(scipy.fft.dct(bands, axis=0, norm="ortho")[:20])


def _deltas(wave: Wave) -> Array:
    level = np.log(_mel(wave) + _FLOOR)
    return np.stack([level, librosa.feature.delta(level), librosa.feature.delta(level, order=2)])


def _three_windows(wave: Wave) -> Array:
    return np.stack([np.log(_mel(wave, window=window, n_fft=1024) + _FLOOR) for window in (200, 400, 800)])


def _chroma(wave: Wave) -> Array:
    power = np.abs(_stft(wave, window=1024, n_fft=1024)) ** 2
    return np.asarray(librosa.feature.chroma_stft(S=power, sr=_RATE, n_fft=1024, tuning=0.0))


def _chroma_cqt(wave: Wave) -> Array:
    magnitude = np.abs(librosa.cqt(wave, **_OCTAVES))
    return np.asarray(librosa.feature.chroma_cqt(C=magnitude, sr=_RATE, hop_length=_HOP, fmin=55.0, bins_per_octave=12))


def _hpss(wave: Wave) -> list[Array]:
    parts = librosa.decompose.hpss(np.abs(_stft(wave, window=512)), kernel_size=(17, 17))
    return [
        np.log(librosa.feature.melspectrogram(S=part**2, sr=_RATE, n_mels=_BANDS, htk=True, norm=None) + _FLOOR)
        for part in parts
    ]


def _modulation(wave: Wave) -> Array:
    _, _, rates = scipy.signal.stft(np.sqrt(_mel(wave)), fs=_RATE / _HOP, nperseg=51, noverlap=47)
    return np.asarray(np.log(np.abs(rates[:, [1, 2, 4, 8]]) ** 2 + _FLOOR))


def _gammatone(wave: Wave) -> Array:
    """Filter every sample, then sum the squares of each window."""
    rows = []
    for centre_hz in _CENTRES_HZ:
        filtered = scipy.signal.lfilter(*scipy.signal.gammatone(centre_hz, "iir", fs=_RATE), wave)
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(filtered, _WINDOW // 2), _WINDOW)[::_HOP]
        rows.append(np.log(np.square(windows).sum(axis=1) + _FLOOR))
    return np.stack(rows)


def _wavelets(wave: Wave) -> Array:
    rows = []
    for row in range(76):
        scale = 6 * _RATE / (2 * np.pi * 55 * 2 ** (row / 12))
        time_s = np.arange(-int(4.5 * scale), int(4.5 * scale) + 1) / scale
        wavelet = np.exp(6j * time_s - time_s**2 / 2) / np.sqrt(scale)
        rows.append(np.log(np.abs(scipy.signal.fftconvolve(wave, wavelet, "same")[::_HOP]) ** 2 + _FLOOR))
    return np.stack(rows)


def _scattering(wave: Wave) -> Array:
    """Moduli at every 20th sample, then rises and falls of four rates, all averaged over time."""
    average = np.exp(-0.5 * (np.arange(-128, 129) / 32) ** 2)
    average /= average.sum()
    paths = []
    for band in range(48):
        hertz = 100 * 2 ** (band / 8)
        moduli = np.abs(scipy.signal.fftconvolve(wave, _morlet(hertz, 8, _RATE), "same"))[::20]
        for rate_hz in (None, 8.0, 16.0, 32.0, 64.0):
            path = moduli
            if rate_hz is not None:
                path = np.abs(scipy.signal.fftconvolve(moduli, _morlet(rate_hz, 1, _RATE / 20), "same"))
            paths.append(np.log(scipy.signal.fftconvolve(path, average, "same")[::16] + 1e-4))
    return np.stack(paths)


def _morlet(hertz: float, per_octave: float, rate: float) -> Array:
    width = min(deviation_s(hertz, per_octave), 0.04) * rate
    places = np.arange(-int(4 * width), int(4 * width) + 1)
    gaussian = np.exp(-0.5 * (places / width) ** 2)
    return np.asarray(gaussian / gaussian.sum() * np.exp(2j * np.pi * hertz * places / rate))


def _rate(work: Callable[[], None], clips: int) -> float:
    """Clips a second of processor time, which a busy neighbour disturbs less than the clock on the wall."""
    started = time.process_time()
    work()
    return clips / (time.process_time() - started)
