"""Which servers are tried, and in which order."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from natster_tui.engine.server_source import NamedServer
from natster_tui.engine.workspace import Connection
from natster_tui.errors import ServerError, UnreachableError
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.opening import attempt
from natster_tui.store.connection.opening.servers import ServerAddress, ServerPool
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.options import ConnectionFlags
from natster_tui.store.settings.resolve import resolve_connection
from natster_tui.store.settings.secrets import revealed
from tests.conftest import until
from tests.faults.arena import dashboard, own_server
from tests.real_server import RealServer
from tests.store.connection.opening.fakes import answering_with, fake_server, info

ONE, TWO, THREE = "nats://one:4222", "nats://two:4222", "nats://three:4222"
A = ServerAddress(ONE)


def urls(pool: ServerPool) -> list[str]:
    return [address.url for address in pool.in_turn()]


# -- the pool ----------------------------------------------------------------------------------


def test_servers_take_turns() -> None:
    pool = ServerPool([ONE, TWO, THREE])
    assert urls(pool) == [ONE, TWO, THREE]
    pool.tried(pool.in_turn()[0])
    assert urls(pool) == [TWO, THREE, ONE]


def test_advertised_servers_come_before_the_one_that_is_in_use() -> None:
    pool = ServerPool([ONE])
    pool.tried(A)
    pool.advertise(["one:4222", "two:4222", "10.0.0.3:4222"], A, protected=False)
    assert urls(pool) == [TWO, "nats://10.0.0.3:4222", ONE]


def test_a_server_that_is_no_longer_advertised_is_forgotten_and_a_named_one_never() -> None:
    pool = ServerPool([ONE, TWO])
    pool.tried(A)
    pool.advertise(["three:4222", "four:4222"], A, protected=False)
    pool.advertise(["four:4222"], A, protected=False)
    assert set(urls(pool)) == {ONE, TWO, "nats://four:4222"}
    pool.advertise([], A, protected=False)
    assert set(urls(pool)) == {ONE, TWO}


def test_an_advertised_address_is_verified_by_the_name_that_was_given() -> None:
    pool = ServerPool(["tls://nats.example:4222"])
    [named] = pool.in_turn()
    pool.advertise(["10.0.0.1:4222", "b.example:4222"], named, protected=True)
    address, name, _named = pool.in_turn()
    assert address == ServerAddress("tls://10.0.0.1:4222", "nats.example", protected=True)
    assert name == ServerAddress("tls://b.example:4222", None, protected=True)
    # What the advertised one advertises is verified by the same name.
    pool.advertise(["10.0.0.2:4222"], address, protected=True)
    assert pool.in_turn()[-2].tls_name == "nats.example"


@pytest.mark.parametrize(
    "place",
    [
        "",
        "host",
        "host:",
        "host:0",
        "host:65536",
        "host:4222/path",
        "user:secret@host:4222",
        "nats://host:4222",
        "ho st:4222",
        "host:4222\r\n",
        "[::1:4222",
        "h\x00st:4222",
        "host:٤٢",
    ],
)
def test_what_is_no_address_is_left_out(place: str) -> None:
    pool = ServerPool([ONE])
    pool.advertise([place, "[::1]:4222"], A, protected=False)
    assert urls(pool) == ["nats://[::1]:4222", ONE]


def test_a_list_without_an_end_is_cut() -> None:
    pool = ServerPool([ONE])
    pool.advertise((f"h{number}:4222" for number in range(1_000_000)), A, protected=False)
    assert len(pool.in_turn()) <= 101


# -- a list of servers -------------------------------------------------------------------------


async def test_each_server_of_a_list_gets_its_own_time(
    settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "CONNECT_TIMEOUT", 0.3)
    async with fake_server(b"") as silent, fake_server(b"") as another:
        servers = (silent.url, another.url, *settings.servers)
        link = await Link.open(replace(settings, servers=servers))
        assert link.described == settings.servers[0]
        assert silent.connections == another.connections == 1
        await link.close()


async def test_what_is_wrong_with_each_server_is_told(
    monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setattr(attempt, "CONNECT_TIMEOUT", 0.2)
    async with fake_server(b"") as silent:
        down = f"nats://127.0.0.1:{unused_tcp_port}"
        with pytest.raises(UnreachableError) as caught:
            await Link.open(ConnectionSettings(servers=(down, silent.url)))
    assert caught.value.sentence == (
        f"none of 2 servers can be used (cannot reach {down} (connection refused); {silent.url} "
        "does not answer within 0.2 s): is the server running, and is --server right?"
    )


def resolved(servers: str) -> ConnectionSettings:
    found = resolve_connection(ConnectionFlags.model_validate({"server": servers}), {})
    assert found is not None
    return found


async def test_each_server_of_a_list_is_sent_the_user_of_its_own_url(server: RealServer) -> None:
    one, two = server.new_account(), server.new_account()
    assert one.user
    assert two.user
    port = server.port
    here, there = f"nats://127.0.0.1:{port}", f"nats://localhost:{port}"
    servers = f"nats://{one.user}:wrong@127.0.0.1:{port},nats://{two.user}:{{}}@localhost:{port}"
    settings = resolve_connection(
        ConnectionFlags.model_validate({"server": servers.format(revealed(two.password))}), {}
    )
    assert settings is not None
    link = await Link.open(settings)
    assert (link.described, link.settings.user_described) == (there, two.user)
    await link.close()
    settings = resolve_connection(
        ConnectionFlags.model_validate({"server": servers.format("wrong")}), {}
    )
    assert settings is not None
    with pytest.raises(ServerError) as caught:
        await Link.open(settings)
    for address, user in ((here, one.user), (there, two.user)):
        assert f"{address} refused these credentials ({user})" in caught.value.sentence


def test_an_advertised_server_is_sent_the_user_of_the_one_that_advertised_it() -> None:
    pool = ServerPool([ONE, TWO])
    pool.tried(A)
    pool.advertise(["three:4222"], A, protected=False)
    [three] = [address for address in pool.in_turn() if address.url == THREE]
    assert three.named == ONE
    pool.advertise(["four:4222"], three, protected=False)
    [four] = [address for address in pool.in_turn() if "four" in address.url]
    assert four.named == ONE


# -- a cluster ---------------------------------------------------------------------------------


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[list[RealServer]]:
    """Two nodes without JetStream's clustering, which would take seconds to elect a leader."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports)
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                own_server(
                    tmp_path / f"n{number}",
                    f"server_name: n{number}\n"
                    f"cluster {{ name: c, listen: 127.0.0.1:{port}, routes: [{routes}] }}\n"
                    "accounts { a0 { users: [{user: u000, password: p0}] } }\n",
                )
            )
            for number, port in enumerate(ports)
        ]


async def test_a_dashboard_goes_on_with_a_server_that_only_the_cluster_named(
    cluster: list[RealServer],
) -> None:
    first, second = cluster
    settings = first.new_account()
    async with dashboard(settings) as workspace:
        # JetStream has no leader here; what counts is which server is talked to.
        assert isinstance(workspace.source, NamedServer)
        pool = workspace.source.pool
        await until(lambda: len(pool.in_turn()) > 1)
        await asyncio.to_thread(first.stop, signal.SIGKILL)
        began = time.monotonic()
        await until(lambda: workspace.server_shown == f"nats://127.0.0.1:{second.port}")
        assert time.monotonic() - began < 3
        assert workspace.connection is not Connection.UNREACHABLE


async def test_a_later_info_adds_servers() -> None:
    answer = b"PONG\r\n" + info(connect_urls=["10.9.8.7:4222"])
    async with fake_server(info(), answering_with(answer)) as server:
        settings = ConnectionSettings(servers=(server.url,))
        pool = ServerPool(settings.servers)
        link = await Link.open(settings, pool=pool)
        await until(lambda: urls(pool) == ["nats://10.9.8.7:4222", server.url])
        await link.close()
