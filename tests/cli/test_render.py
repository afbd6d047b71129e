"""`emogram render`: words to folders, the same from several processes, and one line for what is wrong."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from emogram.cli import main
from emogram.corpora import synthetic

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three speakers, a sentence in six emotions each."""
    folder = tmp_path_factory.mktemp("render") / "voices"
    synthetic.render(folder, speakers=3, takes=1)
    for path in folder.glob("*/*.wav"):
        if "_s1_" not in path.name:
            path.unlink()
    return folder


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], voices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run `emogram render` in an empty folder; CORPUS stands for the voices. Status, standard output and error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMOGRAM_CACHE", str(voices.parent / "cache"))

    def run_command(*arguments: object) -> tuple[int, str, str]:
        status = main(["render", *(str(argument).replace("CORPUS", str(voices)) for argument in arguments)])
        return status, *capsys.readouterr()

    return run_command


def files(folder: str) -> dict[str, bytes]:
    root = Path(folder)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_words_become_folders(call: Call) -> None:
    words = ("synthetic=CORPUS", "-s", "mfcc", "spectrogram.n_coefficients=13", "--split", "kfold", "--fold", "2")
    status, output, errors = call(*words, "split.folds=3", "--clip-s", "1.5", "--format", "npy", "-o", "out")
    assert (status, output) == (0, "out\n")
    assert errors == "out: 6 train, 6 validation, 6 test clips as npy\n"
    told = json.loads(Path("out/render.json").read_text())
    settings = told["settings"]
    assert settings["spectrogram"]["name"] == "mfcc"
    assert settings["spectrogram"]["n_coefficients"] == 13
    assert (settings["split"]["name"], settings["split"]["fold"], settings["clip_s"]) == ("kfold", 2, 1.5)
    assert call(*words, "split.folds=3", "--clip-s", "1.5", "--format", "npy", "-o", "out")[0] == 0
    status, _, errors = call(*words, "split.folds=3", "--format", "npy", "-o", "out")
    assert status == 1
    assert errors == "emogram: error: out: holds pictures of another clip_s (1.5, not None); choose another folder\n"


def test_several_processes_write_the_same(call: Call) -> None:
    assert call("synthetic=CORPUS", "-o", "one", "--jobs", "1")[0] == 0
    assert call("synthetic=CORPUS", "-o", "two", "--jobs", "2")[0] == 0
    assert files("one") == files("two")
    assert len(files("one")) == 2 * 18 + 2


def test_a_split_that_shares_speakers_says_so(call: Call) -> None:
    status, _, errors = call("synthetic=CORPUS", "-o", "out", "--split", "stratified", "--format", "png")
    assert status == 0
    assert "note: speakers of the test part are in training" in errors


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["-o", "out", "seed=1"], 2, "corpora: none given"),
        (["-o", "out", "CORPUS"], 2, "write CORPUS=PATH"),
        (["-o", "out", "synthetc=CORPUS"], 2, "'synthetc' is not known, did you mean 'synthetic'?"),
        (["-o", "out", "synthetic=none"], 1, "none"),
        (["-o", "out", "synthetic=CORPUS", "--split", "speker"], 2, "no split 'speker', did you mean 'speaker'?"),
        (
            ["-o", "out", "synthetic=CORPUS", "--fold", "9"],
            2,
            "there is no fold 9; split 'speaker' has but one, choose fold 1",
        ),
        (["-o", "out", "synthetic=CORPUS", "-s", "logmle"], 2, "no spectrogram 'logmle', did you mean 'logmel'?"),
        (["-o", "out", "synthetic=CORPUS", "-s", "mfcc,logmel"], 2, "one type a folder; run it once for each"),
        (["-o", "out", "synthetic=CORPUS", "--format", "jpg"], 2, "--format jpg: choose from png, npy"),
        (["-o", "out", "synthetic=CORPUS", "--bits", "12"], 2, "--bits 12: choose 8 or 16"),
        (["-o", "out", "synthetic=CORPUS", "--clip-s", "-1"], 2, "'--clip-s'"),
        (["-o", "out", "synthetic=CORPUS", "spectrogram.hop_ms=90"], 2, "hop_ms"),
        (["synthetic=CORPUS"], 2, "Missing option '--output'"),
    ],
)
def test_what_is_wrong_is_one_line(call: Call, arguments: list[str], status: int, message: str) -> None:
    told, output, errors = call(*arguments)
    assert (told, output) == (status, "")
    assert errors.startswith("emogram: error: ")
    assert errors.count("\n") == 1
    assert message in errors
    assert not Path("out").exists()
