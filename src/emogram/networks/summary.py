"""What a network costs: parameters and multiply-adds."""

import torch
from torch import Tensor, nn

from emogram.networks.classifier import Classifier


def n_parameters(module: nn.Module) -> int:
    """Number of trained numbers."""
    return sum(parameter.numel() for parameter in module.parameters())


@torch.no_grad()
def multiply_adds(classifier: Classifier, n_samples: int) -> int:
    """Multiply-adds of the network's convolutions and linear layers for one clip of that many samples.

    The spectrogram, normalisations and activations are left out, as is usual in the literature.
    """
    total = 0

    def count(module: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        weight = module.weight
        assert isinstance(weight, Tensor)
        total += output.numel() * weight.numel() // weight.shape[0]

    counted = (nn.Conv1d, nn.Conv2d, nn.Linear)
    handles = [m.register_forward_hook(count) for m in classifier.network.modules() if isinstance(m, counted)]
    training = classifier.training
    classifier.eval()
    try:
        classifier(torch.zeros(1, n_samples))
    finally:
        classifier.train(training)
        for handle in handles:
            handle.remove()
    return total
