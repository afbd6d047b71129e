"""The frame loss: over real frames alone, standardised, in time."""

import pytest
import torch

from emogram.networks.classifier import Classifier
from emogram.networks.cnn import CNNSettings
from emogram.networks.whisper_cnn import WhisperCNNSettings
from emogram.spectrograms import LogMelSettings
from emogram.spectrograms.whisper import WhisperSettings
from emogram.training.distillation.frame_learner import FrameEpoch, FrameStudent
from tests.networks.made_up import disturbed
from tests.training import runs

WIDTH, CHANNELS, STEP = 6, 64, 16


@pytest.fixture
def student() -> FrameStudent:
    torch.manual_seed(0)
    network = CNNSettings.model_validate("cnn-tiny").build(4)
    made = FrameStudent(Classifier(LogMelSettings(n_mels=16).build(runs.RATE), network), CHANNELS, WIDTH)
    disturbed(made)
    made.measure([3 + 2 * torch.randn(50, WIDTH)])
    return made.eval()


def example(frames: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A spectrogram and the teacher's frames, of which the last is not there."""
    torch.manual_seed(seed)
    count = -(-frames // STEP)
    real = torch.ones(1, count)
    real[0, -1] = 0
    return torch.randn(1, 1, 16, frames), 3 + 2 * torch.randn(1, count, WIDTH), real


@torch.no_grad()
def test_a_batch_has_the_errors_of_its_clips(student: FrameStudent) -> None:
    """Whatever the padding holds, and however long it is."""
    lengths = (100, 33, 64)
    examples = [example(length, seed) for seed, length in enumerate(lengths)]
    alone = [student.compare(spec, None, frames, real, bf16=False) for spec, frames, real in examples]
    spec, frames, real = 7 * torch.randn(3, 1, 16, 150), 100 * torch.randn(3, 8, WIDTH), torch.ones(3, 8)
    for place, (own_spec, own_frames, own_real) in enumerate(examples):
        spec[place, ..., : own_spec.shape[3]] = own_spec[0]
        frames[place, : own_frames.shape[1]] = own_frames[0]
        real[place, : own_real.shape[1]] = own_real[0]
    together = student.compare(spec, torch.tensor(lengths), frames, real, bf16=False)
    for value, parts in zip(together, zip(*alone, strict=True), strict=True):
        torch.testing.assert_close(value, torch.stack(parts).sum(), rtol=1e-4, atol=1e-4)
    assert int(together[2]) == WIDTH * sum(-(-length // STEP) - 1 for length in lengths)


@torch.no_grad()
def test_more_or_fewer_frames_of_the_teacher_do_no_harm(student: FrameStudent) -> None:
    spec, frames, real = example(100, 0)
    exact = student.compare(spec, None, frames, real, bf16=False)
    longer = torch.nn.functional.pad(frames, (0, 0, 0, 2), value=9.0), torch.nn.functional.pad(real, (0, 2))
    shorter = frames[:, :-1], real[:, :-1]
    for given in (longer, shorter):
        torch.testing.assert_close(student.compare(spec, None, *given, bf16=False), exact)


@torch.no_grad()
def test_the_error_is_of_standardised_frames(student: FrameStudent) -> None:
    """A student that gives the mean of the training frames explains nothing, one that gives them all."""
    student.map.weight.zero_()
    student.map.bias.zero_()
    spec, frames, real = example(100, 0)
    error, power, count = student.compare(spec, None, frames, real, bf16=False)
    assert float(error) == pytest.approx(float(power))
    expected = ((frames - student.mean) / student.deviation)[0, :-1].square().sum()
    assert float(error) == pytest.approx(float(expected), rel=1e-5)
    constant = student.mean + 0.5 * student.deviation
    student.map.bias.fill_(0.5)
    error, _, count = student.compare(spec, None, constant.expand_as(frames), real, bf16=False)
    assert float(error) == pytest.approx(0, abs=1e-5)
    assert int(count) == 6 * WIDTH


def test_statistics_are_of_each_dimension(student: FrameStudent) -> None:
    values = torch.randn(40, WIDTH) * torch.arange(WIDTH) + 5
    student.measure([values[:10], values[10:]])
    torch.testing.assert_close(student.mean, values.mean(dim=0))
    torch.testing.assert_close(student.deviation[1:], values.std(dim=0)[1:])
    assert float(student.deviation[0]) > 0


def test_what_is_made_of_an_encoder_starts_from_its_last_block() -> None:
    """Of both pooled blocks the map reads the last, in the teacher's units."""
    torch.manual_seed(0)
    network = WhisperCNNSettings.model_validate("whisper-cnn").build(4).eval()
    made = FrameStudent(Classifier(WhisperSettings().build(runs.RATE), network), 768, 384)
    made.measure([3 + 2 * torch.randn(50, 384)])
    spec = torch.randn(1, 1, 80, 20)
    with torch.no_grad():
        maps, _ = network.features(spec)
        last = maps[0, 384:, 0].T
        error, _, count = made.compare(spec, None, last[None], torch.ones(1, 10), bf16=False)
    assert float(error) / int(count) < 1e-8


def test_the_map_is_all_that_is_added(student: FrameStudent) -> None:
    own = set(Classifier(student.spectrogram, student.network).state_dict())
    assert set(student.state_dict()) - own == {"map.weight", "map.bias", "mean", "deviation"}


def test_a_person_who_waits_is_told_what_is_explained() -> None:
    assert FrameEpoch(1, 1e-3, 0.81, 0.75, 2.0).line() == "frames: loss 0.81, 25 % of variance explained"
