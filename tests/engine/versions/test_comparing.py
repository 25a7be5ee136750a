"""Comparing two stored versions at one sequence, on a real server."""

from __future__ import annotations

import asyncio
import json

import pytest

from natster_tui.engine.versions import comparing
from natster_tui.engine.versions.comparing import compare_versions
from natster_tui.engine.versions.finding import VersionPair
from natster_tui.errors import RefusedError, UsageError
from natster_tui.events.natster import EventType
from natster_tui.projections.versions.comparing import FieldCount
from natster_tui.projections.versions.naming import placed_beside
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from tests.engine.running import consumers_of, projecting
from tests.engine.versions.activities import (
    BOTH,
    FIRST,
    ONLY_FIRST,
    ONLY_SECOND,
    SECOND,
    project_all,
)
from tests.jetstream import ask_jetstream
from tests.making_logs import append, event, imported, initialized, shared
from tests.reading_buckets import stored_documents

EVENTS = [initialized("AA"), shared("AA", "BB"), imported("BB", "AA"), shared("CC", "AA")]


@pytest.mark.parametrize("pair", [BOTH, ONLY_FIRST, ONLY_SECOND], ids=["both", "old", "new"])
async def test_what_differs_is_the_same_whichever_rule_is_loaded(
    log: EventLog, settings: ConnectionSettings, pair: VersionPair
) -> None:
    await append(log, EVENTS)
    await project_all(log, FIRST, placed_beside(SECOND))
    assert (await stored_documents(settings, "PROJ_ACTIVITY_v2")).keys() == {"AA", "CC"}
    assert (await stored_documents(settings, "PROJ_ACTIVITY")).keys() == {"AA", "BB", "CC"}
    found = await compare_versions(log, pair, "test")
    assert (found.seq, found.head) == (4, 4)
    assert (found.stored.version, found.beside.version) == (1, 2)
    assert (found.stored.lag, found.beside.lag) == (0, 0)
    assert [change.key for change in found.difference.only_stored] == ["BB"]
    assert found.difference.fields() == (FieldCount("+", "last", 2),)
    assert found.difference.equal == 0


@pytest.mark.parametrize("pair", [BOTH, ONLY_FIRST, ONLY_SECOND], ids=["both", "old", "new"])
@pytest.mark.parametrize("late", [FIRST, placed_beside(SECOND)], ids=["stored", "beside"])
async def test_both_are_compared_at_one_sequence_while_one_lags(
    log: EventLog, monkeypatch: pytest.MonkeyPatch, pair: VersionPair, late: object
) -> None:
    monkeypatch.setattr(comparing, "CATCH_UP_S", 0.0)
    await append(log, EVENTS)
    await project_all(log, FIRST, placed_beside(SECOND))
    await append(log, [shared("AA", "DD"), initialized("DD")])
    await project_all(log, placed_beside(SECOND) if late is FIRST else FIRST)
    found = await compare_versions(log, pair, "test")
    lags = (found.stored.lag, found.beside.lag)
    assert lags == ((2, 0) if late is FIRST else (0, 2))
    # No document differs by more than its field: they are of the same position.
    changed = {change.key: change for change in found.difference.changed}
    fields = {field.path for change in changed.values() for field in change.fields()}
    assert fields == {"last"}
    assert {"AA", "CC"} <= changed.keys()


async def test_they_are_compared_while_events_come_in(log: EventLog, link: Link) -> None:
    await append(log, EVENTS)
    async with projecting(log, FIRST, "one"), projecting(log, placed_beside(SECOND), "two"):

        async def keep_publishing() -> None:
            for number in range(400):
                await append(log, [event(EventType.SHARED, "AA", f"T{number}", "c")])

        publishing = asyncio.create_task(keep_publishing())
        compared = set()
        while not publishing.done():
            if not {"one", "two"} <= {name.split("-")[3] for name in await consumers_of(link)}:
                continue
            try:
                found = await compare_versions(log, BOTH, "test")
            except RefusedError:
                continue  # nothing is stored in one of them yet
            compared.add(found.seq)
            documents = {change.key: change for change in found.difference.changed}
            before, after = documents["AA"].before, documents["AA"].after
            assert before is not None
            assert after is not None
            assert json.loads(before)["events"] == json.loads(after)["events"]
        await publishing
    assert len(compared) > 1


async def test_what_cannot_be_compared_is_said(log: EventLog, link: Link) -> None:
    await append(log, EVENTS)
    with pytest.raises(RefusedError, match="nothing is stored in PROJ_ACTIVITY yet"):
        await compare_versions(log, BOTH, "test")
    await project_all(log, FIRST)
    with pytest.raises(RefusedError, match="nothing is stored in PROJ_ACTIVITY_v2 yet"):
        await compare_versions(log, BOTH, "test")
    await project_all(log, placed_beside(SECOND))
    third = VersionPair((type("Third", (type(FIRST),), {"version": 3})(),), 2)
    with pytest.raises(UsageError, match="neither version 1 nor version 2 of activity is loaded"):
        await compare_versions(log, third, "test")
    await ask_jetstream(link, "STREAM.PURGE.KV_PROJ_ACTIVITY")
    with pytest.raises(RefusedError, match="nothing is stored in PROJ_ACTIVITY yet"):
        await compare_versions(log, BOTH, "test")
