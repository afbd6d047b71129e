"""What can be set: one table, from which the options, environment variables, checks and documentation of the server come."""

import dataclasses
import math
import os
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emogram import processors
from emogram.errors import ConfigurationError

TOKEN_VARIABLE = "EMOGRAM_SERVE_TOKEN"  # noqa: S105  (the name of a variable)
"""Environment variable with the bearer token; a token on the command line could be read by everybody on the machine."""

_PREFIX = "EMOGRAM_SERVE_"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _setting(default: Any, meaning: str, *, low: float = -math.inf, high: float = math.inf, metavar: str = "") -> Any:
    facts = {"meaning": meaning, "low": low, "high": high, "metavar": metavar}
    if isinstance(default, list):
        return dataclasses.field(default_factory=tuple, metadata=facts)
    return dataclasses.field(default=default, metadata=facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the server runs. Every field is checked when it is made.

    Raises:
        ConfigurationError: names the option with the first value that cannot be.
    """

    host: str = _setting("127.0.0.1", "Address to listen on; 0.0.0.0 for all that this machine has.", metavar="ADDRESS")
    port: int = _setting(8000, "Port to listen on; 0 takes a free one.", low=0, high=65535)
    token_file: Path | None = _setting(
        None, f"File with the bearer token that requests must carry; or {TOKEN_VARIABLE}=TOKEN.", metavar="FILE"
    )
    tls_certificate: Path | None = _setting(None, "Certificate chain, PEM; serves HTTPS.", metavar="FILE")
    tls_key: Path | None = _setting(None, "Its private key, PEM.", metavar="FILE")
    allowed_host: tuple[str, ...] = _setting(
        [],
        "Name by which the server may be called, repeatable; any, or on a loopback address only that.",
        metavar="NAME",
    )
    cors_origin: tuple[str, ...] = _setting(
        [], "Origin whose pages may call the server, repeatable; its own page alone otherwise.", metavar="URL"
    )
    page: bool = _setting(True, "Serve the web page.")
    browser_runtime: Path | None = _setting(
        None, "Folder with npm's onnxruntime-web, for recognition within the browser.", metavar="DIR"
    )
    model_file: bool = _setting(True, "Hand out the model's file, for recognition within the browser.")
    recordings: Path | None = _setting(
        None, "Folder that keeps the clips of the real-life test; without it nothing is written.", metavar="DIR"
    )
    adapt: bool = _setting(
        False, "Let clients adapt the model to the clips of --recordings, for everybody; takes emogram[adapt]."
    )
    workers: int = _setting(0, "Threads that recognise; 0 takes as many as there are processors.", low=0, high=256)
    queue: int = _setting(64, "Recordings that may wait for a thread; more are answered 429.", low=1, high=100_000)
    max_files: int = _setting(32, "Recordings in one request.", low=1, high=10_000)
    max_request_mb: float = _setting(
        25.0, "Size of a request, in 10^6 bytes, cut off as it comes.", low=0.001, high=500
    )
    max_audio_s: float = _setting(600.0, "Decoded length of a recording, in seconds.", low=1, high=86_400)
    max_memory_mb: float = _setting(
        512.0, "Bodies of all requests together, in 10^6 bytes; more are answered 503.", low=0.001, high=100_000
    )
    max_connections: int = _setting(1000, "Open connections; more are answered 503.", low=1, high=100_000)
    deadline_s: float = _setting(60.0, "Time for a request from its first byte to its answer.", low=0.05, high=3600)
    receive_s: float = _setting(10.0, "Longest pause of a client that sends headers or a body.", low=0.05, high=600)
    max_sessions: int = _setting(16, "Streams at the same time.", low=1, high=10_000)
    max_message_kb: float = _setting(1024.0, "Size of a message of a stream, in 1024 bytes.", low=1, high=16_384)
    session_s: float = _setting(
        3600.0, "Sound in one stream, in seconds; the stream may last --idle-s longer.", low=1, high=604_800
    )
    idle_s: float = _setting(30.0, "Longest time without sound in a stream.", low=0.05, high=3600)
    min_hop_s: float = _setting(0.1, "Least seconds from one answer of a stream to the next.", low=0.01, high=60)
    shutdown_s: float = _setting(
        30.0, "Time to finish what is in flight when the server is told to stop.", low=0, high=3600
    )
    log: bool = _setting(True, "Write a line for each request to standard error.")
    drain_s: float = _setting(
        0.0, "Time to go on listening, not ready, before it stops, for a load balancer to notice.", low=0, high=600
    )

    def __post_init__(self) -> None:
        """Check every field."""
        for field in dataclasses.fields(self):
            value, low, high = getattr(self, field.name), field.metadata["low"], field.metadata["high"]
            if isinstance(value, int | float) and not low <= value <= high:
                raise ConfigurationError(f"{option_of(field.name)}: {value:g} is not between {low:g} and {high:g}")
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ConfigurationError("--tls-certificate, --tls-key: one is of no use without the other; give both")
        if self.adapt and self.recordings is None:
            raise ConfigurationError("--adapt: there is nothing to adapt to; add --recordings DIR")
        if self.max_request_mb > self.max_memory_mb:
            raise ConfigurationError("--max-memory-mb: less than one request (--max-request-mb); raise it")
        if self.max_files > self.queue:
            raise ConfigurationError("--queue: less than the recordings of one request (--max-files); raise it")
        for origin in self.cors_origin:
            if origin != "*" and (not origin.startswith(("http://", "https://")) or origin.count("/") != 2):
                raise ConfigurationError(f"--cors-origin: {origin!r} is no origin such as https://example.org")

    @property
    def max_request_bytes(self) -> int:
        """`max_request_mb` in bytes."""
        return round(self.max_request_mb * 1e6)

    @property
    def max_memory_bytes(self) -> int:
        """`max_memory_mb` in bytes."""
        return round(self.max_memory_mb * 1e6)

    @property
    def max_message_bytes(self) -> int:
        """`max_message_kb` in bytes."""
        return round(self.max_message_kb * 1024)

    @property
    def threads(self) -> int:
        """How many threads recognise."""
        return self.workers or processors.count()

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host in _LOOPBACK

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names by which it may be called; empty for any.

        A page from elsewhere can have its own name lead to this machine, and would then pass for the server's own.
        """
        return self.allowed_host or (_LOOPBACK if self.is_local else ())

    def token(self, environment: Mapping[str, str] = os.environ) -> str:
        """The bearer token, empty where there is none.

        Raises:
            ConfigurationError: the file cannot be read, or holds no token that a header can carry.
        """
        token, source = environment.get(TOKEN_VARIABLE, "").strip(), TOKEN_VARIABLE
        if self.token_file is not None:
            source = f"--token-file: {self.token_file}"
            try:
                token = self.token_file.read_text(encoding="ascii").strip()
            except (OSError, UnicodeDecodeError) as error:
                reason = getattr(error, "strerror", None) or "not ASCII"
                raise ConfigurationError(f"{source}: cannot be read ({reason}); check the file") from None
            if not token:
                raise ConfigurationError(f"{source}: is empty; write a token into it")
        if token and not (token.isascii() and token.isprintable() and " " not in token and 8 <= len(token) <= 512):
            raise ConfigurationError(f"{source}: is no token; take 8 to 512 letters, digits and signs without spaces")
        return token


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A setting as the command line and the documentation have it.

    Attributes:
        name: of the field.
        option: of the command line.
        variable: of the environment.
        type: of the value: str, int, float, bool, `Path` or a tuple of str.
        default: its default.
        meaning: in a sentence.
        metavar: what stands for the value in the help, or empty.
    """

    name: str
    option: str
    variable: str
    type: Any
    default: Any
    meaning: str
    metavar: str


def option_of(name: str) -> str:
    """The option of a field: ``--max-audio-s``."""
    return "--" + name.replace("_", "-")


def options() -> Iterator[Option]:
    """Every setting, in order."""
    hints = typing.get_type_hints(Settings)
    for field in dataclasses.fields(Settings):
        default = field.default if field.default is not dataclasses.MISSING else ()
        kind = hints[field.name]
        if isinstance(kind, types.UnionType):
            kind = next(choice for choice in typing.get_args(kind) if choice is not types.NoneType)
        yield Option(
            name=field.name,
            option=option_of(field.name),
            variable=_PREFIX + field.name.upper(),
            type=kind,
            default=default,
            meaning=field.metadata["meaning"],
            metavar=field.metadata["metavar"],
        )
