"""A small SOCKS5 proxy that remembers what went through it, and whom it let in."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import quote

_NAME, _REFUSED = 3, 5
_quoted = partial(quote, safe="")


@dataclass
class SocksProxy:
    """A proxy on a free loopback port; with a `login` it refuses any other.

    `names` says where the names that it is asked for really are: the system knows none of them.
    """

    login: tuple[str, str] | None = None
    names: dict[str, str] = field(default_factory=dict)
    port: int = 0
    asked_for: list[tuple[str, int]] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    sent: bytearray = field(default_factory=bytearray)
    """What clients sent through it to servers."""

    @property
    def url(self) -> str:
        user_info = "" if self.login is None else ":".join(map(_quoted, self.login)) + "@"
        return f"socks5://{user_info}127.0.0.1:{self.port}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SocksProxy]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            if await self._let_in(reader, writer):
                await self._connect(reader, writer)
        writer.close()

    async def _let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        _version, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        wanted = 0 if self.login is None else 2
        writer.write(bytes([5, wanted if wanted in methods else 0xFF]))
        if wanted not in methods:
            return False
        if self.login is None:
            return True
        await reader.readexactly(1)
        user = await reader.readexactly((await reader.readexactly(1))[0])
        password = await reader.readexactly((await reader.readexactly(1))[0])
        self.logins.append((user.decode(), password.decode()))
        is_right = self.logins[-1] == self.login
        writer.write(bytes([1, 0 if is_right else 1]))
        return is_right

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kind = (await reader.readexactly(4))[3]
        if kind == _NAME:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            family, length = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
            host = socket.inet_ntop(family, await reader.readexactly(length))
        [port] = struct.unpack("!H", await reader.readexactly(2))
        self.asked_for.append((host, port))
        try:
            there = await asyncio.open_connection(self.names.get(host, host), port)
        except OSError:
            writer.write(bytes([5, _REFUSED, 0, 1, 0, 0, 0, 0, 0, 0]))
            return
        writer.write(bytes([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]))
        back = asyncio.create_task(_copy(there[0], writer, None))
        try:
            await _copy(reader, there[1], self.sent)
        finally:
            there[1].close()
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)


async def _copy(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, record: bytearray | None
) -> None:
    while data := await source.read(65_536):
        if record is not None:
            record += data
        target.write(data)
        await target.drain()
