"""The servers to try: those that the user named, and those that the cluster advertises.

A server that was tried goes to the end of the list, whether it worked or not, so another one comes
first after a loss.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_ADVERTISED = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):([0-9]{1,5})")
_MOST_ADVERTISED = 100
_LARGEST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """The address of a server. `url` has no user information.

    `tls_name` is the name that its certificate must have, if not the host's. `protected` says
    that it needs TLS even if the settings do not ask for it. `advertised_by` is the named server
    that led to an advertised one; both accept the same users.
    """

    url: str
    tls_name: str | None = None
    protected: bool = False
    advertised_by: str = field(default="", compare=False)

    @property
    def named(self) -> str:
        """The URL of the named server whose user is sent to this one."""
        return self.advertised_by or self.url

    @property
    def host(self) -> str:
        """The host's name or address, without brackets."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int | None:
        """The port, or None for the scheme's own."""
        return urlsplit(self.url).port

    @property
    def scheme(self) -> str:
        """One of nats, tls, ws and wss."""
        return urlsplit(self.url).scheme

    @property
    def is_websocket(self) -> bool:
        """Whether the server is reached over a WebSocket."""
        return self.scheme in ("ws", "wss")


class ServerPool:
    """The servers of one list of settings, in the order in which they are tried."""

    def __init__(self, servers: Iterable[str]) -> None:
        self._named = tuple(map(ServerAddress, servers))
        self._queue = list(self._named)

    def in_turn(self) -> tuple[ServerAddress, ...]:
        """All servers, the next one to try first."""
        return tuple(self._queue)

    def tried(self, address: ServerAddress) -> None:
        """Put a server at the end of the list."""
        if address in self._queue:
            self._queue.remove(address)
            self._queue.append(address)

    def advertise(self, places: Iterable[str], by: ServerAddress, *, protected: bool) -> None:
        """Replace the advertised servers by those of a server's INFO (`host:port`).

        An advertised server needs TLS if the connection to the one that advertised it has TLS
        (`protected`). Invalid addresses are skipped.
        """
        named = {(address.host, address.port) for address in self._named}
        advertised = [
            address
            for address in _addresses(places, by, protected=protected)
            if (address.host, address.port) not in named
        ]
        gone = set(self._queue) - set(self._named) - set(advertised) - {by}
        kept = [address for address in self._queue if address not in gone]
        # Before the one in use, which is tried again last.
        new = [address for address in advertised if address not in kept]
        self._queue = [*kept[:-1], *new, *kept[-1:]]


def _addresses(
    places: Iterable[str], by: ServerAddress, *, protected: bool
) -> Iterable[ServerAddress]:
    for _number, place in zip(range(_MOST_ADVERTISED), places, strict=False):
        parts = _ADVERTISED.fullmatch(place)
        if parts is None or not 0 < int(parts[2]) <= _LARGEST_PORT:
            continue
        url = f"{by.scheme}://{parts[1]}:{int(parts[2])}"
        # Clusters advertise addresses, but certificates are made for names.
        named = by.tls_name or by.host
        is_address = _is_ip(parts[1].strip("[]")) and not _is_ip(named)
        yield ServerAddress(url, named if is_address else None, protected, by.named)


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
