"""Whisper's blocks with convolutions: beside a convolution written out, thinned out by weight, of any length, padding left out."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from emogram.errors import ConfigurationError, ModelError
from emogram.networks.encoder import EncoderNetwork
from emogram.networks.whisper import SIZES, WhisperEncoder
from emogram.networks.whisper_cnn import Convolution, ConvolvedEncoder, WhisperCNNSettings
from emogram.training.transfer import load_encoder

WIDTH = SIZES["tiny"].width


def build(**changes: int) -> EncoderNetwork:
    torch.manual_seed(0)
    network = WhisperCNNSettings.model_validate({"name": "whisper-cnn", **changes}).build(5).eval()
    assert isinstance(network, EncoderNetwork)
    return network


def picture(clips: int, frames: int, seed: int = 0) -> Tensor:
    return torch.randn(clips, 1, 80, frames, generator=torch.Generator().manual_seed(seed))


def published(folder: Path, blocks: int = 2) -> tuple[WhisperEncoder, Path]:
    torch.manual_seed(1)
    encoder = WhisperEncoder(SIZES["tiny"], blocks=blocks)
    path = folder / "model.safetensors"
    save_file({f"model.encoder.{name}": tensor.contiguous() for name, tensor in encoder.state_dict().items()}, path)
    return encoder, path


def test_it_mixes_as_a_convolution_written_out() -> None:
    """Of every channel for itself, in float64, with a share of the mean over real positions."""
    torch.manual_seed(2)
    mixing = Convolution(5).double()
    torch.nn.init.normal_(mixing.conv.weight)
    torch.nn.init.normal_(mixing.clip_share)
    x, real = torch.randn(1, 9, WIDTH, dtype=torch.float64), 7
    mask = torch.zeros(1, 9, dtype=torch.float64)
    mask[:, :real] = 1
    with torch.no_grad():
        given = mixing(x, mask)[0, :real].numpy()
        values = mixing.v_proj(x)[0, :real].numpy()
        kernels, share = mixing.conv.weight[:, 0].numpy(), mixing.clip_share.numpy()
        mixed = np.stack([np.correlate(np.pad(values[:, d], 2), kernels[d], "valid") for d in range(WIDTH)], axis=1)
        expected = mixing.out_proj(torch.from_numpy(mixed + share * values.mean(axis=0))).numpy()
    np.testing.assert_allclose(given, expected, atol=1e-12)


@pytest.mark.parametrize("frames", [1, 2, 7, 40])
def test_a_padded_clip_gives_what_it_gives_alone(frames: int) -> None:
    network, spec = build(), picture(2, 50)
    with torch.no_grad():
        together = network(spec, torch.tensor([50, frames]))
        alone = network(spec[1:, :, :, :frames])
    assert torch.allclose(together[1], alone[0], atol=1e-5)


def test_it_has_no_more_than_three_million_parameters_and_hears_more_than_thirty_seconds() -> None:
    network = build()
    assert sum(parameter.numel() for parameter in network.parameters()) < 3_000_000
    with torch.no_grad():
        assert torch.isfinite(network(picture(1, 3200))).all()


def test_it_starts_from_the_published_weights(tmp_path: Path) -> None:
    theirs, path = published(tmp_path, blocks=3)
    network = build(hidden=1536)
    load_encoder(network.encoder, path, "transfer.source")
    spec = picture(1, 40)
    with torch.no_grad():
        x, _ = network.encoder.stem(spec)
        torch.testing.assert_close(x + theirs.embed_positions.weight[:20], theirs.stem(spec)[0])
        for ours, published_block in zip(network.encoder.layers, theirs.layers, strict=False):
            # Whatever mixes, the two linear layers are the publisher's.
            ours.get_submodule("self_attn").register_forward_hook(lambda *parts: torch.zeros_like(parts[1][0]))
            published_block.get_submodule("self_attn").register_forward_hook(
                lambda *parts: torch.zeros_like(parts[1][0])
            )
            torch.testing.assert_close(ours(x), published_block(x))
            name = "self_attn.v_proj.weight"
            assert torch.equal(ours.get_parameter(name), published_block.get_parameter(name))


def test_what_weighs_least_is_left_out(tmp_path: Path) -> None:
    theirs, path = published(tmp_path)
    idle = [3, 700, 1535]
    tensors = theirs.state_dict()
    for block in range(2):
        tensors[f"layers.{block}.fc2.weight"][:, idle] = 0
    save_file({f"model.encoder.{name}": tensor.contiguous() for name, tensor in tensors.items()}, path)
    whole, thinned = build(hidden=1536), build(hidden=1533)
    for network in (whole, thinned):
        load_encoder(network.encoder, path, "transfer.source")
    spec = picture(1, 40)
    with torch.no_grad():
        torch.testing.assert_close(thinned.embedding(spec), whole.embedding(spec))


def test_a_file_without_a_block_is_refused(tmp_path: Path) -> None:
    _, path = published(tmp_path, blocks=1)
    encoder = ConvolvedEncoder(WhisperCNNSettings.model_validate("whisper-cnn"))
    with pytest.raises(ModelError, match=r"model\.safetensors: lacks layers\.1\."):
        load_encoder(encoder, path, "transfer.source")


def test_what_cannot_be_is_refused() -> None:
    for fields, words in (
        ({"blocks": 5}, "blocks: whisper-tiny has 4"),
        ({"pooled": 3}, "pooled: 3 outputs of 2 blocks"),
        ({"kernel": 4}, "must be odd"),
    ):
        with pytest.raises(ValueError, match=words):
            WhisperCNNSettings.model_validate({"name": "whisper-cnn", **fields})
    with pytest.raises(ConfigurationError, match="one channel, not 3"):
        WhisperCNNSettings.model_validate("whisper-cnn").build(5, in_channels=3)
