"""Servers behind a SOCKS proxy: no connection bypasses it."""

from __future__ import annotations

import asyncio
import importlib.util
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from natster_tui.errors import ServerError, UnreachableError, UsageError
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.opening.tls import check_transport
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.options import ConnectionFlags
from natster_tui.store.settings.resolve import resolve_connection
from natster_tui.store.settings.secrets import revealed
from tests.jetstream import ask_jetstream
from tests.serving import serving
from tests.socks_proxy import SocksProxy

pytest.importorskip("python_socks")

INSIDE = "server.inside"
"""A name that only the proxy knows."""


def port_of(settings: ConnectionSettings) -> int:
    port = urlsplit(settings.servers[0]).port
    assert port is not None
    return port


@asynccontextmanager
async def counted() -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server's address that can be reached directly, and all that was sent to it."""
    received: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read(1))

    async with serving(hear) as port:
        yield f"nats://127.0.0.1:{port}", received


@pytest.mark.parametrize("login", [None, ("ada", "pr%xy/:@ password")])
async def test_everything_goes_through_the_proxy_that_a_context_names(
    settings: ConnectionSettings, tmp_path: Path, login: tuple[str, str] | None
) -> None:
    async with SocksProxy(login, names={INSIDE: "127.0.0.1"}).running() as proxy:
        file = tmp_path / "prod.json"
        values = {
            "url": f"nats://{INSIDE}:{port_of(settings)}",
            "user": settings.user,
            "password": revealed(settings.password),
            "socks_proxy": proxy.url,
        }
        file.write_text(json.dumps(values))
        flags = ConnectionFlags(context=str(file))
        through = resolve_connection(flags, {})
        assert through is not None
        link = await Link.open(through)
        try:
            answer = await ask_jetstream(link, "INFO")
        finally:
            await link.close()
    assert "limits" in answer
    assert proxy.asked_for == [(INSIDE, port_of(settings))]
    assert proxy.logins == ([] if login is None else [login])
    assert b"CONNECT {" in proxy.sent


async def test_the_environment_names_a_proxy_too(settings: ConnectionSettings) -> None:
    async with SocksProxy().running() as proxy:
        environ = {"NATS_URL": settings.servers[0], "NATS_SOCKS_PROXY": proxy.url}
        found = resolve_connection(ConnectionFlags(), environ)
        assert found is not None
        through = replace(found, user=settings.user, password=settings.password)
        await (await Link.open(through)).close()
        assert len(proxy.asked_for) == 1


async def test_nothing_goes_past_a_proxy_that_refuses_us(settings: ConnectionSettings) -> None:
    async with counted() as (url, received), SocksProxy(("ada", "hunter2")).running() as proxy:
        wrong = proxy.url.replace("hunter2", "hunter3")
        with pytest.raises(ServerError) as refused:
            await Link.open(replace(settings, servers=(url,), socks_proxy=wrong))
        assert not proxy.asked_for
    assert not received
    assert refused.value.sentence == (
        f"cannot reach {url} (the proxy socks5://127.0.0.1:{proxy.port} refused: username and "
        "password authentication failure): check --socks-proxy"
    )


async def test_nothing_goes_past_a_proxy_that_is_not_there(
    settings: ConnectionSettings, unused_tcp_port: int
) -> None:
    async with counted() as (url, received):
        for proxy in (f"127.0.0.1:{unused_tcp_port}", f"u:hunter2@127.0.0.1:{unused_tcp_port}"):
            absent = replace(settings, servers=(url,), socks_proxy=f"socks5://{proxy}")
            with pytest.raises(UnreachableError, match=r"--socks-proxy") as unreachable:
                await Link.open(absent)
            assert "hunter2" not in unreachable.value.sentence
    assert not received


async def test_a_host_that_a_proxy_cannot_be_asked_for_is_told_as_such(
    settings: ConnectionSettings,
) -> None:
    async with SocksProxy().running() as proxy:
        long = (f"nats://{'x' * 300}:4222",)
        with pytest.raises(UnreachableError, match=r"--socks-proxy"):
            await Link.open(replace(settings, servers=long, socks_proxy=proxy.url))


async def test_a_server_that_the_proxy_cannot_reach_is_told_as_such(
    settings: ConnectionSettings, unused_tcp_port: int
) -> None:
    async with SocksProxy().running() as proxy:
        nowhere = (f"nats://127.0.0.1:{unused_tcp_port}",)
        with pytest.raises(UnreachableError, match="connection refused by destination host"):
            await Link.open(replace(settings, servers=nowhere, socks_proxy=proxy.url))


def test_what_cannot_go_through_a_proxy_is_refused_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy = "socks5://127.0.0.1:1080"
    for url in ("ws://h", "wss://h"):
        with pytest.raises(UsageError, match="cannot go through a SOCKS proxy"):
            check_transport(ConnectionSettings(servers=(url,), socks_proxy=proxy))
    plain = ConnectionSettings(servers=("nats://h:1",), socks_proxy=proxy)
    check_transport(plain)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(UsageError, match=r"natster-tui\[socks\]"):
        check_transport(plain)
