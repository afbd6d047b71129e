"""Types, bounds and choices in words, and places found through variants."""

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Discriminator, Field, Tag

from emogram.training.schema import Node, choices, expected, facts, locate, of_field, places


class Cat(BaseModel):
    name: Literal["cat"] = "cat"
    lives: int = Field(9, ge=1, le=9, description="left")


class Dog(BaseModel):
    name: Literal["dog"] = "dog"
    tricks: tuple[str, ...] = Field((), max_length=3)


class House(BaseModel):
    pet: Cat | Dog = Field(Cat(), discriminator="name")
    others: list[Annotated[Cat | Dog, Field(discriminator="name")]] = Field(default_factory=list)
    rooms: dict[str, Cat] = Field(default_factory=dict)
    size: tuple[Annotated[float, Field(gt=0)], int] = (1.0, 2)
    door: Path | None = None
    owner: Cat = Cat()
    floors: int


@pytest.mark.parametrize(
    ("annotation", "bounds", "words"),
    [
        (int, {"ge": 1, "le": 10_000}, "a whole number from 1 to 10000"),
        (int, {"ge": 0}, "a whole number of at least 0"),
        (int, {"ge": 0, "lt": 2**63}, "a whole number from 0 to below 2^63"),
        (float, {"gt": 0, "le": 1e-3}, "a number above 0 and at most 0.001"),
        (float, {"gt": 0, "lt": 1}, "a number above 0 and below 1"),
        (float, {"gt": 0}, "a number above 0"),
        (float, {"le": 3}, "a number to 3"),
        (float, {}, "a number"),
        (bool, {}, "true or false"),
        (str, {"max_length": 5}, "text (at most 5 characters)"),
        (Path | None, {}, "a path or null"),
        (Literal["a", "b"], {}, "one of a, b"),
        (tuple[int, ...], {"min_length": 1}, "a list, each a whole number (at least 1 of them)"),
        (tuple[float, float], {}, "a list of 2, each a number"),
        (tuple[float, int], {}, "a list of 2, the first a number, then a whole number"),
        (dict[str, Path], {}, "names, each with a path"),
        (Cat | Dog, {}, "one of cat, dog"),
        (Cat, {}, "fields: name, lives"),
        (bytes, {}, "another value"),
    ],
)
def test_a_type_in_words(annotation: Any, bounds: dict[str, Any], words: str) -> None:
    info = Field(**bounds)
    assert expected(Node(annotation, tuple(info.metadata))) == words


@pytest.mark.parametrize(
    ("location", "path", "words"),
    [
        (("pet",), "pet", "one of cat, dog"),
        (("pet", "cat", "lives"), "pet.lives", "a whole number from 1 to 9"),
        (("others", 1, "dog", "tricks", 0), "others.1.tricks.0", "text"),
        (("rooms", "hall", "lives"), "rooms.hall.lives", "a whole number from 1 to 9"),
        (("size", 0), "size.0", "a number above 0"),
        (("owner", "lives"), "owner.lives", "a whole number from 1 to 9"),
    ],
)
def test_a_place_is_told_without_the_names_of_variants(location: tuple[int | str, ...], path: str, words: str) -> None:
    found, node = locate(House, location)
    assert ".".join(found) == path
    assert node is not None
    assert expected(node) == words


@pytest.mark.parametrize("location", [("roof",), ("pet", "cow", "lives"), ("floors", "x"), ("size", 5), ("door", "x")])
def test_where_nothing_can_be_there_is_nothing(location: tuple[int | str, ...]) -> None:
    assert locate(House, location) == ([str(part) for part in location], None)


def test_variants_may_be_told_apart_by_tags() -> None:
    class Zoo(BaseModel):
        animal: Annotated[Annotated[Cat, Tag("tiger")] | Annotated[Dog, Tag("wolf")], Discriminator(lambda _: "wolf")]

    assert choices(of_field(Zoo.model_fields["animal"])) == ["tiger", "wolf"]
    assert locate(Zoo, ("animal", "wolf", "tricks"))[0] == ["animal", "tricks"]


def test_facts_are_of_every_field() -> None:
    told = facts(House)
    assert list(told) == list(House.model_fields)
    assert (told["floors"].required, told["owner"].required) == (True, False)
    assert told["owner"].default == {"name": "cat", "lives": 9}
    assert told["rooms"].default == {}
    assert facts(Cat)["lives"].meaning == "left"
    assert facts(House, House(floors=3))["floors"].default == 3


def test_places_are_those_without_variants() -> None:
    assert [".".join(path) for path in places(House)][-4:] == ["owner", "owner.name", "owner.lives", "floors"]
