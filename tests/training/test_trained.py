"""The network of a run that is done answers as its exported model does."""

from pathlib import Path

import numpy as np
import pytest

import emogram
from emogram import audio
from emogram.errors import TrainingError
from emogram.evaluation.predictions import read_predictions
from emogram.training.folds import of_fold
from emogram.training.run import train
from emogram.training.trained import TrainedRun, drop_state
from tests.training import runs

pytestmark = pytest.mark.timeout(400)  # the first test waits for the run


def test_it_answers_as_the_model_file_does(folds: runs.Folds) -> None:
    clips = folds.material.clips()
    trained = TrainedRun(of_fold(folds.material.configuration(), 1), folds.run, clips)
    model = emogram.load(str(folds.run / "model.onnx"))
    assert trained.emotions == model.emotions
    for clip in clips[::40]:
        wave = audio.load(clip.path, trained.sample_rate, allow_silent=True)
        answer = model.predict(np.concatenate([wave] * 30)).probabilities  # long enough for several windows
        expected = [answer[emotion] for emotion in model.emotions]
        assert trained.probabilities(np.concatenate([wave] * 30)) == pytest.approx(expected, abs=1e-4)


def test_a_run_for_its_scores_needs_no_model_and_keeps_its_weights(folds: runs.Folds, tmp_path: Path) -> None:
    wanted, clips = of_fold(folds.material.configuration("fit.epochs=1"), 1), folds.material.clips()
    assert "export_difference" not in train(wanted, tmp_path, clips=clips, scores_only=True)
    assert not (tmp_path / "model.onnx").exists()
    assert not (tmp_path / "figures").exists()
    drop_state(tmp_path)
    drop_state(tmp_path)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["best.safetensors"]
    trained = TrainedRun(wanted, tmp_path, clips)
    tested = read_predictions(tmp_path / "predictions-test.csv")
    paths = {clip.clip_id: clip.path for clip in clips}
    for at in range(0, len(tested), 20):
        wave = audio.load(paths[tested.clip_ids[at]], trained.sample_rate, allow_silent=True)
        assert trained.probabilities(wave) == pytest.approx(tested.probabilities[at], abs=1e-3)


def test_only_a_finished_run_can_be_heard(folds: runs.Folds, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="holds no finished run"):
        TrainedRun(of_fold(folds.material.configuration(), 1), tmp_path, folds.material.clips())
