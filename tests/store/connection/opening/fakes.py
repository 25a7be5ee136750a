"""Servers that play an attacker or a broken one, and write down what they were sent."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.certificates import Pair

GREETING = {
    "server_id": "N",
    "version": "2.15.1",
    "proto": 1,
    "headers": True,
    "max_payload": 1_048_576,
}
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Fake:
    """Where it listens, and all that came before any TLS handshake, in clear."""

    port: int = 0
    heard: bytearray = field(default_factory=bytearray)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"


def info(**differs: Any) -> bytes:
    return b"INFO " + json.dumps({**GREETING, **differs}).encode() + b"\r\n"


@asynccontextmanager
async def fake_server(says: bytes, then: Talk | None = None) -> AsyncIterator[Fake]:
    """A server that greets with `says`, and goes on with `then`, or only listens."""
    fake = Fake()
    served: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        served.add(task)
        fake.connections += 1
        with suppress(OSError, EOFError):
            writer.write(says)
            if then is not None:
                await then(reader, writer)
            while data := await reader.read(65_536):
                fake.heard += data
        writer.close()
        served.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()
        for task in served:
            task.cancel()
        await asyncio.gather(*served, return_exceptions=True)


def with_tls(pair: Pair, *lines_behind: bytes) -> Talk:
    """Do the handshake as a server does it, answer the login, and say some lines more."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pair.certificate, pair.key)
        await writer.start_tls(context)
        await answer_login(reader, writer)
        for line in lines_behind:
            writer.write(line)
        while True:
            await answer_login(reader, writer)

    return talk


async def answer_login(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read to the next PING, and answer it; raises EOFError at the end."""
    while line := await reader.readline():
        if line.startswith(b"PING"):
            writer.write(b"PONG\r\n")
            return
    raise EOFError


def answering_with(answer: bytes) -> Talk:
    """Answer the first PING with these bytes."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            if line.startswith(b"PING"):
                writer.write(answer)
                return

    return talk
