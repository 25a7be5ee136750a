"""nats-py's transports, extended: they know whether they have TLS, and can be aborted at once."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Protocol

from nats.aio import transport as stock
from pydantic import SecretStr

from natster_tui.store.connection.opening.dialing import dial, look_up
from natster_tui.store.connection.opening.servers import ServerAddress
from natster_tui.store.connection.opening.socks import dial_through
from natster_tui.store.connection.opening.tls import Context

if TYPE_CHECKING:
    import aiohttp

READ_LIMIT = 65_536
"""The longest line read before the parser takes over (a server's INFO), in bytes."""

_NOT_A_LIMIT = 0
_CLOSE_S = 1.0


class Transport(Protocol):
    """The methods that opening a connection needs; the rest is nats-py's own transport."""

    async def open(self, address: ServerAddress, context: Context) -> None:
        """Reach the server; over `wss://` with TLS from the first byte."""

    async def secure(self, address: ServerAddress, context: Context) -> None:
        """Do the TLS handshake; raises ssl.SSLError."""

    @property
    def is_secure(self) -> bool:
        """Whether writes from now on are encrypted, for a verified server."""

    async def abort(self) -> None:
        """End the connection at once; unsent bytes are lost."""

    def write(self, payload: bytes) -> None:
        """Write bytes, which `drain` sends."""

    async def drain(self) -> None:
        """Send what was written."""

    async def readline(self) -> bytes:
        """The next line, or the next message of a WebSocket; empty at the end."""


def transport_to(address: ServerAddress, proxy: SecretStr | None = None) -> Transport:
    """The transport for an address, not connected yet; `proxy` is a SOCKS proxy's URL."""
    if not address.is_websocket:
        return TcpTransport(proxy)
    # `check_transport` refuses a WebSocket with a proxy: nothing may bypass the proxy.
    assert proxy is None
    return WebSocketTransport()


class TcpTransport(stock.TcpTransport):
    """A TCP connection, which may go through a SOCKS proxy and be upgraded to TLS."""

    def __init__(self, proxy: SecretStr | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.is_secure = False
        self._proxy = proxy
        self._socket_transport: asyncio.BaseTransport | None = None
        self._aborted = False

    async def open(self, address: ServerAddress, _context: Context) -> None:
        """See `Transport`."""
        assert address.port is not None
        if self._proxy is None:
            connected = await dial(address.host, address.port)
        else:
            connected = await dial_through(self._proxy, address.host, address.port)
        with contextlib.ExitStack() as unless_opened:
            unless_opened.callback(connected.close)
            reader, writer = await asyncio.open_connection(sock=connected, limit=READ_LIMIT)
            unless_opened.pop_all()
        self._bare_io_reader = self._io_reader = reader
        self._bare_io_writer = self._io_writer = writer
        self._socket_transport = writer.transport

    async def secure(self, address: ServerAddress, context: Context) -> None:
        """See `Transport`. Bytes that the server sent before the handshake are dropped."""
        assert self._io_writer is not None
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=READ_LIMIT)
        protocol = _TlsProtocol(reader)
        transport = await loop.start_tls(
            self._io_writer.transport,
            protocol,
            context(),
            server_hostname=address.tls_name or address.host,
        )
        if transport is None:
            raise ConnectionResetError("the server closed the connection during the TLS handshake")
        self._io_reader = reader
        self._io_writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        self.is_secure = transport.get_extra_info("ssl_object") is not None

    async def wait_closed(self) -> None:
        """Wait until what was written has been sent, unless the connection was aborted.

        After a failed handshake the stream is never closed, so waiting would not end.
        """
        if not self._aborted:
            await super().wait_closed()  # type: ignore[no-untyped-call]

    async def abort(self) -> None:
        """See `Transport`."""
        self._aborted = True
        for transport in (
            None if self._io_writer is None else self._io_writer.transport,
            self._socket_transport,
        ):
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()


class _TlsProtocol(asyncio.StreamReaderProtocol):
    """A stream over TLS, which cannot stay half open; asyncio warns if a protocol wants that."""

    def eof_received(self) -> bool:
        """End the connection when the other side ends it."""
        super().eof_received()
        return False


class WebSocketTransport(stock.Transport):
    """NATS over a WebSocket, with aiohttp, which is imported only here."""

    def __init__(self) -> None:
        self.is_secure = False
        self._session: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._pending: list[bytes] = []
        self._closing: asyncio.Task[Any] | None = None
        self._aborted = False

    async def open(self, address: ServerAddress, context: Context) -> None:
        """See `Transport`."""
        import aiohttp

        secure = address.scheme == "wss"
        # aiohttp's own resolver uses a thread that delays the end of the program.
        await look_up(address.host, address.port or (443 if secure else 80))
        self._session = aiohttp.ClientSession()
        try:
            self._socket = await self._session.ws_connect(
                address.url,
                # True, in case of a redirection: a connection with TLS verifies the server.
                ssl=context() if secure else True,
                server_hostname=address.tls_name if secure else None,
                max_msg_size=_NOT_A_LIMIT,
            )
        except aiohttp.ClientConnectorCertificateError as error:
            raise error.certificate_error from error
        except aiohttp.ClientConnectorError as error:
            raise error.os_error from error
        except aiohttp.WSServerHandshakeError as error:
            raise NoWebSocketError(f"HTTP status {error.status}") from error
        except aiohttp.ClientResponseError as error:
            raise NoWebSocketError("no HTTP") from error
        except aiohttp.ClientError as error:
            raise ConnectionResetError(str(error)) from error
        # Check the connection, not the address: the server may have redirected us.
        self.is_secure = self._socket.get_extra_info("ssl_object") is not None

    async def secure(self, address: ServerAddress, context: Context) -> None:
        """See `Transport`. `wss://` already has TLS; `ws://` never gets it."""

    async def connect(self, *_arguments: Any, **_named: Any) -> None:
        """Not used: see `open`."""
        raise NotImplementedError

    async def connect_tls(self, *_arguments: Any, **_named: Any) -> None:
        """Not used: see `open`."""
        raise NotImplementedError

    def write(self, payload: bytes) -> None:
        """Send with the next `drain`."""
        self._pending.append(payload)

    def writelines(self, payload: list[bytes]) -> None:
        """Send with the next `drain`."""
        self._pending += payload

    async def drain(self) -> None:
        """Send what was written."""
        pending, self._pending = self._pending, []
        if self._socket is not None and pending:
            await self._socket.send_bytes(b"".join(pending))

    async def read(self, buffer_size: int) -> bytes:
        """The bytes of the next message; empty at the end."""
        return await self.readline()

    async def readline(self) -> bytes:
        """The bytes of the next message, which may be several lines; empty at the end."""
        import aiohttp

        assert self._socket is not None
        message = await self._socket.receive()
        if message.type == aiohttp.WSMsgType.BINARY:
            return bytes(message.data)
        if message.type == aiohttp.WSMsgType.ERROR:
            raise ConnectionResetError("WebSocket error") from message.data
        return b""

    def close(self) -> None:
        """Begin to close."""
        if self._closing is None and not self._aborted:
            self._closing = asyncio.create_task(self._close())

    async def _close(self) -> None:
        if self._socket is not None:
            await self._socket.close()
        if self._session is not None:
            await self._session.close()

    async def wait_closed(self) -> None:
        """Wait until `close` is done."""
        if self._closing is not None and not self._aborted:
            await self._closing

    async def abort(self) -> None:
        """See `Transport`."""
        self._aborted = True
        if self._closing is not None:
            self._closing.cancel()
        if self._session is not None and not self._session.closed:
            connector = self._session.connector
            if connector is not None:
                with contextlib.suppress(OSError, TimeoutError):
                    async with asyncio.timeout(_CLOSE_S):
                        await connector.close(abort_ssl=True)
            await self._session.close()

    def at_eof(self) -> bool:
        """Whether the other side has closed."""
        return self._socket is None or self._socket.closed

    def __bool__(self) -> bool:
        return self._socket is not None


class NoWebSocketError(OSError):
    """The server speaks HTTP, but has no WebSocket at this address."""
