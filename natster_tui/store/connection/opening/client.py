"""nats-py's client for one connection to one server, opened and closed by our rules.

nats-py upgrades to TLS only if the server's INFO demands it, so an attacker who changes that line
would get the credentials in clear text. nats-py also accepts any answer to the first PING, and it
waits for the other side without a limit when it closes. Here

- CONNECT, which carries the credentials, is sent in one place, once the required protection is
  established;
- an answer that is not a NATS server's ends the connection;
- `end` returns within its limit, whatever the other side does.

An established connection is handled by nats-py, unchanged.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from enum import Enum, auto
from time import monotonic
from typing import Any, cast

import nats.errors
from nats.aio.transport import Transport as StockTransport
from pydantic import SecretStr

from natster_tui.errors import MalformedAnswerError
from natster_tui.store.connection.answers.reading import read_part
from natster_tui.store.connection.answers.servers import ServerInfo
from natster_tui.store.connection.opening.limits import within
from natster_tui.store.connection.opening.servers import ServerAddress
from natster_tui.store.connection.opening.tls import Context, Protection
from natster_tui.store.connection.opening.transports import READ_LIMIT, transport_to
from natster_tui.store.connection.server_errors import server_error
from natster_tui.store.connection.wire import WireClient
from natster_tui.text.masking import screen_text

_INFO = b"INFO "
_PING, _PONG = b"PING\r\n", b"PONG\r\n"
_GIVEN_UP_S = 1.0


class Stage(Enum):
    """The stage of opening a connection."""

    PREPARING = auto()
    """Reading our credentials."""
    REACHING = auto()
    AWAITING_INFO = auto()
    SECURING = auto()
    """The TLS handshake."""
    LOGIN = auto()
    """CONNECT was sent."""
    OPEN = auto()


class OpeningError(Exception):
    """A connection could not be opened."""


class NoTlsError(OpeningError):
    """TLS was asked for, and the server offers none."""


class NotNatsError(OpeningError):
    """What answers is not a NATS server."""


class CredentialsError(OpeningError):
    """The credentials cannot be made into a CONNECT."""


class NatsClient(WireClient):
    """A client of one server. `address`, `stage`, `info` and `is_secure` say what is known."""

    def __init__(
        self,
        address: ServerAddress,
        protection: Protection,
        context: Context,
        proxy: SecretStr | None = None,
    ) -> None:
        super().__init__()
        self.address = address
        self.stage = Stage.PREPARING
        self.info: ServerInfo | None = None
        self.round_trip_s = 0.0
        """Seconds from our CONNECT to the answer to the PING after it."""
        self.on_info: Callable[[ServerInfo], None] = lambda _info: None
        """Called with every INFO that arrived with the required protection."""
        self._protection = protection
        self._context = context
        self._channel = transport_to(address, proxy)
        self._transport = cast(StockTransport, self._channel)
        self._closing: asyncio.Task[None] | None = None

    @property
    def is_secure(self) -> bool:
        """Whether the connection has TLS."""
        return self._channel.is_secure

    # -- opening ---------------------------------------------------------------------------

    async def _select_next_server(self) -> None:
        """Try the server once. Called by `connect`, which has read the options."""
        self._current_server = self._server_pool[0]
        self.stage = Stage.REACHING
        await self._channel.open(self.address, self._context)

    async def _process_connect_init(self) -> None:
        """From a connected socket to the answer to our first PING."""
        self._status = self.CONNECTING
        required = self._protection.required or self.address.protected
        if self._protection.first:
            await self._secure()
        self.stage = Stage.AWAITING_INFO
        # An attacker may have changed the line before the handshake.
        is_trusted = self.is_secure or not required
        info = await self._greeting()
        if not self.is_secure and (required or info.tls_required):
            if not (info.tls_required or info.tls_available):
                raise NoTlsError
            await self._secure()
        if required and not self.is_secure:
            raise NoTlsError
        self.stage = Stage.LOGIN
        self._channel.write(self._login() + _PING)
        sent_at = monotonic()
        await self._channel.drain()
        rest = await self._first_pong()
        self.round_trip_s = monotonic() - sent_at
        self.stage = Stage.OPEN
        self._begin()
        if is_trusted:
            self.on_info(info)
        await self._ps.parse(rest)

    async def _secure(self) -> None:
        self.stage = Stage.SECURING
        await self._channel.secure(self.address, self._context)

    async def _greeting(self) -> ServerInfo:
        line = await self._line()
        if not line.startswith(_INFO):
            raise NotNatsError
        return self._take_info(line.removeprefix(_INFO))

    def _take_info(self, data: bytes) -> ServerInfo:
        where = screen_text(self.address.url, 300)
        info = read_part(data, ServerInfo, request="INFO", where=where)
        self.info = info
        # What nats-py looks at.
        self._server_info = {"headers": info.headers}
        if info.nonce:
            self._server_info["nonce"] = info.nonce
        self._max_payload = info.max_payload
        return info

    async def _line(self) -> bytes:
        """The next line, or the next message of a WebSocket."""
        line = await self._channel.readline()
        if not line:
            raise nats.errors.UnexpectedEOF
        return line

    def _login(self) -> bytes:
        try:
            return bytes(self._connect_command())
        except Exception as error:
            raise CredentialsError(str(error)) from error

    async def _first_pong(self) -> bytes:
        """Wait for the answer to our PING; returns the bytes after it."""
        rest = b""
        while True:
            line, end, behind = rest.partition(b"\n")
            if not end:
                if len(rest) > READ_LIMIT:
                    raise NotNatsError
                rest += await self._line()
                continue
            rest = behind
            words = line.split(maxsplit=1)
            match words[0] if words else b"":
                case b"PONG":
                    return rest
                case b"PING":
                    self._channel.write(_PONG)
                    await self._channel.drain()
                case b"INFO":
                    self.on_info(self._take_info(words[-1]))
                case b"+OK":
                    pass
                case b"-ERR":
                    raise server_error(words[-1])
                case _:
                    raise NotNatsError

    def _begin(self) -> None:
        """Start the tasks that nats-py runs once it is connected."""
        loop = asyncio.get_running_loop()
        self._status = self.CONNECTED
        self._pongs = []
        self._pings_outstanding = 0
        self._reading_task = loop.create_task(self._read_loop())
        self._ping_interval_task = loop.create_task(self._ping_interval())
        self._flusher_task = loop.create_task(self._flusher())

    # -- connected -------------------------------------------------------------------------

    async def _read_loop(self) -> None:
        await super()._read_loop()
        if self.is_connected:
            # nats-py stops reading at an unexpected error, without reporting it.
            await self._process_op_err(nats.errors.ProtocolError())

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        """A later INFO: the cluster has changed, or the server is about to stop."""
        try:
            self.on_info(self._take_info(json.dumps(info).encode()))
        except MalformedAnswerError as error:
            await self._process_op_err(error)

    async def _process_err(self, err_msg: str) -> None:
        """An error that the server reports; all but a few end the connection."""
        error = server_error(err_msg.encode())
        if not error.ends_connection:
            await self._error_cb(error)
            return
        await self._process_op_err(error)

    async def _process_op_err(self, e: Exception) -> None:
        # Nothing is left to send or to wait for. nats-py would wait for the other side to
        # close, which may never happen.
        await self._channel.abort()
        await super()._process_op_err(e)

    # -- closing ---------------------------------------------------------------------------

    async def end(self, seconds: float) -> None:
        """Send pending bytes and close, but abort the connection after so many seconds."""
        try:
            await within(seconds, self.close())
        except (TimeoutError, nats.errors.Error, OSError):
            # This loses nothing: everything important was acknowledged before.
            pass
        finally:
            await self._channel.abort()

    async def give_up(self) -> None:
        """End a connection that could not be opened."""
        await self._channel.abort()
        if self.stage is Stage.OPEN:
            await self.end(_GIVEN_UP_S)


class _Silent(logging.Handler):
    """Drops nats-py's tracebacks of its read loop, which would garble the terminal."""

    def emit(self, record: logging.LogRecord) -> None:
        """Drop the record; the user sees the loss of the link that follows."""


def silence_nats_logging() -> None:
    """Keep nats-py's log off the terminal."""
    logger = logging.getLogger("nats")
    if not logger.handlers:
        logger.addHandler(_Silent())
        logger.propagate = False
