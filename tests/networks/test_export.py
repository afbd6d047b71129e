"""The exported file: the same answers as the network, for any length, level and batch, and all that it needs inside."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

import emogram
from emogram import audio
from emogram.errors import ModelError
from emogram.networks import export as export_module
from emogram.networks.classifier import Classifier, Recognition
from emogram.networks.export import TOLERANCE, export, largest_difference
from emogram.recognition.model_file import INPUT_NAME, OUTPUT_NAME, ModelInfo, read_model
from emogram.recognition.recognizer import Recognizer
from emogram.spectrograms import LogMelSettings
from tests.networks.made_up import cnn, disturbed

RATE = 16_000
INFO = ModelInfo(
    name="tiny",
    labels=("neutral", "happy", "sad", "angry", "boredom"),
    sample_rate=RATE,
    clip_s=1.0,
    min_s=0.5,
    window_s=2.0,
    temperature=1.7,
    normalisation={"kind": "training statistics", "mean": -6.0, "deviation": 3.0},
    training_corpora=("synthetic",),
    emogram_version="0.0.1",
)


def build(seed: int = 0) -> Classifier:
    """A classifier in evaluation mode whose every weight matters."""
    torch.manual_seed(seed)
    network = cnn({"name": "cnn-tiny", "squeeze_excitation": True, "pooling": "attention"}, len(INFO.labels))
    classifier = Classifier(LogMelSettings(n_mels=32).build(RATE), network)
    disturbed(classifier.network, seed)
    classifier.standardisation.fit([torch.tensor([-9.0, -3.0])])
    return classifier.eval()


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return build()


@pytest.fixture(scope="module")
def path(classifier: Classifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "model.onnx"
    export(classifier, INFO, path)
    return path


def noise(seconds: float, level: float = 0.1) -> audio.Wave:
    wave: audio.Wave = np.random.default_rng(0).normal(0, level, round(seconds * RATE)).astype(np.float32)
    return wave


def expected(classifier: Classifier, wave: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        probabilities: torch.Tensor = Recognition(classifier, INFO.temperature)(wave)
    return probabilities


@pytest.mark.parametrize("seconds", [0.5, 0.7371, 1.0, 1.99, 2.0])
@pytest.mark.parametrize("level", [0.0, 1e-6, 0.1, 1.0])
def test_the_file_answers_as_the_network(classifier: Classifier, path: Path, seconds: float, level: float) -> None:
    wave = noise(seconds, level)
    given = Recognizer(read_model(path)).probabilities(wave)
    np.testing.assert_allclose(given, expected(classifier, torch.from_numpy(wave)[None])[0], atol=TOLERANCE)


def test_a_batch_is_answered_as_its_clips_are(classifier: Classifier, path: Path) -> None:
    import onnxruntime

    waves = np.stack([noise(0.8, level) for level in (0.01, 0.1, 0.5)])
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    [batch] = session.run([OUTPUT_NAME], {INPUT_NAME: waves})
    np.testing.assert_allclose(batch, expected(classifier, torch.from_numpy(waves)), atol=TOLERANCE)
    for wave, answer in zip(waves, batch, strict=True):
        [[alone]] = session.run([OUTPUT_NAME], {INPUT_NAME: wave[None]})
        np.testing.assert_allclose(alone, answer, atol=1e-5)


def test_answers_differ_with_what_is_heard(path: Path) -> None:
    recognizer = Recognizer(read_model(path))
    soft, loud = recognizer.probabilities(noise(1.0, 0.001)), recognizer.probabilities(noise(1.0, 0.5))
    assert np.abs(soft - loud).max() > 0.01


def test_the_file_says_what_it_is_and_holds_its_weights(path: Path) -> None:
    assert read_model(path).info == INFO
    assert [file.name for file in path.parent.iterdir()] == ["model.onnx"]
    model = onnx.load_model_from_string(path.read_bytes())
    assert model.producer_name == "emogram"
    assert {node.domain for node in model.graph.node} <= {"", "ai.onnx"}
    assert not model.functions
    assert all(not tensor.external_data for tensor in model.graph.initializer)
    prediction = emogram.load(path).predict(noise(0.3))
    assert set(prediction.probabilities) == set(INFO.labels)


def test_the_file_says_nothing_of_the_machine_that_made_it(path: Path) -> None:
    content = path.read_bytes()
    for place in (Path(emogram.__file__).parent, Path(torch.__file__).parent, Path.cwd()):
        assert str(place).encode() not in content
    graph = onnx.load(path).graph
    assert not [node.name for node in graph.node if node.metadata_props or node.doc_string]


def test_the_temperature_is_inside(classifier: Classifier, path: Path) -> None:
    wave = noise(1.0)
    with torch.inference_mode():
        logits = classifier(torch.from_numpy(wave)[None])[0].double().numpy()
    given = np.log(Recognizer(read_model(path)).probabilities(wave).astype(np.float64))
    np.testing.assert_allclose(np.diff(given) * INFO.temperature, np.diff(logits), atol=1e-2)


def test_the_classifier_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class GraphError(Exception):
        pass

    def stop(recognition: Recognition, example: torch.Tensor) -> None:
        assert recognition.classifier.spectrogram.transform.convolution
        raise GraphError

    monkeypatch.setattr(export_module, "_graph", stop)
    classifier = build().train()
    with pytest.raises(GraphError):
        export(classifier, INFO, tmp_path / "model.onnx")
    assert classifier.training
    assert not classifier.spectrogram.transform.convolution


def test_a_failure_leaves_the_old_file(
    classifier: Classifier, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise onnx.checker.ValidationError("odd")

    monkeypatch.setattr(export_module, "_graph", lambda *_, **__: onnx.load_model_from_string(path.read_bytes()))
    monkeypatch.setattr(onnx.checker, "check_model", fail)
    (tmp_path / "model.onnx").write_bytes(b"old")
    with pytest.raises(onnx.checker.ValidationError):
        export(classifier, INFO, tmp_path / "model.onnx")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"model.onnx": b"old"}


@pytest.mark.parametrize("wave", [noise(0.1), noise(1.0), noise(5.3), np.zeros(RATE, np.float32)])
def test_clips_of_any_length_and_silence_can_be_compared(classifier: Classifier, path: Path, wave: audio.Wave) -> None:
    assert 0 <= largest_difference(classifier, path, [wave]) <= TOLERANCE


def test_every_window_of_every_clip_is_compared(
    classifier: Classifier, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []
    answer = Recognizer.probabilities

    def watched(recognizer: Recognizer, window: audio.Wave) -> object:
        heard.append(len(window))
        return answer(recognizer, window)

    monkeypatch.setattr(Recognizer, "probabilities", watched)
    largest_difference(classifier, path, [noise(0.1), noise(1.0), noise(4.0)])
    assert heard == [RATE // 2, RATE, *[2 * RATE] * 3]


def test_another_network_is_refused_in_one_line(path: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.onnx: differs from the trained network by 0\.") as refusal:
        largest_difference(build(seed=1), path, [noise(1.0)])
    assert "\n" not in str(refusal.value)


def test_one_clip_that_differs_is_enough(classifier: Classifier, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([0.0, 2 * TOLERANCE, float("nan"), 0.0])
    answer = Recognizer.probabilities
    monkeypatch.setattr(Recognizer, "probabilities", lambda *arguments: answer(*arguments) + next(answers))
    for wrong in ("0.0002", "nan"):
        with pytest.raises(ModelError, match=f"by {wrong}"):
            largest_difference(classifier, path, [noise(1.0), noise(1.0)])


def test_real_speech_is_answered_as_the_network_answers(classifier: Classifier, path: Path, emogram_data: Path) -> None:
    files = [
        file
        for corpus in ("ravdess", "tess", "emodb", "originals")
        for file in sorted((emogram_data / corpus).rglob("*"))
        if file.suffix.lower() in {".wav", ".flac", ".ogg", ".opus"}
    ]
    waves = [audio.load(file) for file in files[:: len(files) // 25]]
    assert len(waves) >= 25
    assert largest_difference(classifier, path, waves) <= TOLERANCE
