"""A TCP proxy on loopback that can stall, cut in the middle of a frame, drop, and hold back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from natster_tui.store.settings.connection import ConnectionSettings

CHUNK = 65_536


class Proxy:
    """Passes bytes between clients and the server on `target` until told otherwise."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.connections = 0
        self.held = asyncio.Event()
        """Set when something was held back."""
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._answering = asyncio.Event()
        self._answering.set()
        self._refusing = False
        self._cut_after: int | None = None
        self._delay_s = 0.0
        self._hold_before = b""
        self._mute_after = b""
        self._streams: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def before(cls, settings: ConnectionSettings) -> AsyncIterator[Proxy]:
        """A proxy before the server of these settings."""
        proxy = cls(int(settings.servers[0].rsplit(":", 1)[1]))
        server = await asyncio.start_server(proxy._accept, "127.0.0.1", 0)
        proxy.port = server.sockets[0].getsockname()[1]
        try:
            yield proxy
        finally:
            server.close()
            proxy.drop()
            for task in proxy._tasks:
                task.cancel()
            await asyncio.gather(*proxy._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    # -- faults ----------------------------------------------------------------------------

    def stall(self) -> None:
        """Pass nothing more, in either direction; connections stay open."""
        self._flowing.clear()

    def flow(self) -> None:
        """Pass everything again, what was held back as well."""
        self._hold_before = self._mute_after = b""
        self._flowing.set()
        self._answering.set()

    def release(self) -> None:
        """Let pass what was held back before a marker, and what comes after it."""
        self._hold_before = b""
        self._flowing.set()

    def drop(self, *, refuse: bool = False) -> None:
        """Break every connection; with `refuse` new ones too."""
        self._refusing = refuse
        for stream in list(self._streams):
            stream.transport.abort()

    def accept(self) -> None:
        """Take connections again."""
        self._refusing = False

    def slow_down(self, delay_s: float) -> None:
        """Delay everything that clients send."""
        self._delay_s = delay_s

    def cut_after(self, count: int) -> None:
        """Let so many more bytes of the server through, then break the connection there."""
        self._cut_after = count

    def hold_before(self, marker: bytes) -> None:
        """Pass what clients send up to the protocol line that begins so, and nothing after."""
        self.held.clear()
        self._hold_before = marker

    def mute_after(self, marker: bytes) -> None:
        """Once a client has sent `marker`, pass that on, but nothing that the server answers."""
        self.held.clear()
        self._mute_after = marker

    # -- passing ---------------------------------------------------------------------------

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self.connections += 1
        self._streams |= {writer, up_writer}
        for task in (
            asyncio.create_task(self._pass(reader, up_writer, writer, upstream=True)),
            asyncio.create_task(self._pass(up_reader, writer, up_writer, upstream=False)),
        ):
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        other: asyncio.StreamWriter,
        *,
        upstream: bool,
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._flowing.wait()
                if upstream:
                    await self._send_up(data, writer)
                    continue
                await self._answering.wait()
                if self._cut_after is not None:
                    if len(data) >= self._cut_after:
                        writer.write(data[: self._cut_after])
                        self._cut_after = None
                        await writer.drain()
                        break
                    self._cut_after -= len(data)
                writer.write(data)
                await writer.drain()
        self._streams -= {writer, other}
        if upstream:
            writer.transport.abort()
            other.transport.abort()
        else:
            # What was written must arrive, the end of a cut frame above all.
            writer.close()
            other.transport.abort()

    async def _send_up(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        if self._delay_s:
            await asyncio.sleep(self._delay_s)  # the delay is the fault
        if self._mute_after and self._mute_after in data:
            self._answering.clear()
            self._mute_after = b""
            writer.write(data)
            await writer.drain()
            self.held.set()
            return
        if self._hold_before and self._hold_before in data:
            at = data.find(self._hold_before)
            writer.write(data[:at])
            await writer.drain()
            self._flowing.clear()
            self.held.set()
            await self._flowing.wait()
            data = data[at:]
        writer.write(data)
        await writer.drain()
