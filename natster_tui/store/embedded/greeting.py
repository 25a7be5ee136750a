"""Asking a server on a loopback port for its id, and whether it has a stream.

This speaks the few lines of protocol needed, without a client library, so that the token is never
sent to an unexpected server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from natster_tui.store.connection.answers.reading import Answer, Part
from natster_tui.store.connection.api_codes import STREAM_NOT_FOUND
from natster_tui.store.embedded.state_files import HOST

_ANSWER_TIMEOUT = 2.0
_INBOX = "_INBOX.natster"
_LARGEST_ANSWER = 1024 * 1024
"""Bytes. The description of one stream takes a few thousand."""


class _Info(Part):
    """The fields that we use of the server's first line."""

    server_id: Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Greeting:
    """A server's answer: its id, and whether it has the stream that was asked for."""

    server_id: str
    has_stream: bool


class NoAnswerError(Exception):
    """Nothing listens there, or not a server that accepts our token."""


async def greet(port: int, token: str, *, server_id: str = "", stream: str = "") -> Greeting | None:
    """Log in, ask for a stream, and disconnect.

    Returns None, without sending the token, if the server is not `server_id`. Raises NoAnswerError.
    """
    try:
        async with asyncio.timeout(_ANSWER_TIMEOUT):
            reader, writer = await asyncio.open_connection(HOST, port)
            try:
                line = await reader.readline()
                info = _Info.model_validate_json(line.removeprefix(b"INFO "))
                if server_id and info.server_id != server_id:
                    return None
                login = {"auth_token": token, "verbose": False, "pedantic": False, "name": "guard"}
                writer.write(f"CONNECT {json.dumps(login)}\r\nPING\r\n".encode())
                await _answer(reader, b"PONG")
                has_stream = not stream or await _has_stream(reader, writer, stream)
                return Greeting(info.server_id, has_stream)
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, ValueError, EOFError) as error:  # TimeoutError is an OSError
        raise NoAnswerError from error


async def _has_stream(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, stream: str
) -> bool:
    request = f"SUB {_INBOX} 1\r\nPUB $JS.API.STREAM.INFO.{stream} {_INBOX} 0\r\n\r\n"
    writer.write(request.encode())
    line = await _answer(reader, b"MSG ")
    size = int(line.split()[-1])
    if not 0 <= size <= _LARGEST_ANSWER:
        raise ValueError(size)
    error = Answer.model_validate_json(await reader.readexactly(size)).error
    if error is not None and error.err_code != STREAM_NOT_FOUND:
        raise ValueError(error.err_code)
    return error is None


async def _answer(reader: asyncio.StreamReader, start: bytes) -> bytes:
    """The next line that begins like this; raises EOFError or ValueError if there is none."""
    while line := await reader.readline():
        if line.startswith(start):
            return line
        if line.startswith(b"-ERR"):
            raise ValueError(line.decode("ascii", "replace"))
    raise EOFError
