"""Reaching a server: from a host's name to a connected socket.

Everything here ends when it is cancelled. asyncio's own name lookup would keep the program from
exiting until the name server answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Any

_AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
_NEXT_ADDRESS_AFTER_S = 1.0
"""Seconds until the next address is tried; some may be unreachable, most often IPv6 ones."""


async def dial(host: str, port: int) -> socket.socket:
    """A socket that is connected to a host; raises OSError."""
    found = await look_up(host, port)
    failed: OSError | None = None
    for number, info in enumerate(found, 1):
        try:
            async with asyncio.timeout(_NEXT_ADDRESS_AFTER_S if number < len(found) else None):
                return await _connected(info)
        except OSError as error:  # also a TimeoutError
            failed = error
    raise failed or OSError("the host has no address")


async def _connected(info: _AddressInfo) -> socket.socket:
    family, kind, protocol, _name, address = info
    made = socket.socket(family, kind, protocol)
    with contextlib.ExitStack() as unless_connected:
        unless_connected.callback(made.close)
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, address)
        unless_connected.pop_all()
    return made


async def look_up(host: str, port: int) -> list[_AddressInfo]:
    """The addresses of a host; raises socket.gaierror if its name is not known."""
    with contextlib.suppress(socket.gaierror):
        return _addresses(host, port, socket.AI_NUMERICHOST)
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[_AddressInfo]] = loop.create_future()

    def finish(result: list[_AddressInfo] | Exception) -> None:
        if found.done():
            return
        if isinstance(result, Exception):
            found.set_exception(result)
        else:
            found.set_result(result)

    def ask() -> None:
        result: list[_AddressInfo] | Exception
        try:
            result = _addresses(host, port)
        except (OSError, UnicodeError) as error:
            result = error if isinstance(error, OSError) else socket.gaierror(str(error))
        with contextlib.suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(finish, result)

    # A daemon: the end of the program does not wait for it.
    threading.Thread(target=ask, name="natster-look-up", daemon=True).start()
    return await found


def _addresses(host: str, port: int, flags: int = 0) -> list[_AddressInfo]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return [(int(family), int(kind), *rest) for family, kind, *rest in found]  # type: ignore[misc]
