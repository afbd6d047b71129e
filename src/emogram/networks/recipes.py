"""The named networks over the one CNN."""

from collections.abc import Mapping
from typing import Any

from emogram.networks.settings import Recipe

_SMALL: Mapping[str, Any] = {"stem_channels": 16, "channels": (24, 48, 72, 104), "strides": (1, 2, 2, 2)}
"""What the variants for comparison start from: the widths of ``cnn-small``."""

RECIPES: dict[str, Recipe] = {
    "cnn-tiny": Recipe(
        "Residual CNN of three blocks, for tests and the demonstration.",
        {"stem_channels": 8, "channels": (16, 32, 64), "strides": (2, 2, 2), "dropout": 0.1},
    ),
    "cnn-small": Recipe(
        "Residual CNN (He et al. 2016) of four blocks, for studies; those below differ from it.", _SMALL
    ),
    "cnn-base": Recipe(
        "Residual CNN with squeeze-excitation: early stride, and wide late layers, where arithmetic is cheapest.",
        {
            "stem_channels": 32,
            "channels": (48, 96, 192, 384),
            "strides": (2, 2, 2, 2),
            "squeeze_excitation": True,
        },
    ),
    "cnn-student": Recipe(
        "cnn-base with a frame every 80 ms instead of every 320: fine enough to follow a teacher's frames.",
        {
            "stem_channels": 32,
            "channels": (48, 96, 192, 384),
            "strides": (2, 2, (2, 1), (2, 1)),
            "squeeze_excitation": True,
        },
    ),
    "cnn-plain": Recipe(
        "Plain CNN in the manner of VGG (Simonyan and Zisserman 2015): cnn-small without ways around.",
        {**_SMALL, "block": "plain"},
    ),
    "cnn-excited": Recipe(
        "cnn-small with squeeze-excitation (Hu et al. 2018).", {**_SMALL, "squeeze_excitation": True}
    ),
    "cnn-separable": Recipe(
        "Depthwise-separable convolutions (Howard et al. 2017), twice as wide for the parameters saved.",
        {**_SMALL, "channels": (64, 128, 192, 256), "convolution": "separable"},
    ),
    "cnn-dilated": Recipe(
        "Kernels that spread in time (Yu and Koltun 2016) where the others halve it: finer steps, a longer reach.",
        {**_SMALL, "strides": (2, 2, 1, 1), "dilations": (1, 1, 2, 4)},
    ),
    "cnn-branches": Recipe(
        "Tall, wide and square kernels side by side at the start (LIGHT-SERNet, Aftab et al. 2022).",
        {**_SMALL, "stem_channels": 24, "stem_branches": ((9, 1), (1, 11), (3, 3)), "block": "plain"},
    ),
    "crnn": Recipe(
        "CNN, then gated recurrent units over time, forwards and backwards (Satt et al. 2017 with LSTM).",
        {
            **_SMALL,
            "channels": (24, 48, 96),
            "strides": (1, 2, 2),
            "sequence": "gru",
            "sequence_width": 160,
            "pooling": "statistics",
        },
    ),
    "cnn-attention": Recipe(
        "CNN whose frames are weighed by self-attention (Lin et al. 2017), in four heads.",
        {**_SMALL, "pooling": "self_attention"},
    ),
    "cnn-multihead": Recipe(
        "CNN, then multi-head attention between all frames (Vaswani et al. 2017).",
        {**_SMALL, "channels": (24, 48, 72), "strides": (1, 2, 2), "sequence": "attention"},
    ),
}
"""``cnn-tiny`` and those like ``cnn-small`` have at most 0.5 M parameters, ``cnn-base`` 3 M."""
