"""A server that keeps messages back: consumers do not deliver what the stream holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from natster_tui.store.settings.connection import ConnectionSettings

MESSAGES = (b"MSG", b"HMSG")


@asynccontextmanager
async def withholding(
    settings: ConnectionSettings, stream: str, withheld: Callable[[int], bool]
) -> AsyncIterator[str]:
    """The address of a proxy that passes all but some of a stream's deliveries, by sequence."""
    target = int(settings.servers[0].rsplit(":", 1)[1])
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(OSError, EOFError, asyncio.IncompleteReadError):
            there, onwards = await asyncio.open_connection("127.0.0.1", target)
            up = asyncio.create_task(_copy(reader, onwards))
            tasks.add(up)
            try:
                await _copy_but(there, writer, f"$JS.ACK.{stream}.".encode(), withheld)
            finally:
                onwards.close()
                writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _copy_but(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    reply: bytes,
    withheld: Callable[[int], bool],
) -> None:
    while line := await reader.readline():
        words = line.split()
        body = b""
        if words and words[0] in MESSAGES:
            body = await reader.readexactly(int(words[-1]) + 2)
            answered = words[3] if words[3].startswith(reply) else b""
            if answered and withheld(int(answered.split(b".")[-4])):
                continue
        writer.write(line + body)
        await writer.drain()
