"""What each augmentation makes of a clip: the only place where pictures know how augmentations are drawn and applied."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from emogram.augmentation import AUGMENTATIONS, Augmentation, Draw
from emogram.augmentation.batch import BatchAugmentation, BatchDraw, Examples
from emogram.augmentation.recordings import Recordings
from emogram.augmentation.spectrogram import Shape, SpectrogramAugmentation
from emogram.augmentation.waveform import Companions, Scene, WaveformAugmentation
from emogram.errors import ConfigurationError, did_you_mean
from emogram.pictures.views import Standardised, Version, Wave
from emogram.training.configuration import AugmentationSettings

_UNITS = {"db": "dB", "hz": "Hz", "s": "s", "ms": "ms"}
_UNTOLD = {"name", "seed", "partner"}


@dataclass(frozen=True, eq=False)
class Request:
    """A clip to augment.

    Attributes:
        wave: [T].
        others: waves that it may be mixed with.
        sample_rate: Hz.
        settings: chains of the configuration; what is not in them has its defaults.
        rng: of the draw.
    """

    wave: Wave
    others: Sequence[Wave]
    sample_rate: int
    settings: AugmentationSettings
    rng: np.random.Generator


def augment(name: str, request: Request) -> Version:
    """The clip after one augmentation, however rare it is in training, with what was drawn in the title.

    Raises:
        ConfigurationError: no such augmentation, or one that needs another clip or recordings.
    """
    if name not in AUGMENTATIONS:
        raise ConfigurationError(
            f"--augment {name:.80}: no such augmentation{did_you_mean(name[:80], AUGMENTATIONS) or ';'} "
            f"choose {', '.join(AUGMENTATIONS)}"
        )
    settings = _configured(name, request.settings).model_copy(update={"probability": 1.0})
    if isinstance(settings, WaveformAugmentation):
        return _heard(settings, request)
    if isinstance(settings, SpectrogramAugmentation):
        return _seen(settings, request)
    assert isinstance(settings, BatchAugmentation)
    return _mixed(settings, request)


def _configured(name: str, settings: AugmentationSettings) -> Augmentation:
    chains: tuple[Augmentation, ...] = (*settings.waveform, *settings.spectrogram, *settings.batch)
    return next((step for step in chains if step.name == name), None) or AUGMENTATIONS[name].model_validate({})


def _heard(settings: WaveformAugmentation, request: Request) -> Version:
    waves = [request.wave, *request.others]
    companions = Companions(
        waves.__getitem__,
        speakers=[str(place) for place in range(len(waves))],
        emotions=[""] * len(waves),
        corpora=[""] * len(waves),
    )
    scene = Scene(request.sample_rate, Recordings(request.sample_rate), companions)
    drawn = settings.draw(request.rng, scene)
    if drawn is None:
        raise ConfigurationError(f"--augment {settings.name}: needs other clips; give a second one")
    wave = drawn.apply(request.wave, scene)
    return Version(_title(drawn), np.ascontiguousarray(wave), name=settings.name)


def _seen(settings: SpectrogramAugmentation, request: Request) -> Version:
    seed = int(request.rng.integers(2**63))

    def rewrite(spec: Tensor, _: Standardised) -> Tensor:
        clips, _channels, bands, frames = spec.shape
        drawn = settings.draw(np.random.default_rng(seed), Shape(clips, bands, frames))
        return spec if drawn is None else drawn.apply(spec, None)

    return Version(settings.name.replace("_", " "), request.wave, rewrite, name=settings.name, audible=False)


def _mixed(settings: BatchAugmentation, request: Request) -> Version:
    if not request.others:
        raise ConfigurationError(f"--augment {settings.name}: mixes two clips; give a second one")
    any_order = settings.draw(request.rng, 2)
    assert any_order is not None
    drawn: BatchDraw = any_order.model_copy(update={"partner": (1, 0)})
    partner = np.asarray(request.others[0][: len(request.wave)])
    partner = np.pad(partner, (0, len(request.wave) - len(partner)))

    def rewrite(spec: Tensor, see: Standardised) -> Tensor:
        both = Examples(torch.cat([spec, see(partner)]), torch.eye(2), torch.ones(2, 2, dtype=torch.bool), None)
        return drawn.apply(both).spec[:1]

    return Version(_title(drawn), request.wave, rewrite, name=settings.name, audible=False)


def _title(drawn: Draw) -> str:
    """Name and numbers of a draw: ``noise: colour pink, snr 12.3 dB``."""
    told = [_told(field, value) for field, value in drawn.model_dump().items() if field not in _UNTOLD]
    numbers = ", ".join(part for part in told if part)
    return drawn.name.replace("_", " ") + (f": {numbers}" if numbers else "")


def _told(field: str, value: object) -> str:
    quantity, _, unit = field.rpartition("_")
    label = f"{quantity} " if unit in _UNITS and quantity else f"{field} "
    if isinstance(value, bool | str):
        return f"{label.replace('_', ' ')}{value}"
    if isinstance(value, int | float):
        return f"{label.replace('_', ' ')}{value:.3g} {_UNITS.get(unit, '')}".rstrip()
    return ""
