"""`emogram study` from file to sentences, with real training and a condition."""

from pathlib import Path

import pytest
import yaml

from emogram.cli import main
from emogram.evaluation import read_predictions
from emogram.training import outcome
from tests.training import runs


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    content = {
        "question": "Does a network without mixup learn anything in an epoch?",
        "base": {
            "network": "cnn-tiny",
            "split": {"name": "kfold", "folds": 4},
            "audio.clip_s": 0.5,
            "spectrogram.n_mels": 16,
            "fit.epochs": 1,
        },
        "corpora": ["synthetic"],
        "axes": [{"name": "mixup", "field": "augmentation.batch.mixup", "values": [0]}],
        "folds": [1],
        "seeds": [0],
        "conditions": [{"name": "telephone"}, {"name": "noise", "snr_db": 0}],
        "budget": {"words": "one epoch of the smallest network", "epochs": 1, "runs": 2},
    }
    path.write_text(yaml.safe_dump(content))
    return path


def test_from_file_to_sentences(
    study: Path,
    tmp_path: Path,
    material: runs.Material,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EMOGRAM_CACHE", str(material.cache))
    for name in ("draw_scores", "draw_spectrograms"):  # which take longer than the run
        monkeypatch.setattr(outcome, name, lambda *_: None)
    store = tmp_path / "store"
    words = [str(study), "-o", str(store)]
    assert main(["study", "run", *words, "-c", f"synthetic={material.corpus}", "--points", "base"]) == 0
    assert main(["study", "status", *words]) == 0
    assert "small: 1 done, 0 failed, 1 left, about " in capsys.readouterr().out
    assert main(["study", "run", *words, "-c", f"synthetic={material.corpus}", "--points", "base"]) == 0
    told = capsys.readouterr()
    assert "2 runs, 1 done already" in told.err
    assert "mixup=0 cannot be compared with base" in told.out
    [run] = (path for path in (store / "runs").iterdir() if path.is_dir())
    assert not (run / "checkpoints").exists()
    clean = read_predictions(run / "predictions-test.csv")
    noisy, telephone = sorted((run / "conditions").glob("*.csv"))
    assert (noisy.stem.split("-")[0], telephone.stem.split("-")[0]) == ("noise", "telephone")
    assert read_predictions(noisy).clip_ids == clean.clip_ids
    assert abs(read_predictions(noisy).probabilities - clean.probabilities).max() > 1e-3
    assert main(["study", "table", *words, "--format", "csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    study.write_text(study.read_text().replace("seeds:\n- 0", "seeds:\n- 1"))
    assert main(["study", "table", *words]) == 2
    assert "has changed since it ran" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "STUDY"], "needs the corpus synthetic2; say where it lies: --corpus synthetic2=PATH"),
        (["run", "STUDY", "-c", "x"], "--corpus x: write NAME=PATH"),
        (["status", "STUDY"], "holds no study; run it first"),
        (["table", "STUDY", "--format", "parquet"], "holds no study"),
        (["all", "nowhere"], "nowhere: holds no study"),
        (["export", "nowhere", "-o", "there"], "nowhere: holds no study"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    study: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    study.write_text(study.read_text().replace("- synthetic", "- synthetic2"))
    store = ["-o", str(tmp_path / "store")] if words[0] in {"run", "status", "table"} else []
    assert main(["study", *(str(study) if word == "STUDY" else word for word in words), *store]) in {1, 2}
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
