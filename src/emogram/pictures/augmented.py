"""What each augmentation makes of a clip: the only place where pictures know how augmentations are drawn and applied."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from emogram.augmentation import batch, spectrogram, waveform
from emogram.errors import ConfigurationError, did_you_mean
from emogram.pictures.views import Rewrite, Standardised, Version, Wave
from emogram.training.configuration import AugmentationSettings


@dataclass(frozen=True, eq=False)
class Request:
    """A clip to augment.

    Attributes:
        wave: [T].
        others: waves that it may be mixed with.
        sample_rate: Hz.
        settings: ranges of all augmentations.
        rng: of the draw.
    """

    wave: Wave
    others: Sequence[Wave]
    sample_rate: int
    settings: AugmentationSettings
    rng: np.random.Generator


def augment(name: str, request: Request) -> Version:
    """The clip after one augmentation, its drawn parameters in the title.

    Raises:
        ConfigurationError: no such augmentation, one that is turned off, or one that needs a second clip.
    """
    if name not in AUGMENTATIONS:
        raise ConfigurationError(
            f"--augment {name:.80}: no such augmentation{did_you_mean(name[:80], AUGMENTATIONS) or ';'} "
            f"choose {', '.join(AUGMENTATIONS)}"
        )
    return AUGMENTATIONS[name](request)


def _speed(request: Request) -> Version:
    size = _on("waveform", "speed", request.settings.waveform.speed)
    settings = waveform.WaveformSettings(speed=size, gain_db=0)
    drawn = waveform.draw(settings, request.rng)
    return _heard("speed", f"speed × {drawn.speed:.3g}", request, drawn)


def _gain(request: Request) -> Version:
    size = _on("waveform", "gain_db", request.settings.waveform.gain_db)
    drawn = waveform.draw(waveform.WaveformSettings(speed=0, gain_db=size), request.rng)
    return _heard("gain", f"gain {drawn.gain_db:+.1f} dB", request, drawn)


def _noise(request: Request) -> Version:
    """However rare it is: who asks for it wants to see it."""
    settings = waveform.WaveformSettings(
        speed=0, gain_db=0, noise_probability=1, noise_snr_db=request.settings.waveform.noise_snr_db
    )
    drawn = waveform.draw(settings, request.rng)
    return _heard("noise", f"white noise, SNR {drawn.noise_snr_db:.1f} dB", request, drawn)


def _masks(request: Request) -> Version:
    count = int(_on("spectrogram", "masks", request.settings.spectrogram.masks))
    settings = request.settings.spectrogram.model_copy(update={"filter_gain": 0.0})
    return _seen("masks", f"masks, {count} along each axis", request, settings)


def _filter(request: Request) -> Version:
    size = _on("spectrogram", "filter_gain", request.settings.spectrogram.filter_gain)
    settings = request.settings.spectrogram.model_copy(update={"masks": 0})
    return _seen("filter", f"equaliser, up to ± {size:g} deviations", request, settings)


def _mixup(request: Request) -> Version:
    _on("batch", "mixup", request.settings.batch.mixup)
    if not request.others:
        raise ConfigurationError("--augment mixup: mixes two clips; give a second one")
    drawn = batch.draw(request.settings.batch, request.rng, clips=2)
    weight = 1.0 if drawn is None else drawn.weight
    partner = np.asarray(request.others[0][: len(request.wave)])
    partner = np.pad(partner, (0, len(request.wave) - len(partner)))
    mix = batch.MixupDraw(weight=weight, partner=np.array([1, 0]))

    def rewrite(spec: Tensor, see: Standardised) -> Tensor:
        return batch.apply(torch.cat([spec, see(partner)]), mix)[:1]

    title = f"mixup, {weight:.0%} and {1 - weight:.0%} of the next"
    return Version(title, request.wave, rewrite, name="mixup", audible=False)


AUGMENTATIONS: Mapping[str, Callable[[Request], Version]] = {
    "speed": _speed,
    "gain": _gain,
    "noise": _noise,
    "masks": _masks,
    "filter": _filter,
    "mixup": _mixup,
}
"""How each augmentation is shown, by its name."""


def _on(group: str, field: str, size: float) -> float:
    if not size:
        raise ConfigurationError(f"augmentation.{group}.{field}=0: turned off; give it a size to see it")
    return size


def _heard(name: str, title: str, request: Request, drawn: waveform.WaveformDraw) -> Version:
    wave = waveform.apply(request.wave, drawn, sample_rate=request.sample_rate)
    return Version(title, np.ascontiguousarray(wave), name=name)


def _seen(name: str, title: str, request: Request, settings: spectrogram.SpectrogramAugmentationSettings) -> Version:
    seed = int(request.rng.integers(2**63))

    def rewrite(spec: Tensor, _: Standardised) -> Tensor:
        rng = np.random.default_rng(seed)
        drawn = spectrogram.draw(settings, rng, clips=1, bands=spec.shape[2], frames=spec.shape[3])
        return spectrogram.apply(spec, drawn)

    applied: Rewrite = rewrite
    return Version(title, request.wave, applied, name=name, audible=False)
