"""What every spectrogram type keeps to: shapes, frames, batches, extremes, refusals, export."""

import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from emogram.errors import ConfigurationError
from emogram.networks.classifier import Classifier
from emogram.networks.cnn import CNNSettings
from emogram.recognition.onnx_scan import scan
from emogram.spectrograms import SPECTROGRAMS, Spectrogram
from emogram.spectrograms.settings import TypeSettings
from emogram.training.configuration import validate

RATE = 16_000
NAMES = tuple(SPECTROGRAMS)
LENGTHS = (1, 2, 159, 160, 161, 639, 641, 4001)

TOLERANCE = 1e-4
"""Largest difference between two computations of one spectrogram, in parts of its largest value."""


def noise(samples: int, *, clips: int = 1, seed: int = 0, scale: float = 0.1) -> Tensor:
    values = np.random.default_rng(seed).standard_normal((clips, samples))
    return torch.from_numpy((scale * values).astype(np.float32))


def built(name: str, **fields: Any) -> Spectrogram:
    return SPECTROGRAMS[name].model_validate(fields).build(RATE)


def assert_close(given: Tensor, expected: Tensor) -> None:
    assert given.shape == expected.shape
    given, expected = given.detach(), expected.detach()
    assert float((given - expected).abs().max()) <= TOLERANCE * max(1e-6, float(expected.abs().max()))


@pytest.mark.parametrize("name", NAMES)
def test_shape_and_frames_are_what_the_front_end_says(name: str) -> None:
    front_end, exported = built(name), built(name).for_export()
    for samples in LENGTHS:
        wave = noise(samples, clips=3)
        spec = front_end(wave)
        frames = int(front_end.n_frames(torch.tensor(samples)))
        assert spec.shape == (3, front_end.n_channels, front_end.n_bands, frames)
        assert_close(exported(wave), spec)
    assert front_end.hop_s(RATE) == front_end.hop_length / RATE
    assert len(front_end.centres_hz) == front_end.n_bands


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "wave",
    [
        torch.zeros(1, 1600),
        torch.ones(1, 1600),
        torch.sign(noise(1600)),
        torch.ones(1, 1),
        torch.zeros(1, 1),
        torch.full((1, 1600), 1e-20),
    ],
    ids=["silence", "dc", "full-scale", "one-sample", "one-silent-sample", "denormal"],
)
def test_extremes_are_finite(name: str, wave: Tensor) -> None:
    front_end = built(name)
    assert torch.isfinite(front_end(wave)).all()
    assert torch.isfinite(front_end.for_export()(wave)).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_clip_in_a_batch_gives_what_it_gives_alone(name: str) -> None:
    """Also across the chunks that a batch is cut into, and with zeros behind it."""
    front_end, waves = built(name), noise(3210, clips=5)
    alone = torch.cat([front_end(wave[None]) for wave in waves])
    assert_close(front_end(waves), alone)
    padded = torch.nn.functional.pad(waves[:1], (0, 3000))
    assert_close(front_end(padded)[..., : alone.shape[-1]], alone[:1])


@pytest.mark.parametrize("name", NAMES)
def test_time_runs_with_the_wave(name: str) -> None:
    """A burst in the middle of silence is where the frames say it is."""
    front_end = built(name)
    silence = torch.zeros(1, RATE)
    burst = silence.clone()
    burst[0, 7680:8320] = noise(640)[0]
    with torch.no_grad():
        changed = (front_end(burst) - front_end(silence)).abs().sum(dim=(0, 1, 2))
    centre = float((changed * torch.arange(changed.numel())).sum() / changed.sum()) * front_end.hop_s(RATE)
    # What PCEN and the slowest filters remember lies behind the burst.
    assert centre == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("name", NAMES)
def test_the_wave_is_left_as_it_was(name: str) -> None:
    front_end, wave = built(name), noise(1600, clips=3)
    before = wave.clone()
    front_end(wave)
    front_end.for_export()(wave)
    assert torch.equal(wave, before)


@pytest.mark.parametrize("name", NAMES)
def test_state_is_saved_only_where_there_is_something_to_learn(name: str) -> None:
    front_end = built(name).for_export()
    assert set(front_end.state_dict()) == {key for key, _ in front_end.named_parameters()}
    assert bool(list(front_end.parameters())) == (name == "gabor")


@pytest.mark.parametrize("name", NAMES)
def test_a_classifier_takes_it(name: str) -> None:
    front_end = built(name)
    network = CNNSettings.model_validate("cnn-tiny").build(3, in_channels=front_end.n_channels)
    classifier = Classifier(front_end, network).eval()
    waves = noise(RATE // 2, clips=3)
    with torch.no_grad():
        classifier.standardisation.fit([front_end(wave[None]) for wave in waves])
        spec, _ = classifier.spec(waves)
        assert torch.isfinite(classifier(waves)).all()
    if front_end.standardise_rows:
        assert float(spec.mean(dim=(0, 3)).abs().max()) < 1e-4
    assert float(spec.mean(dim=(0, 2, 3)).abs().max()) < 1e-4
    spread = spec.transpose(0, 1).flatten(1).std(dim=1)
    assert float((spread - 1).abs().max()) < 0.02


@pytest.mark.parametrize("name", NAMES)
def test_settings_read_back(name: str) -> None:
    settings = SPECTROGRAMS[name].model_validate({})
    for given in (name, {"name": name}, settings.model_dump(mode="json")):
        assert validate({"spectrogram": given}).spectrogram == settings


@pytest.mark.parametrize("name", NAMES)
def test_settings_describe_themselves(name: str) -> None:
    settings = SPECTROGRAMS[name]
    assert settings.__doc__
    assert 20 < len(settings.__doc__.splitlines()[0]) <= 130
    for field, info in settings.model_fields.items():
        assert field == "name" or info.description, field


def numeric_fields() -> Iterator[tuple[str, str]]:
    for name, settings in SPECTROGRAMS.items():
        for field, default in settings.model_validate({}).model_dump().items():
            if isinstance(default, (int, float)):
                yield name, field


@pytest.mark.parametrize(("name", "field"), list(numeric_fields()))
def test_numbers_out_of_bounds_name_their_field(name: str, field: str) -> None:
    for value in (-1, 1e9 if field not in ("fmin_hz", "fmax_hz") else "nan", float("inf"), float("nan")):
        with pytest.raises(ValidationError) as refusal:
            SPECTROGRAMS[name].model_validate({field: value})
        assert [problem["loc"] for problem in refusal.value.errors()] == [(field,)]


def test_configuration_names_the_field_and_the_choices() -> None:
    for given, words in [
        ({"name": "mfc"}, ("spectrogram", "did you mean 'mfcc'", "gammatone")),
        ({"name": "mfcc", "n_coefs": 3}, ("spectrogram.n_coefs", "did you mean 'n_coefficients'", "lifter")),
        ({"name": "pcen", "gain": 7}, ("spectrogram.gain=7", "less than or equal to 1")),
        ({"n_mels": 3}, ("spectrogram.n_mels=3",)),
        (7, ("spectrogram",)),
    ]:
        with pytest.raises(ConfigurationError) as refusal:
            validate({"spectrogram": given})
        message = str(refusal.value)
        assert "\n" not in message
        assert all(word in message for word in words), message


def impossible(settings: type[TypeSettings]) -> Iterator[tuple[dict[str, Any], str]]:
    """Fields that contradict each other, and the field that the message must name."""
    fields = settings.model_fields
    if set(fields) == {"name"}:
        return
    if "window_ms" in fields:
        yield {"hop_ms": 900.0}, "hop_ms"
        yield {"n_fft": 64}, "n_fft=64"
    else:
        yield {"hop_ms": 900.0}, "hop_ms"
        yield {"n_bins": 300}, "n_bins=300"
    if "fmax_hz" in fields:
        yield {"fmax_hz": 8001.0}, "fmax_hz=8001"
        yield {"fmin_hz": 7900.0, "fmax_hz": 7800.0}, "fmin_hz=7900"
    if "n_mels" in fields:
        yield {"n_mels": 1000}, "n_mels=1000"
    if "n_coefficients" in fields:
        yield {"n_coefficients": 65}, "n_coefficients=65"
    if "n_bands" in fields:
        yield {"window_ms": 1.0, "hop_ms": 1.0, "n_fft": 16, "n_bands": 300}, "n_"


@pytest.mark.parametrize("name", NAMES)
def test_settings_that_rule_each_other_out_name_the_field_in_one_line(name: str) -> None:
    settings = SPECTROGRAMS[name]
    for changes, field in impossible(settings):
        with pytest.raises(ConfigurationError) as refusal:
            settings.model_validate(changes).build(RATE)
        message = str(refusal.value)
        assert message.startswith(field), message
        assert "\n" not in message
        assert "choose" in message or "below fmax_hz" in message


EXPORTED: dict[str, dict[str, Any]] = {
    "cqt": {"fmin_hz": 440.0, "n_bins": 30},
    "scattering": {"fmin_hz": 2400.0, "n_bins": 8, "rates_hz": (16.0,)},
    "vqt": {"fmin_hz": 880.0, "n_bins": 24},
    "chroma_cqt": {"fmin_hz": 880.0, "n_bins": 24},
    "scalogram": {"fmin_hz": 440.0, "n_bins": 24},
    "pcen": {"floor": 1e-9},
    "bark": {"floor": 1e-9},
    "hpss": {"harmonic_frames": 5, "percussive_bins": 7},
}
"""Settings for the export: smaller ones, as its time goes with the number of nodes and `cqt` has an octave for each way of
going on already, and floors that the exporter would take for zero."""


TOGETHER = tuple(tuple(NAMES[first::6]) for first in range(6))
"""Types that are exported in one graph: one for all takes longer than six, as the exporter's time grows with the square of the
nodes, and so does one for each, as it has much to do before the first node."""


class Several(nn.Module):
    """Several front ends in one graph."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.front_ends = nn.ModuleList(built(name, **EXPORTED.get(name, {})).for_export() for name in names)

    def forward(self, wave: Tensor) -> tuple[Tensor, ...]:
        return tuple(front_end(wave) for front_end in self.front_ends)


@cache
def exported(names: tuple[str, ...]) -> onnxruntime.InferenceSession:
    content = onnx_bytes(Several(names), names)
    assert scan("several.onnx", content) == {}  # refuses nested graphs and operators that are not standard
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def onnx_bytes(module: nn.Module, names: Sequence[str]) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of what its own dependencies deprecate
        program = torch.onnx.export(
            module.eval(),
            (torch.zeros(2, 4000),),
            input_names=["wave"],
            output_names=list(names),
            dynamic_shapes={"wave": {0: "batch", 1: "samples"}},
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    onnx.checker.check_model(program.model_proto)
    content: bytes = program.model_proto.SerializeToString()
    return content


@cache
def computed(names: tuple[str, ...]) -> dict[int, dict[str, Tensor]]:
    """What the exported graph of these types gives for clips of several lengths, by length and type."""
    return {
        samples: dict(
            zip(
                names,
                map(torch.from_numpy, exported(names).run(None, {"wave": speechlike(samples).numpy()})),
                strict=True,
            )
        )
        for samples in (16, 1599, 9000)
    }


def speechlike(samples: int) -> Tensor:
    """Three clips: noise, a gliding tone over noise, and silence."""
    time_s = np.arange(samples) / RATE
    glide = 0.3 * np.sin(2 * np.pi * (200 * time_s + 800 * time_s**2))
    clips = noise(samples, clips=3, scale=0.01)
    clips[1] += torch.from_numpy(glide.astype(np.float32))
    clips[2] = 0
    return clips


@pytest.mark.timeout(300)  # the export of a group takes some seconds of a free processor
@pytest.mark.parametrize("name", NAMES)
def test_the_exported_graph_computes_the_same(name: str) -> None:
    front_end = built(name, **EXPORTED.get(name, {}))
    group = next(names for names in TOGETHER if name in names)
    for samples, given in computed(group).items():
        with torch.no_grad():
            assert_close(given[name], front_end(speechlike(samples)))
