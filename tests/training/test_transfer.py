"""Starting from weights learned elsewhere: strict about what is loaded, exact about what learns."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from emogram.errors import ConfigurationError, EmogramError, ModelError
from emogram.networks.encoder import EncoderBlock, EncoderNetwork
from emogram.networks.whisper import SIZES, WhisperEncoder
from emogram.training.building import build_classifier
from emogram.training.configuration import Configuration, validate
from emogram.training.transfer import freeze, frozen_blocks, hold, normalisations, parameter_groups, unfreeze

PREFIX = "model.encoder."
BLOCKS = 2


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights under the publisher's names, in half precision, with a block more and a decoder."""
    torch.manual_seed(3)
    tensors = {
        PREFIX + name: tensor.half().contiguous()
        for name, tensor in WhisperEncoder(SIZES["tiny"], blocks=BLOCKS + 1).state_dict().items()
    }
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    save_file(tensors | {"model.decoder.layer_norm.weight": torch.ones(4)}, path)
    return path


def configuration(source: Path, **fields: Any) -> Configuration:
    return validate(
        {
            "spectrogram": "whisper",
            "network": {"name": "whisper-tiny", "blocks": BLOCKS, "pooled": 1},
            "transfer": {"source": str(source), **fields},
        }
    )


def network_of(given: Configuration) -> EncoderNetwork:
    network = build_classifier(given, 4).network
    assert isinstance(network, EncoderNetwork)
    return network


def block(network: EncoderNetwork, number: int) -> EncoderBlock:
    found = network.encoder.layers[number]
    assert isinstance(found, EncoderBlock)
    return found


def test_published_weights_are_loaded_and_the_head_is_random(published: Path) -> None:
    torch.manual_seed(3)
    expected = WhisperEncoder(SIZES["tiny"], blocks=BLOCKS + 1).state_dict()
    network = network_of(configuration(published))
    for name, tensor in network.encoder.state_dict().items():
        assert torch.equal(tensor, expected[name].half().float()), name
    assert float(network.head.weight.detach().std()) > 0


@pytest.mark.parametrize("trained", [None, 0, 1, 2])
def test_what_is_to_stay_does_not_learn(published: Path, trained: int | None) -> None:
    network = network_of(configuration(published, trained=trained))
    learning = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    encoder = {name for name in learning if name.startswith("encoder.")}
    if trained is None:
        assert learning == {name for name, _ in network.named_parameters()}
    else:
        assert {name.split(".")[2] for name in encoder} == {str(block) for block in range(BLOCKS - trained, BLOCKS)}
        assert all(name.startswith("encoder.layers.") for name in encoder)
    assert {name for name, _ in network.named_parameters() if not name.startswith("encoder.")} <= learning


@pytest.mark.parametrize(
    ("trained", "epoch", "blocks", "stem"),
    [
        (None, 2, [], False),
        (None, 3, [1], False),
        (None, 6, [0, 1], False),
        (None, 9, [0, 1], True),
        (1, 9, [1], False),
    ],
)
def test_blocks_join_one_by_one_from_the_head_down(
    published: Path, trained: int | None, epoch: int, blocks: list[int], stem: bool
) -> None:
    given = configuration(published, trained=trained, unfreeze_every=3)
    network = network_of(given)
    unfreeze(network, given.transfer, epoch)
    assert [n for n in range(BLOCKS) if block(network, n).fc1.weight.requires_grad] == blocks
    assert network.encoder.conv1.weight.requires_grad is stem
    assert network.head.weight.requires_grad


def test_low_rank_leaves_all_but_thin_additions_as_they_are(published: Path) -> None:
    given = configuration(published, trained=1, lora_rank=3)
    classifier = build_classifier(given, 4)
    network = classifier.network
    learning = {name: p for name, p in network.named_parameters() if p.requires_grad}
    additions = {name: p for name, p in learning.items() if name.startswith("encoder.")}
    parts = ("k_proj", "v_proj", "q_proj", "out_proj")
    assert set(additions) == {
        f"encoder.layers.1.self_attn.{part}.parametrizations.weight.0.{side}"
        for part in parts
        for side in ("up", "down")
    }
    assert {p.numel() for p in additions.values()} == {3 * SIZES["tiny"].width}
    scale = {id(p): group.lr_scale for group in parameter_groups(classifier, given.transfer) for p in group.weights}
    assert {scale[id(p)] for p in additions.values()} == {1.0}


@pytest.mark.parametrize(
    ("network", "fields", "message"),
    [
        (
            "whisper-tiny",
            {"batch_norm": "frozen"},
            r"batch_norm=frozen: no batch normalisation of this network is loaded",
        ),
        ("cnn-tiny", {"lora_rank": 2}, r"lora_rank, unfreeze_every and trained above 0 are for the blocks of Whisper"),
        ("cnn-tiny", {"trained": 1}, r"lora_rank, unfreeze_every and trained above 0 are for the blocks of Whisper"),
    ],
)
def test_what_a_network_has_no_parts_for_is_refused(
    network: str, fields: dict[str, Any], message: str, published: Path
) -> None:
    given = configuration(published, **fields).transfer
    assert given is not None
    made = build_classifier(validate({"network": network, "spectrogram": "whisper"}), 4).network
    with pytest.raises(ConfigurationError, match=message):
        freeze(made, given)


def test_low_rank_and_blocks_that_join_one_by_one_rule_each_other_out(published: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"transfer: unfreeze_every: with lora_rank the blocks stay"):
        configuration(published, lora_rank=2, unfreeze_every=1)


def test_frozen_normalisation_keeps_its_statistics_in_training(published: Path) -> None:
    given = configuration(published, batch_norm="frozen").transfer
    assert given is not None
    network = build_classifier(validate({"network": "cnn-tiny"}), 4).network
    freeze(network, given)
    hold(network.train(), given)
    before = {name: value.clone() for name, value in network.named_buffers()}
    network(torch.randn(4, 1, 64, 20)).sum().backward()
    assert all(torch.equal(value, before[name]) for name, value in network.named_buffers())
    assert {p.grad is None for part in normalisations(network) for p in part.parameters()} == {True}
    assert network.head.weight.grad is not None


def test_rates_fall_from_the_head_down(published: Path) -> None:
    given = configuration(published, rate=0.5, layer_decay=0.1)
    classifier = build_classifier(given, 4)
    groups = parameter_groups(classifier, given.transfer)
    scale = {id(p): group.lr_scale for group in groups for p in group.weights}
    network = classifier.network
    assert isinstance(network, EncoderNetwork)
    assert scale[id(network.head.weight)] == 1.0
    assert scale[id(block(network, 1).fc1.weight)] == pytest.approx(0.5)
    assert scale[id(block(network, 0).fc1.weight)] == pytest.approx(0.05)
    assert scale[id(network.encoder.conv1.weight)] == pytest.approx(0.005)
    assert len(scale) == len(list(classifier.parameters()))


def test_without_transfer_everything_has_the_same_rate() -> None:
    classifier = build_classifier(validate({"network": "cnn-tiny"}), 4)
    (group,) = parameter_groups(classifier, None)
    assert group.lr_scale == 1.0
    assert {id(p) for p in group.weights} == {id(p) for p in classifier.parameters()}


def altered(published: Path, folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> Path:
    encoder = WhisperEncoder(SIZES["tiny"], blocks=BLOCKS)
    tensors = {PREFIX + name: tensor.contiguous() for name, tensor in encoder.state_dict().items()}
    change(tensors)
    path = folder / "altered.safetensors"
    save_file(tensors, path)
    return path


def test_weights_that_do_not_fit_are_refused(published: Path, tmp_path: Path) -> None:
    name = PREFIX + "layers.1.fc1.weight"
    lacking = altered(published, tmp_path, lambda tensors: tensors.pop(name))
    with pytest.raises(ModelError, match=r"lacks layers\.1\.fc1\.weight; choose"):
        network_of(configuration(lacking))
    unlike = altered(published, tmp_path, lambda tensors: tensors.update({name: torch.zeros(3, 3)}))
    with pytest.raises(ModelError, match=r"other shapes of layers\.1\.fc1\.weight"):
        network_of(configuration(unlike))
    (tmp_path / "text.safetensors").write_text("no tensors")
    with pytest.raises(ModelError, match=r"text\.safetensors: cannot be read"):
        network_of(configuration(tmp_path / "text.safetensors"))
    with pytest.raises(ModelError, match=r"none\.safetensors: cannot be read"):
        network_of(configuration(tmp_path / "none.safetensors"))


def test_settings_that_rule_each_other_out(published: Path) -> None:
    given = configuration(published)
    with pytest.raises(ConfigurationError, match="spectrogram=whisper"):
        build_classifier(validate(given.model_dump(mode="json") | {"spectrogram": {"name": "logmel", "n_mels": 80}}), 4)
    with pytest.raises(ConfigurationError, match=r"transfer\.trained=3: the network has 2"):
        frozen_blocks(configuration(published, trained=3).transfer, network_of(given))
    with pytest.raises(EmogramError, match=r"transfer\.source="):
        configuration(published.parent / "gone").determinants()


def test_fields_that_came_later_change_no_identity_until_they_are_used(published: Path) -> None:
    fields = configuration(published).determinants()
    assert not {"adapt", "batch_norm", "lora_rank"} & set(fields["transfer"])
    assert "test_s" not in fields["audio"]
    assert configuration(published, lora_rank=2).determinants()["transfer"]["lora_rank"] == 2


def test_identity_follows_the_content_and_not_the_place(published: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(published.read_bytes())
    assert configuration(copy).determinants() == configuration(published).determinants()
    other = altered(published, tmp_path, lambda _: None)
    assert configuration(other).determinants() != configuration(published).determinants()
    assert "transfer" not in validate({}).determinants()
