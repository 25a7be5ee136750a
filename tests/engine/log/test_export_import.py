"""Export and import, DESIGN section 8: in order, nothing twice, times and headers kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from natster_tui.engine.log import export_import as transfer
from natster_tui.engine.log.export_import import export_lines, import_records, read_lines
from natster_tui.errors import ServerError, UsageError
from natster_tui.events.event import MESSAGE_ID, OCCURRED_AT, STREAM, Record
from natster_tui.events.log.lines import event_identity
from natster_tui.projections.fold import fold_all
from natster_tui.projections.registry import PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import Append, EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import RECORDINGS, recording
from tests.engine.running import consumers_of, create_reference_stream, fresh_log
from tests.making_logs import (
    A,
    B,
    append,
    append_without_headers,
    bound,
    event,
    initialized,
    records_in,
    records_of,
    shared,
    stored_events,
)
from tests.real_server import RealServer


@pytest.fixture
async def other(server: RealServer) -> AsyncIterator[EventLog]:
    """A log elsewhere, to import into."""
    link = await Link.open(server.new_account())
    yield await EventLog.create(link, STREAM, LogSettings())
    await link.close()


async def exported(log: EventLog, since: int = 1) -> list[str]:
    return [line async for line in export_lines(log, since, "test")]


def essence(record: Record) -> tuple[str, bytes, str, int]:
    """What is the same of an event in every log."""
    return record.subject, record.payload, event_identity(record), record.event_time


# -- there and back ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["01", "15", "16", "17"])
async def test_a_recording_survives_import_export_and_import(
    name: str, log: EventLog, other: EventLog
) -> None:
    """Among them binary payloads, and subjects with `*` and `a$b`."""
    recorded = recording(name)
    await import_records(log, recorded, "test")
    again = read_lines(await exported(log), "file")
    result = await import_records(other, again, "test")
    assert (result.appended, result.present) == (len(recorded), 0)
    for there in (log, other):
        landed = await records_in(there)
        assert [essence(record) for record in landed] == [essence(record) for record in recorded]
        for projection in PROJECTIONS:
            assert fold_all(projection, landed).documents() == (
                fold_all(projection, recorded).documents()
            )


@hypothesis_settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(events=stored_events(12))
async def test_any_log_survives_export_and_import(
    link: Link, other: EventLog, events: list[Append]
) -> None:
    log = await fresh_log(link)
    other = await fresh_log(other.link)
    await append(log, events)
    await import_records(other, read_lines(await exported(log), "file"), "test")
    assert [essence(r) for r in await records_in(other)] == [
        essence(r) for r in await records_in(log)
    ]
    for there in (log, other):
        result = await import_records(there, read_lines(await exported(other), "file"), "test")
        assert (result.appended, result.present) == (0, len(events))


async def test_a_line_has_the_contracts_form(log: EventLog) -> None:
    await append_without_headers(log, [shared(A, B), event("x", A, payload=b"\xff")])
    one, two = map(json.loads, await exported(log))
    assert list(one) == ["seq", "time", "subject", "headers", "payload"]
    assert list(two) == ["seq", "time", "subject", "headers", "payload_base64"]
    assert (one["seq"], one["headers"], one["payload"]) == (1, {}, "")


async def test_export_begins_where_it_is_told_and_leaves_no_consumer(log: EventLog) -> None:
    await append(log, [initialized(A), shared(A, B), bound(A)])
    assert [json.loads(line)["seq"] for line in await exported(log, 2)] == [2, 3]
    assert await exported(log, 4) == []
    assert await consumers_of(log.link) == set()


async def test_an_empty_log_exports_nothing_and_nothing_imports(log: EventLog) -> None:
    assert await exported(log) == []
    result = await import_records(log, [], "test")
    assert (result.appended, result.present) == (0, 0)


# -- nothing twice -----------------------------------------------------------------------------


async def test_an_event_without_an_id_is_known_again_where_it_came_from(link: Link) -> None:
    """The reference's log has no headers at all: its own export imports nothing into it."""
    await create_reference_stream(link, STREAM)
    log = await EventLog.open(link, STREAM)
    await append_without_headers(log, [initialized(A), shared(A, B), shared(A, B), bound(A)])
    assert all(record.headers == () for record in await records_in(log))
    result = await import_records(log, read_lines(await exported(log), "file"), "test")
    assert (result.appended, result.present) == (0, 4)
    assert (await log.refresh()).last_seq == 4


async def test_importing_twice_appends_nothing_however_it_was_interrupted(log: EventLog) -> None:
    records = recording("01")
    await import_records(log, records[:4], "test")
    result = await import_records(log, records, "test")
    assert (result.appended, result.present) == (len(records) - 4, 4)
    result = await import_records(log, [*records, *records], "test")
    assert (result.appended, result.present) == (0, 2 * len(records))
    assert [essence(r) for r in await records_in(log)] == [essence(r) for r in records]


async def test_the_same_id_twice_in_a_file_is_one_event(log: EventLog) -> None:
    one = Record(1, 10**18, shared(A, B).subject, b"", ((MESSAGE_ID, "same"),))
    two = Record(2, 10**18, shared(B, A).subject, b"", ((MESSAGE_ID, "same"),))
    result = await import_records(log, [one, two], "test")
    assert (result.appended, result.present) == (1, 1)
    assert [record.subject for record in await records_in(log)] == [one.subject]


async def test_equal_events_at_different_places_are_two(log: EventLog) -> None:
    records = records_of(shared(A, B), shared(A, B))
    assert (await import_records(log, records, "test")).appended == 2


async def test_what_the_server_still_takes_for_a_duplicate_is_said_and_not_tried_for_ever(
    link: Link,
) -> None:
    log = await EventLog.create(link, STREAM, LogSettings(deny_delete=False))
    records = recording("01")
    await import_records(log, records, "test")
    await link.api(f"STREAM.MSG.DELETE.{STREAM}", {"seq": 3})
    with pytest.raises(ServerError, match="duplicate"):
        await import_records(log, records, "test")


# -- in order, beside others -------------------------------------------------------------------


async def test_events_land_in_order_though_others_write_at_the_same_time(
    log: EventLog, settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "IMPORT_CHUNK", 40)
    records = records_of(*(shared(A, f"M{number:03}") for number in range(300)))
    other_link = await Link.open(settings)
    elsewhere = await EventLog.open(other_link, STREAM)
    written = 0

    async def write() -> None:
        nonlocal written
        for _ in range(200):
            await append(elsewhere, [bound(B)])
            written += 1

    writing = asyncio.create_task(write())
    try:
        result = await import_records(log, records, "test")
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await other_link.close()
    assert (result.appended, result.present) == (300, 0)
    landed = [record for record in await records_in(log) if ".AA." in record.subject]
    assert [essence(record) for record in landed] == [essence(record) for record in records]
    assert written > 0


async def test_two_imports_of_the_same_file_at_the_same_time_append_it_once(
    log: EventLog, settings: ConnectionSettings
) -> None:
    records = records_of(*(shared(A, f"M{number:03}") for number in range(100)))
    other_link = await Link.open(settings)
    elsewhere = await EventLog.open(other_link, STREAM)
    results = await asyncio.gather(
        import_records(log, records, "one"), import_records(elsewhere, records, "two")
    )
    await other_link.close()
    assert [essence(r) for r in await records_in(log)] == [essence(r) for r in records]
    assert sum(result.appended for result in results) == 100


# -- what is carried ---------------------------------------------------------------------------


async def test_headers_survive_but_those_that_speak_to_the_server(log: EventLog) -> None:
    kept = (("X", "1"), ("x", "2"), ("X", "3"), (OCCURRED_AT, "2021-03-04T05:06:07Z"))
    dropped = (
        ("Nats-Expected-Last-Sequence", "77"), ("Nats-Expected-Stream", "ELSEWHERE"),
        ("Nats-Expected-Last-Subject-Sequence", "7"), ("Nats-Expected-Last-Msg-Id", "x"),
        ("Nats-Rollup", "all"), ("Nats-TTL", "1s"),
    )  # fmt: skip
    record = Record(9, 10**18, shared(A, B).subject, b"{}", ((MESSAGE_ID, "m"), *dropped, *kept))
    await import_records(log, records_of(initialized(A)), "test")
    await import_records(log, [record], "test")
    first, landed = await records_in(log)
    assert first.seq == 1  # not rolled up
    own = [pair for pair in landed.headers if not pair[0].startswith("Nats-Expected-")]
    assert own == [(MESSAGE_ID, "m"), *kept]
    assert ("Nats-Expected-Last-Sequence", "77") not in landed.headers


async def test_an_event_keeps_its_time(log: EventLog) -> None:
    (record,) = records_of(initialized(A))
    await import_records(log, [record], "test")
    (landed,) = await records_in(log)
    assert landed.time_ns != record.time_ns
    assert landed.event_time == record.event_time
    assert landed.header(OCCURRED_AT) == "2026-11-23T03:13:15Z"


# -- what goes wrong ---------------------------------------------------------------------------


async def test_a_full_log_says_so_names_the_limit_and_the_remedy(link: Link) -> None:
    log = await EventLog.create(link, STREAM, LogSettings(max_bytes=4_000))
    records = records_of(*(shared(A, f"M{number:03}") for number in range(100)))
    with pytest.raises(ServerError) as caught:
        await import_records(log, records, "test")
    sentence = caught.value.sentence
    assert sentence.startswith("NATSTER_EVENTS is full (")
    assert "max_bytes 4,000" in sentence
    assert "raise max_bytes of the stream, then try again" in sentence
    # What fitted is there, in order, and the rest follows when there is room.
    landed = await records_in(log)
    assert 0 < len(landed) < 100
    assert [essence(r) for r in landed] == [essence(r) for r in records[: len(landed)]]
    config = (await link.api(f"STREAM.INFO.{STREAM}"))["config"]
    await link.api(f"STREAM.UPDATE.{STREAM}", {**config, "max_bytes": 10**8})
    result = await import_records(log, records, "test")
    assert (result.appended, result.present) == (100 - len(landed), len(landed))
    assert [essence(r) for r in await records_in(log)] == [essence(r) for r in records]


async def test_a_log_that_is_full_by_number_says_so_too(link: Link) -> None:
    log = await EventLog.create(link, STREAM, LogSettings())
    config = (await link.api(f"STREAM.INFO.{STREAM}"))["config"]
    await link.api(f"STREAM.UPDATE.{STREAM}", {**config, "max_msgs": 3})
    await log.refresh()
    with pytest.raises(ServerError, match=r"NATSTER_EVENTS is full .*max_msgs 3.*: raise max_msgs"):
        await import_records(log, recording("01"), "test")


async def test_an_event_larger_than_the_server_takes_is_a_sentence(log: EventLog) -> None:
    record = Record(1, 10**18, shared(A, B).subject, b"x" * (log.link.max_payload + 1))
    with pytest.raises(ServerError):
        await import_records(log, [record], "test")
    assert (await log.refresh()).last_seq == 0


@pytest.mark.parametrize(
    "bad",
    [
        "{not json", "[]", '{"seq":1}',
        '{"seq":1,"time":"2026-11-23T03:13:15Z","subject":"other.subject","payload":""}',
        '{"seq":1,"time":"2026-11-23T03:13:15Z","subject":"$JS.API.STREAM.DELETE.X","payload":""}',
        '{"seq":1,"time":"2026-11-23T03:13:15Z","subject":"natster.events.A.B.C","payload":""}',
    ],
)  # fmt: skip
def test_a_bad_line_is_named_and_nothing_is_imported(bad: str) -> None:
    good = (RECORDINGS / "01_standard.events.jsonl").read_text().splitlines()
    with pytest.raises(UsageError, match=r"line 4 of log\.jsonl .*nothing was imported"):
        read_lines([*good[:2], "", bad, *good[2:]], "log.jsonl")


def test_empty_lines_are_passed_over() -> None:
    good = (RECORDINGS / "01_standard.events.jsonl").read_text().splitlines()
    assert len(read_lines(["", *good, "  \n", ""], "log.jsonl")) == len(good)
