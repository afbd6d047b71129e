"""What is wrong with a configuration, in one line: the field, its value, and what it can be."""

import reprlib
from typing import Any

from pydantic import BaseModel, ValidationError

from emogram.errors import did_you_mean
from emogram.training.schema import Node, choices, expected, locate, places

_MAX_SHOWN = 80
_MAX_MESSAGE = 400
_MAX_PLACES = 2
_SELF_CONTAINED = {"value_error", "assertion_error"}
"""Kinds of problem whose message says already what can be."""


def describe(error: ValidationError, settings: type[BaseModel], source: str) -> str:
    """The first problem that pydantic found, and how many more there are.

    Args:
        error: from validating the settings.
        settings: the class of the whole configuration.
        source: file or other origin of the values.
    """
    problem = error.errors(include_url=False)[0]
    path, node = locate(settings, [part for part in problem["loc"] if part != "[key]"])
    field = cut(".".join(path)) or "configuration"
    if problem["type"] in {"extra_forbidden", "invalid_key"}:
        return f"{source}: {field}: {_no_such_field(settings, problem['loc'])}"
    value = problem["input"]
    without_value = isinstance(value, dict) or problem["type"] == "missing"
    shown = "" if without_value else f"={_repr(value)}"
    more = error.error_count() - 1
    end = f" (and {more} more)" if more else ""
    return f"{source}: {field}{shown}: {_message(dict(problem), node)}{end}"


def truth_in_place_of_a_number(values: Any, settings: Any, source: str, path: tuple[str, ...] = ()) -> str | None:
    """The message where ``true`` or ``false`` was taken for 1 or 0, which pydantic allows; None where it was not.

    Args:
        values: plain, as they were given.
        settings: what pydantic made of them.
        source: file or other origin of the values.
        path: of these values within the configuration.
    """
    if isinstance(values, bool):
        if isinstance(settings, bool):
            return None
        return f"{source}: {'.'.join(path)}={values}: true and false are no numbers; give a number"
    if isinstance(values, dict):
        inner = [(str(name), value, _part(settings, name)) for name, value in values.items()]
    elif isinstance(values, list) and isinstance(settings, list | tuple) and len(settings) == len(values):
        inner = [(str(at), value, settings[at]) for at, value in enumerate(values)]
    else:
        return None
    found = (truth_in_place_of_a_number(value, part, source, (*path, name)) for name, value, part in inner)
    return next((message for message in found if message), None)


def cut(text: str, length: int = _MAX_SHOWN) -> str:
    """The text on one line, and no longer than that."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[:length]}…"


def _part(settings: Any, name: str) -> Any:
    return settings.get(name) if isinstance(settings, dict) else getattr(settings, name, None)


def _message(problem: dict[str, Any], node: Node | None) -> str:
    kind, text = problem["type"], cut(problem["msg"].removeprefix("Value error, "), _MAX_MESSAGE)
    names = [] if node is None else choices(node)
    message = f"{text[0].lower()}{text[1:]}"
    if kind.startswith("union_tag"):
        wrong = str(problem.get("ctx", {}).get("tag", ""))[:_MAX_SHOWN]
        return f"no such name{did_you_mean(wrong, names) or ';'} choose {', '.join(names)}"
    if kind == "literal_error":
        return f"{message}{did_you_mean(str(problem['input'])[:_MAX_SHOWN], names).removesuffix('?')}"
    if kind in _SELF_CONTAINED or node is None:
        return message
    if names or node.settings is not None:
        message = f"input should be {'a name or ' if names else ''}fields"
    elif kind == "path_type":  # whose message names a class of Python
        message = "input should be a path, as text"
    return f"{message}; give {cut(expected(node), _MAX_MESSAGE)}"


def _no_such_field(settings: type[BaseModel], location: tuple[int | str, ...]) -> str:
    _, parent = locate(settings, location[:-1])
    fields = [] if parent is None or parent.settings is None else list(parent.settings.model_fields)
    given = str(location[-1])[:_MAX_SHOWN]
    elsewhere = [".".join(path) for path in places(settings) if path[-1] == given]
    suggestion = did_you_mean(given, fields)
    if not suggestion and 1 <= len(elsewhere) <= _MAX_PLACES:
        suggestion = f", did you mean {' or '.join(map(repr, elsewhere))}?"
    return f"no such field{suggestion or ';'} choose {', '.join(fields)}"


def _repr(value: object) -> str:
    try:
        return reprlib.repr(value)
    except ValueError:  # Python refuses to write out a number of thousands of digits
        return "…"
