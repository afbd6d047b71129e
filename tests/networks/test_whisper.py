"""Whisper's encoder: block by block beside PyTorch's own transformer, cut anywhere, padding left out."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from emogram.errors import ConfigurationError
from emogram.networks.encoder import EncoderBlock, EncoderNetwork
from emogram.networks.whisper import MAX_FRAMES, SIZES, SelfAttention, WhisperEncoder, WhisperNetworkSettings

SIZE = SIZES["tiny"]
SETTINGS: dict[str, object] = {"name": "whisper-tiny", "blocks": 3, "pooled": 2}


def build(**changes: int) -> EncoderNetwork:
    torch.manual_seed(0)
    network = WhisperNetworkSettings.model_validate(SETTINGS | changes).build(5).eval()
    assert isinstance(network, EncoderNetwork)
    return network


def picture(clips: int, frames: int, seed: int = 0) -> Tensor:
    return torch.randn(clips, 1, 80, frames, generator=torch.Generator().manual_seed(seed))


def as_torch_has_it(block: EncoderBlock) -> nn.TransformerEncoderLayer:
    """PyTorch's layer with the weights of the block."""
    layer = nn.TransformerEncoderLayer(
        SIZE.width, SIZE.heads, 4 * SIZE.width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    ).eval()
    attention = block.self_attn
    assert isinstance(attention, SelfAttention)
    parts = (attention.q_proj, attention.k_proj, attention.v_proj)
    state = {
        "self_attn.in_proj_weight": torch.cat([part.weight for part in parts]),
        "self_attn.in_proj_bias": torch.cat([attention.q_proj.bias, torch.zeros(SIZE.width), attention.v_proj.bias]),
        "self_attn.out_proj.weight": attention.out_proj.weight,
        "self_attn.out_proj.bias": attention.out_proj.bias,
    }
    for theirs, ours in (
        ("linear1", block.fc1),
        ("linear2", block.fc2),
        ("norm1", block.self_attn_layer_norm),
        ("norm2", block.final_layer_norm),
    ):
        state |= {f"{theirs}.weight": ours.weight, f"{theirs}.bias": ours.bias}
    layer.load_state_dict(state)
    return layer


def test_a_block_is_a_transformer_layer() -> None:
    torch.manual_seed(0)
    block = EncoderBlock(SelfAttention(SIZE), SIZE.width, 4 * SIZE.width).eval()
    for norm in (block.self_attn_layer_norm, block.final_layer_norm):
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    x = torch.randn(2, 20, SIZE.width)
    mask = torch.ones(2, 20)
    mask[1, 13:] = 0
    with torch.no_grad():
        given = block(x, mask)
        expected = as_torch_has_it(block)(x, src_key_padding_mask=mask == 0)
        assert torch.allclose(given[0], expected[0], atol=1e-5)
        assert torch.allclose(given[1, :13], expected[1, :13], atol=1e-5)


def test_the_stem_is_two_convolutions_and_positions() -> None:
    torch.manual_seed(0)
    encoder = WhisperEncoder(SIZE, blocks=1).eval()
    spec = picture(1, 31)
    with torch.no_grad():
        given, mask = encoder.stem(spec)
        x = functional.gelu(functional.conv1d(spec[:, 0], encoder.conv1.weight, encoder.conv1.bias, padding=1))
        x = functional.gelu(functional.conv1d(x, encoder.conv2.weight, encoder.conv2.bias, stride=2, padding=1))
        assert mask is None
        assert given.shape == (1, 16, SIZE.width)
        assert torch.allclose(given[0], x[0].T + encoder.embed_positions.weight[:16], atol=1e-5)


@pytest.mark.parametrize("frames", [1, 2, 7, 40])
def test_a_padded_clip_gives_what_it_gives_alone(frames: int) -> None:
    network = build()
    spec = picture(2, 50)
    with torch.no_grad():
        together = network(spec, torch.tensor([50, frames]))
        alone = network(spec[1:, :, :, :frames])
    assert torch.allclose(together[1], alone[0], atol=1e-5)


@pytest.mark.parametrize("frozen", range(4))
def test_cut_after_any_block_it_computes_the_same(frozen: int) -> None:
    network = build()
    spec, n_frames = picture(3, 40), torch.tensor([40, 12, 33])
    with torch.no_grad():
        hidden, mask = network.lower(spec, n_frames, frozen=frozen)
        assert hidden.shape == (3, len(network.kept(frozen)), 20, SIZE.width)
        assert mask is not None
        assert mask.sum(dim=1).tolist() == [20, 6, 17]
        given = network.upper(hidden.transpose(2, 3), mask.sum(dim=1), frozen=frozen)
        assert torch.allclose(given, network(spec, n_frames), atol=1e-5)


def test_the_vector_and_the_frames_are_those_behind_the_logits() -> None:
    network, spec, n_frames = build(), picture(2, 40), torch.tensor([40, 12])
    with torch.no_grad():
        frames, mask = network.features(spec, n_frames)
        vector = network.embedding(spec, n_frames)
        assert frames.shape == (2, 2 * SIZE.width, 1, 20)
        assert mask is not None
        assert mask.sum(dim=2).tolist() == [[20], [6]]
        assert torch.allclose(network.head(vector), network(spec, n_frames), atol=1e-6)


def test_outputs_below_the_cut_that_are_pooled_are_kept() -> None:
    network = build(blocks=4, pooled=3)
    assert [network.kept(frozen) for frozen in range(5)] == [[0], [1], [2], [2, 3], [2, 3, 4]]


def test_what_cannot_be_is_refused() -> None:
    refused: list[tuple[dict[str, object], str]] = [
        ({"blocks": 5}, "blocks: whisper-tiny has 4"),
        ({"pooled": 4}, "pooled: 4 outputs of 3 blocks"),
        ({"name": "whisper-giant"}, "whisper-base"),
    ]
    for fields, words in refused:
        with pytest.raises(ValueError, match=words):
            WhisperNetworkSettings.model_validate(SETTINGS | fields)
    settings = WhisperNetworkSettings.model_validate(SETTINGS)
    with pytest.raises(ConfigurationError, match="one channel, not 3"):
        settings.build(5, in_channels=3)
    with pytest.raises(ConfigurationError, match="at least two"):
        settings.build(1)


def test_more_than_thirty_seconds_are_more_than_the_positions() -> None:
    network = build(blocks=1, pooled=1)
    assert np.isfinite(network(picture(1, MAX_FRAMES)).detach().numpy()).all()
    with pytest.raises(ConfigurationError, match="30 s"):
        network(picture(1, MAX_FRAMES + 2))
