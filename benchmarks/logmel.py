"""Log-mel spectrograms: clips a second on one thread, emogram beside librosa, in turn on the same noise."""

import statistics
import time
from collections.abc import Callable
from importlib.metadata import version

import librosa
import numpy as np
import torch

from emogram.spectrograms import LogMelSettings

_CLIPS, _CLIP_S, _RATE, _ROUNDS = 32, 3.5, 16_000, 9


def main() -> None:
    """Print both rates and the median of the ratios, round by round."""
    torch.set_num_threads(1)
    settings = LogMelSettings()
    front_end = settings.build(_RATE)
    waves = (0.1 * np.random.default_rng(0).standard_normal((_CLIPS, round(_CLIP_S * _RATE)))).astype(np.float32)
    batch = torch.from_numpy(waves)

    def ours() -> None:
        with torch.inference_mode():
            front_end(batch)

    def librosas() -> None:
        for wave in waves:
            np.log(_librosa_mel(wave, settings) + settings.floor)

    difference = np.abs(front_end(batch)[0, 0].numpy() - np.log(_librosa_mel(waves[0], settings) + settings.floor))
    rows = [(_rate(ours), _rate(librosas)) for _ in range(_ROUNDS)][1:]
    ratio = statistics.median(mine / theirs for mine, theirs in rows)
    print(f"log-mel, {_CLIP_S} s clips, one thread, median of {len(rows)} rounds")
    print(f"  emogram {statistics.median(row[0] for row in rows):6.0f} clips/s")
    print(f"  librosa {statistics.median(row[1] for row in rows):6.0f} clips/s   ({version('librosa')})")
    print(f"  ratio   {ratio:6.2f}            largest difference {difference.max():.1e}")


def _librosa_mel(wave: np.ndarray, settings: LogMelSettings) -> np.ndarray:
    return librosa.feature.melspectrogram(
        y=wave,
        sr=_RATE,
        n_fft=settings.n_fft,
        win_length=round(settings.window_ms * _RATE / 1000),
        hop_length=round(settings.hop_ms * _RATE / 1000),
        n_mels=settings.n_mels,
        fmin=settings.fmin_hz,
        fmax=settings.fmax_hz,
        htk=settings.mel_scale == "htk",
        norm=None,
        center=True,
        pad_mode="constant",
    )


def _rate(work: Callable[[], None]) -> float:
    """Clips a second of processor time, which a busy neighbour disturbs less than the clock on the wall."""
    started = time.process_time()
    work()
    return _CLIPS / (time.process_time() - started)
