"""A soup: several fits from one start that differ in their draws alone, and the mean of their weights.

Wortsman et al. 2022, Model soups: averaging weights of multiple fine-tuned models improves accuracy without increasing
inference time. Fits that start from the same weights end in one basin, where the mean answers much as their ensemble does.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from emogram.errors import ConfigurationError
from emogram.networks.classifier import Classifier
from emogram.training.batches import Batches
from emogram.training.checkpoints import load, save
from emogram.training.configuration import Configuration
from emogram.training.data import generator
from emogram.training.fit import BEST, LAST, checkpoint, fit
from emogram.training.history import Epoch, History
from emogram.training.learner import Learner

_FOLDER = "soup"

Prepare = Callable[[Configuration], tuple[Learner, Batches, Batches]]
"""What is fitted with a configuration, and its batches."""


def require_a_start(configuration: Configuration) -> None:
    """Make sure that fits of a soup have something in common to start from.

    Raises:
        ConfigurationError: they start at random, or learn factors whose mean is not that of their products.
    """
    count, transfer, taught = configuration.fit.soup, configuration.transfer, configuration.distillation
    if count == 1:
        return
    if transfer is None and (taught is None or taught.teacher is None):
        raise ConfigurationError(
            f"fit.soup={count}: fits that start at random have nothing in common and their mean is no network; give "
            "transfer.source or distillation.teacher, or choose 1"
        )
    if transfer is not None and transfer.lora_rank:
        raise ConfigurationError(
            f"fit.soup={count}: the mean of factors of low rank is not that of their products; choose transfer.lora_rank=0 or 1"
        )


def fit_soup(
    classifier: Classifier, configuration: Configuration, prepare: Prepare, folder: Path, say: Callable[[str], None]
) -> None:
    """Do the fits, or continue them, and leave the mean of their best weights as the best checkpoint of the run.

    Each fit lies in ``soup/<n>`` of the run folder; the first draws what a single fit would. ``history.csv`` of the run is
    the mean over the fits, epoch by epoch.

    Args:
        classifier: as every fit starts; left as the last one was.
        configuration: of the run.
        prepare: gives the learner of the same classifier and its batches.
        folder: of the run.
        say: told what happens.

    Raises:
        TrainingError: a fit diverged.
        KeyboardInterrupt: interrupted; what is in the folder can be continued.
    """
    parts = [folder / _FOLDER / str(number + 1) for number in range(configuration.fit.soup)]
    whole = checkpoint(folder, BEST)
    if not whole.exists():
        start = {name: tensor.clone() for name, tensor in classifier.state_dict().items()}
        learns = {name: weight.requires_grad for name, weight in classifier.named_parameters()}
        histories = []
        for number, part in enumerate(parts):
            say(f"soup: fit {number + 1} of {len(parts)}")
            part.mkdir(parents=True, exist_ok=True)
            classifier.cpu().load_state_dict(start)
            # An earlier fit may not have let every block learn; optimisers of other weights could not be continued.
            for name, weight in classifier.named_parameters():
                weight.requires_grad_(learns[name])
            histories.append(fit(*prepare(_of_fit(configuration, number)), part).epochs)
        history = History(folder / "history.csv")
        history.epochs = _mean_history(histories)
        history.write()
        save({"state_dict": mean_weights([checkpoint(part, BEST) for part in parts])}, whole)
    for part in parts:
        for name in (BEST, LAST):
            checkpoint(part, name).unlink(missing_ok=True)


def mean_weights(checkpoints: Sequence[Path]) -> dict[str, Tensor]:
    """The mean of the weights of checkpoints of one network; of counts, which are no weights, those of the first.

    Raises:
        ModelError: one cannot be read.
    """
    states: list[dict[str, Tensor]] = [load(path)["state_dict"] for path in checkpoints]
    return {
        name: torch.stack([state[name].double() for state in states]).mean(dim=0).to(tensor)
        if tensor.is_floating_point()
        else tensor
        for name, tensor in states[0].items()
    }


def _of_fit(configuration: Configuration, number: int) -> Configuration:
    if number == 0:
        return configuration
    seed = int(generator(configuration.seed, "soup", number).integers(2**62))
    return configuration.model_copy(update={"seed": seed})


def _mean_history(histories: Sequence[Sequence[Epoch]]) -> list[Epoch]:
    """Mean scores of every epoch, of those fits that came so far."""
    longest = max(len(epochs) for epochs in histories)
    rows = []
    for place in range(longest):
        together = [epochs[place] for epochs in histories if place < len(epochs)]
        means: dict[str, Any] = {
            field.name: statistics.fmean(getattr(epoch, field.name) for epoch in together) for field in fields(Epoch)
        }
        rows.append(Epoch(**{**means, "epoch": place + 1}))
    return rows
