"""The configuration of a run: one YAML file, ``key=value`` overrides, every field checked, every default written once."""

import hashlib
import json
import reprlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from typing_extensions import override

from emogram import splits
from emogram.augmentation.batch import BatchSettings
from emogram.augmentation.spectrogram import SpectrogramAugmentationSettings
from emogram.augmentation.waveform import WaveformSettings
from emogram.errors import ConfigurationError, did_you_mean
from emogram.networks.cnn import CNNSettings
from emogram.networks.whisper import WhisperNetworkSettings
from emogram.spectrograms import SPECTROGRAMS, LogMelSettings, SpectrogramSettings
from emogram.training.distillation.settings import DistillationSettings
from emogram.training.transfer import TransferSettings

_MAX_CHARACTERS = 2**16
_MAX_SHOWN = 80


class _Loader(yaml.SafeLoader):
    """Plain YAML: a date is text, and no value is an alias of another, or a few lines could fill any memory."""

    yaml_implicit_resolvers: ClassVar = {  # type: ignore[misc]
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    @override
    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("an alias such as *name is not allowed here; write the value out")
        return super().compose_node(parent, index)


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class SplitSettings(_Settings):
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


class AudioSettings(_Settings):
    """The audio that the network hears."""

    sample_rate: int = Field(16_000, ge=4_000, le=48_000, description="Hz")
    clip_s: float = Field(
        3.0, gt=0.1, le=30, description="length of the random crop in training; tests hear whole clips"
    )


class AugmentationSettings(_Settings):
    """What is done to training clips, drawn anew for each epoch."""

    waveform: WaveformSettings = WaveformSettings()
    spectrogram: SpectrogramAugmentationSettings = SpectrogramAugmentationSettings()
    batch: BatchSettings = BatchSettings()


class OptimizerSettings(_Settings):
    """AdamW (Loshchilov and Hutter 2019) under a one-cycle or constant rate."""

    name: Literal["adamw"] = "adamw"
    learning_rate: float = Field(2e-3, gt=0, le=10, description="highest rate")
    weight_decay: float = Field(0.05, ge=0, le=100, description="on weights of more than one dimension")
    schedule: Literal["one_cycle", "constant"] = Field("one_cycle", description="one_cycle: Smith and Topin 2019")
    warm_up: float = Field(0.15, gt=0, lt=1, description="part of the steps in which the rate rises")
    gradient_clip: float = Field(5.0, gt=0, description="largest norm of the gradient")


class FitSettings(_Settings):
    """How long and how carefully to fit."""

    epochs: int = Field(40, ge=1, le=10_000)
    batch_size: int = Field(32, ge=2, le=4096)
    optimizer: OptimizerSettings = OptimizerSettings()
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    balance: Literal["none", "weights", "sampling"] = Field(
        "none", description="rare emotions: weigh their loss, or draw them more often"
    )
    averaging: float = Field(0.99, ge=0, lt=1, description="decay of the averaged weights that are validated; 0: none")
    monitor: Literal["validation_uar", "validation_accuracy", "validation_loss"] = Field(
        "validation_uar", description="picks the checkpoint and stops early"
    )
    patience: int = Field(0, ge=0, description="epochs without a better score before stopping; 0: never")


class RuntimeSettings(_Settings):
    """How to compute. Nothing here belongs to a run's identity."""

    precision: Literal["auto", "bf16", "fp32"] = Field("auto", description="auto: bf16 where the processor has it")
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    threads: int = Field(0, ge=0, le=1024, description="0: as many as there are")
    cache: Path | None = Field(None, description="decoded audio; default: EMOGRAM_CACHE or the user's cache folder")


class Configuration(_Settings):
    """Everything that determines a run."""

    name: str = Field(
        "run", description="of the run and its model", max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
    )
    corpora: dict[str, Path] = Field(default_factory=dict, description="corpus name to folder, manifest or CSV")
    seed: int = Field(0, ge=0, lt=2**63, description="of weights, order, augmentation and dropout")
    split: SplitSettings = SplitSettings()
    audio: AudioSettings = AudioSettings()
    spectrogram: SpectrogramSettings = LogMelSettings()
    augmentation: AugmentationSettings = AugmentationSettings()
    network: CNNSettings | WhisperNetworkSettings = Field(
        default_factory=lambda: CNNSettings.model_validate("cnn-base")
    )
    transfer: TransferSettings | None = Field(None, description="weights to start from; none: random ones")
    distillation: DistillationSettings | None = Field(None, description="teachers to learn from; none: labels alone")
    fit: FitSettings = FitSettings()
    runtime: RuntimeSettings = RuntimeSettings()

    def determinants(self) -> dict[str, Any]:
        """The fields that the result depends on, JSON-ready: all but the runtime, the name and where files lie."""
        fields = self.model_dump(mode="json", exclude={"runtime", "name", "corpora"})
        if self.transfer is None:
            del fields["transfer"]
        else:
            fields["transfer"]["source"] = self.transfer.source_sha256()
        if self.distillation is None:
            del fields["distillation"]
        else:
            fields["distillation"] = self.distillation.determinants(self.split.fold)
        return fields

    def to_yaml(self) -> str:
        """The resolved configuration, every default written out."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)


def load(path: Path | None = None, overrides: Sequence[str] = ()) -> Configuration:
    """Read a configuration file and apply overrides such as ``fit.epochs=10`` or ``network=cnn-small``.

    Raises:
        ConfigurationError: names the field, the value and the choices, in one line.
    """
    values: dict[str, Any] = {} if path is None else _read(path)
    for setting in overrides:
        _override(values, setting)
    return validate(values, source=str(path) if path else "configuration")


def validate(values: dict[str, Any], *, source: str = "configuration") -> Configuration:
    """Check plain values. Raises `ConfigurationError` as `load` does."""
    try:
        return Configuration.model_validate(values)
    except ValidationError as error:
        raise ConfigurationError(_first_problem(error, source)) from error


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


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_MAX_CHARACTERS + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ConfigurationError(f"{path}: cannot be read ({reason}); give a YAML file") from error
    values = _parse(text, str(path))
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigurationError(f"{path}: must hold fields and values, not {type(values).__name__}")
    return values


def _parse(text: str, source: str) -> Any:
    if len(text) > _MAX_CHARACTERS:
        raise ConfigurationError(f"{source}: more than {_MAX_CHARACTERS} characters; is it a configuration?")
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - derived from the safe loader
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{source}: not valid YAML ({_cut(' '.join(str(error).split()), 300)})") from error
    except Exception as error:  # PyYAML raises nearly anything: an impossible !!timestamp, a number too long, too deep
        raise ConfigurationError(f"{source}: holds a value that YAML cannot have; correct it") from error


def _override(values: dict[str, Any], setting: str) -> None:
    name, separator, text = setting.partition("=")
    if not separator or not name.strip():
        raise ConfigurationError(f"{_cut(setting)}: an override is written field=value, for example fit.epochs=10")
    value = _parse(text, _cut(setting))
    *parents, last = name.strip().split(".")
    for parent in parents:
        inner = values.get(parent)
        if isinstance(inner, str):
            inner = {"name": inner}
        elif not isinstance(inner, dict):
            inner = {}
        values[parent] = inner
        values = inner
    values[last] = value


def _first_problem(error: ValidationError, source: str) -> str:
    problem = error.errors(include_url=False)[0]
    # Of a union told apart by name, pydantic gives the name as a part of the place, which is no field.
    place = [part for at, part in enumerate(problem["loc"]) if (problem["loc"][:1], at) != (("spectrogram",), 1)]
    field = _cut(".".join(str(part) for part in place)) or "configuration"
    if problem["type"] == "extra_forbidden":
        choices = _field_names(problem["loc"][:-1])
        suggestion = did_you_mean(str(problem["loc"][-1])[:_MAX_SHOWN], choices)
        return f"{source}: {field}: no such field{suggestion or ';'} choose {', '.join(choices)}"
    message = _cut(problem["msg"].removeprefix("Value error, "), 400)
    value = problem["input"]
    shown = "" if isinstance(value, dict) else f"={_shown(value)}"
    more = error.error_count() - 1
    return f"{source}: {field}{shown}: {message[0].lower()}{message[1:]}" + (f" (and {more} more)" if more else "")


def _shown(value: object) -> str:
    try:
        return reprlib.repr(value)
    except ValueError:  # Python refuses to write out a number of thousands of digits
        return "…"


def _cut(text: str, length: int = _MAX_SHOWN) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[:length]}…"


def _field_names(location: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = Configuration
    for part in location:
        if part in SPECTROGRAMS:
            model = SPECTROGRAMS[str(part)]
            continue
        annotation = model.model_fields[str(part)].annotation if str(part) in model.model_fields else None
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    return list(model.model_fields)
