"""Weights of runs, of publishers' files and from an address: who they know, what pictures they know, and that they fit."""

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch

from emogram.corpora import Clip
from emogram.corpora.retrieval import fetch
from emogram.errors import ConfigurationError, LeakError, ModelError
from emogram.networks.classifier import Classifier
from emogram.networks.network import Network
from emogram.networks.published_weights import ENCODERS, PUBLISHED, PublishedEncoder
from emogram.networks.whisper import SIZES
from emogram.training import origins
from emogram.training import run as run_module
from emogram.training.building import build_classifier
from emogram.training.checkpoints import load_weights, save
from emogram.training.configuration import Configuration, validate
from emogram.training.material import prepare
from tests.training import runs
from tests.training.distillation import teachers

PANN: dict[str, Any] = {
    "audio": {"sample_rate": 16_000},
    "spectrogram": {"name": "logmel", "n_fft": 512, "window_ms": 32, "n_mels": 64, "fmin_hz": 50, "fmax_hz": 8000},
    "network": {"name": "cnn6", "channels": [4, 4, 8, 8]},
}


def a_run(folder: Path, parts: Mapping[str, Sequence[Clip]], given: Configuration, *, seed: int = 5) -> Path:
    """What a run of a configuration leaves of itself, with random weights."""
    fields = given.model_dump(mode="json", exclude={"runtime", "corpora"})
    run = teachers.run_folder(folder, parts, **fields)
    classifier = build_classifier(given.model_copy(update={"seed": seed, "transfer": None}), 4)
    state = {f"classifier.{name}": tensor for name, tensor in classifier.state_dict().items()}
    save({"state_dict": state}, run / "checkpoints" / "best.safetensors")
    return run


@pytest.mark.usefixtures("without_conclusion")
def test_a_run_that_knows_a_test_speaker_is_refused_before_anything_is_written(
    small: runs.Small, tmp_path: Path
) -> None:
    split = prepare(small.material.configuration(), small.clips).split
    given = small.material.configuration()
    run = a_run(tmp_path / "before", {"train": (*split.train, split.test[0])}, given)
    for source in (run, run / "checkpoints" / "best.safetensors"):
        with pytest.raises(
            LeakError, match=rf"transfer\.source=.*before: learned from {split.test[0].speaker} of"
        ) as told:
            small.train(f"transfer={{source: {source}}}")
        assert "choose one trained without them" in str(told.value)
    further = a_run(
        tmp_path / "between",
        {"train": split.train},
        validate(given.model_dump(mode="json") | {"transfer": {"source": str(run)}}),
    )
    with pytest.raises(LeakError, match=r"between: learned from"):
        small.train(f"transfer={{source: {further}}}")
    assert not small.folder.exists()


@pytest.mark.usefixtures("without_conclusion")
def test_a_run_of_the_same_fold_is_taken_but_for_its_head(small: runs.Small, tmp_path: Path) -> None:
    given = small.material.configuration()
    run = a_run(tmp_path / "fold-1", prepare(given, small.clips).split.parts(), given)
    chosen = f'transfer={{source: "{tmp_path}/fold-{{fold}}", trained: 0, batch_norm: frozen}}'
    small.train(chosen, "fit.epochs=1")
    before = load_weights(run / "checkpoints" / "best.safetensors", "classifier.network.")
    after = load_weights(small.folder / "checkpoints" / "best.safetensors", "classifier.network.")
    changed = {name for name in after if not torch.equal(before[name], after[name])}
    assert changed == {"head.weight", "head.bias"}


def test_a_checkpoint_outside_a_run_is_refused(tmp_path: Path) -> None:
    save({"state_dict": {"classifier.network.x": torch.zeros(1)}}, tmp_path / "best.safetensors")
    with pytest.raises(
        ConfigurationError, match=r"lies in no run, so that nobody knows who it has heard; give the folder"
    ):
        build_classifier(
            validate({"network": "cnn-tiny", "transfer": {"source": str(tmp_path / "best.safetensors")}}), 4
        )


def test_a_run_with_another_picture_is_refused_unless_adapted(material: runs.Material, tmp_path: Path) -> None:
    given = material.configuration()
    run = a_run(tmp_path / "run", {"train": material.clips()}, given)
    values = given.model_dump(mode="json", exclude={"runtime", "corpora"})
    for changes, message in (
        ({"spectrogram": {"name": "logmel", "n_mels": 20}}, r"spectrogram: .* knows another picture; choose"),
        ({"audio": {"sample_rate": 20_000}}, r"audio\.sample_rate=20000: .* knows 16000 Hz; choose"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            build_classifier(validate({**values, **changes, "transfer": {"source": str(run)}}), 4)
        build_classifier(validate({**values, **changes, "transfer": {"source": str(run), "adapt": True}}), 4)


def published_file(path: Path, given: Configuration, **more: torch.Tensor) -> dict[str, torch.Tensor]:
    """A file of the form of PANNs: the network under ``model``, with its front end and 527 classes."""
    network = build_classifier(given.model_copy(update={"seed": 9}), 527).network
    assert isinstance(network, Network)
    tensors, theirs = dict(network.state_dict()), {ours: name for name, ours in network.published_names.items()}
    renamed = {
        f"{theirs.get(name.split('.')[0], name.split('.')[0])}.{name.partition('.')[2]}": value
        for name, value in tensors.items()
    }
    torch.save({"model": {**renamed, "logmel_extractor.melW": torch.zeros(2), **more}, "iteration": 3}, path)
    return tensors


def test_a_published_file_is_loaded_strictly_where_the_picture_is_adapted(tmp_path: Path) -> None:
    path = tmp_path / "Cnn6.pth"
    tensors = published_file(path, validate(PANN))
    network = build_classifier(validate({**PANN, "transfer": {"source": str(path), "adapt": True}}), 4).network
    for name, value in network.state_dict().items():
        assert torch.equal(value, tensors[name]) or name.startswith("head."), name
    published_file(path, validate(PANN), stranger=torch.zeros(1))
    with pytest.raises(ModelError, match="left over: stranger"):
        build_classifier(validate({**PANN, "transfer": {"source": str(path), "adapt": True}}), 4)


def test_another_picture_than_the_publishers_is_told_and_refused(tmp_path: Path) -> None:
    path = tmp_path / "Cnn6.pth"
    published_file(path, validate(PANN))
    with pytest.raises(ConfigurationError) as refusal:
        build_classifier(validate({**PANN, "transfer": {"source": str(path)}}), 4)
    message = str(refusal.value)
    assert message.startswith(
        "spectrogram: the published weights know another picture: sample_rate 32000 (here 16000), n_fft 1024"
    )
    assert "n_mels" not in message
    assert message.endswith("choose transfer.adapt=true to train them on this one all the same")
    assert "\n" not in message


@pytest.mark.parametrize("content", [b"no weights", b""])
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "Cnn6.pth").write_bytes(content)
    with pytest.raises(ModelError, match=r"Cnn6\.pth: cannot be read as weights; give transfer\.source the publisher"):
        build_classifier(validate({**PANN, "transfer": {"source": str(tmp_path / "Cnn6.pth"), "adapt": True}}), 4)


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path("harm").touch, ())


def test_a_file_that_would_run_something_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"model": Harmful()}, "Cnn6.pth")
    with pytest.raises(ModelError, match="cannot be read as weights"):
        build_classifier(validate({**PANN, "transfer": {"source": "Cnn6.pth", "adapt": True}}), 4)
    assert not Path("harm").exists()


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose files a server on this machine hands out, whisper-tiny's address among them."""
    folder = tmp_path / "server"
    folder.mkdir()
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setitem(SIZES, "tiny", teachers.SMALL)
    file = teachers.publish(folder / "model.safetensors")
    address = f"http://127.0.0.1:{server.server_port}/model.safetensors"
    checksum = f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
    monkeypatch.setitem(ENCODERS, "whisper-tiny", PublishedEncoder(address, checksum))
    yield folder
    server.shutdown()
    server.server_close()


def test_published_weights_are_fetched_once_and_have_the_identity_of_the_file(served: Path, tmp_path: Path) -> None:
    fields: dict[str, Any] = {
        "spectrogram": "whisper",
        "network": {"name": "whisper-tiny", "blocks": 2, "pooled": 1},
        "runtime": {"cache": str(tmp_path / "cache")},
    }
    here = validate({**fields, "transfer": {"source": str(served / "model.safetensors")}})
    fetched = validate({**fields, "transfer": {"source": "published"}})
    assert fetched.determinants() == here.determinants()
    expected = build_classifier(here, 4).network.state_dict()
    kept = build_classifier(fetched, 4).network.state_dict()
    assert all(torch.equal(kept[name], value) for name, value in expected.items())
    (served / "model.safetensors").unlink()
    build_classifier(fetched, 4)
    assert [path.name for path in (tmp_path / "cache" / "weights").iterdir()] == ["whisper-tiny.safetensors"]


def test_another_file_than_the_published_one_is_refused_and_removed(served: Path, tmp_path: Path) -> None:
    teachers.publish(served / "model.safetensors", seed=4)
    fields: dict[str, Any] = {"spectrogram": "whisper", "network": {"name": "whisper-tiny", "blocks": 2, "pooled": 1}}
    chosen = validate({**fields, "runtime": {"cache": str(tmp_path)}, "transfer": {"source": "published"}})
    with pytest.raises(ModelError, match=r"transfer\.source=published: http.*: what arrived has another checksum"):
        build_classifier(chosen, 4)
    assert not list((tmp_path / "weights").iterdir())


def test_fetching_keeps_what_is_there_and_right(served: Path, tmp_path: Path) -> None:
    encoder = ENCODERS["whisper-tiny"]
    file = fetch(encoder.address, encoder.checksum, tmp_path / "a" / "weights.bin")
    stamp = file.stat().st_mtime_ns
    assert fetch(encoder.address, encoder.checksum, file).stat().st_mtime_ns == stamp


def test_a_network_without_published_weights_says_whose_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"nobody has published weights of cnn-tiny; choose a run, or one of"):
        validate({"network": "cnn-tiny", "transfer": {"source": "published"}}).determinants()
    assert origins.published_for("cnn14", 16_000) is PUBLISHED["cnn14-audioset-16k"]
    assert origins.published_for("cnn14", 32_000) is PUBLISHED["cnn14-audioset"]
    assert set(ENCODERS) == {f"whisper-{size}" for size in SIZES}


def test_what_low_rank_learned_is_merged_before_a_run_concludes(
    small: runs.Small, served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: list[Classifier] = []

    def conclude(_: Any, __: Any, classifier: Classifier, *___: Any, scores_only: bool) -> dict[str, Any]:
        met.append(classifier)
        return {}

    monkeypatch.setattr(run_module, "conclude", conclude)
    small.train(
        "spectrogram=whisper",
        "network={name: whisper-tiny, blocks: 2, pooled: 1}",
        f"transfer={{source: {served / 'model.safetensors'}, trained: 1, lora_rank: 2, copies: 0}}",
        "fit.epochs=1",
    )
    published = teachers.encoder().state_dict()
    learned = {
        name.removeprefix("encoder."): value
        for name, value in met[0].network.state_dict().items()
        if name.startswith("encoder.")
    }
    assert set(learned) == set(published)
    changed = {name for name, value in learned.items() if not torch.equal(value, published[name])}
    assert changed == {f"layers.1.self_attn.{part}_proj.weight" for part in ("k", "v", "q", "out")}
    # The checkpoint keeps both, and gives the same where it is a source itself.
    again = origins.tensors_of_run(small.folder / "checkpoints" / "best.safetensors")
    assert all(torch.equal(again[f"encoder.{name}"], value) for name, value in learned.items())
