"""Networks: clips a second on one thread, forward and in a training step, beside the arithmetic that each asks for.

Clips of 3 s in batches of 4, single precision. The rate of multiply-adds tells what a network's form costs: wide
convolutions come near what the processor can do, kernels of one channel and many small layers do not.
"""

import statistics
import time

import torch
from torch.nn import functional

from emogram.networks.registry import NETWORKS, settings_of
from emogram.networks.speed import measure
from emogram.networks.summary import n_parameters, parts
from emogram.spectrograms import LogMelSettings

_CLIP_S, _RATE, _EMOTIONS, _ROUNDS = 3.0, 16_000, 8, 5


def main() -> None:
    """Print a row a network, and the processor's own rate on one large convolution."""
    torch.set_num_threads(1)
    front_end = LogMelSettings().build(_RATE)
    frames = 1 + round(_CLIP_S * _RATE) // front_end.hop_length
    print(
        f"one thread, {_CLIP_S:g} s clips, fp32; one large convolution: {_convolution_rate() / 1e9:.0f} G multiply-adds/s"
    )
    print(
        f"{'':14} {'parameters':>10} {'G multiply-adds':>15} {'clips/s':>8} {'training':>8} {'G multiply-adds/s':>18}"
    )
    for name in NETWORKS:
        settings = settings_of(name)
        bands = settings.own_bands if name.startswith("whisper-") else front_end.n_bands
        shape = {"channels": 1, "bands": bands, "frames": frames}
        network = settings.build(_EMOTIONS, in_bands=bands)
        count = sum(part.multiply_adds for part in parts(network, **shape))
        parameters = n_parameters(network)
        speed = measure(network, **shape)
        print(
            f"{name:14} {parameters:10,} {count / 1e9:15.3f} {speed.forward:8.1f} {speed.step:8.1f} "
            f"{speed.forward * count / 1e9:18.1f}"
        )


def _convolution_rate() -> float:
    """Multiply-adds a second of a convolution as large as those in the middle of CNN14."""
    x = torch.randn(4, 256, 37, 16).contiguous(memory_format=torch.channels_last)
    kernel = torch.randn(256, 256, 3, 3).contiguous(memory_format=torch.channels_last)
    seconds = []
    for _ in range(_ROUNDS + 1):
        started = time.perf_counter()
        with torch.inference_mode():
            functional.conv2d(x, kernel, padding=1)
        seconds.append(time.perf_counter() - started)
    return x.numel() * kernel.numel() / 256 / statistics.median(seconds[1:])
