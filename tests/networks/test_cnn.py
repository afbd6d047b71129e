"""Settings of the CNN: recipes, bounds, and what is drawn in training only."""

from typing import Any

import pytest
import torch
from pydantic import ValidationError

from emogram.errors import ConfigurationError
from emogram.networks.cnn import RECIPES, Block, CNNSettings
from tests.networks.made_up import disturbed, spec


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_name_alone_is_a_recipe(recipe: str) -> None:
    settings = CNNSettings.model_validate(recipe)
    assert settings == CNNSettings.model_validate({"name": recipe})
    assert {name: getattr(settings, name) for name in RECIPES[recipe]} == RECIPES[recipe]
    assert CNNSettings.model_validate(settings.model_dump(mode="json")) == settings


def test_a_field_beside_the_name_changes_that_field_alone() -> None:
    plain, changed = (
        CNNSettings.model_validate("cnn-small"),
        CNNSettings.model_validate({"name": "cnn-small", "kernel": 5}),
    )
    assert changed.model_dump() == plain.model_dump() | {"kernel": 5}


def test_without_a_name_the_default_recipe_is_meant() -> None:
    assert CNNSettings.model_validate({}) == CNNSettings.model_validate("cnn-base")


@pytest.mark.parametrize(
    ("fields", "location"),
    [
        ({"channels": (8, 0, 8)}, ("channels", 1)),
        ({"channels": ()}, ("channels",)),
        ({"strides": (2, 2, 0)}, ("strides", 2)),
        ({"strides": (2, 2, -1)}, ("strides", 2)),
        ({"stem_stride": (0, 2)}, ("stem_stride", 0)),
        ({"stem_stride": (2, 2, 2)}, ("stem_stride",)),
        ({"stem_channels": 0}, ("stem_channels",)),
        ({"stem_kernel": 4}, ("stem_kernel",)),
        ({"kernel": 2}, ("kernel",)),
        ({"kernel": -1}, ("kernel",)),
        ({"blocks_per_stage": 0}, ("blocks_per_stage",)),
        ({"dropout": 1.0}, ("dropout",)),
        ({"dropout": float("nan")}, ("dropout",)),
        ({"stochastic_depth": float("inf")}, ("stochastic_depth",)),
        ({"stochastic_depth": 1.0}, ("stochastic_depth",)),
        ({"pooling": "sum"}, ("pooling",)),
        ({"activation": "tanh"}, ("activation",)),
        ({"depth": 3}, ("depth",)),
    ],
)
def test_values_out_of_bounds_name_the_field(fields: dict[str, Any], location: tuple[str | int, ...]) -> None:
    with pytest.raises(ValidationError) as refusal:
        CNNSettings.model_validate({"name": "cnn-tiny", **fields})
    assert [problem["loc"] for problem in refusal.value.errors()] == [location]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ("cnn-smal", "no network 'cnn-smal', did you mean 'cnn-small'? choose cnn-tiny"),
        ({"name": "transformer"}, "choose cnn-tiny"),
        ({"name": ["cnn-tiny"]}, "choose cnn-tiny"),
        ({"name": None}, "choose cnn-tiny"),
        ({"name": "cnn-tiny", "strides": (2, 2)}, "strides: 2 given for 3 stages"),
        ({"name": "cnn-tiny", "kernel": 4}, "must be odd"),
        (3, "valid dictionary"),
    ],
)
def test_a_refusal_says_what_can_be_chosen(values: object, words: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        CNNSettings.model_validate(values)
    (problem,) = refusal.value.errors()
    assert words in problem["msg"]


@pytest.mark.parametrize("n_classes", [0, 1])
def test_fewer_than_two_emotions_are_refused(n_classes: int) -> None:
    with pytest.raises(ConfigurationError, match="at least two"):
        CNNSettings.model_validate("cnn-tiny").build(n_classes)


def test_stochastic_depth_grows_with_depth_and_is_off_in_evaluation() -> None:
    fields: dict[str, Any] = {"name": "cnn-tiny", "blocks_per_stage": 2, "dropout": 0.0}
    torch.manual_seed(0)
    deep = CNNSettings.model_validate({**fields, "stochastic_depth": 0.9}).build(4)
    plain = CNNSettings.model_validate(fields).build(4)
    plain.load_state_dict(deep.state_dict())
    chances = [block.drop_probability for block in deep.blocks if isinstance(block, Block)]
    assert chances == pytest.approx([0.15, 0.3, 0.45, 0.6, 0.75, 0.9])
    batch = spec(6, 20)
    with torch.no_grad():
        assert torch.equal(deep.eval()(batch), plain.eval()(batch))
        assert not torch.equal(deep.train()(batch), plain.train()(batch))


def test_a_block_is_left_out_as_often_as_said_and_weighs_more_where_it_stays() -> None:
    settings = CNNSettings.model_validate({"name": "cnn-tiny", "stochastic_depth": 0.5})
    block = Block(4, 4, 1, settings, drop_probability=0.25).train()
    torch.manual_seed(0)
    kept = block._drop_path(torch.ones(2000, 4, 1, 1))
    assert torch.unique(kept).tolist() == pytest.approx([0.0, 4 / 3])
    assert float((kept[:, 0] > 0).float().mean()) == pytest.approx(0.75, abs=0.04)
    assert float(kept.std(dim=1).max()) == 0.0


def test_a_plain_block_is_never_left_out() -> None:
    settings = CNNSettings.model_validate({"name": "cnn-tiny", "block": "plain", "stochastic_depth": 0.9})
    network = settings.build(4)
    assert all(block.drop_probability == 0 for block in network.blocks if isinstance(block, Block))


def test_dropout_is_off_in_evaluation_and_on_in_training() -> None:
    network = disturbed(
        CNNSettings.model_validate({"name": "cnn-tiny", "dropout": 0.5, "normalisation": "none"}).build(4)
    )
    batch = spec(2, 20)
    torch.manual_seed(0)
    with torch.no_grad():
        assert torch.equal(network(batch), network(batch))
        network.train()
        assert not torch.equal(network(batch), network(batch))


def test_features_stride_and_keep_their_mask() -> None:
    network = disturbed(CNNSettings.model_validate("cnn-tiny").build(4))
    features, mask = network.features(spec(2, 33), torch.tensor([33, 17]))  # type: ignore[operator]
    assert features.shape == (2, 64, 4, 3)
    assert mask[:, 0].tolist() == [[1, 1, 1], [1, 1, 0]]
    assert not features[1, :, :, 2].any()
    assert features[1, :, :, 1].any()
    assert network.features(spec(2, 33))[1] is None  # type: ignore[operator]
