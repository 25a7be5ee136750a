"""A server that says what it is told to say, in as little of the protocol as is believed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.serving import serving

INFO = {
    "server_id": "N",
    "server_name": "n",
    "version": "2.15.1",
    "proto": 1,
    "headers": True,
    "max_payload": 8_000_000,
    "jetstream": True,
}


@dataclass
class Lies:
    """What it says. Lines are without their ends."""

    info: bytes = b""
    """Its greeting, else an honest one."""
    after_connect: bytes = b""
    """A line that answers the login."""
    after_publish: bytes = b""
    """A line that answers whatever is sent, in place of an answer."""
    answer: Callable[[str], dict[str, Any]] | None = None
    """What is answered to a request."""
    greeting: dict[str, Any] = field(default_factory=dict)
    """What differs in an honest greeting."""


@asynccontextmanager
async def lying(lies: Lies) -> AsyncIterator[str]:
    """A server that does so; its address."""
    async with serving(partial(_talk, lies)) as port:
        yield f"nats://127.0.0.1:{port}"


async def _talk(lies: Lies, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(lies.info or b"INFO " + json.dumps(INFO | lies.greeting).encode())
    writer.write(b"\r\n")
    inboxes: dict[str, str] = {}
    while line := await reader.readline():
        words = line.decode().split()
        match words[0].upper() if words else "":
            case "CONNECT" if lies.after_connect:
                writer.write(lies.after_connect + b"\r\n")
            case "PING":
                writer.write(b"PONG\r\n")
            case "SUB":
                inboxes[words[1]] = words[-1]
            case "PUB" | "HPUB" as verb:
                await reader.readexactly(int(words[-1]) + 2)
                reply = words[2] if len(words) > (4 if verb == "HPUB" else 3) else ""
                if lies.after_publish:
                    writer.write(lies.after_publish + b"\r\n")
                elif lies.answer is not None and reply:
                    body = json.dumps(lies.answer(words[1]), ensure_ascii=False).encode()
                    number = next(n for name, n in inboxes.items() if _is_for(name, reply))
                    writer.write(f"MSG {reply} {number} {len(body)}\r\n".encode() + body + b"\r\n")
        await writer.drain()


def _is_for(subscribed: str, subject: str) -> bool:
    return subject.startswith(subscribed.rstrip("*>"))
