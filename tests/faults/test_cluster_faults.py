"""Three nodes on loopback, log and buckets on all of them; the log's leader is killed."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from natster_tui.engine.headless import project_until_caught_up
from natster_tui.errors import ConflictError, NatsterError
from natster_tui.events.event import MESSAGE_ID
from natster_tui.events.log.hazards import HazardKind
from natster_tui.events.natster import NATSTER
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import Append
from natster_tui.store.log_config import LogSettings
from natster_tui.store.provisioning.maker import KEYS, LEASES, projection_spec
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.engine.running import read_hazards
from tests.faults.arena import (
    FEW_ACCOUNTS,
    are_at,
    dashboard,
    open_or_make,
    own_server,
    story,
    tell,
    took,
)
from tests.faults.checker import Checker, ask, plain_client
from tests.faults.results import record
from tests.jetstream import ask_jetstream
from tests.making_logs import append, initialized, records_in, shared
from tests.real_server import RealServer
from tests.sealed_logs import sealed_log

pytestmark = [pytest.mark.full, pytest.mark.timeout(240)]

NODES = 3


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[list[RealServer]]:
    ports = free_ports(NODES)
    routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports)
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                own_server(
                    tmp_path / f"n{number}",
                    f"server_name: n{number}\n"
                    f"cluster {{ name: c, listen: 127.0.0.1:{port}, routes: [{routes}] }}\n"
                    + FEW_ACCOUNTS,
                )
            )
            for number, port in enumerate(ports)
        ]


async def when_ready(settings: ConnectionSettings) -> None:
    """Wait until the cluster has elected who keeps its streams."""
    link = await Link.open(settings)
    deadline = time.monotonic() + 30
    while True:
        try:
            log = await open_or_make(link, LogSettings(replicas=NODES))
        except NatsterError:
            assert time.monotonic() < deadline
            continue
        assert log.info.replicas == NODES
        break
    await link.close()


async def leader_of(settings: ConnectionSettings, stream: str) -> int:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            async with plain_client(settings) as client:
                info = await ask(client, f"STREAM.INFO.{stream}")
        except Exception:
            continue
        if name := (info.get("cluster") or {}).get("leader"):
            return int(name.removeprefix("n"))
    raise AssertionError("no leader was elected")


async def keep_telling(settings: ConnectionSettings, told: list[int], ended: asyncio.Event) -> None:
    """Append event after event, each until it is known to have landed, once."""
    link: Link | None = None
    number = 0
    while not ended.is_set():
        [event] = story(number, 1)
        try:
            link = link if link and not link.is_lost else await Link.open(settings)
            log = await open_or_make(link, LogSettings(replicas=NODES))
            while not ended.is_set():
                [event] = story(number, 1)
                told.append(
                    await log.appender.publish(
                        Append(event.subject, event.payload, event.headers), event.headers
                    )
                )
                number += 1
        except (NatsterError, ConflictError):
            continue
    if link is not None:
        await link.close()


async def test_the_node_that_was_named_dies_and_the_others_take_over(
    cluster: list[RealServer],
) -> None:
    """Only one of three nodes was named; the cluster advertises the two others."""
    named, *others = cluster
    settings = named.new_account()
    await when_ready(settings)
    head = await tell(settings, 0, 300)
    async with dashboard(settings) as workspace:
        await until(lambda: are_at(workspace, head), 60)
        await asyncio.to_thread(named.stop, signal.SIGKILL)
        alive = replace(settings, servers=tuple(server.url for server in others))
        await leader_of(alive, NATSTER.stream)
        head = await tell(alive, head, 100)
        back = await took(lambda: are_at(workspace, head), 60)
        assert workspace.server_shown in alive.servers
        await asyncio.to_thread(named.start)
    checker = Checker(alive)
    await checker.remember()
    found = await checker.check(at=head)
    record("the one node that was named, of three, dies", found, recovered_s=back)


async def test_the_leader_is_killed_twice_under_load(cluster: list[RealServer]) -> None:
    first = cluster[0].new_account()
    settings = ConnectionSettings(
        servers=tuple(server.url for server in cluster),
        user=first.user,
        password=first.password,
        origin="flags",
    )
    await when_ready(settings)
    told: list[int] = []
    ended = asyncio.Event()
    teller = asyncio.create_task(keep_telling(settings, told, ended))
    slowest = 0.0
    async with dashboard(settings) as workspace:
        account = workspace.projectors["account"].status
        for _ in range(2):
            enough = len(told) + 500
            await until(lambda: len(told) > enough and (account.stored or 0) > 100, 60)  # noqa: B023
            leader = cluster[await leader_of(settings, NATSTER.stream)]
            before = len(told)
            await asyncio.to_thread(leader.stop, signal.SIGKILL)
            position = account.stored or 0
            slowest = max(
                slowest,
                await took(
                    lambda: len(told) > before + 50 and (account.stored or 0) > position + 50,  # noqa: B023
                    60,
                ),
            )
            await asyncio.to_thread(leader.start)
        ended.set()
        await teller
        checker = Checker(settings)
        state = await checker.remember()
        # Every event that was acknowledged is there, and none is there twice.
        ids = [record_.header("Nats-Msg-Id") for record_ in checker.known.values()]
        assert len(ids) == len(set(ids))
        assert {f"e{number}" for number in range(len(told))} <= set(ids)
        await until(lambda: are_at(workspace, state.last), 60)
    async with plain_client(settings) as client:
        info = await ask(client, "STREAM.INFO.KV_PROJ_ACCOUNT")
        assert info["config"]["num_replicas"] == NODES
    found = await checker.check(at=state.last)
    record("leader of three nodes killed under load", found, injected=2, recovered_s=slowest)


@pytest.mark.parametrize("replicas", [1, NODES])
async def test_one_replica_is_a_hazard_where_the_server_is_a_cluster(
    cluster: list[RealServer], replicas: int
) -> None:
    settings = cluster[0].new_account()
    await when_ready(settings)
    async with plain_client(settings) as client:
        config = (await ask(client, f"STREAM.INFO.{NATSTER.stream}"))["config"]
        changed = config | {"num_replicas": replicas, "metadata": {}}
        await ask(client, f"STREAM.UPDATE.{NATSTER.stream}", changed)
    link = await Link.open(settings)
    kinds = {each.kind for each in await read_hazards(await open_or_make(link), PROJECTIONS)}
    assert (HazardKind.ONE_REPLICA in kinds) == (replicas == 1)
    await link.close()


async def test_buckets_of_one_replica_are_used_and_keys_in_one_are_a_hazard(
    cluster: list[RealServer], tmp_path: Path
) -> None:
    await when_ready(cluster[0].new_account())
    link = await Link.open(cluster[0].new_account())
    log = await sealed_log(link, tmp_path / "keys.json")
    assert log.info.replicas == NODES
    for spec in (LEASES, KEYS, *(projection_spec(each.bucket) for each in PROJECTIONS)):
        await ask_jetstream(link, f"STREAM.CREATE.{spec.stream}", spec.config(1))
    head = await append(log, [initialized("AA", "Ann"), shared("AA", "BB")])
    done = await project_until_caught_up(log, PROJECTIONS, "test")
    assert {each.seq for each in done} == {head}
    hazards = {each.kind: each.sentence for each in await read_hazards(log, PROJECTIONS)}
    assert "NATSTER_KEYS has one replica on a cluster" in hazards[HazardKind.KEYS]
    assert HazardKind.ONE_REPLICA not in hazards
    await link.close()


async def test_an_import_beside_another_writer_leaves_a_replicated_log_alive(
    cluster: list[RealServer],
) -> None:
    """An expectation that its replicas find broken would end the stream for good."""
    settings = cluster[0].new_account()
    await when_ready(settings)
    link, other = await Link.open(settings), await Link.open(settings)
    log, beside = await open_or_make(link), await open_or_make(other)
    imported = [
        replace(each, headers=((MESSAGE_ID, f"i{n}"),)) for n, each in enumerate(story(0, 600))
    ]

    async def keep_writing() -> None:
        for number in count(1_000):
            await beside.append_all(list(story(number, 1)), expected_last=None)
            await asyncio.sleep(0.01)  # so that both get their turns

    writer = asyncio.create_task(keep_writing())
    landed = 0
    while landed < len(imported):
        head = (await log.refresh()).last_seq
        landed += await log.append_all(imported[landed:], expected_last=head)
    assert not writer.done()
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    ids = [record_.header(MESSAGE_ID) for record_ in await records_in(log)]
    assert [each for each in ids if each and each.startswith("i")] == [
        f"i{n}" for n in range(len(imported))
    ]
    await other.close()
    await link.close()
