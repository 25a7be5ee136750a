"""Addresses of servers and proxies, in every form that the nats tool accepts."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, unquote, urlsplit

from natster_tui.errors import UsageError
from natster_tui.text.masking import screen_text

_NATS_PORT = 4222
_SOCKS_PORT = 1080
_SCHEMES = frozenset({"nats", "tls", "ws", "wss"})
_SOCKS_SCHEMES = frozenset({"socks5", "socks5h"})
_NOT_IN_URL = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")
_EXAMPLE = "nats://127.0.0.1:4222"


@dataclass(frozen=True, repr=False)
class UserInfo:
    """The user information of a URL, before its @. A user without a password is a token."""

    user: str
    password: str | None


@dataclass(frozen=True, repr=False)
class Servers:
    """Addresses without user information, and the user that was in them.

    If their URLs name different users, `users` has the user of each address that names one.
    """

    addresses: tuple[str, ...]
    user_info: UserInfo | None = None
    users: Mapping[str, UserInfo] = field(default_factory=dict)


def without_user_info(url: str) -> str:
    """A URL without the part before its @."""
    scheme, separator, rest = url.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


def parse_servers(text: str, called: str) -> Servers:
    """One address, or several separated by commas; `called` is the option that named them.

    An address is `HOST`, `HOST:PORT` or a URL with the scheme nats, tls, ws or wss, with or
    without `USER:PASSWORD@` or `TOKEN@`, an IPv6 address in brackets. Raises UsageError.
    """
    parsed = [_server(part, called) for part in map(str.strip, text.split(",")) if part]
    addresses = tuple(dict.fromkeys(address for address, _user in parsed))
    users: dict[str, UserInfo] = {}
    for address, user in parsed:
        if user is not None:
            users.setdefault(address, user)
    if not addresses:
        raise UsageError(f"{called} names no server: give a URL such as {_EXAMPLE}")
    if len({address.startswith("ws") for address in addresses}) > 1:
        raise UsageError(f"{called} mixes WebSocket and plain NATS servers: name one kind")
    if len(set(users.values())) > 1:
        return Servers(addresses, users=users)
    return Servers(addresses, next(iter(users.values()), None))


def parse_proxy(text: str, called: str) -> str:
    """The URL of a SOCKS5 proxy, complete with scheme and port. Raises UsageError."""
    url, host, port = _split(text.strip(), "socks5")
    if not host or url.scheme not in _SOCKS_SCHEMES or port == 0 or _NOT_IN_URL.search(text):
        # Unlike a server's address it is not quoted: a password may be anywhere in it.
        raise UsageError(
            f"{called} is not the address of a SOCKS proxy: write it like "
            "socks5://127.0.0.1:1080, with user name and password before the host if need be"
        )
    user_info = ""
    if url.username:
        user, password = unquote(url.username), unquote(url.password or "")
        if not (user + password).isascii():
            raise UsageError(
                f"{called} has a user name or password with other characters than ASCII, which "
                "natster-tui cannot send to a SOCKS proxy"
            )
        user_info = f"{quote(user, safe='')}:{quote(password, safe='')}@"
    return f"socks5://{user_info}{_bracketed(host)}:{port or _SOCKS_PORT}"


@dataclass(frozen=True, repr=False)
class ProxyParts:
    """A proxy's address and our credentials for it; `described` is its address to show."""

    host: str
    port: int
    described: str
    user: str | None = None
    password: str | None = None


def proxy_parts(url: str) -> ProxyParts:
    """Split the URL of a proxy, as returned by `parse_proxy`."""
    split = urlsplit(url)
    described = screen_text(without_user_info(url), 300)
    host, port = split.hostname or "", split.port or _SOCKS_PORT
    if not split.username:
        return ProxyParts(host, port, described)
    user, password = unquote(split.username), unquote(split.password or "")
    return ProxyParts(host, port, described, user, password)


def _server(text: str, called: str) -> tuple[str, UserInfo | None]:
    url, host, port = _split(text, "nats")
    is_address = port != 0 and url.scheme in _SCHEMES and not _NOT_IN_URL.search(text)
    # An @ outside the user information follows an unescaped # or / of a secret.
    if not host or not is_address or ("@" in text and not url.username):
        shown = screen_text(without_user_info(text), 300)
        brackets = ", an IPv6 address in brackets" if shown.count(":") > 2 else ""
        raise UsageError(
            f"{called} says {shown}, which is not the address of a NATS server: write it like "
            f"{_EXAMPLE}{brackets}"
        )
    if port is None and url.scheme in ("nats", "tls"):
        port = _NATS_PORT
    where = _bracketed(host) + ("" if port is None else f":{port}")
    path = url.path.rstrip("/") if url.scheme.startswith("ws") else ""
    address = f"{url.scheme}://{where}{path}"
    if not url.username:
        return address, None
    password = None if url.password is None else unquote(url.password)
    return address, UserInfo(unquote(url.username), password)


def _split(text: str, scheme: str) -> tuple[SplitResult, str | None, int | None]:
    """Parse a URL with its host and port; there is no host if it cannot be read."""
    with contextlib.suppress(ValueError):
        url = urlsplit(text if "://" in text else f"{scheme}://{text}")
        return url, url.hostname, url.port
    return urlsplit(""), None, None


def _bracketed(host: str) -> str:
    # The % of an IPv6 address's zone is written %25 in a URL.
    return f"[{host.replace('%25', '%')}]" if ":" in host else host
