"""Recordings with the emotion that was meant: what is kept, read by the corpora, refused, and shared by processes."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emogram.corpora import scan
from emogram.errors import AudioError, ConfigurationError, CorpusError
from emogram.recognition import Prediction
from emogram.recognition.recordings import COLUMNS, TABLE, Recordings
from tests.recognition.made_up import RATE, noise


def predicted(emotion: str, confidence: float = 0.8, *, uncertain: bool = False) -> Prediction:
    probabilities = {"neutral": 0.0, "happy": 0.0, "sad": 0.0} | {emotion: confidence}
    return Prediction("take", emotion, probabilities, confidence, 0.1, "tiny", uncertain)


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_recording_is_kept_as_it_was(tmp_path: Path) -> None:
    wave = noise(0.1)
    kept = Recordings(tmp_path / "own").add(
        wave, 22_050, intended="Happy", prediction=predicted("sad", 0.61234, uncertain=True), speaker=" Max  M "
    )
    assert kept.path.startswith("happy/Max_M/20")
    assert kept.path.endswith(".flac")
    assert (kept.emotion, kept.predicted, kept.speaker, kept.agrees) == ("happy", "sad", "Max_M", False)
    assert (kept.confidence, kept.uncertain, kept.duration_s, kept.model) == (0.6123, True, 0.073, "tiny")
    samples, rate = soundfile.read(tmp_path / "own" / kept.path)
    assert rate == 22_050
    assert soundfile.info(tmp_path / "own" / kept.path).subtype == "PCM_16"
    np.testing.assert_allclose(samples, wave, atol=2**-15)
    assert files(tmp_path / "own") == {TABLE, kept.path}
    assert list(Recordings(tmp_path / "own")) == [kept]


def test_what_is_too_loud_is_clipped_and_not_wrapped(tmp_path: Path) -> None:
    wave = np.array([0.0, 1.5, -1.5, 1.0], np.float32)
    kept = Recordings(tmp_path).add(wave, RATE, intended="sad", prediction=predicted("sad"))
    samples, _ = soundfile.read(tmp_path / kept.path)
    np.testing.assert_allclose(samples, [0, 1, -1, 1], atol=2**-14)


def test_both_corpora_of_own_recordings_read_it(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path / "Mine")
    for emotion, speaker in [("happy", "anna"), ("happy", None), ("sad", "anna"), ("sad", "sad")]:
        recordings.add(noise(0.1), RATE, intended=emotion, prediction=predicted("sad"), speaker=speaker)
    of_folder, of_table = scan("folder", tmp_path / "Mine"), scan("csv", tmp_path / "Mine" / TABLE)
    expected = [("happy", "", 0.1), ("happy", "anna", 0.1), ("sad", "anna", 0.1), ("sad", "sad", 0.1)]
    for name, clips in (("mine", of_folder), ("recordings", of_table)):
        found = sorted((clip.emotion, clip.speaker.removeprefix(f"{name}-"), clip.duration_s) for clip in clips)
        assert found == expected
    assert {clip.sha256 for clip in of_folder} == {clip.sha256 for clip in of_table}


def test_the_tally_counts_what_is_still_there(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path / "own")
    assert (recordings.tally(), recordings.agreement()) == ({}, (0, 0))
    for emotion, answer in [("sad", "sad"), ("happy", "sad"), ("sad", "sad"), ("sad", "happy"), ("fearful", "sad")]:
        kept = recordings.add(noise(0.1), RATE, intended=emotion, prediction=predicted(answer))
    assert recordings.tally() == {"happy": {"sad": 1}, "sad": {"happy": 1, "sad": 2}, "fearful": {"sad": 1}}
    assert list(recordings.tally()) == ["happy", "sad", "fearful"]
    assert recordings.agreement() == (2, 5)
    (tmp_path / "own" / kept.path).unlink()
    assert recordings.agreement() == (2, 4)
    assert "fearful" not in recordings.tally()


ADD_MANY = """
import sys, numpy
from emogram.recognition import Prediction
from emogram.recognition.recordings import Recordings
answer = Prediction("take", "sad", {"sad": 1.0}, 1.0, 0.1, "tiny")
print("ready", flush=True)
sys.stdin.readline()
for _ in range(40):
    Recordings(sys.argv[1]).add(numpy.full(200, 0.1), 16_000, intended="sad", prediction=answer)
"""


def test_processes_add_at_once_and_lose_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ADD_MANY, str(tmp_path / "own")]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) for _ in range(2)
    ]
    for worker in workers:
        assert worker.stdout is not None
        worker.stdout.readline()
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
    for worker in workers:
        worker.communicate(timeout=60)
    assert [worker.returncode for worker in workers] == [0, 0]
    assert Recordings(tmp_path / "own").agreement() == (80, 80)
    assert len(scan("csv", tmp_path / "own" / TABLE)) == len(files(tmp_path / "own")) - 1 == 80


def test_a_name_that_is_taken_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Always:
        def __format__(self, _: str) -> str:
            return "same"

    endings = iter(["aa", "bb", "bb", "cc", "dd"])
    monkeypatch.setattr("emogram.recognition.recordings.secrets.token_hex", lambda _: next(endings))
    monkeypatch.setattr("emogram.recognition.recordings.datetime", type("Clock", (), {"now": lambda _: Always()}))
    recordings = Recordings(tmp_path)
    first, second = (recordings.add(noise(0.1), RATE, intended="sad", prediction=predicted("sad")) for _ in range(2))
    assert (first.path, second.path) == ("sad/same-bb.flac", "sad/same-cc.flac")
    assert len(files(tmp_path)) == 3


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"intended": "hapy"}, r"emotion: 'hapy' is none, did you mean 'happy'\? choose from neutral, calm,"),
        ({"intended": "../sad"}, r"emotion: '\.\./sad' is none"),
        ({"speaker": "../../x"}, r"speaker: '\.\./\.\./x' is no name; take up to 60 letters"),
        ({"speaker": ".hidden"}, "is no name"),
        ({"speaker": "__MACOSX"}, "is no name"),
        ({"speaker": "a\x00b"}, "is no name"),
        ({"speaker": "a" * 61}, "is no name"),
        ({"sample_rate": 0}, "its sample rate is 0 Hz"),
        ({"wave": np.zeros(0, np.float32)}, r"is no wave"),
        ({"wave": np.zeros((2, 9), np.float32)}, r"is no wave"),
        ({"wave": np.array([0.1, np.nan])}, r"is no wave"),
        ({"wave": np.array([1, 2, 3])}, r"is no wave"),
    ],
)
def test_what_cannot_be_kept_leaves_nothing(tmp_path: Path, fields: dict[str, object], message: str) -> None:
    given = {"wave": noise(0.1), "sample_rate": RATE, "intended": "sad", "prediction": predicted("sad")} | fields
    with pytest.raises((ConfigurationError, AudioError), match=message) as refusal:
        Recordings(tmp_path / "own").add(**given)  # type: ignore[arg-type]
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "own").exists()


def test_names_in_any_script_are_names(tmp_path: Path) -> None:
    kept = Recordings(tmp_path).add(
        noise(0.1), RATE, intended="sad", prediction=predicted("sad"), speaker="Zoe\u0308 7"
    )
    assert kept.speaker == "Zoë_7"
    assert scan("folder", tmp_path)[0].speaker.endswith("-Zoë_7")


def test_a_label_that_only_the_model_has_may_be_meant(tmp_path: Path) -> None:
    answer = Prediction("take", "smug", {"smug": 0.9, "sad/2": 0.1}, 0.9, 0.1, "own")
    assert Recordings(tmp_path).add(noise(0.1), RATE, intended="smug", prediction=answer).agrees
    with pytest.raises(ConfigurationError, match="no folder can be called 'sad/2'"):
        Recordings(tmp_path).add(noise(0.1), RATE, intended="sad/2", prediction=answer)


def test_a_table_of_others_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / TABLE).write_text("path,emotion\na.wav,sad\n")
    recordings = Recordings(tmp_path)
    with pytest.raises(CorpusError, match=r"recordings\.csv: is no table of recordings; choose another folder"):
        recordings.add(noise(0.1), RATE, intended="sad", prediction=predicted("sad"))
    with pytest.raises(CorpusError, match="is no table of recordings"):
        recordings.agreement()
    assert files(tmp_path) == {TABLE}
    assert (tmp_path / TABLE).read_text() == "path,emotion\na.wav,sad\n"


def test_a_damaged_row_is_named(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path)
    recordings.add(noise(0.1), RATE, intended="sad", prediction=predicted("sad"))
    good = (tmp_path / TABLE).read_text()
    for bad in ("sad/x.flac,sad\n", good.splitlines()[1].replace("0.8", "much") + "\n", ",".join("x" * 12) + "\n"):
        (tmp_path / TABLE).write_text(good + bad)
        with pytest.raises(CorpusError, match=r"recordings\.csv: row 3 is none of a recording; correct or remove"):
            recordings.tally()
    assert good.splitlines()[0] == ",".join(COLUMNS)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("a file")
    with pytest.raises(CorpusError, match=r"own: cannot be written \(Not a directory\); check the disk") as refusal:
        Recordings(tmp_path / "own").add(noise(0.1), RATE, intended="sad", prediction=predicted("sad"))
    assert "\n" not in str(refusal.value)


def test_where_the_row_cannot_be_written_the_sound_goes_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recordings = Recordings(tmp_path)
    recordings.add(noise(0.1), RATE, intended="sad", prediction=predicted("sad"))
    before = files(tmp_path)
    monkeypatch.setattr("emogram.recognition.recordings.os.write", lambda *_: 0)
    with pytest.raises(CorpusError, match="No space left on device"):
        recordings.add(noise(0.1), RATE, intended="sad", prediction=predicted("sad"))
    assert files(tmp_path) == before
