"""The networks of PANNs, EfficientAT and BYOL-A beside a transcription of their papers' computations."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from emogram.errors import ConfigurationError
from emogram.networks.network import Network
from emogram.networks.registry import NETWORKS
from tests.networks.made_up import disturbed, spec

TOLERANCE = 1e-4
State = dict[str, Tensor]

SMALL: dict[str, dict[str, object]] = {
    "cnn6": {"channels": (4, 6, 8, 10)},
    "cnn10": {"channels": (4, 6, 8, 10)},
    "cnn14": {"channels": (4, 4, 6, 6, 8, 8)},
    "mn04": {"width": 0.25},
    "audiontt": {"channels": 3, "hidden": 20, "width": 70},
}


def build(name: str) -> Network:
    torch.manual_seed(0)
    network = NETWORKS[name].model_validate({"name": name, **SMALL[name]}).build(5)
    disturbed(network)
    return network


def normalised(x: Tensor, state: State, name: str, eps: float = 1e-5) -> Tensor:
    mean, variance = state[f"{name}.running_mean"], state[f"{name}.running_var"]
    return functional.batch_norm(x, mean, variance, state[f"{name}.weight"], state[f"{name}.bias"], eps=eps)


def linear(x: Tensor, state: State, name: str) -> Tensor:
    return functional.linear(x, state[f"{name}.weight"], state[f"{name}.bias"])


def pann(state: State, picture: Tensor) -> Tensor:
    """[B, 1, N, F], as the publisher lays pictures, to logits."""
    x = normalised(picture.transpose(1, 3), state, "bn0").transpose(1, 3)
    for block in range(1, 7):
        if f"conv_block{block}.conv1.weight" not in state:
            break
        for layer in (1, 2):
            kernel = state.get(f"conv_block{block}.conv{layer}.weight")
            if kernel is not None:
                x = functional.conv2d(x, kernel, padding=kernel.shape[2] // 2)
                x = normalised(x, state, f"conv_block{block}.bn{layer}").relu()
        if block < 6:
            x = functional.avg_pool2d(x, 2)
    x = x.mean(dim=3)
    return linear(linear(x.amax(dim=2) + x.mean(dim=2), state, "fc1").relu(), state, "head")


@pytest.mark.parametrize("name", ["cnn6", "cnn10", "cnn14"])
@pytest.mark.parametrize("frames", [32, 71])
def test_panns_compute_what_their_paper_says(name: str, frames: int) -> None:
    network, picture = build(name), spec(2, frames)
    with torch.inference_mode():
        expected = pann(dict(network.state_dict()), picture.transpose(2, 3))
        assert (network(picture) - expected).abs().max() < TOLERANCE
        assert expected.std() > 100 * TOLERANCE


def test_audiontt_computes_what_its_paper_says() -> None:
    network, picture = build("audiontt"), spec(2, 31)
    state = dict(network.state_dict())
    with torch.inference_mode():
        x = picture
        for convolution, norm in ((0, 1), (4, 5)):
            place = f"convolutions.{convolution}"
            x = functional.conv2d(x, state[f"{place}.weight"], state[f"{place}.bias"], padding=1)
            x = functional.max_pool2d(normalised(x, state, f"convolutions.{norm}").relu(), 2)
        # Of each frame, bands from low to high, within a band the channels: einops' "b c f t -> b t (f c)".
        x = torch.stack([x[..., frame].transpose(1, 2).reshape(2, -1) for frame in range(x.shape[3])], dim=1)
        x = torch.cat([x, linear(linear(x, state, "fc.0").relu(), state, "fc.3").relu()], dim=2)
        expected = linear(x.amax(dim=1) + x.mean(dim=1), state, "head")
        assert (network(picture) - expected).abs().max() < TOLERANCE
        assert network.embedding(picture).shape == (2, 70)


def inverted_residual(x: Tensor, state: State, place: str, *, stride: int, swish: bool) -> Tensor:
    """Howard et al. (2019): widen, filter, weigh, narrow; a unit whose kernels have one input each filters."""
    y = x
    units = sorted({int(name[len(place) + 1 :].split(".")[0]) for name in state if name.startswith(f"{place}.")})
    for unit in units:
        here = f"{place}.{unit}"
        if f"{here}.conc_se_layers.0.fc1.weight" in state:
            gate = linear(y.mean(dim=(2, 3)), state, f"{here}.conc_se_layers.0.fc1").relu()
            y = y * linear(gate, state, f"{here}.conc_se_layers.0.fc2").sigmoid()[:, :, None, None]
            continue
        kernel = state[f"{here}.0.weight"]
        filters = kernel.shape[2] > 1
        groups = len(kernel) if filters else 1
        y = functional.conv2d(y, kernel, stride=stride if filters else 1, padding=kernel.shape[2] // 2, groups=groups)
        y = normalised(y, state, f"{here}.1", eps=1e-3)
        if unit != units[-1]:
            y = functional.hardswish(y) if swish else y.relu()
    return x + y if x.shape == y.shape else y


def test_mobilenet_computes_what_its_paper_says() -> None:
    network, picture = build("mn04"), spec(2, 64)
    state = dict(network.state_dict())
    with torch.inference_mode():
        x = functional.conv2d(picture, state["layers.0.0.weight"], stride=2, padding=1)
        x = functional.hardswish(normalised(x, state, "layers.0.1", eps=1e-3))
        for block in range(1, 16):
            stride = 2 if block in (2, 4, 7, 13) else 1
            x = inverted_residual(x, state, f"layers.{block}.block", stride=stride, swish=block >= 7)
        x = normalised(functional.conv2d(x, state["layers.16.0.weight"]), state, "layers.16.1", eps=1e-3)
        pooled = functional.hardswish(x).mean(dim=(2, 3))
        expected = linear(functional.hardswish(linear(pooled, state, "hidden")), state, "head")
        assert (network(picture) - expected).abs().max() < TOLERANCE * expected.abs().max()
        assert expected.std() > 100 * TOLERANCE


@pytest.mark.parametrize(
    ("name", "bands", "words"),
    [
        ("cnn14", 31, "network=cnn14: halves 31 bands to nothing; choose a spectrogram with at least 32"),
        ("cnn6", 12, "network=cnn6: halves 12 bands to nothing; choose a spectrogram with at least 16"),
        ("audiontt", 3, "network=audiontt: halves 3 bands to nothing; choose a spectrogram with at least 4"),
        ("audiontt", 128, "network.width=70: 128 bands alone give 96; choose more"),
    ],
)
def test_bands_that_do_not_fit_are_refused(name: str, bands: int, words: str) -> None:
    settings = NETWORKS[name].model_validate({"name": name, **SMALL[name]})
    with pytest.raises(ConfigurationError, match=f"^{words}$"):
        settings.build(5, in_bands=bands)
