"""The network between us and the server stalls, cuts in the middle of a frame, and drops."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from natster_tui.engine.workspace import Connection
from natster_tui.store.connection.consumers import list_consumers
from natster_tui.store.connection.link import Link
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.faults.arena import SOON_S, are_at, dashboard, projectors, tell, took
from tests.faults.checker import Checker
from tests.faults.proxy import Proxy
from tests.faults.results import record
from tests.jetstream import ask_jetstream


@pytest.fixture
async def proxy(settings: ConnectionSettings) -> AsyncIterator[Proxy]:
    async with Proxy.before(settings) as made:
        yield made


async def test_the_network_stalls(settings: ConnectionSettings, proxy: Proxy) -> None:
    head = await tell(settings, 0, 300)
    checker = Checker(settings)
    await checker.remember()
    async with dashboard(replace(settings, servers=(proxy.url,))) as workspace:
        await until(lambda: are_at(workspace, head))
        proxy.stall()
        head = await tell(settings, head, 50)
        # Known only when pings a second apart go without an answer.
        await until(lambda: workspace.connection is not Connection.CONNECTED, 2 + SOON_S)
        proxy.flow()
        back = await took(lambda: are_at(workspace, head))
    found = await checker.check(at=head)
    record("network stalls", found, recovered_s=back)


async def test_the_network_cuts_in_the_middle_of_a_frame(
    settings: ConnectionSettings, proxy: Proxy
) -> None:
    cuts = 6
    head = await tell(settings, 0, 3_000)
    checker = Checker(settings)
    await checker.remember()
    slowest = 0.0
    async with dashboard(replace(settings, servers=(proxy.url,))) as workspace:
        for number in range(cuts):
            connections = proxy.connections
            # While loading, while reading the log, in an acknowledgement.
            proxy.cut_after(7_001 + 37_003 * number)
            head = await tell(settings, head, 200)
            if proxy.connections == connections:
                proxy.drop()
            await until(lambda: proxy.connections > connections)  # noqa: B023
            slowest = max(slowest, await took(lambda: are_at(workspace, head)))  # noqa: B023
    found = await checker.check(at=head)
    record("network cuts in the middle of a frame", found, injected=cuts, recovered_s=slowest)


@pytest.mark.full
async def test_the_network_drops_every_connection(
    settings: ConnectionSettings, proxy: Proxy
) -> None:
    drops = 5
    head = await tell(settings, 0, 6_000)
    checker = Checker(settings)
    await checker.remember()
    slowest = 0.0
    async with dashboard(replace(settings, servers=(proxy.url,))) as workspace:
        for number in range(drops):
            moved = min(head, (number + 1) * 1_000)
            await until(lambda: min(p.status.position for p in projectors(workspace)) >= moved)  # noqa: B023
            proxy.drop(refuse=True)
            noticed = await took(lambda: workspace.connection is not Connection.CONNECTED)
            assert noticed < SOON_S
            proxy.accept()
            slowest = max(slowest, await took(lambda: workspace.connection is Connection.CONNECTED))
        await until(lambda: are_at(workspace, head))
        # The server has not gone, and would have kept the consumers of every lost connection.
        link = await Link.open(settings)
        streams = (await ask_jetstream(link, "STREAM.NAMES"))["streams"]
        consumers = [each for stream in streams for each in await list_consumers(link, stream)]
        await link.close()
        assert len(consumers) == 3, consumers
    found = await checker.check(at=head)
    record("network drops every connection", found, injected=drops, recovered_s=slowest)
    assert slowest < SOON_S
