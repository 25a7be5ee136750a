"""Servers that play an attacker or a broken server, and record what they receive."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.certificates import Pair
from tests.serving import CHUNK, Serve, serving

GREETING = {
    "server_id": "N",
    "version": "2.15.1",
    "proto": 1,
    "headers": True,
    "max_payload": 1_048_576,
}


@dataclass
class Fake:
    """Where it listens, and all that came before any TLS handshake, in clear."""

    port: int = 0
    received: bytearray = field(default_factory=bytearray)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"


def info(**differs: Any) -> bytes:
    return b"INFO " + json.dumps({**GREETING, **differs}).encode() + b"\r\n"


@asynccontextmanager
async def fake_server(says: bytes, then: Serve | None = None) -> AsyncIterator[Fake]:
    """A server that greets with `says`, and goes on with `then`, or only listens."""
    fake = Fake()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fake.connections += 1
        writer.write(says)
        if then is not None:
            await then(reader, writer)
        while data := await reader.read(CHUNK):
            fake.received += data

    async with serving(serve) as fake.port:
        yield fake


def with_tls(pair: Pair, *lines_behind: bytes) -> Serve:
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


def answering_with(answer: bytes) -> Serve:
    """Answer the first PING with these bytes."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            if line.startswith(b"PING"):
                writer.write(answer)
                return

    return talk
