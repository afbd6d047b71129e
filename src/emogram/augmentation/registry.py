"""All augmentations by name, level by level, and the unions of their settings."""

from collections.abc import Mapping
from typing import Annotated, Any, get_args

from pydantic import BeforeValidator, Field

from emogram.augmentation.batch import CutMixSettings, MixupSettings
from emogram.augmentation.level import ClippingSettings, GainSettings, PolaritySettings
from emogram.augmentation.masking import CutoutSettings, MasksSettings
from emogram.augmentation.noise import BabbleSettings, BackgroundSettings, NoiseSettings
from emogram.augmentation.room import RoomSettings
from emogram.augmentation.settings import Augmentation, Draw
from emogram.augmentation.stretching import PitchSettings, SpeedSettings, TempoSettings
from emogram.augmentation.timing import ConcatenationSettings, CropSettings, ShiftSettings
from emogram.augmentation.transmission import CodecSettings, LowPassSettings, TelephoneSettings
from emogram.augmentation.warping import FilterAugmentSettings, FrequencyWarpSettings, TimeWarpSettings
from emogram.errors import did_you_mean


def _with_name(level: str) -> BeforeValidator:
    """A bare name is an augmentation of the level with its defaults."""

    def named(values: Any) -> Any:
        if isinstance(values, str):
            values = {"name": values}
        if not isinstance(values, dict):
            return values
        name = values.get("name")
        choices = LEVELS[level]
        if not isinstance(name, str) or name not in choices:
            raise ValueError(
                f"no {level} augmentation {name!r:.80}{did_you_mean(str(name)[:80], choices) or ';'} "
                f"choose {', '.join(choices)}"
            )
        return values

    return BeforeValidator(named)


WaveformStep = Annotated[
    ConcatenationSettings
    | SpeedSettings
    | TempoSettings
    | PitchSettings
    | GainSettings
    | PolaritySettings
    | ShiftSettings
    | CropSettings
    | RoomSettings
    | NoiseSettings
    | BackgroundSettings
    | BabbleSettings
    | LowPassSettings
    | TelephoneSettings
    | ClippingSettings
    | CodecSettings,
    Field(discriminator="name"),
    _with_name("waveform"),
]
"""Settings of any augmentation of waves, told apart by ``name``."""

SpectrogramStep = Annotated[
    FilterAugmentSettings | TimeWarpSettings | FrequencyWarpSettings | MasksSettings | CutoutSettings,
    Field(discriminator="name"),
    _with_name("spectrogram"),
]
"""Settings of any augmentation of spectrograms, told apart by ``name``."""

BatchStep = Annotated[MixupSettings | CutMixSettings, Field(discriminator="name"), _with_name("batch")]
"""Settings of any augmentation of batches, told apart by ``name``."""


def _by_name(union: Any) -> dict[str, type[Augmentation]]:
    return {settings.model_fields["name"].default: settings for settings in get_args(get_args(union)[0])}


WAVEFORM_AUGMENTATIONS = _by_name(WaveformStep)
"""Settings class of each augmentation of waves, by its name."""

SPECTROGRAM_AUGMENTATIONS = _by_name(SpectrogramStep)
"""Settings class of each augmentation of spectrograms, by its name."""

BATCH_AUGMENTATIONS = _by_name(BatchStep)
"""Settings class of each augmentation of batches, by its name."""

LEVELS: dict[str, dict[str, type[Augmentation]]] = {
    "waveform": WAVEFORM_AUGMENTATIONS,
    "spectrogram": SPECTROGRAM_AUGMENTATIONS,
    "batch": BATCH_AUGMENTATIONS,
}
"""The registry of each level, in the order in which the levels are applied."""

AUGMENTATIONS: dict[str, type[Augmentation]] = {
    name: settings for registry in LEVELS.values() for name, settings in registry.items()
}
"""Settings class of every augmentation, by its name, which no two levels share."""


def replay(values: Mapping[str, Any]) -> Draw:
    """The draw that was dumped to JSON, to be applied again.

    Raises:
        pydantic.ValidationError: values that no augmentation draws.
        KeyError: no augmentation of that name.
    """
    return AUGMENTATIONS[values["name"]].draws.model_validate(values)
