"""The command `emogram networks`: what the networks are and cost."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emogram.errors import ConfigurationError, MissingExtraError

if TYPE_CHECKING:
    from emogram.networks.network import Network
    from emogram.networks.summary import Part
    from emogram.spectrograms import Spectrogram
    from emogram.training.configuration import Configuration

_EMOTIONS = 8

Settings = Annotated[
    list[str] | None,
    typer.Argument(metavar="[FIELD=VALUE]...", help="Fields of the configuration, beside the network."),
]
Summary = Annotated[str | None, typer.Option("--summary", metavar="NAME", help="One of them, part by part.")]
Seconds = Annotated[float, typer.Option(min=0.1, max=30, help="Length of the clip that is counted and timed.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(application: typer.Typer) -> None:
    """Add the command."""
    application.command("networks")(show_networks)


def show_networks(
    settings: Settings = None, summary: Summary = None, seconds: Seconds = 3.0, as_json: Json = False
) -> None:
    """List the networks with parameters and multiply-adds; with a name, that one's parts, field and measured speed.

    Counted for eight emotions on the configured spectrogram (log-mel unless a field says otherwise; Whisper's encoders
    on theirs). Speed is that of this machine now.

    Examples:
        emogram networks

        emogram networks --summary cnn-base

        emogram networks --summary cnn-small network.convolution=separable spectrogram.n_mels=40
    """
    try:
        from emogram.networks.registry import NETWORKS
    except ImportError as error:
        raise MissingExtraError("emogram networks", "train") from error
    fields = settings or []
    bare = [field for field in fields if "=" not in field]
    if bare:
        name = bare[0] if bare[0] in NETWORKS else "NAME"
        raise ConfigurationError(
            f"{bare[0]}: fields are written FIELD=VALUE; one network is shown by: emogram networks --summary {name}"
        )
    if summary is not None:
        facts = _facts(_configured(summary, fields), seconds)
        typer.echo(json.dumps(facts, indent=1) if as_json else _told(facts))
        return
    if any(field.startswith("network") for field in fields):
        raise ConfigurationError("network: all networks are listed; add --summary NAME to change one")
    rows = {name: _row(_configured(name, fields), seconds) for name in NETWORKS}
    typer.echo(json.dumps(rows, indent=1) if as_json else _table(rows, seconds))


def _configured(name: str, fields: list[str]) -> "Configuration":
    from emogram.training.configuration import load

    if name.startswith("whisper-"):  # which knows one picture, whatever is said of others
        fields = ["spectrogram=whisper", *(field for field in fields if not field.startswith("spectrogram"))]
    return load(None, [f"network={name}", *fields])


def _built(configuration: "Configuration", device: str) -> "tuple[Network, Spectrogram]":
    import torch

    front_end = configuration.spectrogram.build(configuration.audio.sample_rate)
    with torch.device(device):
        network = configuration.network.build(_EMOTIONS, in_channels=front_end.n_channels, in_bands=front_end.n_bands)
    return network, front_end


def _frames(configuration: "Configuration", front_end: "Spectrogram", seconds: float) -> int:
    return 1 + round(seconds * configuration.audio.sample_rate) // front_end.hop_length


def _parts(configuration: "Configuration", seconds: float) -> "list[Part]":
    from emogram.networks.summary import parts

    network, front_end = _built(configuration, "meta")
    return parts(
        network,
        channels=front_end.n_channels,
        bands=front_end.n_bands,
        frames=_frames(configuration, front_end, seconds),
    )


def _costs(configuration: "Configuration", seconds: float) -> dict[str, Any]:
    rows = _parts(configuration, seconds)
    network = configuration.network
    return {
        "parameters": sum(row.parameters for row in rows),
        "multiply_adds": sum(row.multiply_adds for row in rows),
        "summary": network.recipes[network.name].summary,
    }


def _row(configuration: "Configuration", seconds: float) -> dict[str, Any]:
    """The costs, or why the spectrogram does not fit."""
    try:
        return _costs(configuration, seconds)
    except ConfigurationError as error:
        return {"problem": str(error)}


def _facts(configuration: "Configuration", seconds: float) -> dict[str, Any]:
    from dataclasses import asdict

    from emogram.networks.receptive_field import receptive_field
    from emogram.networks.speed import measure

    network, front_end = _built(configuration, "cpu")
    shape = {"channels": front_end.n_channels, "bands": front_end.n_bands}
    field = receptive_field(network, **shape)
    hop_ms = 1000 * front_end.hop_s(configuration.audio.sample_rate)
    heard: dict[str, Any] = {
        "ms": None if field.frames is None else round(field.frames * hop_ms, 1),
        "step_ms": round(field.step * hop_ms, 1),
        "bands": field.last_band - field.first_band + 1,
    }
    if front_end.axis.quantity == "frequency in Hz":
        heard["hz"] = [round(float(front_end.centres_hz[band])) for band in (field.first_band, field.last_band)]
    speed = measure(network, **shape, frames=_frames(configuration, front_end, seconds))
    return {
        "name": configuration.network.name,
        "seconds": seconds,
        "spectrogram": configuration.spectrogram.name,
        "bands": front_end.n_bands,
        **_costs(configuration, seconds),
        "receptive_field": heard,
        "clips_per_second": {"forward": round(speed.forward, 1), "training_step": round(speed.step, 1)},
        "threads": speed.threads,
        "parts": [asdict(part) for part in _parts(configuration, seconds)],
    }


def _table(rows: dict[str, dict[str, Any]], seconds: float) -> str:
    width = max(map(len, rows))
    lines = [f"{'':{width}} parameters  multiply-adds, {seconds:g} s"]
    for name, row in rows.items():
        if "problem" in row:
            lines.append(f"{name:{width}} {row['problem']}")
            continue
        costs = f"{_short(row['parameters']):>10}  {_short(row['multiply_adds']):>8}"
        lines.append(f"{name:{width}} {costs}  {row['summary']}")
    return "\n".join(lines)


def _told(facts: dict[str, Any]) -> str:
    rows = [
        (
            part["name"],
            part["kind"].lstrip("_"),
            " x ".join(map(str, part["shape"])),
            part["parameters"],
            part["multiply_adds"],
        )
        for part in facts["parts"]
    ]
    widths = [max(len(str(row[column])) for row in rows) for column in range(3)]
    lines = [f"{facts['name']}: {facts['summary']}", ""]
    for name, kind, shape, parameters, products in rows:
        lines.append(
            f"{name:{widths[0]}}  {kind:{widths[1]}}  {shape:>{widths[2]}}  {_short(parameters):>8}  {_short(products):>8}"
        )
    heard, speed = facts["receptive_field"], facts["clips_per_second"]
    reach = "the whole clip" if heard["ms"] is None else f"{heard['ms']:g} ms"
    hz = f", {heard['hz'][0]} to {heard['hz'][1]} Hz" if "hz" in heard else ""
    lines += [
        "",
        f"parameters       {facts['parameters']:,}",
        f"multiply-adds    {facts['multiply_adds']:,} for {facts['seconds']:g} s",
        f"receptive field  {reach} every {heard['step_ms']:g} ms, {heard['bands']} of {facts['bands']} bands{hz}",
        f"speed            {speed['forward']:g} clips/s, {speed['training_step']:g} in training, fp32, "
        f"{facts['threads']} thread{'s' * (facts['threads'] > 1)}",
    ]
    return "\n".join(lines)


def _short(count: int) -> str:
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} "
