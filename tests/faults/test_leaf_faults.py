"""A hub and a leaf node with a log each: the hub's is projected from the leaf."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from natster_tui.engine.log.publish import publish
from natster_tui.engine.workspace import Connection
from natster_tui.errors import MisplacedWriteError
from natster_tui.events.account_keys import encode_account_key
from natster_tui.events.natster import NATSTER, EventType
from natster_tui.projections.append_rules import Proposal
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.writing import probe
from tests.conftest import until
from tests.elsewhere import (
    Elsewhere,
    HubAndLeaf,
    everything_in,
    publish_there_only,
    when_connected,
)
from tests.faults.arena import SOON_S, are_at, dashboard, story, tell, took
from tests.faults.checker import Checker
from tests.faults.results import record

SECOND_ANSWER_S = probe.SECOND_ANSWER_S
BEFORE = 200
"""Events on the hub's log at first; the leaf's own log has one more."""


@pytest.fixture(autouse=True)
def quick_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two servers on one machine answer sooner than the program waits."""
    monkeypatch.setattr(probe, "SECOND_ANSWER_S", 0.2)


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncIterator[HubAndLeaf]:
    pair = HubAndLeaf(tmp_path, 1)
    await asyncio.to_thread(pair.start)
    yield pair
    for server in (pair.leaf, pair.hub):
        with suppress(ProcessLookupError, AssertionError):
            await asyncio.to_thread(server.stop, signal.SIGKILL)


async def with_logs(place: Elsewhere) -> Elsewhere:
    """A log on both, of which the leaf's is projected."""
    await when_connected(place)
    head = await tell(place.own, 5_000, BEFORE + 1)
    async with dashboard(place.own) as workspace:
        await until(lambda: are_at(workspace, head))
    link = await Link.open(place.inside)
    await EventLog.create(link, NATSTER, LogSettings())
    await link.close()
    await publish_there_only(place.inside, list(story(0, BEFORE)))
    return place


async def test_the_hub_is_killed_behind_a_leaf_node(
    servers: HubAndLeaf, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = await with_logs(servers.take(mapped=True))
    own = await everything_in(place.own)
    checker = Checker(place.inside)
    await checker.remember()
    async with dashboard(place.through) as workspace:
        await until(lambda: are_at(workspace, BEFORE))
        head = await tell(place.through, BEFORE, 200)
        await until(lambda: are_at(workspace, head))
        # Recovering is measured with the probes as they are.
        monkeypatch.setattr(probe, "SECOND_ANSWER_S", SECOND_ANSWER_S)
        await asyncio.to_thread(servers.hub.stop, signal.SIGKILL)
        noticed = await took(lambda: workspace.connection is not Connection.CONNECTED)
        await until(lambda: "JetStream domain hub" in workspace.sentence)
        await asyncio.to_thread(servers.hub.start)
        await when_connected(place)
        back = await took(lambda: are_at(workspace, head))
        head = await tell(place.through, head, 100)
        await until(lambda: are_at(workspace, head))
    found = await checker.check(at=head)
    assert await everything_in(place.own) == own
    record("hub and leaf node: hub `kill -9`, seen from the leaf", found, recovered_s=back)
    assert noticed < SOON_S


async def test_events_have_no_way_from_the_leaf_to_the_hub(servers: HubAndLeaf) -> None:
    """Without a mapping on the hub an event is refused, and projecting goes on."""
    place = await with_logs(servers.take(mapped=False))
    own = await everything_in(place.own)
    checker = Checker(place.inside)
    await checker.remember()
    account = encode_account_key(bytes(32))
    async with dashboard(place.through) as workspace:
        await until(lambda: are_at(workspace, BEFORE))
        assert workspace.log is not None
        with pytest.raises(MisplacedWriteError, match=r"map \$JS\.hub\.API\.natster\.events"):
            await publish(workspace.log, Proposal(EventType.INITIALIZED, account), "test")
    found = await checker.check(at=BEFORE)
    assert await everything_in(place.own) == own
    record("hub and leaf node: no mapping for events on the hub", found)
