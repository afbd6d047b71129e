"""Strict loading, and the table of published files."""

import re

import pytest
import torch

from emogram.errors import ModelError
from emogram.networks.network import Network
from emogram.networks.published_weights import PUBLISHED
from emogram.networks.registry import NETWORKS, settings_of
from emogram.networks.summary import n_parameters
from emogram.networks.weights import strict_load
from tests.networks.made_up import cnn


def state(seed: int = 1) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    return {name: torch.randn_like(value.float()) for name, value in cnn("cnn-tiny", 4).state_dict().items()}


def test_every_tensor_is_copied() -> None:
    network, tensors = cnn("cnn-tiny", 4), state()
    assert strict_load(network, tensors) == list(network.state_dict())
    assert all(
        torch.equal(value.float(), tensors[name].to(value.dtype).float())
        for name, value in network.state_dict().items()
    )


def test_what_is_ignored_stays_and_may_be_missing_or_left_over() -> None:
    network, tensors = cnn("cnn-tiny", 4), {**state(), "old.weight": torch.zeros(1)}
    del tensors["head.bias"]
    head = network.head.weight.clone()
    assert not any(name.startswith("head") for name in strict_load(network, tensors, ignore=["head", "old"]))
    assert torch.equal(network.head.weight, head)
    assert torch.equal(network.state_dict()["stem.convolution.weight"], tensors["stem.convolution.weight"])


def test_counters_may_be_missing() -> None:
    tensors = {name: value for name, value in state().items() if not name.endswith("num_batches_tracked")}
    strict_load(cnn("cnn-tiny", 4), tensors)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"head.bias": None}, "missing: head.bias;"),
        ({"head.bias": None, "stem.convolution.weight": None}, "missing: stem.convolution.weight, head.bias;"),
        ({"tail": torch.zeros(1)}, "left over: tail;"),
        ({"headless.bias": torch.zeros(4)}, "left over: headless.bias;"),
        ({"head.bias": torch.zeros(5)}, "of another shape: head.bias (5,) for (4,);"),
        ({"head.bias": torch.full((4,), float("nan"))}, "not finite: head.bias;"),
        ({"head.bias": None, "tail": torch.zeros(1)}, "missing: head.bias; left over: tail;"),
        ({f"x{n}": torch.zeros(1) for n in range(5)}, "left over: x0, x1, x2 and 2 more;"),
    ],
)
def test_what_does_not_fit_is_one_line_and_loads_nothing(changes: dict[str, torch.Tensor | None], problem: str) -> None:
    network = cnn("cnn-tiny", 4)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    tensors = {name: value for name, value in {**state(), **changes}.items() if value is not None}
    with pytest.raises(ModelError) as refusal:
        strict_load(network, tensors)
    assert f"weights do not fit the network: {problem}" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def published_names(network: str) -> set[str]:
    """The names in the publisher's file, written out from the publisher's own classes."""
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    linear = ("weight", "bias")
    if network in ("cnn6", "cnn10", "cnn14"):
        blocks, layers = {"cnn6": (4, 1), "cnn10": (4, 2), "cnn14": (6, 2)}[network]
        names = {f"bn0.{end}" for end in norm} | {
            f"{layer}.{end}" for layer in ("fc1", "fc_audioset") for end in linear
        }
        for place in (f"conv_block{block}" for block in range(1, blocks + 1)):
            for layer in range(1, layers + 1):
                names |= {f"{place}.conv{layer}.weight", *(f"{place}.bn{layer}.{end}" for end in norm)}
        front_end = {"spectrogram_extractor.stft.conv_real.weight", "spectrogram_extractor.stft.conv_imag.weight"}
        return names | front_end | {"logmel_extractor.melW"}
    if network == "audiontt":
        convolutions = {f"features.{place}.{end}" for place in (0, 4) for end in linear}
        convolutions |= {f"features.{place}.{end}" for place in (1, 5) for end in norm}
        return convolutions | {f"fc.{place}.{end}" for place in (0, 3) for end in linear}
    names = {f"classifier.{place}.{end}" for place in (2, 5) for end in linear}
    excited = (4, 5, 6, 11, 12, 13, 14, 15)
    for block in range(17):
        if block in (0, 16):
            units = [f"features.{block}"]
        else:
            count = (2 if block == 1 else 3) + (block in excited)
            weighs = count - 2 if block in excited else None
            units = [f"features.{block}.block.{unit}" for unit in range(count) if unit != weighs]
            if weighs is not None:
                place = f"features.{block}.block.{weighs}.conc_se_layers.0"
                names |= {f"{place}.{layer}.{end}" for layer in ("fc1", "fc2") for end in linear}
        for unit in units:
            names |= {f"{unit}.0.weight", *(f"{unit}.1.{end}" for end in norm)}
    return names


def theirs(network: Network, name: str) -> str:
    for published, ours in network.published_names.items():
        if name.startswith(f"{ours}."):
            return published + name[len(ours) :]
    return name


@pytest.mark.parametrize("entry", PUBLISHED)
def test_the_published_names_are_ours_or_are_named(entry: str) -> None:
    published = PUBLISHED[entry]
    with torch.device("meta"):
        network = settings_of(published.network).build(published.classes or 2, in_bands=published.front_end.n_mels)
    own = {theirs(network, name) for name in network.state_dict()}
    if not published.classes:
        own = {name for name in own if not name.startswith("head.")}
    given = {name for name in published_names(published.network) if not name.startswith(published.ignore or "-")}
    assert own == given
    head = 0 if published.classes else n_parameters(network.head)
    assert n_parameters(network) - head == published.parameters


def test_mn10_has_as_many_tensors_and_numbers_as_its_file() -> None:
    with torch.device("meta"):
        tensors = settings_of("mn10").build(527).state_dict()
    assert (len(tensors), sum(value.numel() for value in tensors.values())) == (312, 4_901_277)


@pytest.mark.parametrize("entry", PUBLISHED)
def test_a_published_file_says_where_it_lies_and_what_is_allowed(entry: str) -> None:
    published = PUBLISHED[entry]
    assert published.network in NETWORKS
    assert published.address.startswith("https://")
    assert published.checksum is None or re.fullmatch("md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}", published.checksum)
    assert published.licence
    assert published.front_end.fmax_hz <= published.front_end.sample_rate / 2


def test_a_publishers_file_loads_under_its_own_names() -> None:
    """As cnn6's would, made up: with its front end inside and a last layer for other classes."""
    torch.manual_seed(0)
    settings = type(settings_of("cnn6")).model_validate({"name": "cnn6", "channels": (4, 4, 4, 4)})
    source, network = settings.build(527), settings.build(5)
    tensors = {theirs(source, name): value for name, value in source.state_dict().items()}
    tensors["logmel_extractor.melW"] = torch.zeros(1)
    assert "fc_audioset.weight" in tensors
    filled = strict_load(network, tensors, ignore=("head", *PUBLISHED["cnn6-audioset"].ignore))
    assert "conv_block4.bn1.running_var" in filled
    assert torch.equal(network.state_dict()["fc1.weight"], source.state_dict()["fc1.weight"])
    with pytest.raises(ModelError, match=r"of another shape: head\.weight"):
        strict_load(network, tensors, ignore=PUBLISHED["cnn6-audioset"].ignore)
