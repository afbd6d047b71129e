"""Transfer learning: a network starts from weights learned elsewhere, and part of it may stay as it was."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, Field, model_validator
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm

from emogram.errors import ConfigurationError, ModelError
from emogram.networks.classifier import Classifier
from emogram.networks.encoder import Encoder, EncoderNetwork
from emogram.networks.low_rank import LowRank, adapt
from emogram.networks.network import Network
from emogram.networks.weights import strict_load
from emogram.training.optimisation.optimizers import ParameterGroup
from emogram.training.origins import (
    FIELD,
    address_for,
    downloaded,
    is_published,
    published_for,
    published_tensors,
    require_picture_of_run,
    require_same_picture,
    run_of,
    tensors_of_run,
    weights_of,
)
from emogram.training.settings import Settings

_WHISPER_PREFIX = "model.encoder."
_PUBLISHERS = (".pth", ".pt")
"""What the files of publishers other than Whisper's end in."""

_SINCE_THEN: dict[str, Any] = {"adapt": False, "batch_norm": "learn", "lora_rank": 0}
"""Fields that came later, and the value with which a run is what it was before: no part of its identity then."""
_MAX_NAMED = 3


class TransferSettings(Settings):
    """Where weights come from, and which of them learn."""

    source: Path = Field(
        description="published: fetched from the network's publisher; its file; or the folder or checkpoint of a run, "
        "{fold} standing for the number of the fold that is tested"
    )
    adapt: bool = Field(False, description="take weights that know another picture and train them on this one")
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
    batch_norm: Literal["learn", "frozen"] = Field(
        "learn", description="whether batch normalisation that was loaded learns, or keeps its scale and statistics"
    )
    lora_rank: int = Field(
        0,
        ge=0,
        le=256,
        description="of what is added to the matrices of attention in blocks that learn, which else stay (LoRA, Hu et al. 2022); 0: none",
    )
    copies: int = Field(
        2, ge=0, le=100, description="augmented copies of each clip of which the outputs of frozen blocks are kept"
    )

    @model_validator(mode="after")
    def _consistent(self) -> "TransferSettings":
        if self.lora_rank and self.unfreeze_every:
            raise ValueError("unfreeze_every: with lora_rank the blocks stay as they are; choose 0 for one of them")
        return self

    def of_fold(self, fold: int) -> "TransferSettings":
        """The same with the number of the fold in its path."""
        return self.model_copy(update={"source": Path(str(self.source).replace("{fold}", str(fold)))})

    def determinants(self, *, fold: int, network: str, sample_rate: int) -> dict[str, Any]:
        """The fields that the result depends on, JSON-ready: what the file of this fold holds, not where it lies.

        Raises:
            ConfigurationError: it cannot be read, or there is no published one.
        """
        fields = self.model_dump(mode="json")
        for name, unchanged in _SINCE_THEN.items():
            if fields[name] == unchanged:
                del fields[name]
        source = self.of_fold(fold).source
        if is_published(source):
            address = address_for(network, sample_rate)
            content = (address.checksum or address.url).replace("sha256:", "sha256 ")
        else:
            content = f"sha256 {file_sha256(weights_of(source), FIELD, 'a safetensors file or a run')}"
        return fields | {"source": content}


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
    if settings is None or settings.trained is None or not isinstance(network, EncoderNetwork):
        return None
    blocks = network.settings.blocks
    if settings.trained > blocks:
        raise ConfigurationError(
            f"transfer.trained={settings.trained}: the network has {blocks} blocks; choose at most that"
        )
    return blocks - settings.trained


def start(
    classifier: Classifier,
    settings: TransferSettings,
    *,
    network_name: str,
    picture: BaseModel,
    sample_rate: int,
    downloads: Path,
) -> None:
    """Put the weights of the source into the network, strictly: a tensor that is missing or of another shape is an error.

    Tensors of a published encoder that belong to blocks beyond those wanted are not looked at; its decoder neither.

    Args:
        classifier: to fill.
        settings: with the number of the fold in its path.
        network_name: under which its weights were published.
        picture: settings of the spectrogram.
        sample_rate: Hz.
        downloads: folder for published files.

    Raises:
        ModelError: the file cannot be read or fetched, or does not hold this network.
        ConfigurationError: a network that has no published weights, or weights that know another picture.
    """
    network, source = classifier.network, settings.source
    if is_published(source):
        source = downloaded(network_name, sample_rate, downloads)
    if run_of(source) is not None or not (isinstance(network, EncoderNetwork) or source.suffix in _PUBLISHERS):
        tensors = tensors_of_run(source)
        require_picture_of_run(source, picture, sample_rate, adapt=settings.adapt)
        strict(network, tensors, source)
        return
    if not isinstance(network, EncoderNetwork):
        weights = published_for(network_name, sample_rate)
        require_same_picture(weights.front_end, picture, sample_rate, adapt=settings.adapt)
        assert isinstance(network, Network)
        strict_load(network, published_tensors(source, weights), ignore=(*weights.ignore, "head"))
        return
    if classifier.spectrogram.standardise:
        raise ConfigurationError(f"network: {network.settings.name} was trained on spectrogram=whisper; choose that")
    load_encoder(network.encoder, source, FIELD)


def load_encoder(encoder: Encoder, path: Path, field: str) -> None:
    """Put the weights of a publisher's file into the first blocks of an encoder, strictly.

    Raises:
        ModelError: the file cannot be read, or does not hold this encoder; names the field that it was given in.
    """
    strict(encoder, encoder.adapted(_published_encoder(path, encoder.published(), field)), path)


def freeze(network: nn.Module, settings: TransferSettings) -> None:
    """Keep from learning what is to stay as it is: the stem and first blocks, all but additions of low rank, all but the head.

    Raises:
        ConfigurationError: settings that this network has no parts for.
    """
    if settings.batch_norm == "frozen":
        if not normalisations(network):
            raise ConfigurationError(
                "transfer.batch_norm=frozen: no batch normalisation of this network is loaded; choose learn"
            )
        for normalisation in normalisations(network):
            normalisation.requires_grad_(False)
    if isinstance(network, EncoderNetwork):
        _freeze_encoder(network, settings)
        return
    if settings.lora_rank or settings.trained or settings.unfreeze_every:
        raise ConfigurationError(
            "transfer: lora_rank, unfreeze_every and trained above 0 are for the blocks of Whisper's encoder; leave them out"
        )
    if settings.trained == 0:
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name.startswith("head."))


def _freeze_encoder(network: EncoderNetwork, settings: TransferSettings) -> None:
    frozen = frozen_blocks(settings, network)
    if frozen is None and not settings.lora_rank:
        return
    for parameter in network.encoder.parameters():
        parameter.requires_grad_(False)
    for layer in network.encoder.layers[frozen or 0 :]:
        if settings.lora_rank:
            attention = layer.get_submodule("self_attn")
            adapt((part for part in list(attention.modules()) if isinstance(part, nn.Linear)), settings.lora_rank)
        else:
            layer.requires_grad_(True)


def normalisations(network: nn.Module) -> list[nn.Module]:
    """Batch normalisations that weights were loaded into; the one in front of Whisper's head is new with every run."""
    if isinstance(network, EncoderNetwork):
        return []
    return [module for module in network.modules() if isinstance(module, BatchNorm)]


def hold(network: nn.Module, settings: TransferSettings | None) -> None:
    """Keep the statistics of batch normalisation as they are in training, where that is chosen."""
    if settings is not None and settings.batch_norm == "frozen":
        for normalisation in normalisations(network):
            normalisation.eval()


def unfreeze(network: nn.Module, settings: TransferSettings | None, epoch: int) -> None:
    """Let as many of the blocks that are to learn do so as it is time for in an epoch, counted from 0; the stem comes last."""
    if settings is None or not settings.unfreeze_every or not isinstance(network, EncoderNetwork):
        return
    frozen = frozen_blocks(settings, network)
    layers = list(network.encoder.layers)[frozen or 0 :]
    due = epoch // settings.unfreeze_every
    for depth, layer in enumerate(reversed(layers)):
        layer.requires_grad_(depth < due)
    for part in network.encoder.stem_parts():
        part.requires_grad_(frozen is None and due > len(layers))


def parameter_groups(module: nn.Module, settings: TransferSettings | None) -> list[ParameterGroup]:
    """Parameters in groups that learn at one rate each.

    What was loaded learns more slowly the further it is from the head; what starts at random has a factor of 1.
    """
    network = getattr(module, "network", None)
    if settings is None or not isinstance(network, EncoderNetwork):
        return [ParameterGroup(tuple(module.parameters()))]
    layers = list(network.encoder.layers)
    scales = {id(p): 1.0 for p in module.parameters()}
    for depth, layer in enumerate(reversed(layers)):
        scales |= {id(p): settings.rate * settings.layer_decay**depth for p in layer.parameters()}
    below = settings.rate * settings.layer_decay ** len(layers)
    stem = network.encoder.stem_parts()
    scales |= {id(p): below for part in stem for p in part.parameters()}
    # What is added starts at zero and has to go its way from there.
    scales |= {id(p): 1.0 for part in module.modules() if isinstance(part, LowRank) for p in part.parameters()}
    groups: dict[float, list[nn.Parameter]] = {}
    for parameter in module.parameters():
        groups.setdefault(scales[id(parameter)], []).append(parameter)
    return [ParameterGroup(parameters, scale) for scale, parameters in sorted(groups.items())]


def _published_encoder(path: Path, wanted: Iterable[str], field: str) -> dict[str, Tensor]:
    """The tensors of the encoder's wanted names, in single precision."""
    try:
        with safe_open(path, "pt") as file:
            present = {name.removeprefix(_WHISPER_PREFIX): name for name in file.keys()}  # noqa: SIM118 - no dict
            return {name: file.get_tensor(present[name]).float() for name in wanted if name in present}
    except (OSError, SafetensorError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no safetensors file"
        raise ModelError(f"{path}: cannot be read ({reason}); give {field} the publisher's file") from error


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
