"""A run from published weights: the frozen part is computed once, and the model file answers as the run did."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from emogram.evaluation.predictions import read_predictions
from emogram.networks.whisper import SIZES, WhisperEncoder
from emogram.recognition import load
from emogram.training.checkpoints import load_weights
from emogram.training.features import FrozenFeatures
from tests.training import runs

pytestmark = pytest.mark.timeout(400)
PREFIX = "model.encoder."


@pytest.fixture(scope="module")
def source(narrow_whisper: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    encoder = WhisperEncoder(SIZES["tiny"], blocks=2).state_dict()
    path = tmp_path_factory.mktemp("published") / "model.safetensors"
    save_file({PREFIX + name: tensor.contiguous() for name, tensor in encoder.items()}, path)
    return path


def test_a_run_on_kept_outputs(small: runs.Small, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[tuple[str, int]] = []
    original = FrozenFeatures._compute

    def counted(self: FrozenFeatures, clip: object, copy: int) -> None:
        computed.append((clip.clip_id, copy))  # type: ignore[attr-defined]
        original(self, clip, copy)  # type: ignore[arg-type]

    monkeypatch.setattr(FrozenFeatures, "_compute", counted)
    metrics = small.train(
        "spectrogram=whisper",
        "network={name: whisper-tiny, blocks: 2, pooled: 1}",
        f"transfer={{source: {json.dumps(str(source))}, trained: 1, copies: 1}}",
    )
    parts = {
        part: read_predictions(small.folder / f"predictions-{part}.csv") for part in ("train", "validation", "test")
    }
    train, validation, test = (set(parts[part].clip_ids) for part in ("train", "validation", "test"))
    assert {clip for clip, _ in computed} == train | validation
    assert not {clip for clip, _ in computed} & test
    assert sorted(computed) == sorted(
        {(clip, copy) for clip in train for copy in (0, 1)} | {(c, 0) for c in validation}
    )
    torch.manual_seed(1)
    before = WhisperEncoder(SIZES["tiny"], blocks=2)
    after = load_weights(small.folder / "checkpoints" / "best.safetensors", "classifier.network.encoder.")
    for name, tensor in before.state_dict().items():
        changed = not torch.equal(tensor, after[name])
        assert changed == name.startswith("layers.1."), name
    model = load(small.folder / "model.onnx")
    clip = next(clip for clip in small.clips if clip.clip_id in test)
    answer = model.predict(clip.path)
    row = parts["test"].clip_ids.index(clip.clip_id)
    given = np.array([answer.probabilities[emotion] for emotion in parts["test"].emotions])
    assert np.abs(given - parts["test"].probabilities[row]).max() < 1e-3
    assert metrics["export_difference"] <= 1e-4
