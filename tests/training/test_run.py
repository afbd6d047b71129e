"""One run from clips to a finished folder: complete, the same after being killed, and what its model answers."""

import json
import multiprocessing
import signal
import sys
import time
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import emogram
from emogram import audio, corpora
from emogram.corpora import read_manifest
from emogram.errors import AudioError, ConfigurationError, TrainingError
from emogram.evaluation.predictions import Predictions, read_predictions
from emogram.networks.export import TOLERANCE, largest_difference
from emogram.recognition.model_file import read_model
from emogram.training.building import build_classifier
from emogram.training.checkpoints import load as load_checkpoint
from emogram.training.checkpoints import load_weights
from emogram.training.configuration import load
from emogram.training.folds import of_fold
from emogram.training.run import train
from emogram.training.run_folder import METRICS
from tests.training import runs
from tests.training.stand_ins import emogram_command
from tests.training.test_checkpoints import same

pytestmark = pytest.mark.timeout(400)  # the first test waits for the run
PARTS = ("train", "validation", "test")


def configuration(folds: runs.Folds, *settings: str) -> Any:
    """That of the finished run of fold 1."""
    return of_fold(folds.material.configuration(*settings), 1)


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def test_the_folder_is_complete_and_the_metrics_are_last(folds: runs.Folds) -> None:
    files = {str(path.relative_to(folds.run)) for path in folds.run.rglob("*") if path.is_file()}
    assert files >= {
        "configuration.yaml",
        "environment.json",
        "manifest.csv",
        "history.csv",
        "checkpoints/best.safetensors",
        "checkpoints/last.safetensors",
        *(f"predictions-{part}.csv" for part in PARTS),
        "model.onnx",
        METRICS,
        *(f"figures/{name}.svg" for name in ("confusion", "learning-curves", "spectrograms")),
        "figures/explanation.png",
    }
    assert not [name for name in files if name.endswith(".partial")]
    # A report may be made from a finished run at any later time.
    newest = max(path.stat().st_mtime_ns for path in folds.run.rglob("*") if path.is_file() and path.suffix != ".html")
    assert (folds.run / METRICS).stat().st_mtime_ns == newest


def test_the_folder_says_what_the_run_was(folds: runs.Folds) -> None:
    metrics = json.loads((folds.run / METRICS).read_text())
    environment = json.loads((folds.run / "environment.json").read_text())
    resolved = load(folds.run / "configuration.yaml")
    assert resolved == configuration(folds)
    assert environment["key"] == metrics["key"]
    assert environment["torch"]
    assert metrics["epochs"] == resolved.fit.epochs
    assert 1 <= metrics["best_epoch"] <= metrics["epochs"]
    assert metrics["export_difference"] <= TOLERANCE
    assert metrics["split"] == {"name": "kfold", "fold": 1, "folds": 4, "seed": 0, "speaker_disjoint": True}
    assert metrics["sizes"] == {part: metrics[part]["clips"] for part in PARTS}
    manifest = read_manifest(folds.run / "manifest.csv")
    assert {clip.clip_id for clip in manifest} == {clip.clip_id for clip in folds.material.clips()}


def test_the_test_part_is_of_speakers_that_were_not_heard(folds: runs.Folds) -> None:
    speakers = {part: set(read_predictions(folds.run / f"predictions-{part}.csv").speakers) for part in PARTS}
    assert not speakers["test"] & (speakers["train"] | speakers["validation"])


def test_the_model_says_what_it_is(folds: runs.Folds) -> None:
    info = read_model(folds.run / "model.onnx").info
    metrics = json.loads((folds.run / METRICS).read_text())
    assert (info.name, info.labels) == ("small", tuple(metrics["emotions"]))
    assert (info.sample_rate, info.clip_s, info.min_s, info.window_s) == (16_000, 0.5, 0.5, 10.0)
    assert info.temperature == metrics["temperature"]
    assert info.training_corpora == ("synthetic",)
    assert "CC0-1.0" in info.licence
    assert info.scores["speakers"] == "unseen"
    assert info.scores["accuracy"] == metrics["test"]["metrics"]["accuracy"]["value"]
    assert info.emogram_version == emogram.__version__
    assert info.configuration_hash == metrics["key"]


@pytest.mark.parametrize("part", PARTS)
def test_the_model_answers_what_is_stored(folds: runs.Folds, part: str) -> None:
    """Also for a clip that is too short and one that is too long; a silent one it refuses."""
    stored = read_predictions(folds.run / f"predictions-{part}.csv")
    paths = {clip.clip_id: Path(clip.path) for clip in read_manifest(folds.run / "manifest.csv")}
    recognizer = emogram.load(folds.run / "model.onnx")
    assert recognizer.emotions == stored.emotions
    for clip_id, expected in zip(stored.clip_ids, stored.probabilities, strict=True):
        if paths[clip_id].stem == runs.SILENT:
            with pytest.raises(AudioError, match="silent"):
                recognizer.predict(paths[clip_id])
        else:
            given = list(recognizer.predict(paths[clip_id]).probabilities.values())
            np.testing.assert_allclose(given, expected, atol=TOLERANCE, err_msg=clip_id)


def test_the_irregular_clips_were_among_them(folds: runs.Folds) -> None:
    durations = {Path(clip.path).stem: clip.duration_s for clip in read_manifest(folds.run / "manifest.csv")}
    assert durations[runs.SHORT] < 0.5
    assert durations[runs.LONG] > 10
    assert runs.SILENT in durations


def test_the_exported_graph_is_the_trained_network_on_real_speech(folds: runs.Folds, emogram_data: Path) -> None:
    """On clips of real corpora as they come: of any level and length."""
    resolved = load(folds.run / "configuration.yaml")
    info = read_model(folds.run / "model.onnx").info
    classifier = build_classifier(resolved, len(info.labels))
    classifier.load_state_dict(load_weights(folds.run / "checkpoints" / "best.safetensors", "classifier."))
    files = [
        file
        for corpus in ("ravdess", "tess", "emodb", "originals")
        for file in sorted((emogram_data / corpus).rglob("*"))
        if file.suffix.lower() in {".wav", ".flac", ".ogg", ".opus"}
    ]
    waves = [audio.load(file) for file in files[7 :: len(files) // 20]]
    assert len(waves) >= 20
    assert largest_difference(classifier.eval(), folds.run / "model.onnx", waves) <= TOLERANCE


def test_another_network_is_told_from_the_exported_one(folds: runs.Folds) -> None:
    resolved = load(folds.run / "configuration.yaml")
    stranger = build_classifier(resolved, len(read_model(folds.run / "model.onnx").info.labels)).eval()
    wave = audio.load(folds.material.clips()[0].path)
    with pytest.raises(emogram.EmogramError, match=r"model\.onnx: differs from the trained network by"):
        largest_difference(stranger, folds.run / "model.onnx", [wave])


def test_a_second_call_returns_at_once(folds: runs.Folds) -> None:
    before, said = snapshot(folds.run), list[str]()
    started = time.monotonic()
    metrics = train(configuration(folds, "runtime.threads=2"), folds.run, clips=folds.material.clips(), say=said.append)
    assert time.monotonic() - started < 5
    assert said == [f"{folds.run}: done already"]
    assert metrics == json.loads((folds.run / METRICS).read_text())
    assert snapshot(folds.run) == before


@pytest.mark.parametrize("setting", ["seed=1", "split.seed=1", "fit.epochs=5", "network.dropout=0.2"])
def test_a_folder_of_another_configuration_is_refused_and_untouched(folds: runs.Folds, setting: str) -> None:
    before = snapshot(folds.run)
    with pytest.raises(TrainingError, match="fold-1: holds a run of another configuration or other clips") as refusal:
        train(configuration(folds, setting), folds.run, clips=folds.material.clips())
    assert "\n" not in str(refusal.value)
    assert snapshot(folds.run) == before


def test_a_folder_of_other_clips_is_refused(folds: runs.Folds) -> None:
    with pytest.raises(TrainingError, match="holds a run of another configuration or other clips"):
        train(configuration(folds), folds.run, clips=folds.material.clips()[1:])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["spectrogram.hop_ms=30"], "hop_ms"),
        (["spectrogram.fmax_hz=9000"], "fmax_hz"),
        (["spectrogram.window_ms=100"], "n_fft"),
        (["split.fold=9"], "fold 9"),
        ([f"network.stem_channels={10**14}"], r"network\.stem_channels=100000000000000: input should be less"),
        (
            ["network.channels=[4096, 4096, 4096]", "network.kernel=31"],
            "network: 8[0-9]+ M parameters, more than 250 M",
        ),
        (["network=cnn14", "spectrogram.n_mels=20"], "network=cnn14: halves 20 bands to nothing"),
    ],
)
def test_settings_that_rule_each_other_out_leave_no_folder(
    small: runs.Small, settings: list[str], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        small.train(*settings)
    assert not small.folder.exists()


def wait_for_epoch(process: BaseProcess, folder: Path, epoch: int) -> None:
    history = folder / "history.csv"
    while process.is_alive() and not (history.exists() and len(history.read_text().splitlines()) > epoch):
        time.sleep(0.01)
    assert process.is_alive(), f"ended before epoch {epoch}"


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_run_that_is_killed_twice_ends_as_if_it_had_not_been(folds: runs.Folds, tmp_path: Path) -> None:
    folder, output = tmp_path / "killed", tmp_path / "output.json"
    settings = folds.material.settings("split.fold=1", "--corpus", f"synthetic={folds.material.corpus}")
    words = ["train", *settings, "-o", str(folder), "--json"]
    # Processes of their own, forked from one that has imported what takes seconds to import.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["emogram.training.folds", "emogram.report"])
    for epoch in (1, 2):
        process = context.Process(target=emogram_command, args=(words, output))
        process.start()
        try:
            wait_for_epoch(process, folder, epoch)
        finally:
            process.kill()
            process.join()
        assert process.exitcode == -signal.SIGKILL
        assert not (folder / METRICS).exists()
    process = context.Process(target=emogram_command, args=(words, output))
    process.start()
    process.join()
    assert process.exitcode == 0
    for part in PARTS:
        name = f"predictions-{part}.csv"
        assert (folder / name).read_bytes() == (folds.run / name).read_bytes()
    ends = [load_checkpoint(run / "checkpoints" / "last.safetensors") for run in (folds.run, folder)]
    assert same(ends[0]["state_dict"], ends[1]["state_dict"])
    undisturbed, metrics = (json.loads((run / METRICS).read_text()) for run in (folds.run, folder))
    different = {"fit_seconds"}
    assert json.loads(output.read_text()) == metrics
    assert {name: metrics[name] for name in metrics if name not in different} == {
        name: undisturbed[name] for name in undisturbed if name not in different
    }
    assert scores(folder) == scores(folds.run)


def scores(folder: Path) -> list[list[str]]:
    """The history without times."""
    return [line.split(",")[:10] for line in (folder / "history.csv").read_text().splitlines()]


def test_predictions_of_every_part_are_stored(folds: runs.Folds) -> None:
    parts: dict[str, Predictions] = {part: read_predictions(folds.run / f"predictions-{part}.csv") for part in PARTS}
    everything = [clip_id for part in PARTS for clip_id in parts[part].clip_ids]
    assert sorted(everything) == sorted(clip.clip_id for clip in corpora.scan("synthetic", folds.material.corpus))


def test_names_of_files_that_are_no_utf_8_are_carried_through(small: runs.Small) -> None:
    small.clips = [
        replace(clip, clip_id=f"{clip.clip_id}-\udcfcbung", speaker=f"{clip.speaker}\udcfc") for clip in small.clips
    ]
    small.train("fit.epochs=1")
    answers = read_predictions(small.folder / "predictions-test.csv")
    assert set(answers.clip_ids) <= {clip.clip_id for clip in small.clips}
    assert {clip.clip_id for clip in read_manifest(small.folder / "manifest.csv")} == {
        clip.clip_id for clip in small.clips
    }
    assert (small.folder / "figures" / "explanation.png").exists() == (answers.truth == answers.predicted).any()
    assert (small.folder / "figures" / "spectrograms.png").exists()
