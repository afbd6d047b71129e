"""Where weights come from: another run, a publisher's file, or one that is downloaded; and whether they know the picture."""

import pickle
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import BaseModel
from torch import Tensor

from emogram.corpora.retrieval import fetch
from emogram.errors import ConfigurationError, CorpusError, ModelError
from emogram.networks.low_rank import merged
from emogram.networks.published_weights import ENCODERS, PUBLISHED, PublishedFrontEnd, PublishedWeights
from emogram.training.checkpoints import load_weights
from emogram.training.yaml_text import read

FIELD = "transfer.source"
PUBLISHED_NAME = "published"
_CHECKPOINTS, _MANIFEST, _BEST = "checkpoints", "manifest.csv", "best.safetensors"
_FILES = {".safetensors", ".pth", ".pt", ".bin", ".ckpt"}
"""Endings of what publishers give out; anything else that is not there was the folder of a run."""


@dataclass(frozen=True)
class Address:
    """Of a published file: where it lies, its checksum or None where nobody states one, and its name here."""

    url: str
    checksum: str | None
    file: str


def is_published(source: Path) -> bool:
    """Whether the publisher's file is to be downloaded."""
    return str(source) == PUBLISHED_NAME


def run_of(source: Path) -> Path | None:
    """The folder of the run that a source belongs to, given as it or as its checkpoint; None for a publisher's file.

    Told by the path where nothing lies there any more, so that nobody takes a run that has been moved for a stranger.
    """
    if source.is_dir() or (not is_published(source) and not source.exists() and source.suffix not in _FILES):
        return source
    return source.parent.parent if source.parent.name == _CHECKPOINTS else None


def weights_of(source: Path) -> Path:
    """The file with the weights: itself, or the best checkpoint of a run."""
    return source / _CHECKPOINTS / _BEST if source.is_dir() else source


def published_for(network: str, sample_rate: int) -> PublishedWeights:
    """The published weights of a network; where there are several, those of the sampling rate.

    Raises:
        ConfigurationError: nobody has published any.
    """
    known = [weights for weights in PUBLISHED.values() if weights.network == network]
    if not known:
        names = sorted({weights.network for weights in PUBLISHED.values()} | set(ENCODERS))
        raise ConfigurationError(
            f"{FIELD}: nobody has published weights of {network}; choose a run, or one of {', '.join(names)}"
        )
    return next((weights for weights in known if weights.front_end.sample_rate == sample_rate), known[0])


def address_for(network: str, sample_rate: int) -> Address:
    """Where the published weights of a network lie. Raises as `published_for`."""
    if network in ENCODERS:
        encoder = ENCODERS[network]
        return Address(encoder.address, encoder.checksum, f"{network}.safetensors")
    weights = published_for(network, sample_rate)
    return Address(weights.address, weights.checksum, f"{network}-{weights.front_end.sample_rate}.pth")


def downloaded(network: str, sample_rate: int, folder: Path) -> Path:
    """The published file of a network, fetched into a folder where it is not there yet.

    Raises:
        ConfigurationError: nobody has published any.
        ModelError: it cannot be fetched, or has another checksum.
    """
    address = address_for(network, sample_rate)
    try:
        return fetch(address.url, address.checksum, folder / address.file)
    except CorpusError as error:
        raise ModelError(f"{FIELD}=published: {error}") from error


def tensors_of_run(path: Path) -> dict[str, Tensor]:
    """The tensors of a run's network but for its last layer, which belongs to its own emotions.

    Raises:
        ModelError: no checkpoint of a run.
        ConfigurationError: one that lies in no run, so that nobody knows who it has heard.
    """
    run = run_of(path)
    if run is None or not (run / _MANIFEST).exists():
        raise ConfigurationError(
            f"{FIELD}={path}: lies in no run, so that nobody knows who it has heard; give the folder of a run"
        )
    weights = merged(load_weights(weights_of(path), "classifier.network."))
    return {name: tensor for name, tensor in weights.items() if not name.startswith("head.")}


def published_tensors(path: Path, weights: PublishedWeights) -> dict[str, Tensor]:
    """The tensors of a publisher's file of PyTorch, which may hold numbers and nothing that runs.

    Raises:
        ModelError: it cannot be read, holds something else, or not what it should.
    """
    try:
        # Numbers alone are read from it: PyTorch refuses anything that would have to be run.
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise ModelError(
            f"{path}: cannot be read as weights; give {FIELD} the publisher's file ({weights.address})"
        ) from error
    tensors = content.get(weights.within) if weights.within and isinstance(content, dict) else content
    if not isinstance(tensors, dict) or not all(isinstance(value, Tensor) for value in tensors.values()):
        raise ModelError(f"{path}: holds no weights of {weights.network}; give the publisher's file")
    return tensors


def require_same_picture(front_end: PublishedFrontEnd, settings: BaseModel, sample_rate: int, *, adapt: bool) -> None:
    """Refuse weights that know another picture, unless they are to be adapted to this one.

    Raises:
        ConfigurationError: names every setting that differs, what the settings cannot express, and the remedy.
    """
    if adapt:
        return
    given = settings.model_dump() | {"sample_rate": sample_rate}
    wanted = ("sample_rate", "n_fft", "window_ms", "hop_ms", "n_mels", "fmin_hz", "fmax_hz")
    differing = [
        f"{name} {getattr(front_end, name):g} (here {given.get(name, 'none')})"
        for name in wanted
        if given.get(name) != getattr(front_end, name)
    ]
    settings_told = f"{', '.join(differing)}; " if differing else ""
    raise ConfigurationError(
        f"spectrogram: the published weights know another picture: {settings_told}{front_end.differs}; "
        "choose transfer.adapt=true to train them on this one all the same"
    )


def require_picture_of_run(source: Path, settings: BaseModel, sample_rate: int, *, adapt: bool) -> None:
    """Refuse the weights of a run with another spectrogram or sampling rate, unless they are to be adapted.

    Raises:
        ConfigurationError: names what differs and the remedy.
    """
    run = run_of(source)
    if adapt or run is None:
        return
    then = read(run / "configuration.yaml")
    rate = then.get("audio", {}).get("sample_rate")
    if then.get("spectrogram") != settings.model_dump(mode="json"):
        raise ConfigurationError(
            f"spectrogram: {FIELD}={source} knows another picture; choose the spectrogram in {run / 'configuration.yaml'}, "
            "or transfer.adapt=true to train it on this one"
        )
    if rate != sample_rate:
        raise ConfigurationError(
            f"audio.sample_rate={sample_rate}: {FIELD}={source} knows {rate} Hz; choose that, or transfer.adapt=true"
        )
