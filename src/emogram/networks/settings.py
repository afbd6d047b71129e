"""What the settings of all networks share: recipes by name, and a bound on their size."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, final

import torch
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from emogram.errors import ConfigurationError, did_you_mean
from emogram.networks.network import Network

MAX_PARAMETERS = 250_000_000
"""More than any network here has; with its gradient and two moments, 4 GB in training."""


def _odd(size: int) -> int:
    if size % 2 == 0:
        raise ValueError("must be odd, so that a frame has a middle")
    return size


Channels = Annotated[int, Field(ge=1, le=4096)]
"""Width of a layer."""

OddSize = Annotated[int, Field(ge=1, le=31), AfterValidator(_odd)]
"""Size of a kernel that has a middle."""


@dataclass(frozen=True)
class Recipe:
    """A named network.

    Args:
        summary: what it is, in one line.
        fields: settings that differ from the defaults of their class.
    """

    summary: str
    fields: Mapping[str, Any] = field(default_factory=dict)


class NetworkType(BaseModel):
    """Settings of one kind of network; ``name`` picks a recipe, any field beside it changes that one thing."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    recipes: ClassVar[Mapping[str, Recipe]]
    own_bands: ClassVar[int] = 64
    name: str = Field(description="recipe that the other fields start from")

    @model_validator(mode="before")
    @classmethod
    def _start_from_recipe(cls, values: Any) -> Any:
        """Fill in the recipe's fields under those given; a bare name is a recipe."""
        if isinstance(values, str):
            values = {"name": values}
        if not isinstance(values, dict):
            return values
        name = values.get("name", cls.model_fields["name"].default)
        check_name(name, cls.recipes)
        return {**cls.recipes[name].fields, "name": name, **values}

    @final
    def build(self, n_classes: int, *, in_channels: int = 1, in_bands: int | None = None) -> Network:
        """The network with random weights.

        Args:
            n_classes: K, number of emotions.
            in_channels: C, channels of the spectrogram.
            in_bands: F, rows of the spectrogram; None: as many as its own front end has.

        Raises:
            ConfigurationError: fewer than two emotions, a spectrogram that does not fit, or too many parameters.
        """
        bands = self.own_bands if in_bands is None else in_bands
        if n_classes < 2:
            raise ConfigurationError(f"{n_classes} emotion: a classifier needs at least two")
        with torch.device("meta"):  # counts without taking memory or random numbers
            shapes = self.create(n_classes, in_channels, bands)
        count = sum(parameter.numel() for parameter in shapes.parameters())
        if count > MAX_PARAMETERS:
            raise ConfigurationError(
                f"network: {count / 1e6:.0f} M parameters, more than {MAX_PARAMETERS / 1e6:.0f} M; choose fewer channels"
            )
        return self.create(n_classes, in_channels, bands)

    @abstractmethod
    def create(self, n_classes: int, in_channels: int, in_bands: int) -> Network:
        """The network, whatever its size; `build` is what to call."""


def check_name(name: object, choices: Mapping[str, object]) -> None:
    """Raise `ValueError`, with the choices, for a name that is none of them."""
    if not isinstance(name, str) or name not in choices:
        raise ValueError(
            f"no network {name!r:.80}{did_you_mean(str(name)[:80], choices) or ';'} choose {', '.join(choices)}"
        )
