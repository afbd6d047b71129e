"""Synthetic voices: a small source-filter synthesiser, so that everything can be tried without downloading a corpus.

It shows that the pipeline works. It is no benchmark: a score on it says nothing about real speech.

Glottal pulses (Rosenberg 1971) with jitter, shimmer and breath noise pass through four formants, as in Klatt (1980). Six
emotions, those of CREMA-D, differ from neutral in pitch, pitch range, tempo, loudness, spectral slope, breathiness,
jitter, contour and onset in the directions tabulated by Juslin & Laukka (2003), "Communication of emotions in vocal
expression and music performance", and Scherer (2003), "Vocal communication of emotion", who also gives disgust its
narrowed voice. Speakers have voices and habits of their own, and every take is acted more or less strongly, so that
emotions overlap as they do in speech.
"""

import hashlib
import io
import re
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TypeAlias

import numpy as np
import soundfile
from numpy.typing import NDArray

from emogram.audio import SAMPLE_RATE
from emogram.corpora.clip import Clip
from emogram.corpora.corpus import Corpus
from emogram.corpora.files import clips_by_name
from emogram.errors import ConfigurationError

Samples: TypeAlias = NDArray[np.float64]

_CUES = (
    "pitch_st",
    "log_range",
    "log_tempo",
    "gain_db",
    "slope_db",
    "breath",
    "jitter",
    "contour_st",
    "onset",
    "narrow",
)
_PROFILES = {  # the mean deviation from neutral in each cue
    "neutral": (0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    "happy": (4, 0.6, 0.12, 3, 1, 0, -0.2, 3, 0.3, 0),
    "sad": (-2, -0.5, -0.25, -5, -2.5, 0.6, 0.3, -2, -0.6, 0),
    "angry": (2.5, 0.3, 0.14, 7, 3, -0.4, 0.8, -1, 0.9, 0),
    "fearful": (5, -0.5, 0.22, -1, -1, 0.5, 1, 2, 0, 0),
    "disgust": (-2.5, 0, -0.15, -1, 0.8, -0.2, 0.9, -2, -0.2, 1),
}
_HABITS = np.array([0, 0.12, 0.05, 1.2, 0.5, 0.12, 0.15, 0.4, 0.12, 0.12])  # standard deviation between speakers
_MOODS = np.array([0.9, 0.15, 0.05, 1.2, 0.6, 0.15, 0.2, 0.6, 0.2, 0.2])  # standard deviation between takes
_SENTENCES = {"s1": "aieoua", "s2": "eoaiea", "s3": "uiaoe", "s4": "oaeuiae"}
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
_STEM = re.compile(rf"([fm]\d\d)_({'|'.join(_PROFILES)})_(s\d)_(t\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Voice:
    """A speaker: mean pitch, formants relative to a man's, habits in every cue and how strongly each is used."""

    pitch_hz: float
    formants: float
    habits: Samples
    strengths: Samples


def render(directory: Path, *, speakers: int = 10, takes: int = 2, seed: int = 0) -> list[Clip]:
    """Synthesise the corpus as 16-bit WAV files of 16 kHz, ``f01/f01_angry_s1_t01.wav``.

    Args:
        directory: where to; made if needed.
        speakers: how many, women and men in turn; 2 to 99.
        takes: takes of each of four sentences in each of six emotions; 1 to 99.
        seed: another one gives other voices. The same gives the same samples, up to rounding between processors.

    Returns:
        clips sorted by ``clip_id``, complete with duration and hash, as `scan` gives them.

    Raises:
        ConfigurationError: a number out of its range.
    """
    for name, value, least, most in (("speakers", speakers, 2, 99), ("takes", takes, 1, 99), ("seed", seed, 0, 2**32)):
        if not least <= value <= most:
            raise ConfigurationError(f"{name}: {value} is out of range; give {least} to {most}")
    clips = []
    for index in range(speakers):
        speaker = f"{'fm'[index % 2]}{index // 2 + 1:02d}"
        voice = _voice(np.random.default_rng([seed, index]), female=speaker.startswith("f"))
        folder = Path(directory, speaker).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        for emotion, sentence, take in product(_PROFILES, _SENTENCES, range(1, takes + 1)):
            stem = f"{speaker}_{emotion}_{sentence}_t{take:02d}"
            rng = np.random.default_rng([seed, *stem.encode()])
            clips.append(_write(folder / f"{stem}.wav", _speak(voice, emotion, _SENTENCES[sentence], rng)))
    return sorted(clips, key=lambda clip: clip.clip_id)


def _voice(rng: np.random.Generator, *, female: bool) -> _Voice:
    pitch_hz = rng.uniform(180, 230) if female else rng.uniform(100, 135)
    formants = rng.uniform(1.12, 1.22) if female else rng.uniform(0.95, 1.06)
    return _Voice(pitch_hz, formants, _HABITS * rng.standard_normal(len(_CUES)), rng.uniform(0.75, 1.25, len(_CUES)))


def _speak(voice: _Voice, emotion: str, vowels: str, rng: np.random.Generator) -> Samples:
    """One sentence ``[T]``, within ±1."""
    cues = np.array(_PROFILES[emotion]) * voice.strengths * rng.uniform(0.6, 1.3)
    cue = dict(zip(_CUES, cues + voice.habits + _MOODS * rng.standard_normal(len(_CUES)), strict=True))
    syllable_s = 0.25 * np.exp(-cue["log_tempo"]) * rng.uniform(0.8, 1.2, len(vowels))
    lead_s, tail_s = rng.uniform(0.08, 0.25, 2)
    starts_s = lead_s + np.cumsum(syllable_s) - syllable_s
    middles_s = starts_s + syllable_s / 2
    time_s = np.arange(int((lead_s + syllable_s.sum() + tail_s) * SAMPLE_RATE)) / SAMPLE_RATE

    accents_st = 2.2 * np.exp(cue["log_range"]) * rng.standard_normal(len(vowels))
    course_st = cue["pitch_st"] + (cue["contour_st"] - 2) * np.linspace(-0.5, 0.5, len(vowels))
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
    loud: Samples = 0.06 * 10 ** (cue["gain_db"] / 20) * wave + 10 ** rng.uniform(-4, -3) * noise[1]
    return np.tanh(loud)


def _glottis(pitch_hz: Samples, jitter: float, breath: float, rng: np.random.Generator) -> Samples:
    """The derivative of the glottal flow ``[T]``: Rosenberg pulses with jitter and shimmer, and noise while open."""
    unrest = 0.008 * np.exp(jitter)
    cycle = (np.cumsum(pitch_hz) / SAMPLE_RATE).astype(int)
    periods, amplitudes = 1 + unrest * rng.standard_normal((2, cycle[-1] + 1))
    phase = np.cumsum(pitch_hz * periods[cycle]) / SAMPLE_RATE
    phase -= np.floor(phase)
    flow = _PULSE[(phase * len(_PULSE)).astype(int)] * amplitudes[cycle]
    excitation: Samples = np.diff(flow, prepend=0) + 0.02 * np.exp(1.6 * breath) * (0.3 + flow) * rng.standard_normal(
        len(flow)
    )
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


def _write(path: Path, wave: Samples) -> Clip:
    content = io.BytesIO()
    soundfile.write(content, np.round(wave * 32767).astype(np.int16), SAMPLE_RATE, format="WAV", subtype="PCM_16")
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content.getvalue())
    partial.replace(path)
    sha256 = hashlib.sha256(content.getvalue()).hexdigest()
    return replace(_clip(path), duration_s=round(len(wave) / SAMPLE_RATE, 6), sha256=sha256)


def _clip(path: Path) -> Clip:
    speaker, emotion, sentence, take = path.stem.split("_")
    return Clip(
        clip_id=f"synthetic/{path.stem}",
        path=str(path),
        corpus="synthetic",
        speaker=f"synthetic-{speaker}",
        sex={"f": "female", "m": "male"}[speaker[0]],
        emotion=emotion,
        raw_label=emotion,
        text=sentence,
        take=take,
    )


def find(root: Path) -> list[Clip]:
    """A row for every file under a folder that `render` names so."""
    return clips_by_name(root, lambda path: _clip(path) if _STEM.fullmatch(path.stem) else None)


SYNTHETIC = Corpus(
    name="synthetic",
    title="synthetic voices, to try the pipeline with; no benchmark",
    licence="CC0-1.0",
    citation="",
    languages=(),
    labels={emotion: emotion for emotion in _PROFILES},
    address="",
    example="f01/f01_angry_s1_t01.wav",
    find=find,
)
