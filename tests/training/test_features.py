"""Outputs of frozen blocks: what the network itself gives, kept, shared, and never those of another setting."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from emogram.corpora import Clip
from emogram.errors import ConfigurationError, CorpusError
from emogram.networks.classifier import Classifier
from emogram.networks.encoder import EncoderBlock, EncoderNetwork
from emogram.networks.whisper import SIZES, WhisperNetworkSettings
from emogram.networks.whisper_cnn import WhisperCNNSettings
from emogram.spectrograms import SPECTROGRAMS, LogMelSettings
from emogram.training.cache import AudioCache
from emogram.training.configuration import validate
from emogram.training.data import ClipDataset
from emogram.training.features import FeatureDataset, FrozenFeatures, collate_features
from tests.training import runs

AUGMENTATION = validate({}).augmentation.waveform
PICTURE = SPECTROGRAMS["whisper"].model_validate({})
HALF = 4e-3
"""What half precision may change of a value, in parts of the largest."""


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    torch.manual_seed(0)
    settings = {"name": "whisper-tiny", "blocks": 2, "pooled": 2}
    return Classifier(PICTURE.build(runs.RATE), WhisperNetworkSettings.model_validate(settings).build(4)).eval()


@pytest.fixture(scope="module")
def clips(material: runs.Material) -> list[Clip]:
    return material.clips()[:5]


def features(classifier: Classifier, folder: Path, cache: Path, frozen: int = 1) -> FrozenFeatures:
    return FrozenFeatures(folder, classifier, frozen, AudioCache(cache, runs.RATE), AUGMENTATION, spectrogram=PICTURE)


def test_they_are_what_the_network_gives(
    classifier: Classifier, clips: list[Clip], material: runs.Material, tmp_path: Path
) -> None:
    kept = features(classifier, tmp_path, material.cache)
    kept.fill(clips, (0, 1))
    network = classifier.network
    assert isinstance(network, EncoderNetwork)
    for clip in clips:
        for copy in (0, 1):
            wave = torch.from_numpy(kept.wave(clip, copy))[None]
            with torch.no_grad():
                expected = network.lower(*classifier.spec(wave), frozen=1)[0][0].numpy()
            given = kept(clip, copy)
            assert given.dtype == np.float16
            assert given.shape == expected.shape
            assert np.abs(given - expected).max() < HALF * np.abs(expected).max()


def test_copies_differ_and_are_the_same_for_everyone(
    classifier: Classifier, clips: list[Clip], material: runs.Material, tmp_path: Path
) -> None:
    one, other = (features(classifier, tmp_path / name, material.cache) for name in ("one", "other"))
    waves = [one.wave(clips[0], copy) for copy in range(3)]
    assert np.array_equal(waves[0], one.cache(clips[0]))
    assert len({len(wave) for wave in waves} | {float(wave.std()) for wave in waves}) >= 3
    assert np.array_equal(one(clips[0], 2), other(clips[0], 2))


def test_nothing_is_computed_twice_and_damage_is_mended(
    classifier: Classifier, clips: list[Clip], material: runs.Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = features(classifier, tmp_path, material.cache)
    kept.fill(clips, (0,))
    before = kept(clips[0], 0).copy()
    with monkeypatch.context() as patch:
        patch.setattr(kept, "_compute", lambda *_: pytest.fail("computed again"))
        kept.fill(clips, (0,))
        assert np.array_equal(kept(clips[0], 0), before)
    (path,) = tmp_path.rglob(f"{clips[0].sha256}-0.npy")
    path.write_bytes(b"damaged")
    assert np.array_equal(kept(clips[0], 0), before)
    assert not list(tmp_path.rglob("*.partial"))


def test_another_weight_setting_or_cut_is_another_folder(
    classifier: Classifier, material: runs.Material, tmp_path: Path
) -> None:
    folders = {features(classifier, tmp_path, material.cache, frozen).folder for frozen in (0, 1, 2)}
    other = FrozenFeatures(
        tmp_path,
        classifier,
        1,
        AudioCache(material.cache, runs.RATE),
        AUGMENTATION[:1],
        spectrogram=PICTURE,
    )
    folders.add(other.folder)
    network = classifier.network
    assert isinstance(network, EncoderNetwork)
    first, second = network.encoder.layers
    assert isinstance(first, EncoderBlock)
    assert isinstance(second, EncoderBlock)
    lower, upper = first.fc1.weight, second.fc1.weight
    before = lower.detach().clone()
    with torch.no_grad():
        lower[0, 0] += 1
        folders.add(features(classifier, tmp_path, material.cache).folder)
        lower.copy_(before)
        upper[0, 0] += 1  # above the cut: nothing that is kept depends on it
        folders.add(features(classifier, tmp_path, material.cache).folder)
    assert len(folders) == 5


def test_another_picture_is_another_folder(material: runs.Material, tmp_path: Path) -> None:
    """Its settings, and the statistics that standardise it, which each fold measures on its own training part."""
    settings = {"name": "whisper-cnn", "blocks": 2, "pooled": 1, "hidden": 16}
    network = WhisperCNNSettings.model_validate(settings).build(4)
    cache, folders = AudioCache(material.cache, runs.RATE), set[Path]()
    for fields in ({}, {"n_mels": 64}, {"fmax_hz": 4000.0}, {"floor": 1e-3}):
        picture = LogMelSettings.model_validate({"n_mels": 80, **fields})
        classifier = Classifier(picture.build(runs.RATE), network)
        for mean in (0.0, -5.32, -5.11):
            classifier.standardisation.mean.fill_(mean)
            folders.add(FrozenFeatures(tmp_path, classifier, 1, cache, (), spectrogram=picture).folder)
    assert len(folders) == 4 * 3


def test_copies_in_noise_are_of_the_recordings_that_sound(
    classifier: Classifier, material: runs.Material, tmp_path: Path
) -> None:
    def folder(place: str, level: float) -> Path:
        noises = tmp_path / place / "noises"
        noises.mkdir(parents=True)
        soundfile.write(noises / "1-a.wav", np.full(800, level), runs.RATE)
        chain = validate({"augmentation": {"waveform": [{"name": "background", "folder": str(noises)}]}}).augmentation
        cache = AudioCache(material.cache, runs.RATE)
        return FrozenFeatures(tmp_path, classifier, 1, cache, chain.waveform, spectrogram=PICTURE).folder

    assert folder("here", 0.1) == folder("there", 0.1)
    assert folder("elsewhere", 0.2) != folder("anywhere", 0.1)


def test_batches_are_padded_and_masked(
    classifier: Classifier, clips: list[Clip], material: runs.Material, tmp_path: Path
) -> None:
    cache = AudioCache(material.cache, runs.RATE)
    emotions = sorted({clip.emotion for clip in clips})
    allowed = {clip.corpus: frozenset(emotions) for clip in clips}
    part = ClipDataset(clips, cache, emotions=emotions, allowed=allowed, seed=5)
    kept = features(classifier, tmp_path, material.cache)
    whole = FeatureDataset(part, kept, copies=0, crop_s=None)
    batch = collate_features([whole[(0, index)] for index in range(len(clips))])
    lengths = [kept(clip, 0).shape[1] for clip in clips]
    assert batch.n_positions.tolist() == lengths
    assert batch.hidden.shape == (len(clips), 1, SIZES["tiny"].width, max(lengths))
    for hidden, length, clip in zip(batch.hidden, lengths, clips, strict=True):
        assert float(hidden[..., length:].abs().sum()) == 0
        assert np.array_equal(hidden[0, :, :length].numpy().T, kept(clip, 0)[0].astype(np.float32))
    cropped = FeatureDataset(part, kept, copies=2, crop_s=0.2)
    assert all(cropped[(epoch, 0)].hidden.shape[1] == 10 for epoch in range(3))
    again = FeatureDataset(part, kept, copies=2, crop_s=0.2)
    assert torch.equal(cropped[(3, 1)].hidden, again[(3, 1)].hidden)
    seen = {float(cropped[(epoch, 0)].hidden.sum()) for epoch in range(8)}
    assert len(seen) > 3


def test_copies_hold_no_other_clip(
    classifier: Classifier, clips: list[Clip], material: runs.Material, tmp_path: Path
) -> None:
    chain = validate({"augmentation": {"waveform": [{"name": "babble", "probability": 1}]}}).augmentation.waveform
    kept = FrozenFeatures(tmp_path, classifier, 1, AudioCache(material.cache, runs.RATE), chain, spectrogram=PICTURE)
    with pytest.raises(ConfigurationError, match="babble"):
        kept(clips[0], 1)


def test_a_clip_without_a_hash_is_refused(classifier: Classifier, material: runs.Material, tmp_path: Path) -> None:
    clip = Clip(path="x.wav", clip_id="x", corpus="folder", speaker="s", emotion="sad", raw_label="sad")
    with pytest.raises(CorpusError, match="no sha256"):
        features(classifier, tmp_path, material.cache)(clip, 0)
