"""What a recording passes through: the band of a telephone, a cheap microphone, codecs."""

import io
from typing import Annotated, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import scipy.fft
import soundfile
import soxr
from pydantic import Field
from typing_extensions import override

from emogram.augmentation.settings import LowToHigh, within
from emogram.augmentation.waveform import Scene, Wave, WaveformAugmentation, WaveformDraw, fitted

Codec = Literal["mu_law", "mp3", "opus"]

_Compression = Annotated[float, Field(ge=0, le=0.95)]  # libsndfile refuses MP3 at 1
_Cutoff = Annotated[float, Field(ge=100, le=24_000)]

_PAD_S = 0.02
_TELEPHONE_HZ = (300.0, 3400.0)
_TELEPHONE_ORDER, _MICROPHONE_ORDER = 12, 4
_RATES: dict[Codec, tuple[int, ...]] = {
    "mp3": (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000),
    "opus": (8_000, 12_000, 16_000, 24_000, 48_000),
}
_FORMATS: dict[Codec, dict[str, str]] = {
    "mp3": {"format": "MP3", "subtype": "MPEG_LAYER_III"},
    "opus": {"format": "OGG", "subtype": "OPUS"},
}
_MU, _STEPS = 255.0, 127
_SIGNED = np.arange(-_STEPS, _STEPS + 1) / _STEPS
_EXPANDED = (np.sign(_SIGNED) * np.expm1(np.abs(_SIGNED) * np.log1p(_MU)) / _MU).astype(np.float32)


def band_limited(
    wave: Wave, *, sample_rate: int, low_hz: float = 0.0, high_hz: float = np.inf, order: int = _MICROPHONE_ORDER
) -> Wave:
    """The wave [T] with the magnitude response of Butterworth filters, -3 dB at the cut-offs, and no delay.

    Args:
        wave: [T].
        sample_rate: Hz.
        low_hz: below this it falls by 6 dB an octave and order.
        high_hz: above this likewise.
        order: of each filter.
    """
    size = scipy.fft.next_fast_len(len(wave) + round(2 * _PAD_S * sample_rate), real=True)
    frequencies_hz = np.arange(size // 2 + 1, dtype=np.float32) * np.float32(sample_rate / size)
    response = 1 / np.sqrt(1 + (frequencies_hz / np.float32(high_hz)) ** (2 * order))
    if low_hz:
        ratio = np.float32(low_hz) / np.maximum(frequencies_hz, np.float32(low_hz / 30))
        response /= np.sqrt(1 + ratio ** (2 * order))
    return np.asarray(scipy.fft.irfft(scipy.fft.rfft(wave, size) * response, size)[: len(wave)], np.float32)


class TelephoneDraw(WaveformDraw):
    """The band of a telephone."""

    name: Literal["telephone"] = "telephone"

    @override
    def changed(self, wave: Wave, scene: Scene) -> Wave:
        low_hz, high_hz = _TELEPHONE_HZ
        return band_limited(wave, sample_rate=scene.sample_rate, low_hz=low_hz, high_hz=high_hz, order=_TELEPHONE_ORDER)


class TelephoneSettings(WaveformAugmentation):
    """The band of a telephone, 300 to 3400 Hz (ITU-T G.712); with `codec` behind it, its coding too."""

    draws: ClassVar = TelephoneDraw

    name: Literal["telephone"] = "telephone"
    probability: float = Field(0.1, ge=0, le=1, description="chance that it happens")

    @override
    def drawn(self, rng: np.random.Generator, scene: Scene) -> TelephoneDraw:
        return TelephoneDraw()


class LowPassDraw(WaveformDraw):
    """Where the band ends."""

    name: Literal["low_pass"] = "low_pass"
    cutoff_hz: float

    @override
    def changed(self, wave: Wave, scene: Scene) -> Wave:
        return band_limited(wave, sample_rate=scene.sample_rate, high_hz=self.cutoff_hz)


class LowPassSettings(WaveformAugmentation):
    """The low pass of a cheap microphone: 24 dB an octave above a random frequency."""

    draws: ClassVar = LowPassDraw

    name: Literal["low_pass"] = "low_pass"
    probability: float = Field(0.2, ge=0, le=1, description="chance that it happens")
    cutoff_hz: Annotated[tuple[_Cutoff, _Cutoff], LowToHigh] = Field(
        (2500.0, 7000.0), description="where it is down by 3 dB, Hz, low and high"
    )

    @override
    def drawn(self, rng: np.random.Generator, scene: Scene) -> LowPassDraw:
        return LowPassDraw(cutoff_hz=within(rng, self.cutoff_hz))


class CodecDraw(WaveformDraw):
    """A codec and how hard it compresses, 0 to 0.95."""

    name: Literal["codec"] = "codec"
    codec: Codec
    compression: _Compression

    @override
    def changed(self, wave: Wave, scene: Scene) -> Wave:
        # Codecs are made for full scale: what exceeds it is turned down for them, and up again.
        loudest = np.float32(max(1.0, float(np.abs(wave).max())))
        if self.codec == "mu_law":
            return _mu_law(wave / loudest) * loudest
        return _coded(wave / loudest, self.codec, self.compression, sample_rate=scene.sample_rate) * loudest


class CodecSettings(WaveformAugmentation):
    """Coded and decoded: µ-law (ITU-T G.711), MP3 or Opus, each as often as the others.

    µ-law takes a part of a millisecond a clip, MP3 some 30 ms and Opus some 80 ms: keep their probability small.
    """

    draws: ClassVar = CodecDraw

    name: Literal["codec"] = "codec"
    probability: float = Field(0.05, ge=0, le=1, description="chance that it happens")
    codecs: tuple[Codec, ...] = Field(
        ("mu_law", "mp3", "opus"), min_length=1, max_length=3, description="one of which is drawn"
    )
    compression: Annotated[tuple[_Compression, _Compression], LowToHigh] = Field(
        (0.3, 0.9), description="of MP3 and Opus, as libsndfile counts: 0 the best sound, 1 the smallest file"
    )

    @override
    def drawn(self, rng: np.random.Generator, scene: Scene) -> CodecDraw:
        codec = self.codecs[int(rng.integers(len(self.codecs)))]
        return CodecDraw(codec=codec, compression=within(rng, self.compression))


def _mu_law(wave: Wave) -> Wave:
    """To 8 bits on a logarithmic scale and back; samples within full scale."""
    compressed = np.copysign(np.log1p(np.float32(_MU) * np.abs(wave)), wave) * np.float32(_STEPS / np.log1p(_MU))
    return np.take(_EXPANDED, np.rint(compressed).astype(np.int16) + _STEPS)


def _coded(wave: Wave, codec: Codec, compression: float, *, sample_rate: int) -> Wave:
    """Through libsndfile in memory, at the nearest rate that the codec has; as long as before, without delay."""
    rate = min((rate for rate in _RATES[codec] if rate >= sample_rate), default=_RATES[codec][-1])
    # Encoders want some frames, and forget what is cut off at the end.
    padded = np.pad(wave, (0, round(0.1 * sample_rate)))
    sent = padded if rate == sample_rate else soxr.resample(padded, sample_rate, rate, quality="HQ")
    file = io.BytesIO()
    soundfile.write(file, sent, rate, compression_level=compression, **_FORMATS[codec])
    file.seek(0)
    heard: npt.NDArray[np.float32] = soundfile.read(file, dtype="float32")[0]
    received = heard if rate == sample_rate else soxr.resample(heard, rate, sample_rate, quality="HQ")
    return fitted(received, len(wave))
