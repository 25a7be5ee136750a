"""A server that lies about a stream: consumers do not deliver what it holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from natster_tui.store.settings.connection import ConnectionSettings

MESSAGES = (b"MSG", b"HMSG")

Change = Callable[[int, bytes], bytes]
"""What is passed of a delivery: its sequence, and its line and body."""


def withholding(
    settings: ConnectionSettings, stream: str, withheld: Callable[[int], bool]
) -> AbstractAsyncContextManager[str]:
    """The address of a proxy that passes all but some of a stream's deliveries, by sequence."""
    return _changing(settings, stream, lambda seq, frame: b"" if withheld(seq) else frame)


def relabelling(
    settings: ConnectionSettings, stream: str, subjects: Mapping[int, bytes]
) -> AbstractAsyncContextManager[str]:
    """The address of a proxy that delivers some of a stream's messages with other subjects."""

    def relabelled(seq: int, frame: bytes) -> bytes:
        verb, subject, rest = frame.split(b" ", 2)
        return b" ".join((verb, subjects.get(seq, subject), rest))

    return _changing(settings, stream, relabelled)


@asynccontextmanager
async def _changing(
    settings: ConnectionSettings, stream: str, change: Change
) -> AsyncIterator[str]:
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
                await _copy_changed(there, writer, f"$JS.ACK.{stream}.".encode(), change)
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


async def _copy_changed(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, reply: bytes, change: Change
) -> None:
    while frame := await reader.readline():
        words = frame.split()
        if words and words[0] in MESSAGES:
            frame += await reader.readexactly(int(words[-1]) + 2)
            if words[3].startswith(reply):
                frame = change(int(words[3].split(b".")[-4]), frame)
        writer.write(frame)
        await writer.drain()
