"""Settings of the CNN: recipes, bounds, and what is drawn in training only."""

from typing import Any

import pytest
import torch
from pydantic import ValidationError

from emogram.errors import ConfigurationError
from emogram.networks.blocks import Block
from emogram.networks.cnn import CNNSettings
from emogram.networks.recipes import RECIPES
from tests.networks.made_up import cnn, disturbed, spec


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_name_alone_is_a_recipe(recipe: str) -> None:
    settings = CNNSettings.model_validate(recipe)
    assert settings == CNNSettings.model_validate({"name": recipe})
    fields = dict(RECIPES[recipe].fields)
    assert {name: getattr(settings, name) for name in fields} == fields
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
        ({"channels": (8, 5000, 8)}, ("channels", 1)),
        ({"channels": (8,) * 17, "strides": (1,) * 17}, ("channels",)),
        ({"stem_channels": 4097}, ("stem_channels",)),
        ({"kernel": 33}, ("kernel",)),
        ({"strides": (2, 2, 17)}, ("strides", 2)),
        ({"dilations": (1, 1, 17)}, ("dilations", 2)),
        ({"blocks_per_stage": 65}, ("blocks_per_stage",)),
        ({"stem_branches": ((3, 4),)}, ("stem_branches", 0, 1)),
        ({"stem_branches": ((3, 33),)}, ("stem_branches", 0, 1)),
        ({"block_dropout": 1}, ("block_dropout",)),
        ({"block_dropout_kind": "row"}, ("block_dropout_kind",)),
        ({"convolution": "half"}, ("convolution",)),
        ({"sequence": "lstm"}, ("sequence",)),
        ({"sequence_width": 8192}, ("sequence_width",)),
        ({"sequence_layers": 0}, ("sequence_layers",)),
        ({"sequence_heads": 65}, ("sequence_heads",)),
    ],
)
def test_values_out_of_bounds_name_the_field(fields: dict[str, Any], location: tuple[str | int, ...]) -> None:
    with pytest.raises(ValidationError) as refusal:
        CNNSettings.model_validate({"name": "cnn-tiny", **fields})
    assert location in [problem["loc"] for problem in refusal.value.errors()]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ("cnn-smal", "no network 'cnn-smal', did you mean 'cnn-small'? choose cnn-tiny"),
        ({"name": "transformer"}, "choose cnn-tiny"),
        ({"name": ["cnn-tiny"]}, "choose cnn-tiny"),
        ({"name": None}, "choose cnn-tiny"),
        ({"name": "cnn-tiny", "strides": (2, 2)}, "strides: 2 given for 3 stages"),
        ({"name": "cnn-tiny", "kernel": 4}, "must be odd"),
        ({"name": "cnn-tiny", "dilations": (2, 2)}, "dilations: 2 given for 3 stages"),
        ({"name": "cnn-tiny", "stem_channels": 1, "stem_branches": ((1, 3), (3, 1))}, "stem_channels=1; choose fewer"),
        ({"name": "cnn-tiny", "sequence": "gru", "sequence_width": 3}, "sequence_width=3: must be a multiple of 2"),
        ({"name": "crnn", "sequence": "attention", "sequence_heads": 7}, "sequence_width=160: must be a multiple of 7"),
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
    deep = cnn({**fields, "stochastic_depth": 0.9}, 4)
    plain = cnn(fields, 4)
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
    network = cnn({"name": "cnn-tiny", "block": "plain", "stochastic_depth": 0.9}, 4)
    assert all(block.drop_probability == 0 for block in network.blocks if isinstance(block, Block))


def test_dropout_is_off_in_evaluation_and_on_in_training() -> None:
    network = disturbed(cnn({"name": "cnn-tiny", "dropout": 0.5, "normalisation": "none"}, 4))
    batch = spec(2, 20)
    torch.manual_seed(0)
    with torch.no_grad():
        assert torch.equal(network(batch), network(batch))
        network.train()
        assert not torch.equal(network(batch), network(batch))


def test_features_stride_and_keep_their_mask() -> None:
    network = cnn("cnn-tiny", 4)
    disturbed(network)
    features, mask = network.features(spec(2, 33), torch.tensor([33, 17]))
    assert features.shape == (2, 64, 4, 3)
    assert mask is not None
    assert mask[:, 0].tolist() == [[1, 1, 1], [1, 1, 0]]
    assert not features[1, :, :, 2].any()
    assert features[1, :, :, 1].any()
    assert network.features(spec(2, 33))[1] is None


def test_more_than_memory_holds_is_refused_before_it_is_taken() -> None:
    settings = CNNSettings.model_validate({"name": "cnn-tiny", "channels": (4096,) * 3, "kernel": 31})
    with pytest.raises(
        ConfigurationError, match=r"^network: 8\d{4} M parameters, more than 250 M; choose fewer channels$"
    ):
        settings.build(4)


def test_parallel_kernels_share_the_channels_out() -> None:
    network = cnn({"name": "cnn-tiny", "stem_channels": 8, "stem_branches": ((9, 1), (1, 11), (3, 3))})
    shapes = [tuple(part.weight.shape) for part in network.stem.modules() if isinstance(part, torch.nn.Conv2d)]
    assert shapes == [(3, 1, 9, 1), (3, 1, 1, 11), (2, 1, 3, 3)]


def test_dilation_spreads_kernels_in_time_alone() -> None:
    network = cnn({"name": "cnn-tiny", "dilations": (1, 2, 4)})
    steps = [block.second.convolution.dilation for block in network.blocks if isinstance(block, Block)]
    assert steps == [(1, 1), (1, 2), (1, 4)]


def test_blocks_drop_in_training_alone() -> None:
    fields = {"name": "cnn-tiny", "dropout": 0.0}
    torch.manual_seed(0)
    dropping = cnn({**fields, "block_dropout": 0.5})
    plain = cnn(fields)
    plain.load_state_dict(dropping.state_dict())
    batch = spec(3, 40)
    with torch.no_grad():
        assert torch.equal(dropping.eval()(batch), plain.eval()(batch))
        assert not torch.equal(dropping.train()(batch), plain.train()(batch))
