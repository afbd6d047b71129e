"""All spectrogram types by name, and the union of their settings."""

from typing import Annotated, Any, get_args

from pydantic import BeforeValidator, Field

from emogram.errors import did_you_mean
from emogram.spectrograms.auditory import BarkSettings, GammatoneSettings
from emogram.spectrograms.cepstra import GFCCSettings, LFCCSettings, MFCCSettings
from emogram.spectrograms.channels import DeltasSettings, MultiResolutionSettings
from emogram.spectrograms.chroma import ChromaSettings
from emogram.spectrograms.constant_q import ChromaCQTSettings, CQTSettings, ScalogramSettings, VQTSettings
from emogram.spectrograms.harmonic import HPSSSettings
from emogram.spectrograms.learnable import GaborSettings
from emogram.spectrograms.mel import LogMelSettings, MelSettings, PCENSettings
from emogram.spectrograms.modulation import ModulationSettings
from emogram.spectrograms.scattering import ScatteringSettings
from emogram.spectrograms.settings import TypeSettings
from emogram.spectrograms.stft import LogSTFTSettings, MagnitudeSettings, PowerSettings
from emogram.spectrograms.whisper import WhisperSettings

_DEFAULT = "logmel"


def _with_name(values: Any) -> Any:
    """A bare name is a type with its defaults; fields without a name are those of the log-mel spectrogram."""
    if isinstance(values, str):
        values = {"name": values}
    if not isinstance(values, dict):
        return values
    name = values.get("name", _DEFAULT)
    if not isinstance(name, str) or name not in SPECTROGRAMS:
        raise ValueError(
            f"no spectrogram {name!r:.80}{did_you_mean(str(name)[:80], SPECTROGRAMS) or ';'} choose {', '.join(SPECTROGRAMS)}"
        )
    return {**values, "name": name}


SpectrogramSettings = Annotated[
    MagnitudeSettings
    | PowerSettings
    | LogSTFTSettings
    | MelSettings
    | LogMelSettings
    | PCENSettings
    | BarkSettings
    | GammatoneSettings
    | MFCCSettings
    | LFCCSettings
    | GFCCSettings
    | DeltasSettings
    | MultiResolutionSettings
    | ChromaSettings
    | CQTSettings
    | VQTSettings
    | ChromaCQTSettings
    | ScalogramSettings
    | HPSSSettings
    | ModulationSettings
    | ScatteringSettings
    | GaborSettings
    | WhisperSettings,
    Field(discriminator="name"),
    BeforeValidator(_with_name),
]
"""Settings of any spectrogram type, told apart by ``name``."""

SPECTROGRAMS: dict[str, type[TypeSettings]] = {
    settings.model_fields["name"].default: settings for settings in get_args(get_args(SpectrogramSettings)[0])
}
"""Settings class of each type, by its name."""
