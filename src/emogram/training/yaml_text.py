"""Configuration files and overrides as plain values: a YAML that runs no code, fills no memory and says nothing twice."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, ClassVar

import yaml
from typing_extensions import override

from emogram.errors import ConfigurationError
from emogram.training.problems import cut

_MAX_CHARACTERS = 2**16


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

    @override
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        first: dict[Any, yaml.Node] = {}
        for name, _ in node.value:
            if isinstance(name, yaml.ScalarNode) and first.setdefault(name.value, name) is not name:
                raise _RepeatedNameError(name.value, first[name.value], name)
        return super().construct_mapping(node, deep)


class _RepeatedNameError(Exception):
    def __init__(self, name: str, *places: yaml.Node) -> None:
        lines = " and ".join(str(place.start_mark.line + 1) for place in places)
        super().__init__(f"{cut(name)} is given twice, in lines {lines}; keep one of them")


def read(path: Path) -> dict[str, Any]:
    """The fields of a configuration file.

    Raises:
        ConfigurationError: the file cannot be read, or holds no such thing.
    """
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_MAX_CHARACTERS + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ConfigurationError(f"{path}: cannot be read ({reason}); give a YAML file") from error
    values = parse(text, str(path))
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigurationError(f"{path}: must hold fields and values, not {type(values).__name__}")
    return values


def parse(text: str, source: str) -> Any:
    """The value that a YAML text stands for.

    Raises:
        ConfigurationError: it is none, or one that no configuration can hold; names the source.
    """
    if len(text) > _MAX_CHARACTERS:
        raise ConfigurationError(f"{source}: more than {_MAX_CHARACTERS} characters; is it a configuration?")
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - derived from the safe loader
    except _RepeatedNameError as error:
        raise ConfigurationError(f"{source}: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{source}: not valid YAML ({cut(' '.join(str(error).split()), 300)})") from error
    except Exception as error:  # PyYAML raises nearly anything: an impossible !!timestamp, a number too long, too deep
        raise ConfigurationError(f"{source}: holds a value that YAML cannot have; correct it") from error


def put(values: dict[str, Any], setting: str) -> None:
    """Apply an override such as ``fit.epochs=10`` or ``augmentation.waveform.speed.probability=1`` to plain values, in place.

    Raises:
        ConfigurationError: it is not written so, or names a step that is not in the list.
    """
    name, separator, text = setting.partition("=")
    if not separator or not name.strip():
        raise ConfigurationError(f"{cut(setting)}: an override is written field=value, for example fit.epochs=10")
    value = parse(text, cut(setting))
    put_value(values, name.strip(), value, cut(setting))


def put_value(values: dict[str, Any], name: str, value: Any, setting: str) -> None:
    """Put a value into a field given by its name with dots; the steps of a chain go by their names.

    Args:
        values: changed in place.
        name: as ``fit.epochs``.
        value: plain.
        setting: what errors name.

    Raises:
        ConfigurationError: a step that is not in the list.
    """
    _set(values, name.split("."), value, setting)


def _set(holder: Any, path: list[str], value: Any, setting: str) -> None:
    place: Any = _step(holder, path[0], setting) if isinstance(holder, list) else path[0]
    if len(path) == 1:
        holder[place] = value
        return
    inner = holder[place] if isinstance(holder, list) else holder.get(place)
    if isinstance(inner, str):
        inner = {"name": inner}
    elif not isinstance(inner, dict | list):
        inner = {}
    holder[place] = inner
    _set(inner, path[1:], value, setting)


def _step(steps: list[Any], name: str, setting: str) -> int:
    names = [step.get("name") if isinstance(step, dict) else step for step in steps]
    if name not in names:
        known = ", ".join(known for known in names if isinstance(known, str))
        raise ConfigurationError(f"{setting}: the list has no step '{name}'; it has {known or 'none'}")
    return names.index(name)
