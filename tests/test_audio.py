"""What `emogram.audio` reads, and what comes out."""

import io
import tracemalloc
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import pytest
import soundfile
import soxr

from emogram import audio
from emogram.errors import ConfigurationError

RATE = 16_000
LOSSLESS = [
    *[("WAV", coding) for coding in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")],
    *[("WAVEX", "PCM_16"), ("RF64", "PCM_24"), ("W64", "PCM_16"), ("CAF", "ALAC_16"), ("AU", "PCM_16")],
    *[("AIFF", "PCM_S8"), ("AIFF", "PCM_16"), ("AIFF", "FLOAT"), ("FLAC", "PCM_16"), ("FLAC", "PCM_24")],
    ("NIST", "PCM_16"),
]
LOSSY = [("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III"), ("WAV", "ULAW"), ("WAV", "MS_ADPCM")]


def tone(hz: float = 440.0, seconds: float = 0.5, rate: int = RATE, level: float = 0.5) -> audio.Wave:
    return (level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def encode(samples: Any, rate: int = RATE, container: str = "WAV", coding: str = "PCM_16") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=container, subtype=coding)
    return buffer.getvalue()


@pytest.mark.parametrize(("container", "coding"), LOSSLESS)
def test_every_lossless_coding_gives_its_samples(container: str, coding: str, tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    path.write_bytes(encode(tone(), RATE, container, coding))
    wave, facts = audio.read(path)
    assert wave.dtype == np.float32
    assert wave.flags.c_contiguous
    assert facts.format.split()[1] == coding
    np.testing.assert_allclose(wave, tone(), atol=1 / 100 if "8" in coding else 1 / 30_000)


@pytest.mark.parametrize(("container", "coding"), LOSSY)
def test_every_lossy_coding_gives_nearly_its_samples(container: str, coding: str) -> None:
    wave = audio.load(encode(tone(seconds=1.0), RATE, container, coding))
    assert abs(len(wave) - RATE) < 2500
    spectrum = np.abs(np.fft.rfft(wave[:RATE]))
    assert abs(int(spectrum.argmax()) * RATE / len(wave[:RATE]) - 440) < 3
    assert np.abs(wave[2000:-2500]).max() == pytest.approx(0.5, abs=0.05)  # the Opus encoder rings at the end


@pytest.mark.parametrize("rate", [8_000, 11_025, 24_414, 44_100, 48_000, 96_000, 192_000])
def test_any_rate_is_resampled_to_the_one_asked_for(rate: int) -> None:
    wave, facts = audio.read(encode(tone(rate=rate), rate))
    assert facts.rate == rate
    assert facts.duration_s == pytest.approx(0.5, abs=1e-4)
    assert len(wave) == pytest.approx(RATE / 2, abs=2)
    middle = slice(1000, -1000)
    np.testing.assert_allclose(wave[: RATE // 2][middle], tone()[: len(wave)][middle], atol=2e-3)


def test_resampling_by_blocks_equals_soxr_at_once() -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, 300_000).astype(np.float32)
    wave = audio.load(samples, array_rate=48_000)
    np.testing.assert_allclose(wave, soxr.resample(samples, 48_000, RATE, quality="HQ"), atol=1e-6)


def test_resampling_does_not_alias() -> None:
    wave = audio.load(tone(12_000, 1.0, 48_000), array_rate=48_000, allow_silent=True)
    assert 20 * np.log10(np.abs(wave[500:-500]).max() / 0.5) < -100


@pytest.mark.parametrize("channels", [2, 3, 8])
def test_channels_are_averaged(channels: int) -> None:
    table = np.stack([tone(level=0.1 * (1 + channel)) for channel in range(channels)], axis=1)
    wave, facts = audio.read(encode(table, coding="FLOAT"))
    assert facts.channels == channels
    np.testing.assert_allclose(wave, table.mean(axis=1), atol=1e-6)


def test_recordings_longer_than_a_block_are_whole() -> None:
    samples = np.random.default_rng(1).normal(0, 0.1, (200_000, 2)).astype(np.float32)
    np.testing.assert_allclose(audio.load(encode(samples, coding="FLOAT")), samples.mean(axis=1), atol=1e-6)


def test_path_text_bytes_and_file_objects_give_the_same(tmp_path: Path) -> None:
    content = encode(tone())
    path = tmp_path / "clip.wav"
    path.write_bytes(content)
    expected = audio.load(path)
    with path.open("rb") as file:
        file.read(100)
        for source in (str(path), content, bytearray(content), memoryview(content), io.BytesIO(content), file):
            np.testing.assert_array_equal(audio.load(source), expected)
        assert not file.closed


def test_a_pipe_that_cannot_seek_is_read() -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self._inner = io.BytesIO(encode(tone()))

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            return self._inner.readinto(memoryview(buffer)[:1000])

    np.testing.assert_array_equal(audio.load(cast("BinaryIO", Pipe())), audio.load(encode(tone())))


def test_aiff_in_a_wav_name_and_wav_without_suffix_are_read(tmp_path: Path) -> None:
    for name, container in (("clip.wav", "AIFF"), ("clip", "WAV"), ("clip.raw", "WAV"), ("clip.mp3", "FLAC")):
        (tmp_path / name).write_bytes(encode(tone(), container=container))
        np.testing.assert_allclose(audio.load(tmp_path / name), tone(), atol=1 / 30_000)


def test_an_mp3_behind_id3_tags_is_read() -> None:
    tag = b"ID3\x03\x00\x00" + bytes([0, 0, 1, 72]) + bytes(200)
    content = encode(tone(), container="MP3", coding="MPEG_LAYER_III")
    assert len(audio.load(tag + content)) == len(audio.load(content))


@pytest.mark.parametrize(
    ("dtype", "scale", "offset"),
    [("int8", 2**7, 0), ("int16", 2**15, 0), ("int32", 2**31, 0), ("uint8", 2**7, 2**7), ("float64", 1, 0)],
)
def test_arrays_of_every_type_are_scaled(dtype: str, scale: int, offset: int) -> None:
    samples = (tone().astype(np.float64) * scale + offset).astype(dtype)
    np.testing.assert_allclose(audio.load(samples), tone(), atol=1.1 / min(scale, 2**20) if scale > 1 else 1e-7)


def test_an_array_is_copied_not_viewed() -> None:
    samples = tone()
    wave = audio.load(samples)
    wave[:] = 0
    assert samples.any()


def test_a_view_of_an_array_with_channels_and_gaps_is_read() -> None:
    table = np.stack([tone(), -0.5 * tone(), tone()], axis=1)[::2, :2]
    np.testing.assert_allclose(audio.load(table), 0.25 * tone()[::2], atol=1e-6)


@pytest.mark.parametrize("block_s", [0.001, 0.7, 3.0, 1000.0])
@pytest.mark.parametrize("rate", [RATE, 44_100])
def test_blocks_joined_are_what_load_gives(block_s: float, rate: int) -> None:
    content = encode(np.random.default_rng(2).normal(0, 0.1, (3 * rate + 17, 2)), rate, "FLAC")
    blocks = list(audio.blocks(content, block_s=block_s))
    np.testing.assert_array_equal(np.concatenate(blocks), audio.load(content))
    size = round(block_s * RATE)
    assert {len(block) for block in blocks[:-1]} <= {size}
    assert 0 < len(blocks[-1]) <= size


def test_blocks_of_a_long_recording_take_constant_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.flac"
    path.write_bytes(encode(np.random.default_rng(3).normal(0, 0.1, 300 * 8000), 8000, "FLAC"))
    tracemalloc.start()
    try:
        total = sum(len(block) for block in audio.blocks(path, block_s=1.0))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == 300 * RATE
    assert peak < 3e6  # the wave itself is 19 MB


def test_probe_says_what_a_recording_is() -> None:
    samples = np.stack([np.clip(3 * tone(), -1, 1), tone(level=0.1)], axis=1)
    facts = audio.probe(encode(samples, 16_000, "FLAC"))
    assert facts == audio.read(encode(samples, 16_000, "FLAC"))[1]
    assert (facts.rate, facts.channels, facts.format, facts.silent) == (RATE, 2, "FLAC PCM_16", False)
    assert facts.peak == pytest.approx(1.0, abs=1e-4)
    assert facts.clipped == pytest.approx(float((np.abs(samples) >= 0.9999).mean()), abs=1e-3)


def test_silence_is_a_fact_for_probe_and_allowed_on_request() -> None:
    silence = encode(np.zeros(1000))
    assert audio.probe(silence).silent
    assert not audio.load(silence, allow_silent=True).any()


def test_the_shortest_recordings_are_read() -> None:
    assert len(audio.load(encode(np.array([0.5])))) == 1
    assert len(audio.load(np.array([0.5] * 4), array_rate=48_000)) >= 1


def test_a_longer_recording_is_read_when_allowed() -> None:
    content = encode(tone(seconds=2.0))
    assert len(audio.load(content, max_duration_s=2.0)) == 2 * RATE


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"sample_rate": 0}, "sample_rate"),
        ({"sample_rate": 10**9}, "sample_rate"),
        ({"max_duration_s": 0}, "max_duration_s"),
        ({"max_duration_s": float("nan")}, "max_duration_s"),
        ({"array_rate": 5}, "array_rate"),
    ],
)
def test_arguments_that_cannot_be_are_named(arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigurationError, match=field):
        audio.load(tone(), **arguments)


def test_a_rate_for_what_states_its_own_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="array_rate"):
        audio.load(encode(tone()), array_rate=8000)
    with pytest.raises(ConfigurationError, match="block_s"):
        list(audio.blocks(tone(), block_s=0))
