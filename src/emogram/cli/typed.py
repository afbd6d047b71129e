"""Words of a command line that name a configuration: a file, fields that override it, and spectrogram types."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emogram.errors import ConfigurationError

if TYPE_CHECKING:
    from emogram.spectrograms.settings import TypeSettings
    from emogram.training.configuration import Configuration

ALL = "all"
_FILES = {".yaml", ".yml"}
_GROUP = "spectrogram"


@dataclass(frozen=True)
class Typed:
    """What was typed.

    Attributes:
        file: a configuration, or None.
        fields: FIELD=VALUE, in the order given.
        rest: all other words.
    """

    file: Path | None
    fields: tuple[str, ...]
    rest: tuple[str, ...]

    def configuration(self, *more: str) -> "Configuration":
        """The configuration that they give, with further fields. Raises `ConfigurationError`."""
        from emogram.training.configuration import load

        return load(self.file, [*self.fields, *more])

    def spectrograms(self, names: Sequence[str]) -> "list[TypeSettings]":
        """Settings of the types named, each with the fields of the spectrogram that it has; that of the file without names.

        Raises:
            ConfigurationError: no such type, or a field that none of them has.
        """
        from emogram.spectrograms import SPECTROGRAMS
        from emogram.training.configuration import load

        if not names:
            return [self.configuration().spectrogram]
        chosen = list(SPECTROGRAMS) if ALL in names else list(dict.fromkeys(names))
        own = [field for field in self.fields if field.partition("=")[0].strip().startswith(f"{_GROUP}.")]
        settings: list[TypeSettings] = []
        for name in chosen:
            known = SPECTROGRAMS[name].model_fields if name in SPECTROGRAMS else {}
            # A field that one of several types has is meant for that one; one that none has is told by the first.
            fitting = [field for field in own if _field(field) in known or not _anyone_has(_field(field), chosen)]
            settings.append(load(None, [f"{_GROUP}.name={name}", *fitting]).spectrogram)
        return settings


def sort_out(words: Sequence[str]) -> Typed:
    """Tell a configuration file and fields from the other words; a word that is an existing file is never a field.

    Raises:
        ConfigurationError: two configuration files.
    """
    fields = tuple(word for word in words if "=" in word and not Path(word).exists())
    others = [word for word in words if word not in fields]
    files = [word for word in others if Path(word).suffix in _FILES]
    if len(files) > 1:
        raise ConfigurationError(f"{files[1]}: only one configuration file can be given; fields are FIELD=VALUE")
    rest = tuple(word for word in others if word not in files)
    return Typed(Path(files[0]) if files else None, fields, rest)


def names_in(values: Sequence[str] | None) -> list[str]:
    """Names given one by one or with commas between them."""
    return [name.strip() for value in values or () for name in value.split(",") if name.strip()]


def _field(override: str) -> str:
    return override.partition("=")[0].strip().removeprefix(f"{_GROUP}.").partition(".")[0]


def _anyone_has(field: str, names: Sequence[str]) -> bool:
    from emogram.spectrograms import SPECTROGRAMS

    return any(field in SPECTROGRAMS[name].model_fields for name in names if name in SPECTROGRAMS)
