"""Networks with the weights they begin with, exported."""

from pathlib import Path

from emogram.networks.export import export
from emogram.recognition import ModelInfo
from emogram.training.building import build_classifier
from emogram.training.configuration import load


def model(network: str, folder: Path) -> Path:
    """The file of a network that was never trained."""
    classifier = build_classifier(load(None, [f"network={network}"]), 3).eval()
    info = ModelInfo(
        name=network,
        labels=("neutral", "happy", "sad"),
        sample_rate=16_000,
        clip_s=2.0,
        min_s=0.5,
        window_s=6.0,
        temperature=1.3,
    )
    export(classifier, info, folder / "model.onnx")
    return folder / "model.onnx"
