"""The command `emogram`: which commands there are, how errors are told, what exit status follows."""

import contextlib
import importlib
import io
import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from emogram.errors import ConfigurationError, EmogramError

if TYPE_CHECKING:
    import typer

SUCCEEDED, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130

MODULES = (
    "demo",
    "predict",
    "listen",
    "record",
    "adapt",
    "serve",
    "show",
    "corpus",
    "render",
    "training",
    "comparison",
    "learning_rate",
    "study",
    "search",
    "pretrain",
    "models",
    "paper",
    "listing",
    "networks",
)
"""Modules of `emogram.cli` with commands, in the order of the help. Each has ``register(application)``."""

HOMES = {
    "demo": "demo",
    "predict": "predict",
    "listen": "listen",
    "record": "record",
    "adapt": "adapt",
    "serve": "serve",
    "corpus": "corpus",
    "train": "training",
    "evaluate": "training",
    "compare": "comparison",
    "learning-rate": "learning_rate",
    "study": "study",
    "search": "search",
    "pretrain": "pretrain",
    "models": "models",
    "paper": "paper",
    "show": "show",
    "render": "render",
    "list": "listing",
    "networks": "networks",
}
"""Commands whose module alone is imported when they are called, which keeps start-up short."""

_CONTINUED = frozenset({"train", "study", "search", "render", "pretrain"})
"""What a killed command of these has done is not done again."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `emogram` with these arguments, those of the process where None, and return the exit status.

    Results go to standard output, all else to standard error. 0: everything asked for succeeded, 1: some input failed,
    2: wrong usage or configuration, 130: interrupted.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file name need not be text in any encoding
            stream.reconfigure(errors="backslashreplace")
    try:
        status = _run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        status = INTERRUPTED
    except OSError as error:
        _forget_output()
        if not isinstance(error, BrokenPipeError):
            _tell(f"{error.filename or 'output'}: {error.strerror}; check the disk and permissions")
        return FAILED
    if status == INTERRUPTED and arguments and arguments[0] in _CONTINUED:
        print("emogram: stopped; the same command goes on from here", file=sys.stderr)  # noqa: T201
    return status


def build(modules: Iterable[str] = MODULES) -> "typer.Typer":
    """The typer application with the commands of these modules."""
    import typer

    application = typer.Typer(name="emogram", add_completion=False, pretty_exceptions_enable=False)

    @application.callback()
    def emogram(
        version: Annotated[
            bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
        ] = False,
    ) -> None:
        """Recognise emotion in speech with convolutional networks on spectrograms."""

    for module in modules:
        importlib.import_module(f"emogram.cli.{module}").register(application)
    return application


def _run(arguments: Sequence[str]) -> int:
    import typer

    arguments = [_at_home(argument) for argument in arguments]
    home = HOMES.get(arguments[0]) if arguments else None
    try:
        application = build(MODULES if home is None else (home,))
        status = application(args=list(arguments), prog_name="emogram", standalone_mode=False)
    except EmogramError as error:
        _tell(str(error))
        return MISUSED if isinstance(error, ConfigurationError) else FAILED
    except typer.TyperException as error:
        _tell_misuse(error)
        return error.exit_code
    except typer.Abort:
        return INTERRUPTED
    return status if isinstance(status, int) else SUCCEEDED


def _at_home(argument: str) -> str:
    """``~/x``, ``--output=~/x`` and ``ravdess=~/x`` with the user's own folder, which not every shell puts there."""
    return re.sub(r"(?:^|(?<==))~(?=/|$)", lambda _: str(Path.home()), argument)


def _tell(message: str) -> None:
    print("emogram: error:", " ".join(message.splitlines()), file=sys.stderr)  # noqa: T201


def _tell_misuse(error: "typer.TyperException") -> None:
    message = error.format_message().replace("Value error, ", "").strip().rstrip(".")
    context: typer.Context | None = getattr(error, "ctx", None)
    command = context.command_path if context else "emogram"
    if message and "\n" not in message:
        _tell(f"{message}; see: {command} --help")
    else:  # a group called without a command, whose help typer has told already or puts into the message
        print(message or f"emogram: error: a command is missing; see: {command} --help", file=sys.stderr)  # noqa: T201


def _print_version(wanted: bool) -> None:
    if wanted:
        import typer

        import emogram

        typer.echo(f"emogram {emogram.__version__}")
        raise typer.Exit


def _forget_output() -> None:
    """Output cannot be written any more: leave nothing for Python to flush, and complain about, as it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
