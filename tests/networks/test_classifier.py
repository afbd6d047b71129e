"""From wave to logits: padding, statistics and temperature."""

import pytest
import torch

from emogram.networks.classifier import Classifier, Recognition
from emogram.spectrograms import LogMelSettings
from tests.networks.made_up import cnn, disturbed


@pytest.fixture
def classifier() -> Classifier:
    torch.manual_seed(0)
    made = Classifier(LogMelSettings().build(16_000), cnn("cnn-tiny", 4))
    disturbed(made)
    made.standardisation.mean.fill_(-5.0)
    made.standardisation.deviation.fill_(2.0)
    return made


def waves(*lengths: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    rows = [0.1 * torch.randn(length, generator=generator) for length in lengths]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)


@pytest.mark.parametrize("lengths", [(8000, 4321, 1), (8000, 7999, 7840), (160, 159, 161), (1, 1, 1)])
def test_a_padded_wave_gives_what_it_gives_alone(classifier: Classifier, lengths: tuple[int, ...]) -> None:
    wave = waves(*lengths)
    with torch.inference_mode():
        together = classifier(wave, torch.tensor(lengths))
        for clip, length in enumerate(lengths):
            alone = classifier(wave[clip : clip + 1, :length])
            assert (together[clip] - alone[0]).abs().max() < 1e-4


def test_frames_are_counted_only_where_something_is_padded(classifier: Classifier) -> None:
    wave = waves(3200, 3200)
    assert classifier.spec(wave)[1] is None
    assert classifier.spec(wave, torch.tensor([3200, 3200]))[1] is None
    n_frames = classifier.spec(wave, torch.tensor([3200, 1599]))[1]
    assert n_frames is not None
    assert n_frames.tolist() == [21, 10]


def test_the_spectrogram_is_standardised_by_the_stored_statistics(classifier: Classifier) -> None:
    wave = waves(3200, 3200)
    torch.testing.assert_close(classifier.spec(wave)[0], (classifier.spectrogram(wave) + 5.0) / 2.0)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_recognition_is_the_softmax_of_tempered_logits(classifier: Classifier, temperature: float) -> None:
    wave = waves(3200, 3200)
    with torch.inference_mode():
        logits = classifier(wave)
        probabilities = Recognition(classifier, temperature)(wave)
    powers = (logits.double() / temperature).exp()
    torch.testing.assert_close(probabilities.double(), powers / powers.sum(dim=1, keepdim=True), rtol=1e-5, atol=1e-7)
