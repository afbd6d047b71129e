"""`emogram serve`: recognition over HTTP and WebSocket, and the web page. Its options come from the server's settings."""

import inspect
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emogram.cli.options import ModelOption
from emogram.cli.training import laboratory
from emogram.errors import ConfigurationError, MissingExtraError
from emogram.server.settings import Option, Settings, options

if TYPE_CHECKING:
    from emogram.server.office import Adapt


def register(application: typer.Typer) -> None:
    """Add `serve` to the application."""
    application.command()(serve)


def serve(model: str | None, **values: Any) -> None:
    """Serve recognition over HTTP: a web page, an API, streams. Stop with Ctrl-C.

    Sound is decoded and recognised in memory and kept nowhere, unless a folder is named with --recordings. Each option can be
    given in the environment too, --port as EMOGRAM_SERVE_PORT.

    Examples:
        emogram serve

        emogram serve --model model.onnx --port 8080 --recordings test/

        emogram serve --recordings mine/ --adapt      (say each emotion some times, then have the model adapted to you)

        EMOGRAM_SERVE_TOKEN=… emogram serve --host 0.0.0.0 --allowed-host voice.example.org

        curl --data-binary @call.wav -H 'Content-Type: audio/wav' localhost:8000/v1/predict
    """
    given: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in values.items()}
    settings = Settings(**given)
    token = settings.token()
    if settings.recordings is not None:
        _require_writable(settings.recordings)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy starts threads as it is imported; none are used here
    try:
        import uvicorn
    except ImportError:
        raise MissingExtraError("the server", "serve") from None
    from emogram.recognition.bundled import find_model
    from emogram.recognition.model_file import read_model
    from emogram.server.office import Office
    from emogram.server.running import Server, address, listen, log_to_standard_error

    office = Office(read_model(find_model(model)), settings, token, _adapter() if settings.adapt else None)
    server: uvicorn.Server = Server(office)
    listening = listen(settings)
    log_to_standard_error(settings)
    if not (settings.is_local or token):
        typer.echo("emogram: warning: anybody who reaches this machine can use the server; set a token", err=True)
    typer.echo(f"Serving at {address(settings, listening)} (stop with Ctrl-C)", err=True)
    server.run(sockets=[listening])


def _require_writable(folder: Path) -> None:
    """Make the folder of recordings, so that nobody speaks before it is known that nothing can be kept.

    Raises:
        ConfigurationError: it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(folder, os.W_OK | os.X_OK) else "Permission denied"
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        raise ConfigurationError(f"--recordings {folder}: cannot be written ({reason}); name another folder")


def _adapter() -> "Adapt":
    """What adapts the server's model, which itself must not know how."""
    with laboratory("emogram serve --adapt", "adapt"):
        from emogram.adaptation.recordings import adapt_to_recordings
    from emogram.server.office import Adapted

    return lambda folder, content, heard: Adapted(*adapt_to_recordings(folder, content, heard=heard))


def _parameter(option: Option) -> inspect.Parameter:
    flag = f"{option.option}/--no-{option.option[2:]}" if option.type is bool else option.option
    kind = list[str] if option.type == tuple[str, ...] else option.type
    told = typer.Option(flag, help=option.meaning, envvar=option.variable, metavar=option.metavar or None)
    annotation = Annotated[kind | None if option.default is None else kind, told]  # type: ignore[valid-type]
    default = list(option.default) if isinstance(option.default, tuple) else option.default
    return inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _signature() -> inspect.Signature:
    model = inspect.Parameter("model", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=ModelOption)
    return inspect.Signature([model, *map(_parameter, options())])


# Typer reads what a command takes from its signature; this one is the table of settings.
serve.__signature__ = _signature()  # type: ignore[attr-defined]
serve.__annotations__ = {name: one.annotation for name, one in _signature().parameters.items()}
