"""The range test: what it suggests from a curve, and that a real one rises, repeats itself and keeps nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from emogram.errors import ConfigurationError, TrainingError
from emogram.networks.encoder import EncoderNetwork
from emogram.training import learning_rate
from emogram.training.learner import Learner
from emogram.training.learning_rate import RangeTest, range_test, smooth
from emogram.training.transfer import normalisations
from tests.training import runs
from tests.training.distillation.teachers import publish

RATES = np.geomspace(1e-6, 1.0, 61)


def curve(fall: float, rise: float) -> RangeTest:
    """A loss that falls around one rate and rises around a later one, both as a logistic curve of the logarithm."""
    place = np.log10(RATES)
    losses = 2 - 1 / (1 + np.exp(-6 * (place - fall))) + 5 / (1 + np.exp(-12 * (place - rise)))
    return RangeTest(RATES, losses, losses)


def test_the_steepest_descent_and_a_tenth_of_the_minimum_are_suggested() -> None:
    found = curve(fall=-3.0, rise=-1.0)
    assert found.steepest == pytest.approx(1e-3)
    assert 1e-3 < found.minimum < 1e-1
    assert found.suggestion == pytest.approx(found.minimum / 10)
    assert not found.still_falling
    assert curve(fall=-3.0, rise=9.0).still_falling


def test_smoothing_keeps_level_and_place() -> None:
    assert smooth([3.0] * 20, 2.0) == pytest.approx(np.full(20, 3.0))
    assert smooth(list(range(21)), 2.0)[10] == pytest.approx(10)
    noise = np.random.default_rng(0).standard_normal(200)
    assert smooth(noise.tolist(), 5.0)[20:180].std() < 0.35 * noise.std()
    assert int(np.argmin(smooth([abs(place - 30.0) for place in range(60)], 3.0))) == 30


@pytest.fixture(scope="module")
def found(material: runs.Material) -> RangeTest:
    return measured(material)


def measured(material: runs.Material, *settings: str, **options: Any) -> RangeTest:
    configuration = material.configuration("fit.batch_size=4", *settings)
    clips = [clip for clip in material.clips() if clip.emotion in {"angry", "sad"}]
    return range_test(configuration, clips, **{"batches": 14, "lowest": 1e-4, "highest": 1.0, **options})


def test_a_real_one_rises_and_repeats_itself(material: runs.Material, found: RangeTest) -> None:
    told: list[tuple[int, int]] = []
    again = measured(material, progress=lambda done, total: told.append((done, total)))
    assert np.array_equal(found.losses, again.losses)
    assert np.isfinite(found.losses).all()
    assert found.rates[0] == 1e-4
    assert np.diff(np.log(found.rates)) == pytest.approx(np.log(1e4) / 13)
    assert len(found.rates) == len(found.losses) == len(found.smoothed)
    assert told == [(step + 1, 14) for step in range(len(again.losses))]


def test_the_optimiser_of_the_configuration_is_measured(material: runs.Material, found: RangeTest) -> None:
    other = measured(material, "fit.optimizer=sgd")
    assert other.losses[0] == found.losses[0]
    assert other.losses[3] != found.losses[3]


def test_what_comes_apart_ends_the_curve(material: runs.Material, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Learner._network
    calls: list[int] = []

    def breaking(*arguments: Any) -> Any:
        calls.append(1)
        return network(*arguments) * (float("nan") if len(calls) > 12 else 1.0)

    monkeypatch.setattr(Learner, "_network", breaking)
    assert len(measured(material).losses) <= 12
    calls[:] = [1] * 12
    with pytest.raises(TrainingError, match=r"the loss explodes at once, at a rate of 0\.0001; begin with a lower one"):
        measured(material)


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Learner, int, torch.optim.Optimizer]]:
    """Every step's learner, with how many weights of the network learn in it, and the optimiser."""
    met = list[tuple[Learner, int, torch.optim.Optimizer]]()
    original = Learner.clip_gradient

    def look(learner: Learner, optimizer: torch.optim.Optimizer) -> None:
        met.append((learner, sum(w.requires_grad for w in learner.classifier.network.parameters()), optimizer))
        original(learner, optimizer)

    monkeypatch.setattr(Learner, "clip_gradient", look)
    return met


def test_blocks_learn_when_and_as_fast_as_in_a_run(
    material: runs.Material,
    narrow_whisper: None,
    tmp_path: Path,
    entered: list[tuple[Learner, int, torch.optim.Optimizer]],
) -> None:
    source = publish(tmp_path / "model.safetensors")
    blocks = ("spectrogram=whisper", "network={name: whisper-tiny, blocks: 2, pooled: 1}")
    transfer = f"transfer={{source: {source}, unfreeze_every: 1, rate: 0.5, layer_decay: 0.5}}"
    found = measured(material, *blocks, transfer)
    learning = [count for _, count, _ in entered]
    learner, _, optimizer = entered[-1]
    network = learner.classifier.network
    assert isinstance(network, EncoderNetwork)
    whole = len(list(network.parameters()))
    block, head = (len(list(part.parameters())) for part in (network.encoder.layers[0], network.head))
    steps = {count: learning.count(count) for count in learning}
    assert list(steps) == [head, head + block, head + 2 * block, whole]
    assert learning == sorted(learning)
    assert len(set(list(steps.values())[:-1])) == 1
    run = learner.configure_optimizers()["optimizer"]
    rates = {group["lr"] / found.rates[len(entered) - 1] for group in optimizer.param_groups}
    assert sorted(rates) == pytest.approx([0.125, 0.25, 0.5, 1.0])
    assert len(optimizer.param_groups) == len(run.param_groups)


def test_frozen_normalisation_keeps_its_statistics(
    material: runs.Material, tmp_path: Path, entered: list[tuple[Learner, int, torch.optim.Optimizer]]
) -> None:
    weights = tmp_path / "run"
    small = runs.Small(material, weights)
    small.train("fit.epochs=1", scores_only=True)
    measured(material, f"transfer={{source: {weights}, batch_norm: frozen}}")
    network = entered[-1][0].classifier.network
    assert normalisations(network)
    assert not any(part.training for part in normalisations(network))


def test_a_loss_that_never_fell_is_one_line(material: runs.Material, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning_rate, "_losses", lambda *_: [1.0 + step for step in range(14)])
    with pytest.raises(
        TrainingError, match=r"lowest at the first rate, 0\.0001: it never fell; begin with a lower rate"
    ):
        measured(material)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lowest": 0.0}, "rates 0 to 1: give two numbers above 0, the lower one first"),
        ({"lowest": 2.0}, "rates 2 to 1: give two"),
        ({"highest": float("inf")}, "rates 0.0001 to inf"),
        ({"batches": 9}, "9 batches: too few to see a curve; give 10 or more"),
    ],
)
def test_rates_and_batches_that_cannot_be_are_one_line(
    material: runs.Material, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        measured(material, **options)
