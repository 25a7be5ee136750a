"""An event is opened and parsed once, however many readers it has."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from natster_tui.engine.log.record_parser import RecordParser
from natster_tui.events.event import Record, as_records
from natster_tui.events.natster import NATSTER
from natster_tui.events.sealed_payload import Seal, Unopened
from natster_tui.projections import account
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.sealing.values import KeyringSealing, PlainSealing
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.engine.running import running
from tests.making_logs import append, bound, initialized, shared


async def test_a_live_event_is_opened_and_decoded_once_for_all_who_follow_the_log(
    settings: ConnectionSettings,
) -> None:
    link = await Link.open(settings)
    log = await EventLog.create(link, NATSTER, LogSettings())
    opened: Counter[int] = Counter()
    decoded: list[bytes] = []
    plain_open, plain_read = KeyringSealing.open_records, account.read_context

    async def opening(sealing: KeyringSealing, records: list[Record]) -> list[Record]:
        opened.update(record.seq for record in records)
        return await plain_open(sealing, records)

    def reading(payload: bytes) -> Any:
        decoded.append(payload)
        return plain_read(payload)

    with (
        patch.object(KeyringSealing, "open_records", opening),
        patch.object(account, "read_context", reading),
    ):
        async with running(settings) as workspace:
            projectors = workspace.projectors.values()
            await until(lambda: all(p.status.phase.value == "projecting" for p in projectors))
            events = [initialized("AA"), bound("AA"), shared("AA", "BB"), bound("BB", b"broken")]
            await append(log, events)
            await until(lambda: all(p.status.stored == 4 for p in projectors))
            await until(lambda: workspace.follower.get(4) is not None)
            record = workspace.follower.get(4)
            assert record is not None
            found = workspace.record_parser.parsed(record, NATSTER).parked_by(PROJECTIONS)
    assert [(name, reason.value) for name, reason in found] == [("account", "payload")]
    assert opened == dict.fromkeys(range(1, 5), 1)
    assert len(decoded) == 2
    await link.close()


async def test_an_event_whose_key_is_missing_is_opened_again_the_next_time(
    settings: ConnectionSettings,
) -> None:
    link = await Link.open(settings)
    log = await EventLog.create(link, NATSTER, LogSettings())
    stored = (1, 10**18, b"natster.events.AA.none.none.context_bound", b"sealed", b"")
    (record,) = as_records([stored])
    attempts = [
        replace(record, payload=b"", seal=Seal(b"sealed", "k1", Unopened.UNAVAILABLE, "no key")),
        replace(record, payload=b"open", seal=Seal(b"sealed", "k1")),
    ]

    async def opening(_sealing: PlainSealing, records: list[Record]) -> list[Record]:
        return [attempts.pop(0) for _ in records]

    parser = RecordParser()
    with patch.object(PlainSealing, "open_records", opening):
        assert [each.record.payload for each in await parser.parse(log, [stored])] == [b""]
        assert [each.record.payload for each in await parser.parse(log, [stored])] == [b"open"]
        again = await parser.parse(log, [stored])
        assert [each.record.payload for each in again] == [b"open"]
        assert attempts == []
        other = (*stored[:3], b"another message in its place", b"")
        attempts += as_records([other])
        assert [each.record for each in await parser.parse(log, [other])] == as_records([other])
    await link.close()


async def test_no_more_events_are_kept_than_allowed(settings: ConnectionSettings) -> None:
    link = await Link.open(settings)
    log = await EventLog.create(link, NATSTER, LogSettings())
    parser = RecordParser(kept=10)
    subject = b"natster.events.AA.none.none.natster_initialized"
    found = await parser.parse(log, [(n, n, subject, b"", b"") for n in range(1, 50)])
    assert [each.record.seq for each in found] == list(range(1, 50))
    assert len(parser._held) == 10
    await link.close()
