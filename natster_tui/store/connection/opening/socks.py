"""Reaching a server through a SOCKS5 proxy with python-socks, which is imported only for that.

The proxy looks up the server's name, as it does for the nats tool, because the name may be known
only in its network.
"""

from __future__ import annotations

import socket

from pydantic import SecretStr

from natster_tui.store.connection.opening.dialing import look_up
from natster_tui.store.settings.urls import ProxyParts, proxy_parts


class ProxyFailedError(OSError):
    """The proxy could not be reached, or did not connect us. The text says why, without secrets."""


async def dial_through(proxy: SecretStr, host: str, port: int) -> socket.socket:
    """A socket that the proxy has connected to a host; raises ProxyFailedError.

    It has no timeout; the caller sets one.
    """
    parts = proxy_parts(proxy.get_secret_value())
    try:
        # Like `dial`, without asyncio's own name lookup.
        found = await look_up(parts.host, parts.port)
    except socket.gaierror as error:
        raise ProxyFailedError(f"the name of the proxy {parts.described} is not known") from error
    failed: ProxyFailedError | None = None
    for address in dict.fromkeys(str(info[4][0]) for info in found):
        try:
            return await _connected(parts, address, host, port)
        except _NotReachedError as error:
            failed = error
    raise failed or ProxyFailedError(f"the proxy {parts.described} has no address")


class _NotReachedError(ProxyFailedError):
    """Nothing listens at this address of the proxy."""


async def _connected(parts: ProxyParts, address: str, host: str, port: int) -> socket.socket:
    from python_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError, ProxyType
    from python_socks.async_.asyncio import Proxy

    through = Proxy(
        proxy_type=ProxyType.SOCKS5,
        host=address,
        port=parts.port,
        username=parts.user,
        password=parts.password,
        rdns=True,
    )
    try:
        connected: socket.socket = await through.connect(host, port)
    except ProxyConnectionError as error:
        raise _NotReachedError(f"the proxy {parts.described} cannot be reached") from error
    except ProxyTimeoutError as error:
        raise ProxyFailedError(f"the proxy {parts.described} does not answer") from error
    except ValueError as error:
        # The host's name is too long for the protocol, or cannot be encoded.
        raise ProxyFailedError(f"the proxy {parts.described} cannot be asked for it") from error
    except ProxyError as error:
        reason = str(error).lower() or "it ended the connection"
        raise ProxyFailedError(f"the proxy {parts.described} refused: {reason}") from error
    return connected
