"""The configuration of a run: one YAML file, ``key=value`` overrides, every field checked, every default written once."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, field_validator

from emogram import splits
from emogram.augmentation import BatchStep, SpectrogramStep, WaveformStep
from emogram.augmentation.batch import MixupSettings
from emogram.augmentation.level import GainSettings
from emogram.augmentation.masking import MasksSettings
from emogram.augmentation.recordings import without_place
from emogram.augmentation.stretching import SpeedSettings
from emogram.augmentation.warping import FilterAugmentSettings
from emogram.errors import ConfigurationError, did_you_mean
from emogram.networks.cnn import CNNSettings
from emogram.networks.registry import NetworkSettings
from emogram.spectrograms import LogMelSettings, SpectrogramSettings
from emogram.training.distillation.settings import DistillationSettings
from emogram.training.fit_settings import FitSettings
from emogram.training.problems import describe, truth_in_place_of_a_number
from emogram.training.settings import Settings
from emogram.training.transfer import TransferSettings
from emogram.training.yaml_text import put, read


class SplitSettings(Settings):
    """Which clips train, validate and test."""

    name: str = Field("speaker", description="how to split; `emogram.splits.NAMES`")
    fold: int = Field(1, ge=1, le=1000, description="which fold is tested")
    folds: int = Field(5, ge=2, le=1000, description="number of folds where the split leaves it open (kfold)")
    seed: int = Field(0, ge=0, lt=2**63, description="of the draw of speakers or clips")

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in splits.NAMES:
            raise ValueError(
                f"no split {name!r:.80}{did_you_mean(name[:80], splits.NAMES) or ';'} choose {', '.join(splits.NAMES)}"
            )
        return name


class AudioSettings(Settings):
    """The audio that the network hears."""

    sample_rate: int = Field(16_000, ge=4_000, le=48_000, description="Hz")
    clip_s: float = Field(
        3.0, gt=0.1, le=30, description="length of the random crop in training; validation hears whole clips"
    )
    test_s: float | None = Field(
        None,
        ge=0.5,
        le=60,
        description="of longer clips, tests and the model file hear crops of this length, half over each other, and take "
        "the mean of their probabilities; none: whole clips up to 10 s",
    )


class AugmentationSettings(Settings):
    """What is done to training clips, drawn anew for each epoch: chains, applied in their order; ``[]`` for nothing."""

    waveform: tuple[WaveformStep, ...] = Field((SpeedSettings(), GainSettings()), description="of waves")
    spectrogram: tuple[SpectrogramStep, ...] = Field(
        (FilterAugmentSettings(), MasksSettings()), description="of standardised spectrograms"
    )
    batch: tuple[BatchStep, ...] = Field((MixupSettings(),), description="of whole batches")


class RuntimeSettings(Settings):
    """How to compute. Nothing here belongs to a run's identity."""

    precision: Literal["auto", "bf16", "fp32"] = Field(
        "auto", description="auto: bf16 where the processor is faster in it"
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="auto: the fastest that is here")
    threads: int = Field(0, ge=0, le=1024, description="0: as many as there are")
    cache: Path | None = Field(None, description="decoded audio; default: EMOGRAM_CACHE or the user's cache folder")


class Configuration(Settings):
    """Everything that determines a run."""

    name: str = Field(
        "run", description="of the run and its model", max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
    )
    corpora: dict[str, Path] = Field(default_factory=dict, description="corpus name to folder, manifest or CSV")
    seed: int = Field(0, ge=0, lt=2**63, description="of weights, order, augmentation and dropout")
    split: SplitSettings = SplitSettings()
    audio: AudioSettings = AudioSettings()
    spectrogram: SpectrogramSettings = Field(LogMelSettings(), description="what the network sees of a wave")
    augmentation: AugmentationSettings = AugmentationSettings()
    network: NetworkSettings = Field(default_factory=lambda: CNNSettings.model_validate("cnn-base"))
    transfer: TransferSettings | None = Field(None, description="weights to start from; none: random ones")
    distillation: DistillationSettings | None = Field(None, description="teachers to learn from; none: labels alone")
    fit: FitSettings = Field(FitSettings(), description="how it learns")
    runtime: RuntimeSettings = RuntimeSettings()

    def determinants(self) -> dict[str, Any]:
        """The fields that the result depends on, JSON-ready: all but the runtime, the name and where files lie."""
        fields = self.model_dump(mode="json", exclude={"runtime", "name", "corpora"})
        if self.audio.test_s is None:
            del fields["audio"]["test_s"]
        if self.fit.soup == 1:  # a field that came later is no part of what a run is without it
            del fields["fit"]["soup"]
        if self.transfer is None:
            del fields["transfer"]
        else:
            fields["transfer"] = self.transfer.determinants(
                fold=self.split.fold, network=self.network.name, sample_rate=self.audio.sample_rate
            )
        if self.distillation is None:
            del fields["distillation"]
        else:
            fields["distillation"] = self.distillation.determinants(self.split.fold)
        chains = [(fields["augmentation"], "waveform"), (fields.get("distillation", {}), "noise")]
        for holder, name in chains:
            if name in holder:
                holder[name] = [without_place(step) for step in holder[name]]
        return fields

    def to_yaml(self) -> str:
        """The resolved configuration, every default written out."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)


def load(path: Path | None = None, overrides: Sequence[str] = ()) -> Configuration:
    """Read a configuration file and apply overrides such as ``fit.epochs=10`` or ``network=cnn-small``.

    Raises:
        ConfigurationError: names the field, the value and the choices, in one line.
    """
    values: dict[str, Any] = {} if path is None else read(path)
    if values.keys() >= {"question", "axes"}:
        raise ConfigurationError(f"{path}: is a study, no configuration; run it with: emogram study run {path}")
    for setting in overrides:
        _write_out_chain(values, setting)
        put(values, setting)
    return validate(values, source=str(path) if path else "configuration")


def _write_out_chain(values: dict[str, Any], setting: str) -> None:
    """Make sure that a step of a chain can be found by its name where the chain is the default one, in place."""
    root, *path = setting.partition("=")[0].strip().split(".")
    if root != "augmentation" or len(path) < 2 or path[0] not in AugmentationSettings.model_fields:
        return
    given = values.setdefault("augmentation", {})
    if isinstance(given, dict) and given.get(path[0]) is None:
        given[path[0]] = AugmentationSettings().model_dump(mode="json")[path[0]]


def validate(values: dict[str, Any], *, source: str = "configuration") -> Configuration:
    """Check plain values. Raises `ConfigurationError` as `load` does."""
    try:
        configuration = Configuration.model_validate(values)
    except ValidationError as error:
        raise ConfigurationError(describe(error, Configuration, source)) from error
    misread = truth_in_place_of_a_number(values, configuration, source)
    if misread is not None:
        raise ConfigurationError(misread)
    return configuration


def key(configuration: Configuration, clips: Sequence[tuple[str, str, str]], version: str) -> str:
    """Identity of a run: a hash of what determines its result.

    Args:
        configuration: resolved.
        clips: (clip_id, sha256, part) of every clip, in manifest order.
        version: of the code that affects results.

    Returns:
        16 hexadecimal digits.
    """
    content = json.dumps([configuration.determinants(), clips, version], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]
