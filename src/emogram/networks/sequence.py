"""Layers over the frames of a feature map, for what lies further apart than a convolution reaches.

Frames [B, D, N], and a mask [B, 1, N] that is one where a frame is real, or None where all are.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

SequenceName = Literal["none", "gru", "attention"]


class Sequence(nn.Module):
    """What every layer over frames tells: its width.

    Attributes:
        out_channels: width of the frames that it makes.
    """

    out_channels: int


class GatedRecurrence(Sequence):
    """Gated recurrent units forwards and backwards (Cho et al. 2014); the backward pass starts at the clip's own end.

    In an exported graph each layer is one GRU operator, which runs for any length. The exporter's own translation leaves
    out that torch applies the reset gate after the product (``linear_before_reset``), so the operator is named here.

    Args:
        channels: D.
        width: of both directions together, even.
        layers: one above the other.

    Shape:
        [B, D, N] -> [B, width, N]
    """

    def __init__(self, channels: int, width: int, layers: int) -> None:
        super().__init__()
        self.gru = nn.GRU(channels, width // 2, layers, batch_first=True, bidirectional=True)
        self.out_channels = width

    def forward(self, frames: Tensor, mask: Tensor | None) -> Tensor:
        """See the class."""
        x = frames.transpose(1, 2)
        if torch.onnx.is_in_onnx_export():
            return self._as_operators(x).transpose(1, 2)
        if mask is None:
            whole: Tensor = self.gru(x)[0]
            return whole.transpose(1, 2)
        lengths = mask[:, 0].sum(dim=1).long().cpu()
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        unpacked, _ = pad_packed_sequence(self.gru(packed)[0], batch_first=True, total_length=x.shape[1])
        return unpacked.transpose(1, 2)

    def _as_operators(self, x: Tensor) -> Tensor:
        x = x.transpose(0, 1)
        for layer in range(self.gru.num_layers):
            weight, recurrent, bias = (
                torch.stack([_in_onnx_order(self.gru, kind, layer, way) for way in ("", "_reverse")])
                for kind in ("weight_ih", "weight_hh", "bias")
            )
            size = self.gru.hidden_size
            y = torch.onnx.ops.symbolic(
                "GRU",
                (x, weight, recurrent, bias),
                {"hidden_size": size, "linear_before_reset": 1, "direction": "bidirectional"},
                dtype=x.dtype,
                shape=(x.shape[0], 2, x.shape[1], size),
            )
            x = y.permute(0, 2, 1, 3).flatten(2)
        return x.transpose(0, 1)


def _in_onnx_order(gru: nn.GRU, kind: str, layer: int, way: str) -> Tensor:
    """A weight with its gates in the operator's order: update, reset, new; torch has reset first. Both biases in a row."""
    if kind == "bias":
        return torch.cat([_in_onnx_order(gru, one, layer, way) for one in ("bias_ih", "bias_hh")])
    tensor = getattr(gru, f"{kind}_l{layer}{way}")
    assert isinstance(tensor, Tensor)
    size = gru.hidden_size
    return torch.cat([tensor[size : 2 * size], tensor[:size], tensor[2 * size :]])


class FrameAttention(Sequence):
    """Layers of a transformer's encoder (Vaswani et al. 2017), normalised before each part: every frame looks at every other.

    There are no positions: the convolutions below tell a frame from its neighbours.

    Args:
        channels: D.
        width: of the frames inside, a multiple of `heads`.
        layers: one above the other.
        heads: ways of looking in each layer.

    Shape:
        [B, D, N] -> [B, width, N]
    """

    def __init__(self, channels: int, width: int, layers: int, heads: int) -> None:
        super().__init__()
        self.project = nn.Linear(channels, width)
        self.layers = nn.ModuleList(AttentionLayer(width, heads) for _ in range(layers))
        self.normalisation = nn.LayerNorm(width)
        self.out_channels = width

    def forward(self, frames: Tensor, mask: Tensor | None) -> Tensor:
        """See the class."""
        x = self.project(frames.transpose(1, 2))
        seen = None if mask is None else mask[:, None] > 0
        for layer in self.layers:
            x = layer(x, seen)
        y: Tensor = self.normalisation(x).transpose(1, 2)
        return y


class AttentionLayer(nn.Module):
    """One layer of `FrameAttention`: [B, N, width], seen [B, 1, 1, N] or None -> [B, N, width]."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.look, self.think = nn.LayerNorm(width), nn.LayerNorm(width)
        # A bias of the keys adds the same to all scores of a query and would never be trained.
        self.queries, self.keys, self.values = (
            nn.Linear(width, width),
            nn.Linear(width, width, bias=False),
            nn.Linear(width, width),
        )
        self.join = nn.Linear(width, width)
        self.perceptron = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x: Tensor, seen: Tensor | None) -> Tensor:
        """See the class; `seen` is true where a frame is real."""
        y = self.look(x)
        queries, keys, values = (
            torch.unflatten(part(y), 2, (self.heads, -1)).transpose(1, 2)
            for part in (self.queries, self.keys, self.values)
        )
        y = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=seen)
        x = x + self.join(y.transpose(1, 2).flatten(2))
        added: Tensor = self.perceptron(self.think(x))
        return x + added


def sequence(name: SequenceName, channels: int, *, width: int, layers: int, heads: int) -> Sequence | None:
    """The layers of that name over frames of D = `channels`, None for none."""
    if name == "gru":
        return GatedRecurrence(channels, width, layers)
    return FrameAttention(channels, width, layers, heads) if name == "attention" else None
