"""Everything that a configuration can name, by kind: what `emogram list` and the reference are made from."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from emogram.augmentation import AUGMENTATIONS
from emogram.networks.registry import NETWORKS
from emogram.spectrograms import SPECTROGRAMS
from emogram.training.optimisation.optimizers import OPTIMIZERS
from emogram.training.optimisation.schedules import SCHEDULES
from emogram.training.schema import FieldFacts, facts


@dataclass(frozen=True)
class Variant:
    """One thing that a configuration can name.

    Attributes:
        settings: its class, whose docstring begins with what it is.
        preset: settings that the name stands for, where the defaults of the class are others.
        of_preset: what it is, in a line; empty for what the class says.
    """

    settings: type[BaseModel]
    preset: BaseModel | None = None
    of_preset: str = ""

    @property
    def description(self) -> str:
        """The docstring, as paragraphs."""
        return inspect.cleandoc(self.settings.__doc__ or "")

    @property
    def summary(self) -> str:
        """What it is, in a line."""
        return self.of_preset or self.description.splitlines()[0]

    @property
    def fields(self) -> dict[str, FieldFacts]:
        """Its fields, but for the name."""
        return {name: field for name, field in facts(self.settings, self.preset).items() if name != "name"}


def _classes(registry: Mapping[str, type[BaseModel]]) -> dict[str, Variant]:
    return {name: Variant(settings) for name, settings in registry.items()}


VARIANTS: dict[str, dict[str, Variant]] = {
    "spectrograms": _classes(SPECTROGRAMS),
    "augmentations": _classes(AUGMENTATIONS),
    "networks": {
        name: Variant(settings, settings.model_validate(name), settings.recipes[name].summary)
        for name, settings in NETWORKS.items()
    },
    "optimizers": _classes(OPTIMIZERS),
    "schedules": _classes(SCHEDULES),
}
"""Variants by kind and name."""

WHERE = {
    "spectrograms": "spectrogram",
    "augmentations": "augmentation",
    "networks": "network",
    "optimizers": "fit.optimizer",
    "schedules": "fit.schedule",
}
"""Field of the configuration that each kind belongs to."""
