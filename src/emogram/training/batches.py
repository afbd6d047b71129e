"""The batches of a run: shuffled and augmented to train, whole and in order of length to evaluate."""

from collections.abc import Sequence

from torch.utils.data import DataLoader

from emogram.errors import TrainingError
from emogram.networks.classifier import Classifier
from emogram.networks.encoder import BlocksSettings
from emogram.training.cache import AudioCache
from emogram.training.configuration import Configuration
from emogram.training.data import Batch, ClipDataset, EpochSampler, LengthSampler, collate
from emogram.training.features import FeatureBatch, FeatureDataset, FrozenFeatures, collate_features
from emogram.training.material import Material

_EVALUATED_AT_ONCE = 16
_FEWEST_STANDARDISED = 2

Batches = DataLoader[Batch] | DataLoader[FeatureBatch]


def require_a_batch(configuration: Configuration, material: Material) -> None:
    """Make sure that there are clips enough for a batch that the network can be trained with.

    Raises:
        TrainingError: one clip, which cannot be standardised over the clips of its batch.
    """
    count = len(material.split.train)
    if count < _FEWEST_STANDARDISED and isinstance(configuration.network, BlocksSettings):
        raise TrainingError(
            f"the training part has {count} clip, and network={configuration.network.name} standardises over the clips of a "
            f"batch, which takes {_FEWEST_STANDARDISED} or more; give more clips or choose another split or network"
        )


def run_batches(
    classifier: Classifier, configuration: Configuration, material: Material, cache: AudioCache, frozen: int | None
) -> tuple[Batches, Batches]:
    """The batches that train and validate a run, as outputs of its `frozen` first blocks where there are such."""
    if frozen is not None:
        return feature_batches(classifier, configuration, material, cache, frozen)
    training = training_batches(material.dataset("train", cache, augmented_by=configuration), configuration)
    return training, evaluation_batches(material.dataset("validation", cache))


def training_batches(dataset: ClipDataset, configuration: Configuration) -> DataLoader[Batch]:
    """Shuffled, augmented batches."""
    sampler = training_order(dataset.targets, configuration)
    return DataLoader(dataset, batch_sampler=sampler, collate_fn=collate)  # type: ignore[arg-type]


def training_order(targets: Sequence[int], configuration: Configuration) -> EpochSampler:
    """Which clips of the training part, given by their emotions, make a batch."""
    return EpochSampler(
        targets,
        batch_size=configuration.fit.batch_size,
        seed=configuration.seed,
        balanced=configuration.fit.balance == "sampling",
    )


def evaluation_batches(dataset: ClipDataset, batch_size: int = _EVALUATED_AT_ONCE) -> DataLoader[Batch]:
    """Every clip once, whole."""
    return DataLoader(dataset, batch_sampler=evaluation_order(dataset, batch_size), collate_fn=collate)  # type: ignore[arg-type]


def evaluation_order(dataset: ClipDataset, batch_size: int = _EVALUATED_AT_ONCE) -> LengthSampler:
    """Clips of like length in a batch, each once."""
    return LengthSampler([clip.duration_s for clip in dataset.clips], batch_size=batch_size)


def feature_batches(
    classifier: Classifier, configuration: Configuration, material: Material, cache: AudioCache, frozen: int
) -> tuple[DataLoader[FeatureBatch], DataLoader[FeatureBatch]]:
    """Batches of training and of validation as outputs of the first `frozen` blocks, which are computed and kept first."""
    assert configuration.transfer is not None
    copies = configuration.transfer.copies
    chain, spectrogram = configuration.augmentation.waveform, configuration.spectrogram
    features = FrozenFeatures(cache.folder, classifier, frozen, cache, chain, spectrogram=spectrogram)
    features.fill(material.split.validation, (0,))
    features.fill(material.split.train, range(copies + 1))
    train = FeatureDataset(
        material.dataset("train", cache, augmented_by=configuration),
        features,
        copies=copies,
        crop_s=configuration.audio.clip_s,
    )
    validation = FeatureDataset(material.dataset("validation", cache), features, copies=0, crop_s=None)
    order = training_order(train.targets, configuration)
    lengths = LengthSampler([clip.duration_s for clip in validation.clips], batch_size=_EVALUATED_AT_ONCE)
    return (
        DataLoader(train, batch_sampler=order, collate_fn=collate_features),  # type: ignore[arg-type]
        DataLoader(validation, batch_sampler=lengths, collate_fn=collate_features),  # type: ignore[arg-type]
    )
