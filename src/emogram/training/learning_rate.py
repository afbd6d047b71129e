"""The learning-rate range test (Smith 2017): train a little while the rate rises, and see where the loss falls fastest."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emogram.corpora.clip import Clip
from emogram.errors import ConfigurationError, TrainingError
from emogram.training.batches import Batches, require_a_batch
from emogram.training.building import build_classifier
from emogram.training.cache import AudioCache, default_folder
from emogram.training.configuration import Configuration
from emogram.training.data import Batch, EpochSampler
from emogram.training.features import FeatureBatch
from emogram.training.fit import check_device, device_of, set_threads
from emogram.training.learner import Learner
from emogram.training.material import prepare
from emogram.training.run import prepare_fit

_SMOOTHING = 0.05
"""Deviation of the Gaussian that smooths the losses, as part of the batches."""
_MEMORY = 0.9
_BLOWN_UP = 3.0
"""The test ends where the running mean of the loss is so many times its lowest."""
_FEWEST = 10
_UNDER_MINIMUM = 10

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RangeTest:
    """The loss of a batch at each of many rising learning rates.

    Attributes:
        rates: highest learning rate of each step, rising evenly in the logarithm, [S].
        losses: of the batch before that step, [S].
        smoothed: the losses by a Gaussian over their neighbours, [S].
    """

    rates: Floats
    losses: Floats
    smoothed: Floats

    @property
    def minimum(self) -> float:
        """Rate of the lowest smoothed loss."""
        return float(self.rates[self._lowest])

    @property
    def steepest(self) -> float:
        """Rate, before the lowest loss, where the smoothed loss falls fastest for each tenfold."""
        slopes = np.gradient(self.smoothed, np.log10(self.rates))
        return float(self.rates[int(np.argmin(slopes[: self._lowest + 1]))])

    @property
    def suggestion(self) -> float:
        """A tenth of the rate of the lowest loss, where a run can stay without coming apart."""
        return self.minimum / _UNDER_MINIMUM

    @property
    def still_falling(self) -> bool:
        """Whether the lowest loss is at the end, so that higher rates are worth a test."""
        return self._lowest == len(self.rates) - 1

    @property
    def _lowest(self) -> int:
        return int(np.argmin(self.smoothed))


def range_test(
    configuration: Configuration,
    clips: Sequence[Clip],
    *,
    lowest: float = 1e-6,
    highest: float = 1.0,
    batches: int = 100,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> RangeTest:
    """Train for some batches from the run's own start, with its optimiser, while the rate rises; keep nothing.

    It ends early where the loss explodes. The schedule, the accumulation and the averaging of the configuration take no
    part. The rates of blocks rise with that of the head, each at its own factor of it, and blocks that join later do so
    after as many epochs as in the run.

    Args:
        configuration: of the run.
        clips: gathered for it; only the training part is heard.
        lowest: first learning rate.
        highest: last learning rate.
        batches: steps from the first to the last.
        progress: told the steps done, of how many.

    Raises:
        ConfigurationError: rates or a number of batches that cannot be.
        TrainingError: the loss never fell.
        EmogramError: as `emogram.training.run.train`.
    """
    if not 0 < lowest < highest < math.inf:
        raise ConfigurationError(f"rates {lowest:g} to {highest:g}: give two numbers above 0, the lower one first")
    if batches < _FEWEST:
        raise ConfigurationError(f"{batches} batches: too few to see a curve; give {_FEWEST} or more")
    check_device(configuration.runtime)
    set_threads(configuration.runtime)
    material = prepare(configuration, clips)
    require_a_batch(configuration, material)
    cache = AudioCache(configuration.runtime.cache or default_folder(), configuration.audio.sample_rate)
    cache.fill(material.split.train)
    classifier = build_classifier(configuration, len(material.emotions))
    learner, training, _ = prepare_fit(classifier, configuration, material, cache)
    rates = np.geomspace(lowest, highest, batches)
    losses = _losses(learner, training, rates, progress)
    if len(losses) < _FEWEST:
        raise TrainingError(f"the loss explodes at once, at a rate of {rates[len(losses)]:.2g}; begin with a lower one")
    found = RangeTest(rates[: len(losses)], np.array(losses), smooth(losses, _SMOOTHING * batches))
    if found.minimum == rates[0]:
        raise TrainingError(
            f"the loss is lowest at the first rate, {lowest:g}: it never fell; begin with a lower rate or take more batches"
        )
    return found


def smooth(values: Sequence[float], deviation: float) -> Floats:
    """Each value with its neighbours, weighted by a Gaussian of that deviation in places; no lag, and no edge effect."""
    places = np.arange(len(values))
    weights = np.exp(-0.5 * ((places[:, None] - places[None, :]) / max(deviation, 1e-9)) ** 2)
    return np.asarray(weights @ np.asarray(values) / weights.sum(axis=1), dtype=np.float64)


def _losses(learner: Learner, training: Batches, rates: Floats, progress: Callable[[int, int], None]) -> list[float]:
    device = device_of(learner.settings.runtime)
    learner.to(device).train()
    chosen = learner.optimizer_of_run()
    scales = [group["lr"] / learner.settings.fit.optimizer.learning_rate for group in chosen.param_groups]
    losses: list[float] = []
    running = best = math.nan
    for step, (rate, (epoch, given)) in enumerate(zip(rates, _endless(training), strict=False)):
        for group, scale in zip(chosen.param_groups, scales, strict=True):
            group["lr"] = float(rate) * scale
        learner.enter(epoch)
        batch = learner.transfer_batch_to_device(given, device, 0)
        try:
            loss = learner.training_step(batch, step)
            chosen.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            learner.clip_gradient(chosen)
        except TrainingError:  # it has come apart, which is what the end of the curve shows
            break
        value = float(loss.detach())
        running = value if not losses else _MEMORY * running + (1 - _MEMORY) * value
        best = running if not losses else min(best, running)
        losses.append(value)
        progress(step + 1, len(rates))
        if len(losses) >= _FEWEST and running > _BLOWN_UP * best:
            break
        chosen.step()
    return losses


def _endless(training: Batches) -> Iterator[tuple[int, Batch | FeatureBatch]]:
    """Batches with the number of their epoch."""
    sampler = training.batch_sampler
    assert isinstance(sampler, EpochSampler)
    for epoch in itertools.count():
        sampler.set_epoch(epoch)
        for batch in training:
            yield epoch, batch
