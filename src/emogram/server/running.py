"""Running the application: the socket, uvicorn, and a shutdown that finishes what is in flight."""

import asyncio
import logging
import math
import socket
import ssl
import sys

import uvicorn

from emogram.errors import ConfigurationError
from emogram.server.application import create
from emogram.server.connections import kinds
from emogram.server.office import Office
from emogram.server.settings import Settings


class Server(uvicorn.Server):
    """uvicorn with our limits, and a shutdown that lets streams say what they have left.

    Args:
        office: to serve.

    Raises:
        ConfigurationError: the certificate cannot be used.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        settings = office.settings
        http, websocket = kinds(settings)
        config = uvicorn.Config(
            create(office),
            http=http,
            ws=websocket,
            # A message over our own limit shall get a problem, so uvicorn's is a little higher.
            ws_max_size=2 * settings.max_message_bytes,
            ws_per_message_deflate=False,
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="on",
            timeout_graceful_shutdown=math.ceil(settings.shutdown_s),
            ssl_certfile=settings.tls_certificate,
            ssl_keyfile=settings.tls_key,
        )
        try:
            config.load()
        except (OSError, ssl.SSLError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ConfigurationError(
                f"--tls-certificate, --tls-key: cannot be used ({reason}); check both files"
            ) from None
        super().__init__(config)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop being ready, go on for a while if told so, end the streams, finish the requests."""
        settings = self._office.settings
        self._office.leaving = True
        until = asyncio.get_running_loop().time() + settings.drain_s
        while asyncio.get_running_loop().time() < until and not self.force_exit:
            await asyncio.sleep(0.1)
        await self._office.sessions.finish(settings.shutdown_s)
        await super().shutdown(sockets)


def listen(settings: Settings) -> socket.socket:
    """A socket on the address and port.

    Raises:
        ConfigurationError: they cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=1024)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        where = f"--host {settings.host}, --port {settings.port}"
        raise ConfigurationError(f"{where}: cannot be listened on ({reason}); choose another") from None


def address(settings: Settings, listening: socket.socket) -> str:
    """Where a browser finds the server."""
    port = listening.getsockname()[1]
    host = "localhost" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104  (compared, not listened on)
    scheme = "https" if settings.tls_certificate else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def log_to_standard_error(settings: Settings) -> None:
    """A line for each request and each mishap."""
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    logging.getLogger("emogram.server").setLevel(logging.INFO if settings.log else logging.WARNING)
