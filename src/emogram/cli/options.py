"""Options that several commands have."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from emogram.errors import ConfigurationError

MODEL_VARIABLE = "EMOGRAM_MODEL"

ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model", "-m", metavar="NAME|FILE", help="base, large, or a file; see: emogram models.", envvar=MODEL_VARIABLE
    ),
]
MicrophoneOption = Annotated[
    str | None, typer.Option("--device", "-d", help="Number or part of the name of the microphone.")
]
CorporaOption = Annotated[
    list[str] | None, typer.Option("--corpus", "-c", metavar="NAME=PATH", help="A corpus; several are joined.")
]
LabelsOption = Annotated[
    list[str] | None,
    typer.Option("--label", metavar="LABEL=EMOTION", help="Map a label of your own data (folder, csv). Repeatable."),
]
FoldsAtATime = Annotated[int, typer.Option(min=1, max=64, help="Folds at a time, each with its share of processors.")]


def microphone_of(device: str | None) -> int | str | None:
    """The number or the part of a name that was typed as `MicrophoneOption`."""
    return int(device) if device is not None and device.isdecimal() else device


def label_map(labels: Sequence[str] | None) -> dict[str, str]:
    """The map that was typed as `LabelsOption`."""
    table: dict[str, str] = {}
    for entry in labels or ():
        label, equals, emotion = entry.partition("=")
        if not (label and equals and emotion):
            raise ConfigurationError(
                f"--label: {entry!r} is not LABEL=EMOTION; write for example --label furious=angry"
            )
        table[label] = emotion
    return table


def places_of(corpora: Sequence[str]) -> list[tuple[str, Path]]:
    """Names of corpora and where they lie, as typed: ``NAME=PATH``."""
    places: list[tuple[str, Path]] = []
    for item in corpora:
        name, separator, path = item.partition("=")
        if not separator or not path:
            raise ConfigurationError(f"--corpus {item}: write NAME=PATH, for example ravdess-speech=RAVDESS")
        places.append((name, Path(path)))
    return places
