"""The cache of decoded audio: exact enough, never half-written, safe under two processes, healed when damaged."""

import hashlib
import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emogram import audio
from emogram.corpora import Clip
from emogram.errors import AudioError, CorpusError
from emogram.training.cache import AudioCache, default_folder

RATE = 16_000


def clip_of(path: Path, samples: np.ndarray | None = None, rate: int = RATE) -> Clip:
    if samples is None:
        samples = np.random.default_rng(len(path.name)).uniform(-0.9, 0.9, rate // 4)
    soundfile.write(path, samples, rate, subtype="FLOAT", format="WAV")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return Clip(
        clip_id=path.stem, path=str(path), corpus="folder", speaker="a", emotion="sad", raw_label="sad", sha256=sha256
    )


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    return clip_of(tmp_path / "clip.wav")


@pytest.fixture
def cache(tmp_path: Path) -> AudioCache:
    return AudioCache(tmp_path / "cache", RATE)


def stored(cache: AudioCache) -> list[Path]:
    return [path for path in cache.folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_the_wave_is_that_of_the_file_to_a_16_bit_step(tmp_path: Path, cache: AudioCache, rate: int) -> None:
    clip = clip_of(tmp_path / "clip.wav", np.linspace(-1, 1, rate // 4), rate)
    expected = np.clip(audio.load(clip.path, RATE), -1, 1)
    wave = cache(clip)
    assert wave.dtype == np.float32
    assert wave.shape == expected.shape
    assert np.abs(wave - expected).max() <= 1 / 32767


def test_samples_beyond_full_scale_are_clipped(tmp_path: Path, cache: AudioCache) -> None:
    clip = clip_of(tmp_path / "loud.wav", np.array([0.5, 1.5, -3.0, 0.0] * 100))
    assert cache(clip)[:4].tolist() == pytest.approx([0.5, 1.0, -1.0, 0.0], abs=1 / 32767)


def test_silence_is_kept(tmp_path: Path, cache: AudioCache) -> None:
    assert not cache(clip_of(tmp_path / "silent.wav", np.zeros(1000))).any()


def test_a_clip_is_decoded_once(clip: Clip, cache: AudioCache) -> None:
    first = cache(clip)
    Path(clip.path).unlink()
    np.testing.assert_array_equal(cache(clip), first)
    np.testing.assert_array_equal(AudioCache(cache.folder, RATE)(clip), first)


def test_filling_decodes_what_is_missing_and_counts(tmp_path: Path, cache: AudioCache) -> None:
    clips = [clip_of(tmp_path / f"{'x' * number}.wav") for number in range(1, 5)]
    cache(clips[0])
    told: list[tuple[int, int]] = []
    cache.fill(clips, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert len(stored(cache)) == 4
    cache.fill(clips, progress=lambda done, total: pytest.fail("nothing was missing"))


def test_rates_are_kept_apart(clip: Clip, cache: AudioCache) -> None:
    assert len(AudioCache(cache.folder, 8000)(clip)) * 2 == len(cache(clip))


def test_without_a_hash_the_content_names_the_file(clip: Clip, cache: AudioCache) -> None:
    np.testing.assert_array_equal(cache(replace(clip, sha256="")), cache(clip))
    assert len(stored(cache)) == 1


def _zip() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("a", "b")
    return content.getvalue()


def _array(values: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, values)
    return content.getvalue()


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda whole: b"",
    "cut in its header": lambda whole: whole[:20],
    "cut in its samples": lambda whole: whole[:-100],
    "garbage": lambda whole: b"\x00\xff" * 500,
    "an archive": lambda whole: _zip(),
    "floats": lambda whole: _array(np.zeros(9, np.float32)),
    "two channels": lambda whole: _array(np.zeros((9, 2), np.int16)),
    "no samples": lambda whole: _array(np.zeros(0, np.int16)),
    "endless": lambda whole: whole.replace(b"(4000,)", b"(9" + b"9" * 30 + b",)"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_made_again(clip: Clip, cache: AudioCache, damage: str) -> None:
    whole = cache(clip)
    [path] = stored(cache)
    content = path.read_bytes()
    path.write_bytes(DAMAGE[damage](content))
    assert path.read_bytes() != content
    np.testing.assert_array_equal(cache(clip), whole)
    assert path.read_bytes() == content


@pytest.mark.parametrize("fill", [False, True])
def test_a_source_that_changed_is_refused(clip: Clip, cache: AudioCache, fill: bool) -> None:
    clip_of(Path(clip.path), np.ones(100))
    with pytest.raises(CorpusError, match=r"clip\.wav: changed since the manifest was made; run emogram corpus scan"):
        cache.fill([clip]) if fill else cache(clip)
    assert stored(cache) == []


@pytest.mark.parametrize("hashed", [False, True])
def test_a_source_that_is_gone_is_named(clip: Clip, cache: AudioCache, hashed: bool) -> None:
    Path(clip.path).unlink()
    with pytest.raises(CorpusError, match=r"clip\.wav: cannot be read \(No such file or directory\)"):
        cache(clip if hashed else replace(clip, sha256=""))


def test_a_source_that_cannot_be_decoded_is_named(tmp_path: Path, cache: AudioCache) -> None:
    path = tmp_path / "notes.wav"
    path.write_bytes(b"not audio at all")
    clip = Clip(clip_id="x", path=str(path), corpus="folder", speaker="a", emotion="sad", raw_label="sad")
    with pytest.raises(AudioError) as refusal:
        cache.fill([clip])
    assert str(refusal.value).startswith(f"{path}: ")
    assert "<bytes>" not in str(refusal.value)
    assert stored(cache) == []


def test_what_can_be_done_about_a_long_source_is_told(tmp_path: Path, cache: AudioCache) -> None:
    clip = clip_of(tmp_path / "long.wav", np.full(601 * 4000, 0.1, np.float32), rate=4000)
    with pytest.raises(AudioError) as refusal:
        cache(clip)
    assert str(refusal.value).endswith("long.wav: is longer than the 600 s allowed; cut it into parts, or leave it out")


def test_nothing_half_written_is_left(clip: Clip, cache: AudioCache, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(file: io.BufferedWriter, *_: object, **__: object) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", fail)
    with pytest.raises(OSError, match="No space left"):
        cache(clip)
    assert stored(cache) == []


def test_two_processes_may_fill_the_same_cache(tmp_path: Path, cache: AudioCache) -> None:
    clips = [clip_of(tmp_path / f"{'x' * number}.wav") for number in range(1, 41)]
    program = """
import sys
from pathlib import Path
from emogram.corpora import Clip
from emogram.training.cache import AudioCache
folder, *rows = sys.argv[1:]
fields = dict(corpus="folder", speaker="a", emotion="sad", raw_label="sad")
clips = [Clip(clip_id=row, path=row.split("=")[0], sha256=row.split("=")[1], **fields) for row in rows]
print("ready", flush=True)
sys.stdin.readline()
AudioCache(Path(folder), 16000).fill(clips)
"""
    command = [sys.executable, "-c", program, str(cache.folder), *(f"{clip.path}={clip.sha256}" for clip in clips)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen(command, text=True, **pipes) for _ in range(2)]  # type: ignore[call-overload]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
    assert len(stored(cache)) == len(clips)
    for clip in clips:
        np.testing.assert_allclose(cache(clip), audio.load(clip.path, RATE), atol=1 / 32767)


def test_the_environment_says_where_it_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EMOGRAM_CACHE", str(tmp_path / "a"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "b"))
    assert default_folder() == tmp_path / "a"
    monkeypatch.delenv("EMOGRAM_CACHE")
    assert default_folder() == tmp_path / "b" / "emogram"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == tmp_path / ".cache" / "emogram"
