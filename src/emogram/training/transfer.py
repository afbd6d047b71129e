"""Transfer learning: a network starts from weights learned elsewhere, and part of it may stay as it was."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from pydantic import Field
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from emogram.errors import ConfigurationError, ModelError
from emogram.networks.classifier import Classifier
from emogram.networks.whisper import WhisperEncoder, WhisperNetwork
from emogram.training.checkpoints import load_weights
from emogram.training.optimisation.optimizers import ParameterGroup
from emogram.training.settings import Settings

_WHISPER_PREFIX = "model.encoder."
_MAX_NAMED = 3


class TransferSettings(Settings):
    """Where weights come from, and which of them learn."""

    source: Path = Field(description="safetensors file of the network's publisher, or the checkpoint of a run")
    trained: int | None = Field(
        None,
        ge=0,
        le=100,
        description="how many last blocks learn besides the head; 0: the head alone; none given: all",
    )
    unfreeze_every: int = Field(
        0,
        ge=0,
        le=1000,
        description="epochs after which one more block learns, from the head down (Howard and Ruder 2018); 0: all at once",
    )
    layer_decay: float = Field(
        0.8, gt=0, le=1, description="rate of a block as a factor of that of the block above it (Clark et al. 2020)"
    )
    rate: float = Field(0.2, gt=0, le=1, description="rate of the last block as a factor of that of the head")
    copies: int = Field(
        2, ge=0, le=100, description="augmented copies of each clip of which the outputs of frozen blocks are kept"
    )

    def source_sha256(self) -> str:
        """Hash of the file that the weights come from.

        Raises:
            ConfigurationError: it cannot be read.
        """
        return file_sha256(self.source, "transfer.source", "a safetensors file")


def file_sha256(path: Path, field: str, wanted: str) -> str:
    """Hash of the file that a field of the configuration names.

    Raises:
        ConfigurationError: it cannot be read; names the field and what is wanted there.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no path"
        raise ConfigurationError(f"{field}={path}: cannot be read ({reason}); give {wanted}") from error


def frozen_blocks(settings: TransferSettings | None, network: nn.Module) -> int | None:
    """How many first blocks stay as they are, their stem with them; None where everything learns.

    Raises:
        ConfigurationError: more blocks are to learn than there are.
    """
    if settings is None or settings.trained is None or not isinstance(network, WhisperNetwork):
        return None
    blocks = network.settings.blocks
    if settings.trained > blocks:
        raise ConfigurationError(
            f"transfer.trained={settings.trained}: the network has {blocks} blocks; choose at most that"
        )
    return blocks - settings.trained


def start(classifier: Classifier, settings: TransferSettings) -> None:
    """Put the weights of the source into the network, strictly: a tensor that is missing or of another shape is an error.

    Tensors of a published encoder that belong to blocks beyond those wanted are not looked at; its decoder neither.

    Raises:
        ModelError: the file cannot be read, or does not hold this network.
        ConfigurationError: a network that has no published weights.
    """
    network = classifier.network
    if not isinstance(network, WhisperNetwork):
        tensors = _whole_run(settings.source)
        strict(network, tensors, settings.source)
        return
    if classifier.spectrogram.standardise:
        raise ConfigurationError(f"network: {network.settings.name} was trained on spectrogram=whisper; choose that")
    load_encoder(network.encoder, settings.source, "transfer.source")


def load_encoder(encoder: WhisperEncoder, path: Path, field: str) -> None:
    """Put the weights of a publisher's file into the first blocks of an encoder, strictly.

    Raises:
        ModelError: the file cannot be read, or does not hold this encoder; names the field that it was given in.
    """
    strict(encoder, _published_encoder(path, set(encoder.state_dict()), field), path)


def freeze(network: nn.Module, frozen: int | None) -> None:
    """Keep the stem and the first `frozen` blocks from learning."""
    if frozen is None or not isinstance(network, WhisperNetwork):
        return
    for parameter in network.encoder.parameters():
        parameter.requires_grad_(False)
    for layer in network.encoder.layers[frozen:]:
        layer.requires_grad_(True)


def unfreeze(network: nn.Module, settings: TransferSettings | None, epoch: int) -> None:
    """Let as many of the blocks that are to learn do so as it is time for in an epoch, counted from 0; the stem comes last."""
    if settings is None or not settings.unfreeze_every or not isinstance(network, WhisperNetwork):
        return
    frozen = frozen_blocks(settings, network)
    layers = list(network.encoder.layers)[frozen or 0 :]
    due = epoch // settings.unfreeze_every
    for depth, layer in enumerate(reversed(layers)):
        layer.requires_grad_(depth < due)
    for part in (network.encoder.conv1, network.encoder.conv2, network.encoder.embed_positions):
        part.requires_grad_(frozen is None and due > len(layers))


def parameter_groups(module: nn.Module, settings: TransferSettings | None) -> list[ParameterGroup]:
    """Parameters in groups that learn at one rate each.

    What was loaded learns more slowly the further it is from the head; what starts at random has a factor of 1.
    """
    network = getattr(module, "network", None)
    if settings is None or not isinstance(network, WhisperNetwork):
        return [ParameterGroup(tuple(module.parameters()))]
    layers = list(network.encoder.layers)
    scales = {id(p): 1.0 for p in module.parameters()}
    for depth, layer in enumerate(reversed(layers)):
        scales |= {id(p): settings.rate * settings.layer_decay**depth for p in layer.parameters()}
    below = settings.rate * settings.layer_decay ** len(layers)
    stem = (network.encoder.conv1, network.encoder.conv2, network.encoder.embed_positions)
    scales |= {id(p): below for part in stem for p in part.parameters()}
    groups: dict[float, list[nn.Parameter]] = {}
    for parameter in module.parameters():
        groups.setdefault(scales[id(parameter)], []).append(parameter)
    return [ParameterGroup(parameters, scale) for scale, parameters in sorted(groups.items())]


def _published_encoder(path: Path, wanted: set[str], field: str) -> dict[str, Tensor]:
    """The tensors of the encoder's wanted names, in single precision."""
    try:
        with safe_open(path, "pt") as file:
            present = {name.removeprefix(_WHISPER_PREFIX): name for name in file.keys()}  # noqa: SIM118 - no dict
            return {name: file.get_tensor(present[name]).float() for name in wanted if name in present}
    except (OSError, SafetensorError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no safetensors file"
        raise ModelError(f"{path}: cannot be read ({reason}); give {field} the publisher's file") from error


def _whole_run(path: Path) -> dict[str, Tensor]:
    """The tensors of a run's network but for its last layer, which belongs to its own emotions."""
    weights = load_weights(path, "classifier.network.")
    return {name: tensor for name, tensor in weights.items() if not name.startswith("head.")}


def strict(module: nn.Module, tensors: Mapping[str, Tensor], source: Path) -> None:
    """Put tensors into a module whose they are by name and shape, but for its last layer, ``head``.

    Raises:
        ModelError: one is missing, left over or of another shape; names the first few and the source.
    """
    own = {name: tensor for name, tensor in module.state_dict().items() if not name.startswith("head.")}
    missing = sorted(own.keys() - tensors.keys())
    left_over = sorted(tensors.keys() - own.keys())
    unlike = [name for name in own.keys() & tensors.keys() if own[name].shape != tensors[name].shape]
    for names, what in (
        (missing, "lacks"),
        (left_over, "holds what the network has not:"),
        (unlike, "has other shapes of"),
    ):
        if names:
            shown = ", ".join(names[:_MAX_NAMED]) + (
                f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
            )
            raise ModelError(f"{source}: {what} {shown}; choose the network that these weights are of")
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if name in tensors:
                tensor.copy_(tensors[name])
