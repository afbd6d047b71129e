"""The union of all networks' settings: names, fields, and what is refused."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from emogram.errors import ConfigurationError
from emogram.networks.registry import FAMILIES, NETWORKS, NetworkSettings, settings_of

UNION: TypeAdapter[Any] = TypeAdapter(NetworkSettings)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_name_gives_its_settings_and_they_come_back(name: str) -> None:
    settings = UNION.validate_python(name)
    assert settings == settings_of(name)
    assert type(settings) is NETWORKS[name]
    assert settings.name == name
    assert UNION.validate_python(UNION.dump_python(settings, mode="json")) == settings
    assert UNION.validate_python(settings) is settings


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_says_what_it_is_in_a_line(name: str) -> None:
    summary = NETWORKS[name].recipes[name].summary
    assert 30 < len(summary) < 130
    assert summary.endswith(".")
    assert "\n" not in summary


@pytest.mark.parametrize("family", FAMILIES)
def test_every_field_is_described(family: str) -> None:
    assert all(field.description for field in FAMILIES[family].model_fields.values())


def test_fields_without_a_name_are_those_of_the_default() -> None:
    assert UNION.validate_python({"kernel": 5}) == UNION.validate_python({"name": "cnn-base", "kernel": 5})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ("cnn-smal", "no network 'cnn-smal', did you mean 'cnn-small'? choose cnn-tiny"),
        ({"name": "cnn41"}, "no network 'cnn41', did you mean 'cnn14'?"),
        ({"name": 3}, "no network 3; choose cnn-tiny"),
        (3, "must be a name, or fields and values"),
        (None, "must be a name, or fields and values"),
    ],
)
def test_a_wrong_name_gives_the_choices(values: object, words: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        UNION.validate_python(values)
    (problem,) = refusal.value.errors()
    assert words in problem["msg"]


def test_a_field_of_another_family_is_refused() -> None:
    with pytest.raises(ValidationError) as refusal:
        UNION.validate_python({"name": "audiontt", "kernel": 3})
    assert refusal.value.errors()[0]["loc"] == ("AudioNTTSettings", "kernel")


def test_a_wrong_name_in_code_is_our_error() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'crnn'"):
        settings_of("crn")
