"""All networks by name, and the union of their settings."""

from typing import Annotated, Any, get_args

from pydantic import BeforeValidator, Discriminator, Tag

from emogram.errors import ConfigurationError
from emogram.networks.audiontt import AudioNTTSettings
from emogram.networks.cnn import CNNSettings
from emogram.networks.mobilenet import MobileNetSettings
from emogram.networks.panns import PANNsSettings
from emogram.networks.settings import NetworkType, check_name
from emogram.networks.whisper import WhisperNetworkSettings
from emogram.networks.whisper_cnn import WhisperCNNSettings

_DEFAULT = "cnn-base"


def _with_name(values: Any) -> Any:
    """A bare name is a recipe; fields without a name are those of the default network."""
    if isinstance(values, str):
        values = {"name": values}
    if not isinstance(values, dict):
        return values
    name = values.get("name", _DEFAULT)
    check_name(name, NETWORKS)
    return {**values, "name": name}


def _family(values: Any) -> str | None:
    """Name of the settings class that a network belongs to."""
    if isinstance(values, NetworkType):
        return type(values).__name__
    return NETWORKS[values["name"]].__name__ if isinstance(values, dict) else None


NetworkSettings = Annotated[
    Annotated[CNNSettings, Tag("CNNSettings")]
    | Annotated[PANNsSettings, Tag("PANNsSettings")]
    | Annotated[MobileNetSettings, Tag("MobileNetSettings")]
    | Annotated[AudioNTTSettings, Tag("AudioNTTSettings")]
    | Annotated[WhisperNetworkSettings, Tag("WhisperNetworkSettings")]
    | Annotated[WhisperCNNSettings, Tag("WhisperCNNSettings")],
    Discriminator(
        _family,
        custom_error_type="network",
        custom_error_message="must be a name, or fields and values",
    ),
    BeforeValidator(_with_name),
]
"""Settings of any network, told apart by ``name``."""

FAMILIES: dict[str, type[NetworkType]] = {
    get_args(member)[0].__name__: get_args(member)[0] for member in get_args(get_args(NetworkSettings)[0])
}
"""Settings classes by their own name, which pydantic puts into the place of an error."""

NETWORKS: dict[str, type[NetworkType]] = {name: family for family in FAMILIES.values() for name in family.recipes}
"""Settings class of each network: ``NETWORKS[name].model_validate(name)`` are its settings, ``.recipes[name].summary`` says
what it is."""


def settings_of(name: str) -> NetworkType:
    """Settings of a network by its name.

    Raises:
        ConfigurationError: no network has that name.
    """
    try:
        check_name(name, NETWORKS)
    except ValueError as error:
        raise ConfigurationError(str(error)) from error
    return NETWORKS[name].model_validate(name)
