"""A small source-filter speech synthesiser whose voices express emotions, for `emogram.corpora.synthetic`.

Glottal pulses (Rosenberg 1971) with jitter, shimmer and breath noise pass through four formants, as in Klatt (1980).
Emotions differ from neutral in pitch, pitch range, tempo, loudness, spectral slope, breathiness, jitter, contour and
onset in the directions tabulated by Juslin & Laukka (2003), "Communication of emotions in vocal expression and music
performance", and Scherer (2003), "Vocal communication of emotion", who also gives disgust its narrowed voice. Speakers
have habits of their own, and every take is acted more or less strongly, so that emotions overlap as they do in speech.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from emogram.audio import SAMPLE_RATE

Samples: TypeAlias = NDArray[np.float64]

_CUES = ("pitch_st", "log_range", "log_tempo", "gain_db", "slope_db", "breath", "jitter", "rise_st", "onset", "narrow")
PROFILES = {  # the mean deviation from neutral in each cue
    "neutral": (0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    "happy": (4, 0.6, 0.12, 3, 1, 0, -0.2, 3, 0.3, 0),
    "sad": (-2, -0.5, -0.25, -5, -2.5, 0.6, 0.3, -2, -0.6, 0),
    "angry": (2.5, 0.3, 0.14, 7, 3, -0.4, 0.8, -1, 0.9, 0),
    "fearful": (5, -0.5, 0.22, -1, -1, 0.5, 1, 2, 0, 0),
    "disgust": (-2.5, 0, -0.15, -1, 0.8, -0.2, 0.9, -2, -0.2, 1),
}
_HABITS = np.array([0, 0.12, 0.05, 1.2, 0.5, 0.12, 0.15, 0.4, 0.12, 0.12])  # standard deviation between speakers
_MOODS = np.array([0.8, 0.13, 0.04, 1.0, 0.5, 0.13, 0.17, 0.5, 0.17, 0.17])  # standard deviation between takes
SENTENCES = {"s1": "aieoua", "s2": "eoaiea", "s3": "uiaoe", "s4": "oaeuiae"}
_VOWELS = {  # formants in Hz of a man, the first three after Peterson & Barney (1952)
    "a": (730, 1090, 2440, 3400),
    "e": (530, 1840, 2480, 3500),
    "i": (270, 2290, 3010, 3700),
    "o": (570, 840, 2410, 3300),
    "u": (300, 870, 2240, 3300),
}
_PHASE = np.linspace(0, 1, 4096, endpoint=False)
_PULSE = np.where(  # glottal flow over one period: opens slowly, closes fast, stays shut
    _PHASE < 0.4, 0.5 - 0.5 * np.cos(np.pi / 0.4 * _PHASE), np.cos(np.pi / 2 * np.clip((_PHASE - 0.4) / 0.16, 0, 1))
)
_BANDWIDTHS_HZ = (70.0, 90.0, 130.0, 200.0)
_HOP, _N_FFT = 160, 512


@dataclass(frozen=True, slots=True)
class Voice:
    """A speaker: mean pitch, formants relative to a man's, habits in every cue and how strongly each is used."""

    pitch_hz: float
    formants: float
    habits: Samples
    strengths: Samples


def draw_voice(rng: np.random.Generator, *, female: bool) -> Voice:
    """A speaker, drawn."""
    pitch_hz = rng.uniform(180, 230) if female else rng.uniform(100, 135)
    formants = rng.uniform(1.12, 1.22) if female else rng.uniform(0.95, 1.06)
    return Voice(pitch_hz, formants, _HABITS * rng.standard_normal(len(_CUES)), rng.uniform(0.75, 1.25, len(_CUES)))


def speak(voice: Voice, emotion: str, vowels: str, rng: np.random.Generator) -> Samples:
    """One take of a sentence.

    Args:
        voice: who speaks.
        emotion: one of `PROFILES`.
        vowels: the sentence, a letter of ``aeiou`` for each syllable.
        rng: from which the take is drawn.

    Returns:
        wave ``[T]`` at 16 kHz, within ±1, about two seconds.
    """
    cues = np.array(PROFILES[emotion]) * voice.strengths * rng.uniform(0.75, 1.4)
    cue = dict(zip(_CUES, cues + voice.habits + _MOODS * rng.standard_normal(len(_CUES)), strict=True))
    syllable_s = 0.25 * np.exp(-cue["log_tempo"]) * rng.uniform(0.8, 1.2, len(vowels))
    lead_s, tail_s = rng.uniform(0.08, 0.25, 2)
    starts_s = lead_s + np.cumsum(syllable_s) - syllable_s
    middles_s = starts_s + syllable_s / 2
    time_s = np.arange(int((lead_s + syllable_s.sum() + tail_s) * SAMPLE_RATE)) / SAMPLE_RATE

    accents_st = 2.2 * np.exp(cue["log_range"]) * rng.standard_normal(len(vowels))
    course_st = cue["pitch_st"] + (cue["rise_st"] - 2) * np.linspace(-0.5, 0.5, len(vowels))
    pitch_hz = voice.pitch_hz * np.exp2(np.interp(time_s, middles_s, accents_st + course_st) / 12)

    # Each syllable opens at a rate set by the onset cue and fades into the next; a hiss stands for its consonant.
    syllable = np.searchsorted(starts_s, time_s, side="right") - 1
    inside = np.where(syllable < 0, 1, (time_s - starts_s[syllable]) / syllable_s[syllable])
    envelope = np.clip(inside * 4 * np.exp(cue["onset"]), 0, 1) * np.clip((1 - inside) * 4, 0, 1)
    hiss = np.clip(1 - inside / 0.15, 0, 1) * (rng.random(len(vowels)) < 0.6)[syllable]

    formants_hz = np.array([_VOWELS[vowel] for vowel in vowels]) * voice.formants
    formants_hz[:, :2] *= 1 + np.array([0.1, -0.1]) * cue["narrow"]
    tracks_hz = np.stack([np.interp(time_s[::_HOP], middles_s, track) for track in formants_hz.T])
    voiced = _vocal_tract(_glottis(pitch_hz, cue["jitter"], cue["breath"], rng) * envelope, tracks_hz, cue["slope_db"])
    noise = rng.standard_normal((2, len(time_s)))
    wave = voiced / np.sqrt(np.mean(voiced**2)) + 0.15 * hiss * np.diff(noise[0], prepend=0)
    room = 10 ** rng.uniform(-4, -3) * noise[1]
    sound: Samples = np.tanh(0.06 * 10 ** (cue["gain_db"] / 20) * wave + room)
    return sound


def _glottis(pitch_hz: Samples, jitter: float, breath: float, rng: np.random.Generator) -> Samples:
    """The derivative of the glottal flow ``[T]``: Rosenberg pulses with jitter and shimmer, and noise while open."""
    unrest = 0.008 * np.exp(jitter)
    cycle = (np.cumsum(pitch_hz) / SAMPLE_RATE).astype(int)
    periods, amplitudes = 1 + unrest * rng.standard_normal((2, cycle[-1] + 1))
    phase = np.cumsum(pitch_hz * periods[cycle]) / SAMPLE_RATE
    phase -= np.floor(phase)
    flow: Samples = _PULSE[(phase * len(_PULSE)).astype(int)] * amplitudes[cycle]
    noise = 0.006 * np.exp(1.6 * breath) * rng.standard_normal(len(flow))
    excitation: Samples = np.diff(flow, prepend=0) + (0.3 + flow) * noise
    return excitation


def _vocal_tract(source: Samples, tracks_hz: Samples, slope_db: float) -> Samples:
    """Filter ``[T]`` in overlapping frames: formants ``[4, N]``, and a slope in dB per octave above 500 Hz."""
    frequencies_hz = np.arange(_N_FFT // 2 + 1, dtype=np.float32) * (SAMPLE_RATE / _N_FFT)
    s = 1j * frequencies_hz
    slope = 10 ** (slope_db / 20 * np.log2(np.maximum(frequencies_hz, 500) / 500))
    response = np.tile((1 / slope).astype(np.complex64), (tracks_hz.shape[1], 1))
    for track_hz, bandwidth_hz in zip(tracks_hz.astype(np.float32), _BANDWIDTHS_HZ, strict=True):
        # The inverse of a resonance with gain 1 at 0 Hz: multiplying is cheaper than dividing four times.
        response *= 1 + (s**2 + s * np.float32(bandwidth_hz)) * (1 / track_hz[:, np.newaxis] ** 2)
    padded = np.concatenate((np.zeros(_HOP), source, np.zeros(2 * _HOP))).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(padded, 2 * _HOP)[::_HOP][: len(response)]
    window = np.hanning(2 * _HOP + 1)[:-1].astype(np.float32)
    filtered = np.fft.irfft(np.fft.rfft(frames * window, _N_FFT) / response, _N_FFT)
    added = np.zeros((len(response) + 3, _HOP))
    for step in range(4):  # every frame is four hops long once its tail has rung out
        part = filtered[:, step * _HOP : (step + 1) * _HOP]
        added[step : step + len(part), : part.shape[1]] += part
    return added.ravel()[_HOP : _HOP + len(source)]
