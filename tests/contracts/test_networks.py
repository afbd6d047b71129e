"""What every network keeps to: each that is registered, each choice of the one CNN, and its export.

A recipe or a choice that is added is tested from that day on. Networks that would take long are tested narrow or shallow:
their form is the same, and so is what is tested here.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from typing_extensions import override

from emogram.networks import mobilenet
from emogram.networks.classifier import Classifier, Recognition
from emogram.networks.cnn import BlockName, ConvolutionName
from emogram.networks.export import TOLERANCE as EXPORT_TOLERANCE
from emogram.networks.export import export
from emogram.networks.layers import ActivationName, DropName, NormalisationName
from emogram.networks.mobilenet import _STAGES
from emogram.networks.network import Network
from emogram.networks.pooling import PoolingName
from emogram.networks.registry import NETWORKS, settings_of
from emogram.networks.sequence import SequenceName
from emogram.networks.summary import n_parameters
from emogram.recognition import ModelInfo
from emogram.recognition.model_file import read_model
from emogram.spectrograms import LogMelSettings
from tests.networks.made_up import N_BANDS, N_EMOTIONS, cnn, disturbed, spec

TOLERANCE = 1e-4
"""Largest difference between the logits of a clip alone and in a batch."""

NEGLIGIBLE = 1e-5
"""A parameter whose gradient is smaller than that part of the largest one gets none."""

RATE = 16_000
BUDGETS = {
    "cnn-tiny": 100_000,
    **dict.fromkeys(
        (
            "cnn-small",
            "cnn-plain",
            "cnn-excited",
            "cnn-separable",
            "cnn-dilated",
            "cnn-branches",
            "crnn",
            "cnn-attention",
            "cnn-multihead",
        ),
        500_000,
    ),
    "cnn-base": 3_000_000,
    "cnn-student": 3_000_000,
    "cnn6": 5_000_000,
    "cnn10": 5_500_000,
    "cnn14": 81_000_000,
    "mn04": 1_000_000,
    "mn10": 5_000_000,
    "audiontt": 6_500_000,
    "whisper-cnn": 3_000_000,
    "whisper-tiny": 9_000_000,
    "whisper-base": 15_000_000,
    "whisper-small": 32_000_000,
}

REDUCED: dict[str, dict[str, Any]] = {
    "cnn6": {"channels": (8, 8, 16, 16)},
    "cnn10": {"channels": (8, 8, 16, 16)},
    "cnn14": {"channels": (8, 8, 8, 16, 16, 16)},
    "mn10": {"width": 0.3},
    "audiontt": {"channels": 8, "hidden": 32, "width": 160},
    **{f"whisper-{size}": {"blocks": 2, "pooled": 2} for size in ("tiny", "base", "small")},
}
"""Narrower or shallower than their names say."""

_TWO_STAGES = {"stem_channels": 6, "channels": (8, 12), "strides": (1, 2)}
EXPORTED: dict[str, dict[str, Any]] = {
    **dict.fromkeys(
        ("cnn-small", "cnn-plain", "cnn-excited", "cnn-separable", "cnn-branches", "cnn-attention"), _TWO_STAGES
    ),
    "cnn-student": {**_TWO_STAGES, "strides": (2, (2, 1))},
    "cnn-dilated": {**_TWO_STAGES, "strides": (2, 1), "dilations": (1, 2)},
    **{name: {**_TWO_STAGES, "sequence_width": 16} for name in ("crnn", "cnn-multihead")},
}
"""Two stages for the export, whose time goes with the number of layers: a third is made as the second is."""

EXPORTED_STAGES = tuple(_STAGES[number] for number in (0, 1, 3, 6, 7, 10, 13))
"""Of MobileNet, blocks with each kernel, activation and step, with and without excitation and a way around."""

CANCELLED = {
    "audiontt": {"convolutions.0.bias", "convolutions.4.bias"},
    **{f"whisper-{kind}": {"encoder.layers.1.fc2.bias"} for kind in ("cnn", "tiny", "base", "small")},
}
"""Parameters that a publisher's file has and that a normalisation right behind them cancels."""

SAME_GRAPH = {
    "cnn-tiny": "cnn-small",
    "cnn-base": "cnn-excited",
    "cnn10": "cnn14",
    "mn10": "mn04",
    "whisper-base": "whisper-tiny",
    "whisper-small": "whisper-tiny",
}
"""Networks whose graph differs from another's in its sizes alone: the other is exported for both."""

AXES: dict[str, tuple[str, ...]] = {
    "pooling": get_args(PoolingName),
    "block": get_args(BlockName),
    "convolution": get_args(ConvolutionName),
    "normalisation": get_args(NormalisationName),
    "activation": get_args(ActivationName),
    "sequence": get_args(SequenceName),
    "block_dropout_kind": get_args(DropName),
}
VARIANTS = [pytest.param(name, {}, id=name) for name in NETWORKS] + [
    pytest.param("cnn-tiny", {axis: value, "block_dropout": 0.1}, id=f"{axis}-{value}")
    for axis, values in AXES.items()
    for value in values
]


def build(name: str, /, **fields: Any) -> Network:
    """The network, reduced, as its seed makes it, then with nothing left at zero or one."""
    torch.manual_seed(0)
    network = NETWORKS[name].model_validate({"name": name, **REDUCED.get(name, {}), **fields})
    made = network.build(N_EMOTIONS, in_bands=N_BANDS)
    disturbed(made)
    return made


@dataclass(frozen=True)
class Variant:
    """A network in evaluation mode, shared by the tests of it, which leave it as it is."""

    name: str
    network: Network
    normalisation: str


@pytest.fixture(scope="module", params=[variant.values for variant in VARIANTS], ids=[v.id for v in VARIANTS])
def variant(request: pytest.FixtureRequest) -> Variant:
    name, fields = request.param
    return Variant(name, build(name, **fields), fields.get("normalisation", "batch"))


def test_any_number_of_frames_gives_finite_logits(variant: Variant) -> None:
    with torch.inference_mode():
        for clips, frames in ((1, 1), (3, 2), (2, 9), (1, 50)):
            logits = variant.network(spec(clips, frames))
            assert logits.shape == (clips, N_EMOTIONS)
            assert torch.isfinite(logits).all()


def test_gradient_reaches_every_parameter(variant: Variant) -> None:
    network = variant.network
    network.zero_grad(set_to_none=True)
    torch.manual_seed(0)
    before = {name: value.clone() for name, value in network.named_buffers()}
    logits = network.train()(spec(4, 70), torch.tensor([70, 64, 70, 66]))
    network.eval()
    torch.nn.functional.cross_entropy(logits, torch.arange(4)).backward()  # type: ignore[no-untyped-call]
    sizes = {
        name: float(parameter.grad.norm()) if parameter.grad is not None else 0.0
        for name, parameter in network.named_parameters()
    }
    network.zero_grad(set_to_none=True)
    network.load_state_dict({**network.state_dict(), **before})
    # A gradient that cancels, as before a softmax or a normalisation, is still rounding noise and not zero.
    missed = {name for name, size in sizes.items() if not size > NEGLIGIBLE * max(sizes.values())}
    assert missed <= CANCELLED.get(variant.name, set())


def test_a_clip_in_a_batch_gives_what_it_gives_alone(variant: Variant) -> None:
    """Padded with anything, since padding is set to zero; but group and instance normalisation see padding."""
    padded = variant.normalisation not in ("group", "instance")
    lengths = (37, 1, 22, 8) if padded else (37, 37, 37, 37)
    batch = 5.0 * spec(4, 37, seed=1)
    with torch.inference_mode():
        together = variant.network(batch, torch.tensor(lengths))
        for clip, length in enumerate(lengths):
            alone = variant.network(batch[clip : clip + 1, ..., :length])
            assert (together[clip] - alone[0]).abs().max() < TOLERANCE * max(1.0, float(alone.abs().max()))
        assert together.std(dim=0).max() > 100 * TOLERANCE, "clips must differ, or the comparison says nothing"


def test_the_last_layer_gets_the_vector_and_the_map_its_mask(variant: Variant) -> None:
    network, batch, n_frames = variant.network, spec(2, 70), torch.tensor([70, 66])
    with torch.inference_mode():
        features, mask = network.features(batch, n_frames)
        vector = network.embedding(batch, n_frames)
        assert features.dim() == 4
        assert mask is not None
        assert mask.shape == (2, 1, features.shape[3])
        assert network.features(batch)[1] is None
        assert vector.shape == (2, network.head.in_features)
        torch.testing.assert_close(network.head(vector), network(batch, n_frames))


def test_evaluation_is_deterministic_and_changes_nothing(variant: Variant) -> None:
    network, batch = variant.network, spec(2, 20)
    before, state = batch.clone(), {name: value.clone() for name, value in network.state_dict().items()}
    with torch.inference_mode():
        assert torch.equal(network(batch), network(batch))
    assert torch.equal(batch, before)
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize("name", NETWORKS)
def test_weights_follow_from_the_seed(name: str) -> None:
    chosen = NETWORKS[name].model_validate({"name": name, **REDUCED.get(name, {})})
    states = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        states.append(torch.cat([value.flatten() for value in chosen.build(N_EMOTIONS).parameters()]))
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


_SMALL = st.fixed_dictionaries(
    {
        "stem_channels": st.integers(1, 5),
        "stem_kernel": st.sampled_from([1, 3, 7]),
        "stem_stride": st.tuples(st.integers(1, 3), st.integers(1, 3)),
        "stages": st.lists(
            st.tuples(st.integers(1, 9), st.integers(1, 4) | st.tuples(st.integers(1, 4), st.integers(1, 4))),
            min_size=1,
            max_size=3,
        ),
        "blocks_per_stage": st.integers(1, 2),
        "kernel": st.sampled_from([1, 3, 5]),
        "squeeze_excitation": st.booleans(),
        "stochastic_depth": st.sampled_from([0.0, 0.9]),
        "stem_branches": st.sampled_from([(), ((3, 1),), ((1, 5),)]),
        "dilation": st.integers(1, 3),
        "normalisation": st.sampled_from(["batch", "layer", "none"]),
        "sequence_width": st.just(8),
        **{axis: st.sampled_from(AXES[axis]) for axis in ("pooling", "block", "convolution", "activation", "sequence")},
    }
)


@given(fields=_SMALL, lengths=st.lists(st.integers(1, 30), min_size=1, max_size=3), bands=st.integers(1, 12))
@settings(deadline=None, max_examples=60)
def test_padding_changes_nothing_whatever_the_settings(fields: dict[str, Any], lengths: list[int], bands: int) -> None:
    channels, strides = zip(*fields.pop("stages"), strict=True)
    fields["dilations"] = (fields.pop("dilation"),) * len(channels)
    network = cnn({"name": "cnn-tiny", **fields, "channels": channels, "strides": strides})
    disturbed(network)
    batch = spec(len(lengths), max(lengths), bands=bands)
    with torch.inference_mode():
        together = network(batch, torch.tensor(lengths))
        for clip, length in enumerate(lengths):
            alone = network(batch[clip : clip + 1, ..., :length])
            assert (together[clip] - alone[0]).abs().max() < TOLERANCE


@pytest.mark.parametrize("normalisation", AXES["normalisation"])
def test_one_value_a_channel_is_enough(normalisation: str) -> None:
    logits = build("cnn-tiny", normalisation=normalisation)(spec(1, 1, bands=1))
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_parameters_keep_to_the_budget(name: str) -> None:
    with torch.device("meta"):
        count = n_parameters(settings_of(name).build(9))
    assert BUDGETS[name] / 2 < count <= BUDGETS[name]


class Choir(Network):
    """All networks side by side on one spectrogram, their logits in a row: one graph to export and one to run."""

    def __init__(self, voices: dict[str, Network]) -> None:
        super().__init__()
        self.voices = nn.ModuleList(voices.values())

    @override
    def features(self, spec: Tensor, n_frames: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        raise NotImplementedError

    @override
    def embedding(self, spec: Tensor, n_frames: Tensor | None = None) -> Tensor:
        raise NotImplementedError

    @override
    def forward(self, spec: Tensor, n_frames: Tensor | None = None) -> Tensor:
        # Logits of one size, or the softmax over all would show the loudest voice alone.
        logits = [voice(spec, n_frames) for voice in self.voices]
        return torch.cat([value / value.abs().amax(dim=1, keepdim=True) for value in logits], dim=1)


@dataclass(frozen=True)
class Exported:
    """Networks beside the file made of them."""

    recognition: Recognition
    path: Path


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mobilenet, "_STAGES", EXPORTED_STAGES)
        voices = {name: build(name, **EXPORTED.get(name, {})) for name in NETWORKS if name not in SAME_GRAPH}
    classifier = Classifier(LogMelSettings().build(RATE), Choir(voices)).eval()
    classifier.standardisation.mean.fill_(-5.0)
    classifier.standardisation.deviation.fill_(2.5)
    info = ModelInfo(
        name="choir",
        labels=tuple(f"{name} {emotion}" for name in voices for emotion in range(N_EMOTIONS)),
        sample_rate=RATE,
        clip_s=1.0,
        min_s=0.1,
        window_s=10.0,
        temperature=0.7,
    )
    path = tmp_path_factory.mktemp("export") / "model.onnx"
    export(classifier, info, path)
    assert not classifier.spectrogram.transform.convolution, "the classifier itself must be left as it was"
    assert [each.name for each in path.parent.iterdir()] == ["model.onnx"]
    return Exported(Recognition(classifier, info.temperature).eval(), path)


@pytest.mark.timeout(600)
def test_the_export_computes_what_the_networks_compute(exported: Exported) -> None:
    """At a tenth of a second and at ten, one clip or several, though it was exported at neither. The probabilities of one
    network are a part of one, so that the tolerance is for that part.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(exported.path), options, providers=["CPUExecutionProvider"])
    voices = len(NETWORKS) - len(SAME_GRAPH)
    for clips, samples in ((1, 1_600), (3, 1_600), (3, 16_077), (1, 160_000)):
        generator = torch.Generator().manual_seed(samples)
        wave = torch.logspace(-3, -0.5, clips)[:, None] * torch.randn(clips, samples, generator=generator)
        with torch.inference_mode():
            expected = exported.recognition(wave)
        (given_values,) = session.run(None, {"wave": wave.numpy()})
        assert given_values.shape == (clips, voices * N_EMOTIONS)
        difference = (torch.from_numpy(given_values) - expected).abs().reshape(clips, voices, N_EMOTIONS)
        assert difference.max() < EXPORT_TOLERANCE / voices, difference.amax(dim=(0, 2))
        spread = expected.reshape(clips, voices, N_EMOTIONS).std(dim=2)
        assert float(spread.min()) > 20 * EXPORT_TOLERANCE / voices, "an even answer would hide a difference"


def test_our_own_reader_takes_the_file(exported: Exported) -> None:
    """No nested graph, function or foreign operator: `emogram.recognition.onnx_scan`."""
    assert read_model(exported.path).info.name == "choir"


def test_every_network_is_told_of_here() -> None:
    assert set(BUDGETS) == set(NETWORKS)
    assert {*REDUCED, *EXPORTED, *SAME_GRAPH, *SAME_GRAPH.values()} <= set(NETWORKS)
    for what in ("kernel", "excitation", "activation", "stride"):
        assert {getattr(stage, what) for stage in EXPORTED_STAGES} == {getattr(stage, what) for stage in _STAGES}
    assert not set(SAME_GRAPH) & set(SAME_GRAPH.values())
    assert LogMelSettings().n_mels == N_BANDS
