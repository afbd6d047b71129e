"""The pages of the reference, made from docstrings, settings classes and the command line; nothing is typed here twice."""

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

import typer
from pydantic import BaseModel

from emogram.cli import application
from emogram.training.configuration import Configuration
from emogram.training.optimisation.averaging import AVERAGINGS
from emogram.training.schema import FieldFacts, facts, of_field
from emogram.training.variants import VARIANTS, WHERE, Variant

_NOTICE = "<!-- Made by `make reference` from the code. Change the docstring or the settings class, not this page. -->"
_LONG = 60


def pages() -> dict[str, str]:
    """Every page by its file name."""
    made = {f"{kind}.md": _kind(kind, variants) for kind, variants in VARIANTS.items()}
    made |= {"configuration.md": _configuration(), "command-line.md": _command_line()}
    return {"README.md": _index(), **{name: f"{_NOTICE}\n\n{text.rstrip()}\n" for name, text in made.items()}}


def _index() -> str:
    kinds = "\n".join(
        f"- [{kind.capitalize()}]({kind}.md): {len(variants)} of them, for `{WHERE[kind]}`"
        for kind, variants in VARIANTS.items()
    )
    return (
        f"{_NOTICE}\n\n# Reference\n\n"
        "- [Configuration](configuration.md): every field, what it can be, its default and its meaning\n"
        "- [Command line](command-line.md): every command and option\n"
        f"{kinds}\n"
    )


def _kind(kind: str, variants: Mapping[str, Variant]) -> str:
    field = WHERE[kind]
    lines = [f"# {kind.capitalize()}", "", f"For the field `{field}`; `emogram list {kind}` prints them too.", ""]
    lines += ["| name | |", "|---|---|"]
    lines += [f"| [{name}](#{name}) | {_cell(_code(variant.summary))} |" for name, variant in variants.items()]
    for name, variant in variants.items():
        lines += ["", f"## {name}", "", _code(variant.description), ""]
        lines += _table(variant.fields)
    return "\n".join(lines)


def _configuration() -> str:
    lines = [
        "# Configuration",
        "",
        "One YAML file, and `FIELD=VALUE` on the command line, such as `fit.epochs=10`. Whatever is left out has its default.",
        "",
    ]
    lines += _sections(Configuration, Configuration(), "")
    lines += ["", "## Ways to average, for `fit.averaging`"]
    for name, settings in AVERAGINGS.items():
        lines += ["", f"### {name}", "", _code(Variant(settings).description), "", *_table(Variant(settings).fields)]
    return "\n".join(lines)


def _sections(settings: type[BaseModel], values: BaseModel | None, path: str) -> Iterator[str]:
    """A table of the plain fields, then a section for each field that holds others."""
    kinds = {field: kind for kind, field in WHERE.items()}
    preset = values if any(info.is_required() for info in settings.model_fields.values()) else None
    told = facts(settings, preset)
    inner = {name: of_field(info).settings for name, info in settings.model_fields.items()}
    plain = {path + name: field for name, field in told.items() if inner[name] is None or f"{path}{name}" in kinds}
    for name, field in plain.items():
        if name in kinds:
            default = field.default if "name" in (field.default or ()) else "see there"
            page = f"see [{kinds[name]}]({kinds[name]}.md)"
            plain[name] = FieldFacts(page, default, required=False, meaning=field.meaning)
    yield from _table(plain)
    for name, nested in inner.items():
        if nested is not None and f"{path}{name}" not in kinds:
            yield from ("", f"## {path}{name}", "", _code(inspect.cleandoc(nested.__doc__ or "")), "")
            yield from _sections(nested, getattr(values, name, None), f"{path}{name}.")


def _table(fields: Mapping[str, FieldFacts]) -> list[str]:
    if not fields:
        return ["No settings."]
    rows = []
    for name, field in fields.items():
        default = "required" if field.required else f"`{_short(field.default)}`"
        rows.append(f"| `{name}` | {_cell(field.type)} | {default} | {_cell(_code(field.meaning))} |")
    return ["| field | can be | default | meaning |", "|---|---|---|---|", *rows]


def _short(value: Any) -> str:
    if isinstance(value, dict) and "name" in value:
        value = value["name"]
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"


def _code(text: str) -> str:
    """Docstrings mark code by two backticks, pages by one."""
    return text.replace("``", "`")


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _command_line() -> str:
    lines = ["# Command line", ""]
    for path, command in _commands(typer.main.get_command(application.build())):
        words = " ".join(("emogram", *path))
        lines += [f"## {words}", "", _help(command), ""]
        rows = [
            _option(parameter)
            for parameter in getattr(command, "params", ())
            if not getattr(parameter, "hidden", False)
        ]
        if rows:
            lines += ["| argument or option | meaning |", "|---|---|", *rows, ""]
    return "\n".join(lines)


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    inner = getattr(command, "commands", {})
    if path and not inner:
        yield path, command
    for name, child in inner.items():
        yield from _commands(child, (*path, name))


def _help(command: Any) -> str:
    """The docstring, its examples as code."""
    text = inspect.cleandoc(getattr(command, "help", "") or "").replace("\b", "").replace("\f", "")
    words, _, examples = text.partition("Examples:")
    shown = "\n".join(line.strip() for line in examples.splitlines() if line.strip())
    return words.strip() + (f"\n\n```\n{shown}\n```" if shown else "")


def _option(parameter: Any) -> str:
    values = getattr(parameter.type, "choices", None)
    value = parameter.metavar or ("|".join(map(str, values)) if values else "")
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    if parameter.param_type_name == "argument":
        names, value = "", value or parameter.name.upper()
    names = _cell(f"{names} `{value}`" if value else names)
    default = parameter.default
    told = "" if default in (None, False, ()) or callable(default) or parameter.required else f"; default {default}"
    return f"| {names} | {_cell((parameter.help or '').rstrip('.'))}{_cell(told)} |"
