"""What a configuration can hold, read off its settings classes: the type, bounds and choices of every field, in words.

Errors, `emogram list` and the reference are all made from here, so that they agree with what is checked.
"""

import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Len, Lt, MaxLen, MinLen
from pydantic import BaseModel, Tag, TypeAdapter
from pydantic.fields import FieldInfo

_NUMBERS = {int: "whole number", float: "number"}


@dataclass(frozen=True)
class Node:
    """A place in a configuration: a type, and the bounds that come with it."""

    annotation: Any
    metadata: tuple[Any, ...] = ()

    @property
    def settings(self) -> type[BaseModel] | None:
        """The settings class, where the place holds fields, or fields or null."""
        kind = _without_null(self.annotation)
        is_class = isinstance(kind, type) and not get_args(kind)
        return kind if is_class and issubclass(kind, BaseModel) else None

    @property
    def variants(self) -> dict[str, "Node"]:
        """Settings by name, where the place holds one of several."""
        if get_origin(self.annotation) not in {Union, types.UnionType}:
            return {}
        members = [(member, _node(member)) for member in get_args(self.annotation)]
        if not all(node.settings for _, node in members):
            return {}
        return {_tag(member, node): node for member, node in members}

    def inside(self, part: int | str) -> "Node | None":
        """What lies at a field, a key or a position within, or None."""
        if self.settings is not None:
            info = self.settings.model_fields.get(str(part))
            return None if info is None else of_field(info)
        arguments = get_args(self.annotation)
        origin = get_origin(self.annotation)
        if origin is dict:
            return _node(arguments[1])
        if origin is list or (origin is tuple and arguments[-1] is Ellipsis):
            return _node(arguments[0])
        if origin is tuple and isinstance(part, int) and part < len(arguments):
            return _node(arguments[part])
        return None


def of_field(info: FieldInfo) -> Node:
    """The place of a field."""
    return Node(info.annotation, tuple(info.metadata))


def locate(settings: type[BaseModel], location: Sequence[int | str]) -> tuple[list[str], Node | None]:
    """Where pydantic means, by the names that a user types, and what can be there (None where nothing can).

    Pydantic names the variant of a union as one more part of the place, which is no field.
    """
    node: Node | None = Node(settings)
    path = []
    for part in location:
        if node is not None and str(part) in node.variants:
            node = node.variants[str(part)]
            continue
        path.append(str(part))
        node = None if node is None else node.inside(part)
    return path, node


def choices(node: Node) -> list[str]:
    """Names that can stand at a place: variants, or the values of an enumeration; else none."""
    if get_origin(node.annotation) is Literal:
        return [str(value) for value in get_args(node.annotation)]
    return [name for tag, variant in node.variants.items() for name in getattr(variant.settings, "recipes", (tag,))]


def expected(node: Node) -> str:
    """What can stand at a place, in words: ``a whole number from 1 to 10000``."""
    names = choices(node)
    if names:
        return f"one of {', '.join(names)}"
    if node.settings is not None:
        optional = node.settings is not node.annotation
        return f"fields: {', '.join(node.settings.model_fields)}" + (" or null" if optional else "")
    return _composite(node) if get_args(node.annotation) else _plain(node)


@dataclass(frozen=True)
class FieldFacts:
    """What is to be known of one field.

    Attributes:
        type: what can stand there, in words.
        default: JSON-ready; None where `required`.
        required: it has no default.
        meaning: its description.
    """

    type: str
    default: Any
    required: bool
    meaning: str


def facts(settings: type[BaseModel], preset: BaseModel | None = None) -> dict[str, FieldFacts]:
    """All fields of a settings class, by name.

    Args:
        settings: the class.
        preset: settings whose values are the defaults, where they are not those of the class.
    """
    found = {}
    for name, info in settings.model_fields.items():
        required = info.is_required() and preset is None
        value = None if required else info.get_default(call_default_factory=True, validated_data={})
        if preset is not None:
            value = getattr(preset, name)
        plain = TypeAdapter(Any).dump_python(value, mode="json")
        found[name] = FieldFacts(expected(of_field(info)), plain, required, info.description or "")
    return found


def places(settings: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths of all fields, those of variants left out."""
    for name, info in settings.model_fields.items():
        yield (*path, name)
        inner = of_field(info).settings
        if inner is not None:
            yield from places(inner, (*path, name))


def _without_null(annotation: Any) -> Any:
    """The one type that can stand where null can stand as well; else the annotation."""
    members = get_args(annotation) if get_origin(annotation) in {Union, types.UnionType} else ()
    others = [member for member in members if member is not types.NoneType]
    return others[0] if len(others) == 1 < len(members) else annotation


def _composite(node: Node) -> str:
    arguments = get_args(node.annotation)
    origin = get_origin(node.annotation)
    if origin is dict:
        return f"names, each with {expected(_node(arguments[1]))}"
    if origin is list or (origin is tuple and arguments[-1] is Ellipsis):
        return f"a list, each {expected(_node(arguments[0]))}{_length(node.metadata)}"
    if origin is tuple:
        each = [expected(_node(argument)) for argument in arguments]
        same = len(set(each)) == 1
        return f"a list of {len(each)}, " + (f"each {each[0]}" if same else f"the first {', then '.join(each)}")
    told = [expected(Node(member, node.metadata)) for member in arguments if member is not types.NoneType]
    return " or ".join([*told, *(["null"] if types.NoneType in arguments else [])])


def _plain(node: Node) -> str:
    kind = node.annotation
    if kind in _NUMBERS:
        return f"a {_NUMBERS[kind]}{_bounds(node)}"
    if kind is str:
        return f"text{_length(node.metadata, 'characters')}"
    return {bool: "true or false", Path: "a path"}.get(kind, "another value")


def _node(annotation: Any) -> Node:
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        unfolded: list[Any] = []
        for item in metadata:
            unfolded += item.metadata if isinstance(item, FieldInfo) else [item]
        return Node(inner, tuple(unfolded))
    return Node(annotation)


def _tag(member: Any, node: Node) -> str:
    """What a union tells a member by: its tag, or the name that it alone can have."""
    for item in get_args(member)[1:] if get_origin(member) is Annotated else ():
        if isinstance(item, Tag):
            return item.tag
    assert node.settings is not None
    name = node.settings.model_fields.get("name")
    return str(name.default) if name is not None else node.settings.__name__


def _bounds(node: Node) -> str:
    least = most = ""
    for bound in node.metadata:
        if isinstance(bound, Ge):
            least = f"from {_number(bound.ge)}"
        elif isinstance(bound, Gt):
            least = f"above {_number(bound.gt)}"
        elif isinstance(bound, Le):
            most = f"to {_number(bound.le)}"
        elif isinstance(bound, Lt):
            most = f"to below {_number(bound.lt)}"
    if least.startswith("from") and not most:
        return least.replace("from", " of at least")
    if least.startswith("above"):
        most = most.replace("to below", "and below").replace("to ", "and at most ")
    return "".join(f" {words}" for words in (least, most) if words)


def _number(value: Any) -> str:
    if isinstance(value, int) and value >= 2**31 and value.bit_count() == 1:
        return f"2^{value.bit_length() - 1}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _length(metadata: Sequence[Any], of_what: str = "of them") -> str:
    least, most = 0, None
    for bound in metadata:
        if isinstance(bound, MinLen | Len):
            least = bound.min_length
        if isinstance(bound, MaxLen | Len):
            most = bound.max_length
    words = [f"at least {least}"] * bool(least) + [f"at most {most}"] * (most is not None)
    return f" ({' and '.join(words)} {of_what})" if words else ""
