"""How fast a network computes here and now."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional

from emogram.networks.network import Network

_ROUNDS = 3


@dataclass(frozen=True)
class Speed:
    """Clips a second.

    Args:
        forward: of a batch in evaluation.
        step: of a training step: forward, backward and the step of plain gradient descent.
        threads: that computed.
    """

    forward: float
    step: float
    threads: int


def measure(network: Network, *, channels: int, bands: int, frames: int, clips: int = 4) -> Speed:
    """Measure in single precision: the median of a few rounds after a first that does not count.

    The network is trained a little by it: measure one that is not needed afterwards.

    Args:
        network: to measure.
        channels: C of the spectrogram.
        bands: F of the spectrogram.
        frames: N of the spectrogram.
        clips: in a batch.
    """
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    spec = torch.randn(clips, channels, bands, frames).contiguous(memory_format=torch.channels_last)
    targets = torch.arange(clips) % network.head.out_features
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-6)

    def forward() -> None:
        with torch.inference_mode():
            network.eval()(spec)

    def step() -> None:
        optimizer.zero_grad()
        functional.cross_entropy(network.train()(spec), targets).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return Speed(_rate(forward, clips), _rate(step, clips), torch.get_num_threads())


def _rate(work: Callable[[], None], clips: int) -> float:
    seconds = []
    for _ in range(_ROUNDS + 1):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return clips / statistics.median(seconds[1:])
