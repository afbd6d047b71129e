"""What every network keeps to: each recipe with each pooling, block, normalisation and activation, and its export.

A recipe or a choice that is added is tested from that day on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from emogram.networks.classifier import Classifier, Recognition
from emogram.networks.cnn import CNN, RECIPES, ActivationName, BlockName, CNNSettings, NormalisationName
from emogram.networks.export import TOLERANCE as EXPORT_TOLERANCE
from emogram.networks.export import export
from emogram.networks.pooling import PoolingName
from emogram.networks.summary import n_parameters
from emogram.recognition import ModelInfo
from emogram.spectrograms import LogMelSettings
from tests.networks.made_up import N_BANDS, N_EMOTIONS, disturbed, spec

TOLERANCE = 1e-4
"""Largest difference between the logits of a clip alone and in a batch."""

NEGLIGIBLE = 1e-5
"""A parameter whose gradient is smaller than that part of the largest one gets none."""

RATE = 16_000
BUDGETS = {"cnn-tiny": 100_000, "cnn-small": 500_000, "cnn-base": 3_000_000, "cnn-student": 3_000_000}

AXES: dict[str, tuple[str, ...]] = {
    "pooling": get_args(PoolingName),
    "block": get_args(BlockName),
    "normalisation": get_args(NormalisationName),
    "activation": get_args(ActivationName),
}
VARIANTS = [
    pytest.param({"name": recipe, axis: value}, id=f"{recipe}-{value}")
    for recipe in RECIPES
    for axis, values in AXES.items()
    for value in values
]


def build(fields: dict[str, Any]) -> CNN:
    torch.manual_seed(0)
    network = CNNSettings.model_validate(fields).build(N_EMOTIONS)
    disturbed(network)
    return network


@pytest.fixture(scope="module", params=VARIANTS)
def network(request: pytest.FixtureRequest) -> CNN:
    """A network in evaluation mode, shared by the tests of its variant, which leave it as it is."""
    return build(request.param)


def test_any_number_of_frames_gives_finite_logits(network: CNN) -> None:
    with torch.inference_mode():
        for clips, frames in ((1, 1), (3, 2), (2, 9), (1, 50)):
            logits = network(spec(clips, frames))
            assert logits.shape == (clips, N_EMOTIONS)
            assert torch.isfinite(logits).all()


def test_gradient_reaches_every_parameter(network: CNN) -> None:
    network.zero_grad(set_to_none=True)
    torch.manual_seed(0)
    logits = network.train()(spec(4, 40), torch.tensor([40, 31, 40, 22]))
    network.eval()
    torch.nn.functional.cross_entropy(logits, torch.arange(4)).backward()  # type: ignore[no-untyped-call]
    sizes = {
        name: float(parameter.grad.norm()) if parameter.grad is not None else 0.0
        for name, parameter in network.named_parameters()
    }
    network.zero_grad(set_to_none=True)
    # A gradient that cancels, as before a softmax or a normalisation, is still rounding noise and not zero.
    assert [name for name, size in sizes.items() if not size > NEGLIGIBLE * max(sizes.values())] == []


def test_a_clip_in_a_batch_gives_what_it_gives_alone(network: CNN) -> None:
    """Padded with anything, since padding is set to zero; but group and instance normalisation see padding."""
    padded = network.settings.normalisation in ("batch", "none")
    lengths = (37, 1, 22, 8) if padded else (37, 37, 37, 37)
    batch = 5.0 * spec(4, 37, seed=1)
    with torch.inference_mode():
        together = network(batch, torch.tensor(lengths))
        for clip, length in enumerate(lengths):
            alone = network(batch[clip : clip + 1, ..., :length])
            assert (together[clip] - alone[0]).abs().max() < TOLERANCE
        assert together.std(dim=0).max() > 100 * TOLERANCE, "clips must differ, or the comparison says nothing"


def test_evaluation_is_deterministic_and_changes_nothing(network: CNN) -> None:
    batch = spec(2, 20)
    before, state = batch.clone(), {name: value.clone() for name, value in network.state_dict().items()}
    with torch.inference_mode():
        assert torch.equal(network(batch), network(batch))
    assert torch.equal(batch, before)
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


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
        "normalisation": st.sampled_from(["batch", "none"]),
        **{axis: st.sampled_from(AXES[axis]) for axis in ("pooling", "block", "activation")},
    }
)


@given(fields=_SMALL, lengths=st.lists(st.integers(1, 30), min_size=1, max_size=3), bands=st.integers(1, 12))
@settings(deadline=None, max_examples=60)
def test_padding_changes_nothing_whatever_the_settings(fields: dict[str, Any], lengths: list[int], bands: int) -> None:
    channels, strides = zip(*fields.pop("stages"), strict=True)
    network = build({"name": "cnn-tiny", **fields, "channels": channels, "strides": strides})
    batch = spec(len(lengths), max(lengths), bands=bands)
    with torch.inference_mode():
        together = network(batch, torch.tensor(lengths))
        for clip, length in enumerate(lengths):
            alone = network(batch[clip : clip + 1, ..., :length])
            assert (together[clip] - alone[0]).abs().max() < TOLERANCE


@pytest.mark.parametrize("normalisation", AXES["normalisation"])
def test_one_value_a_channel_is_enough(normalisation: str) -> None:
    logits = build({"name": "cnn-tiny", "normalisation": normalisation})(spec(1, 1, bands=1))
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("recipe", RECIPES)
def test_parameters_keep_to_the_budget(recipe: str) -> None:
    assert n_parameters(CNNSettings.model_validate(recipe).build(9)) <= BUDGETS[recipe]


@dataclass(frozen=True)
class Exported:
    """A network beside the file made of it."""

    recognition: Recognition
    session: onnxruntime.InferenceSession


EXPORTS: dict[str, dict[str, Any]] = {recipe: {"name": recipe} for recipe in RECIPES} | {
    "attention": {"name": "cnn-tiny", "pooling": "attention", "squeeze_excitation": True}
}


@pytest.fixture(scope="module", params=list(EXPORTS))
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exported]:
    """Exported once for all tests of it."""
    classifier = Classifier(LogMelSettings().build(RATE), build(EXPORTS[request.param])).eval()
    classifier.standardisation.mean.fill_(-5.0)
    classifier.standardisation.deviation.fill_(2.5)
    info = ModelInfo(
        name=request.param,
        labels=("neutral", "happy", "sad", "angry", "fearful"),
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
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    yield Exported(Recognition(classifier, info.temperature).eval(), session)
    path.unlink()


@pytest.mark.parametrize(("clips", "samples"), [(1, 1_600), (3, 1_600), (3, 16_077), (1, 160_000)])
def test_the_export_computes_what_the_network_computes(exported: Exported, clips: int, samples: int) -> None:
    """At a tenth of a second and at ten, one clip or several, though it was exported at neither."""
    generator = torch.Generator().manual_seed(samples)
    loudness = torch.logspace(-3, -0.5, clips)[:, None]
    wave = loudness * torch.randn(clips, samples, generator=generator)
    with torch.inference_mode():
        expected = exported.recognition(wave)
    (given_values,) = exported.session.run(None, {"wave": wave.numpy()})
    assert given_values.shape == (clips, N_EMOTIONS)
    assert (torch.from_numpy(given_values) - expected).abs().max() < EXPORT_TOLERANCE
    assert float(expected.max()) > 1 / N_EMOTIONS + 0.02, "an even answer would hide a difference"


def test_the_budget_covers_every_recipe() -> None:
    assert set(BUDGETS) == set(RECIPES)
    assert LogMelSettings().n_mels == N_BANDS
