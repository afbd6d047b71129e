"""Teachers of a size that a test can afford, and folders that look like runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from emogram.corpora import Clip
from emogram.corpora.clip import write_manifest
from emogram.networks.whisper import Size, WhisperEncoder
from emogram.training.checkpoints import save
from emogram.training.configuration import validate

SMALL = Size(width=16, heads=2, blocks=4)
"""Takes the place of whisper-tiny."""

BLOCKS = 2


def encoder(seed: int = 3) -> WhisperEncoder:
    """Without positions, so that what it gives can be learned from the sound alone."""
    torch.manual_seed(seed)
    made = WhisperEncoder(SMALL, blocks=BLOCKS)
    torch.nn.init.zeros_(made.embed_positions.weight)
    return made


def publish(path: Path, seed: int = 3) -> Path:
    """Random weights under the publisher's names."""
    tensors = {f"model.encoder.{name}": tensor.contiguous() for name, tensor in encoder(seed).state_dict().items()}
    save_file(tensors, path)
    return path


def run_folder(folder: Path, parts: Mapping[str, Sequence[Clip]], *, weights: bool = False, **settings: Any) -> Path:
    """What a run leaves of itself that others look at."""
    folder.mkdir(parents=True)
    placed = [(clip, part) for part, clips in parts.items() for clip in clips]
    write_manifest(folder / "manifest.csv", [clip for clip, _ in placed], parts=[part for _, part in placed])
    fields: dict[str, Any] = {
        "spectrogram": "whisper",
        "network": {"name": "whisper-tiny", "blocks": BLOCKS, "pooled": 1},
        **settings,
    }
    (folder / "configuration.yaml").write_text(validate(fields).to_yaml())
    if weights:
        state = {f"classifier.network.encoder.{name}": tensor for name, tensor in encoder(5).state_dict().items()}
        save({"state_dict": state}, folder / "checkpoints" / "best.safetensors")
    return folder
