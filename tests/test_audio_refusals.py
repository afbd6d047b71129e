"""What `emogram.audio` refuses: always with an `AudioError` of one line, in bounded time and memory."""

import io
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emogram import audio
from emogram.errors import AudioError

RATE = 16_000


def encode(samples: Any, rate: int = RATE, container: str = "WAV", coding: str = "PCM_16") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=container, subtype=coding)
    return buffer.getvalue()


def noise(frames: int = 4000) -> Any:
    return np.random.default_rng(0).normal(0, 0.1, frames)


def spoilt(value: float, at: int = 1600) -> bytes:
    samples = noise().astype(np.float32)
    samples[at] = value
    return encode(samples, coding="FLOAT")


def assert_refused(source: Any, problem: str, **arguments: Any) -> None:
    with pytest.raises(AudioError) as caught:
        audio.load(source, **arguments)
    message = str(caught.value)
    assert problem in caught.value.problem
    assert message == f"{caught.value.source}: {caught.value.problem}; {caught.value.remedy}"
    assert message.isprintable()


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "no bytes": (lambda: b"", "is empty: it holds no bytes"),
    "no samples": (lambda: encode(np.zeros(0)), "is empty: it holds no samples"),
    "only an ID3 tag": (lambda: b"ID3\x03\0\0\0\0\0\x0a" + bytes(10), "is no audio"),
    "text": (lambda: b"This is not a recording.\n" * 50, "is no audio that can be read"),
    "a Git LFS pointer": (lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "Git LFS pointer"),
    "M4A": (lambda: b"\0\0\0 ftypM4A \0\0\0\0" + bytes(100), "AAC"),
    "WebM": (lambda: b"\x1aE\xdf\xa3" + bytes(100), "WebM"),
    "MIDI samples": (lambda: b"\xf0\x7e\x00\x01" + bytes(2000), "is no audio that can be read"),
    "a WAV of a header only": (lambda: encode(noise())[:20], "is no audio that can be read"),
    "silence": (lambda: encode(np.zeros(4000)), "is silent: no sample above -80 dB"),
    "dither": (lambda: encode(np.random.default_rng(0).integers(-1, 2, 4000).astype(np.int16)), "is silent"),
    "opposite channels": (lambda: encode(np.stack([noise(), -noise()], axis=1), coding="FLOAT"), "they cancel"),
    "NaN": (lambda: spoilt(np.nan), "no finite numbers, the first at 0.100 s"),
    "infinity": (lambda: spoilt(-np.inf), "no finite numbers, the first at 0.100 s"),
    "an absurd number": (lambda: spoilt(1e30), "no finite numbers, the first at 0.100 s"),
    "NaN alone": (lambda: encode(np.full(10, np.nan, np.float32), coding="FLOAT"), "first at 0.000 s"),
    "33 channels": (lambda: encode(np.ones((10, 33))), "has 33 channels"),
    "100 Hz": (lambda: encode(noise(), 100), "sample rate of 100 Hz"),
    "1 MHz": (lambda: encode(noise(), 1_000_000), "sample rate of 1000000 Hz"),
    "11 minutes": (lambda: encode(np.ones(660 * 1000), 1000, "FLAC"), "longer than the 600 s allowed"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_is_refused_with_its_name_and_a_remedy(case: str, tmp_path: Path) -> None:
    make, problem = REFUSED[case]
    path = tmp_path / "clip.wav"
    path.write_bytes(make())
    assert_refused(path, problem)
    assert_refused(make(), problem)


def test_a_damaged_flac_is_refused_where_it_is_damaged() -> None:
    content = bytearray(encode(noise(100_000), container="FLAC"))
    content[90_000:90_100] = bytes(100)
    assert_refused(bytes(content), "is damaged after")


def test_a_cut_wav_gives_the_samples_that_are_there() -> None:
    wave = audio.load(encode(noise())[: 44 + 2000])
    np.testing.assert_allclose(wave, noise()[:1000], atol=1e-4)


def test_a_header_that_claims_4_gb_is_not_believed() -> None:
    content = bytearray(encode(noise()))
    for place in (4, 40):
        content[place : place + 4] = struct.pack("<I", 0xFFFFFFF0)
    np.testing.assert_allclose(audio.load(bytes(content)), noise(), atol=1e-4)


def test_places_that_hold_no_file_are_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path / "missing.wav", "does not exist")
    assert_refused(tmp_path, "is a folder")
    assert_refused("", "")
    assert_refused("a\0b.wav", "cannot be opened")
    assert_refused("x" * 5000, "cannot be opened")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    assert_refused(tmp_path / "pipe.wav", "is no regular file")
    assert_refused("/dev/zero", "is no regular file")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clip.wav").write_bytes(encode(noise()))
    (tmp_path / "clip.wav").chmod(0)
    assert_refused(tmp_path / "clip.wav", "may not be read")


def test_permission_is_reported_as_such(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "clip.wav").write_bytes(encode(noise()))
    monkeypatch.setattr(Path, "open", refuse)
    assert_refused(tmp_path / "clip.wav", "may not be read")


def test_names_are_told_on_one_line(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"a\\nb\.wav: does not exist"):
        audio.load(str(tmp_path / "a\nb.wav"))
    with pytest.raises(AudioError, match=r"\\udcff\.wav: does not exist"):
        audio.load(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.wav"))


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (np.zeros((2, 2, 2)), "3 dimensions"),
        (np.array(0.5), "0 dimensions"),
        (np.zeros((2, 4000)), "4000 channels"),
        (np.zeros((4000, 0)), "0 channels"),
        (np.zeros(0), "is empty"),
        (np.array(["a"]), "not numbers of sound"),
        (np.array([1j]), "not numbers of sound"),
        (np.array([True]), "not numbers of sound"),
        (np.full(10, 1e300), "no finite numbers"),
        (17, "is no recording"),
        (None, "is no recording"),
        ([0.1, 0.2], "is no recording"),
        (io.StringIO("text"), "cannot be read"),
    ],
)
def test_what_is_no_recording_is_refused(source: object, problem: str) -> None:
    assert_refused(source, problem)


def test_a_closed_or_failing_file_object_is_refused(tmp_path: Path) -> None:
    class Failing(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            raise OSError(5, "Input/output error")

    closed = io.BytesIO(encode(noise()))
    closed.close()
    assert_refused(closed, "cannot be read")
    assert_refused(Failing(), "Input/output error")


def test_an_endless_file_object_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return bytes(size)

    monkeypatch.setattr("emogram.audio.opening.MAX_BYTES", 10 * 2**20)
    assert_refused(Endless(), "holds more than 10 MiB")


def test_blocks_refuse_as_load_does() -> None:
    for make, problem in REFUSED.values():
        if "longer" not in problem:
            with pytest.raises(AudioError) as caught:
                list(audio.blocks(make()))
            assert problem in caught.value.problem
    with pytest.raises(AudioError, match="longer than the 1 s"):
        list(audio.blocks(encode(noise(20_000)), max_duration_s=1.0))


def test_standard_output_stays_clean_whatever_is_read(capfd: pytest.CaptureFixture[str]) -> None:
    sample_dump = io.BytesIO()
    soundfile.write(sample_dump, noise(), RATE, format="SDS", subtype="PCM_16")
    broken = bytearray(sample_dump.getvalue())
    broken[300:320] = b"\xff" * 20
    assert_refused(bytes(broken), "is no audio that can be read")
    assert capfd.readouterr() == ("", "")


SEEDS = [
    encode(noise(), container=container, coding=coding)
    for container, coding in [
        *[("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAV", "IMA_ADPCM"), ("AIFF", "PCM_16"), ("FLAC", "PCM_16")],
        *[("OGG", "VORBIS"), ("OGG", "OPUS"), ("CAF", "ALAC_16"), ("MP3", "MPEG_LAYER_III"), ("W64", "PCM_16")],
    ]
]


def read_or_refuse(content: bytes) -> None:
    refusal = ""
    wave = np.ones(1, np.float32)
    try:
        wave = audio.load(content, max_duration_s=60)
    except AudioError as error:
        refusal = str(error)
    assert refusal.isprintable()
    assert np.isfinite(wave).all()
    assert 0 < len(wave) <= 60 * RATE + 1


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=300), st.sampled_from([b"", b"RIFF", b"fLaC", b"OggS", b"ID3\x03", b"\xff\xfb", b"FORM"]))
def test_random_bytes_give_samples_or_a_refusal(content: bytes, start: bytes) -> None:
    read_or_refuse(start + content)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3), st.binary(min_size=1, max_size=8)), min_size=1, max_size=6),
)
def test_mutated_recordings_give_samples_or_a_refusal(seed: bytes, changes: list[tuple[float, int, bytes]]) -> None:
    content = bytearray(seed)
    for place, kind, data in changes:
        at = round(place**3 * len(content))  # mostly in the headers
        if kind == 0:
            content[at : at + len(data)] = data
        elif kind == 1:
            content[at:at] = data
        elif kind == 2:
            del content[at : at + len(data)]
        else:
            del content[at + 1 :]
    read_or_refuse(bytes(content))


BOUNDED = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (2 * 2**30, 2 * 2**30))
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
from emogram import audio
from emogram.errors import AudioError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sorted(Path(sys.argv[1]).rglob("*")):
    if path.is_file():
        try:
            print(path.name, len(audio.load(path)), sep="\\t")
        except AudioError as error:
            print(path.name, "refused", str(error), sep="\\t")
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print("grew", (after - before) // 1024, sep="\\t")
"""


def read_all_bounded(folder: Path) -> list[list[str]]:
    """Every file below a folder, read by a process of 2 GiB and 60 s: name, then length or ``refused`` and why."""
    command = [sys.executable, "-c", BOUNDED, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
def test_small_files_that_hold_hours_stay_in_bounds(tmp_path: Path) -> None:
    (tmp_path / "hour.flac").write_bytes(encode(np.zeros(3600 * 1000, np.int16), 1000, "FLAC"))
    flac = bytearray(encode(noise(), container="FLAC"))
    flac[21:26] = bytes([flac[21] | 0x0F, 0xFF, 0xFF, 0xFF, 0xFF])  # the total number of samples
    (tmp_path / "claims.flac").write_bytes(flac)
    *results, (_, grown) = read_all_bounded(tmp_path)
    answers = {name: rest for name, *rest in results}
    assert "longer than the 600 s" in answers["hour.flac"][1]
    assert answers["claims.flac"] == ["4000"]
    assert int(grown) < 150


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
@pytest.mark.parametrize("folder", ["malformed", "originals"])
def test_real_files_give_samples_or_a_refusal(emogram_data: Path, folder: str) -> None:
    *results, (_, grown) = read_all_bounded(emogram_data / folder)
    assert len(results) >= 12
    assert int(grown) < 150
    refused = {name for name, *rest in results if rest[0] == "refused"}
    if folder == "originals":
        assert not {name for name in refused if name.endswith(".wav")}
    else:
        assert "11 - incorrect metadata block length.flac" in refused
        assert "01 - wrong max blocksize.flac" not in refused
