"""Options that several commands have."""

from typing import Annotated

import typer

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
FoldsAtATime = Annotated[int, typer.Option(min=1, max=64, help="Folds at a time, each with its share of processors.")]


def microphone_of(device: str | None) -> int | str | None:
    """The number or the part of a name that was typed as `MicrophoneOption`."""
    return int(device) if device is not None and device.isdecimal() else device
