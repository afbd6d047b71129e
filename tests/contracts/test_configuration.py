"""Contracts of the whole configuration: every field of every variant refuses what it cannot be, in one line that says so."""

import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from annotated_types import Ge, Gt, Le, Lt
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from emogram.errors import ConfigurationError
from emogram.training.configuration import Configuration, validate
from emogram.training.schema import Node, choices, of_field

UNLIKE_ANYTHING = "xyzzy"
REQUIRED: dict[tuple[str, ...], Any] = {
    ("transfer", "source"): "weights.safetensors",
    ("distillation", "teacher"): "weights.safetensors",
}
"""Fields without which their neighbours mean nothing."""


@dataclass(frozen=True)
class Place:
    """A field, as it is typed, what can be there, and the variants that must be chosen on the way."""

    path: tuple[str, ...]
    node: Node
    around: tuple[tuple[tuple[str, ...], str], ...]

    def holding(self, value: Any) -> dict[str, Any]:
        """Plain values of a configuration with this value here and defaults elsewhere."""
        values: dict[str, Any] = {}
        for path, name in self.around:
            put(values, (*path, "name"), name)
        for needed, usual in REQUIRED.items():
            if self.path[: len(needed) - 1] == needed[:-1]:
                put(values, needed, usual)
        put(values, self.path, value)
        return values

    @property
    def shown(self) -> str:
        return ".".join(self.path)


def put(values: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for part in path[:-1]:
        values = values.setdefault(part, {})
    values[path[-1]] = value


def places(
    kind: type[BaseModel], path: tuple[str, ...] = (), around: tuple[tuple[tuple[str, ...], str], ...] = ()
) -> Iterator[Place]:
    """Every field of every variant."""
    for name, info in kind.model_fields.items():
        node = of_field(info)
        here = (*path, name)
        if not (name == "name" and around and around[-1][0] == path):
            yield Place(here, node, around)
        if node.settings is not None:
            yield from places(node.settings, here, around)
        for variant, inner in node.variants.items():
            assert inner.settings is not None
            name_of_one = next(iter(getattr(inner.settings, "recipes", (variant,))))
            yield from places(inner.settings, here, (*around, (here, name_of_one)))


PLACES = list(places(Configuration))


def refusal(values: dict[str, Any]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        validate(values)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 800
    return message


def members(node: Node) -> list[Any]:
    """The types that can stand at a place."""
    union = get_origin(node.annotation) in {Union, types.UnionType}
    return [kind for kind in get_args(node.annotation) if kind is not types.NoneType] if union else [node.annotation]


def of_another_type(node: Node) -> list[Any]:
    """Values of types that the place cannot hold."""
    kinds = members(node)
    if choices(node) or node.settings is not None or get_origin(node.annotation) is dict:
        may_be_null = types.NoneType in get_args(node.annotation)
        return [3.5, [1], UNLIKE_ANYTHING, *([] if may_be_null else [None])]
    if str in kinds or Path in kinds:
        return [3.5, [1], True, {"a": 1}]
    if bool in kinds:
        return [3.5, [1], UNLIKE_ANYTHING, {"a": 1}]
    if set(kinds) & {int, float}:
        wrong: list[Any] = [UNLIKE_ANYTHING, [1], {"a": 1}, True, float("nan"), float("inf")]
        return [*wrong, 1.5] if float not in kinds else wrong
    return [3.5, UNLIKE_ANYTHING, {"a": 1}, True]


def outside(node: Node) -> Iterator[tuple[Any, Any]]:
    """Numbers out of range, each with the bound that the message must name."""
    for bound in node.metadata:
        if isinstance(bound, Ge):
            yield bound.ge - 1, bound.ge  # type: ignore[operator]
        elif isinstance(bound, Gt):
            yield from ((bound.gt, bound.gt), (bound.gt - 1, bound.gt))  # type: ignore[operator]
        elif isinstance(bound, Le):
            yield bound.le + 1, bound.le  # type: ignore[operator]
        elif isinstance(bound, Lt):
            yield from ((bound.lt, bound.lt), (bound.lt + 1, bound.lt))  # type: ignore[operator]


IDS = [f"{place.shown}-{'-'.join(name for _, name in place.around)}" for place in PLACES]


def test_the_whole_configuration_is_walked() -> None:
    paths = {place.shown for place in PLACES}
    assert {
        "fit.epochs",
        "fit.optimizer",
        "fit.optimizer.learning_rate",
        "spectrogram.n_mels",
        "runtime.cache",
    } <= paths
    assert len({place.around for place in PLACES}) > 40


@pytest.mark.parametrize("place", PLACES, ids=IDS)
def test_a_value_of_another_type_is_refused(place: Place) -> None:
    for wrong in of_another_type(place.node):
        if isinstance(wrong, float) and place.shown == "fit.averaging":
            continue  # where a number is a decay
        if wrong is True and place.shown == "network.blocks":
            continue  # taken for 1, so that other fields are found wrong first
        message = refusal(place.holding(wrong))
        assert place.shown.removesuffix(".name") in message
        named = isinstance(wrong, dict) or repr(wrong) in message or f"={wrong}" in message
        assert named, message
        says = ("give ", "choose ", "input should be ", "must ")
        assert any(word in message for word in says), message


@pytest.mark.parametrize("place", PLACES, ids=IDS)
def test_a_value_out_of_range_is_refused_with_the_bound(place: Place) -> None:
    for wrong, edge in outside(place.node):
        message = refusal(place.holding(wrong))
        assert f": {place.shown}={wrong}: " in message
        assert str(edge) in message or f"{edge:g}" in message


@pytest.mark.parametrize("place", [place for place in PLACES if choices(place.node)], ids=lambda place: place.shown)
def test_a_wrong_name_is_refused_with_all_choices(place: Place) -> None:
    names = choices(place.node)
    as_field = [place.holding({"name": UNLIKE_ANYTHING})] if get_origin(place.node.annotation) is not Literal else []
    for values in [place.holding(UNLIKE_ANYTHING), *as_field]:
        message = refusal(values)
        assert place.shown in message
        assert repr(UNLIKE_ANYTHING) in message
        assert all(name in message for name in names)
    nearly = f"{names[-1][:-1]}q" if len(names[-1]) > 3 else None
    if nearly is not None:
        assert "did you mean" in refusal(place.holding(nearly))


@pytest.mark.parametrize("place", PLACES, ids=IDS)
def test_an_unknown_field_is_refused_with_its_neighbours(place: Place) -> None:
    beside = (*place.path[:-1], UNLIKE_ANYTHING)
    values = place.holding(None)
    inner = values
    for part in place.path[:-1]:
        inner = inner[part]
    if place.path in REQUIRED:
        inner[place.path[-1]] = REQUIRED[place.path]
    else:
        del inner[place.path[-1]]
    put(values, beside, 1)
    message = refusal(values)
    assert f": {'.'.join(beside)}: no such field; choose " in message
    assert place.path[-1] in message.partition("choose ")[2]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(place=st.sampled_from(PLACES), value=ANYTHING)
def test_no_value_gets_through_unseen(place: Place, value: Any) -> None:
    """Whatever stands in a field, it is taken or refused in one line."""
    try:
        validate(place.holding(value))
    except ConfigurationError as error:
        assert "\n" not in str(error)  # noqa: PT017 - a value may be right


def test_every_plain_field_has_a_meaning() -> None:
    def unexplained(kind: type[BaseModel], path: str) -> Iterator[str]:
        for name, info in kind.model_fields.items():
            node = of_field(info)
            tag = name == "name" and get_origin(info.annotation) is Literal
            if node.settings is None and not node.variants and not tag and not info.description:
                yield f"{path}{name}"
            for inner in (node, *node.variants.values()):
                if inner.settings is not None:
                    yield from unexplained(inner.settings, f"{path}{name}.")

    assert list(unexplained(Configuration, "")) == []
