"""A classifier from its configuration, with random weights, those of a source, or the best of a run."""

from pathlib import Path

import torch

from emogram.errors import ConfigurationError
from emogram.networks.classifier import Classifier
from emogram.networks.low_rank import merge
from emogram.training.cache import default_folder
from emogram.training.checkpoints import load_weights
from emogram.training.configuration import Configuration
from emogram.training.data import generator
from emogram.training.fit import BEST, checkpoint
from emogram.training.transfer import freeze, start


def build_classifier(configuration: Configuration, n_classes: int) -> Classifier:
    """The classifier with random weights that follow from the seed.

    Raises:
        ConfigurationError: settings that rule each other out, or a network that no memory can hold.
    """
    torch.manual_seed(int(generator(configuration.seed, "weights").integers(2**62)))
    front_end = configuration.spectrogram.build(configuration.audio.sample_rate)
    try:
        network = configuration.network.build(n_classes, in_channels=front_end.n_channels, in_bands=front_end.n_bands)
    except (RuntimeError, MemoryError) as error:
        raise ConfigurationError("network: there is not enough memory for it; choose fewer channels") from error
    classifier = Classifier(front_end, network)
    if configuration.transfer is not None:
        start(
            classifier,
            configuration.transfer.of_fold(configuration.split.fold),
            network_name=configuration.network.name,
            picture=configuration.spectrogram,
            sample_rate=configuration.audio.sample_rate,
            downloads=(configuration.runtime.cache or default_folder()) / "weights",
        )
        freeze(network, configuration.transfer)
    classifier.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return classifier


def load_best(classifier: Classifier, folder: Path) -> None:
    """Put the weights that validation picked into a classifier of the run's configuration, ready to answer.

    Raises:
        ModelError: the checkpoint is missing or damaged.
    """
    classifier.cpu().eval()
    classifier.load_state_dict(load_weights(checkpoint(folder, BEST), "classifier."))
    merge(classifier.network)
