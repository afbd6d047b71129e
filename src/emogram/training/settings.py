"""What the settings of a run share: no unknown fields, no change afterwards, no infinities."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from emogram.errors import did_you_mean

_MAX_SHOWN = 80


class Settings(BaseModel):
    """Some fields of a configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class NamedSettings(Settings):
    """Settings of one of several things, told from the others by ``name``."""

    name: str


def named(values: Any, kind: str, choices: Mapping[str, object], default: str) -> Any:
    """Plain values of one of several things, ready for a union that is told apart by ``name``.

    A bare name is that thing with its defaults; fields without a name are those of the default.

    Args:
        values: from a file or the command line, or settings already.
        kind: what they are settings of, for the message.
        choices: by name.
        default: one of the choices.

    Raises:
        ValueError: no such name; lists the choices.
    """
    if isinstance(values, str):
        values = {"name": values}
    if not isinstance(values, dict):
        return values
    name = values.get("name", default)
    if not isinstance(name, str) or name not in choices:
        shown = f"{name!r:.{_MAX_SHOWN}}"
        raise ValueError(
            f"no {kind} {shown}{did_you_mean(str(name)[:_MAX_SHOWN], choices) or ';'} choose {', '.join(choices)}"
        )
    return {**values, "name": name}
