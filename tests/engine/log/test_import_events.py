"""Export and import keep order, times and headers, and store no event twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from natster_tui.engine.log import import_events
from natster_tui.engine.log.export_events import ExportReport, export_lines
from natster_tui.engine.log.import_events import import_records
from natster_tui.engine.log.import_file import ImportFile
from natster_tui.errors import ServerError
from natster_tui.events.event import MESSAGE_ID, OCCURRED_AT, Record
from natster_tui.events.headers import Headers
from natster_tui.events.log.carried import HeaderFate, fate_of
from natster_tui.events.log.identity import import_id
from natster_tui.events.natster import NATSTER
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import Append, EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import recording
from tests.engine.running import consumers_of, create_reference_stream, fresh_log
from tests.events.log.test_lines import values
from tests.folding import fold_all
from tests.jetstream import ask_jetstream
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
    yield await EventLog.create(link, NATSTER, LogSettings())
    await link.close()


async def exported(log: EventLog, since: int = 1) -> list[str]:
    return [line async for line in export_lines(log, since, "test")]


def read(lines: list[str]) -> list[Record]:
    return list(
        ImportFile.of_lines(lambda: [line.encode() for line in lines], "file", NATSTER).events
    )


def essence(record: Record) -> tuple[str, bytes, str, int]:
    """What is the same of an event in every log."""
    message_id = record.header(MESSAGE_ID) or import_id(record)
    return record.subject, record.payload, message_id, record.event_time_ns


def carried(record: Record) -> dict[str, list[str]]:
    """The headers that say something of the event, as far as their order means anything."""
    found: dict[str, list[str]] = {}
    for name, value in record.headers:
        if fate_of(name) is HeaderFate.CARRIED and name not in (MESSAGE_ID, OCCURRED_AT):
            found.setdefault(name, []).append(value)
    return found


# -- there and back ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["01", "15", "16", "17"])
async def test_a_recording_survives_import_export_and_import(
    name: str, log: EventLog, other: EventLog
) -> None:
    """Among them binary payloads, and subjects with `*` and `a$b`."""
    recorded = recording(name)
    await import_records(log, recorded, "test")
    again = read(await exported(log))
    result = await import_records(other, again, "test")
    assert (result.appended, result.present) == (len(recorded), 0)
    for there in (log, other):
        landed = await records_in(there)
        assert [essence(record) for record in landed] == [essence(record) for record in recorded]
        for projection in PROJECTIONS:
            assert fold_all(projection, landed).documents() == (
                fold_all(projection, recorded).documents()
            )


_OWN_HEADERS = st.lists(
    st.tuples(st.sampled_from(["X", "x", "Y-1", "X Y"]), values), max_size=3
).map(tuple)


@hypothesis_settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(made=st.lists(st.tuples(stored_events(3), _OWN_HEADERS), max_size=6))
async def test_any_log_survives_export_and_import(
    link: Link, other: EventLog, made: list[tuple[list[Append], Headers]]
) -> None:
    """Apart from delete markers, the stream's own times, and headers that are not carried."""
    log = await fresh_log(link)
    other = await fresh_log(other.link)
    sendable = [
        replace(each, headers=(*each.headers, *(pair for pair in more if pair[0] != "X Y")))
        for events, more in made
        for each in events
    ]
    await append(log, sendable)
    events = [record for record in await records_in(log) if not record.is_marker]
    file = await exported(log)
    assert len(file) == len(events)
    result = await import_records(other, read(file), "test")
    assert (result.appended, result.markers) == (len(events), 0)
    copies = await records_in(other)
    assert [essence(r) for r in copies] == [essence(r) for r in events]
    assert [carried(r) for r in copies] == [carried(r) for r in events]
    for projection in PROJECTIONS:
        assert fold_all(projection, copies).documents() == fold_all(projection, events).documents()
    for there in (log, other):
        result = await import_records(there, read(await exported(other)), "test")
        assert (result.appended, result.present) == (0, len(events))


async def test_a_log_that_repeats_a_message_id_is_copied_whole(link: Link, other: EventLog) -> None:
    log = await EventLog.create(link, NATSTER, LogSettings())
    config = (await ask_jetstream(link, f"STREAM.INFO.{NATSTER.stream}"))["config"]
    await ask_jetstream(
        link, f"STREAM.UPDATE.{NATSTER.stream}", {**config, "duplicate_window": 100_000_000}
    )
    unshared = event("catalog_unshared", A, B, "kevbuzz")
    for at, one in enumerate((shared(A, B), unshared, shared(A, B)), 1):
        message = replace(one, headers=((MESSAGE_ID, one.subject),))
        while (await log.refresh()).last_seq < at:  # refused until the window is over
            await log.append_all([message], expected_last=None)
    result = await import_records(other, read(await exported(log)), "test")
    assert (result.appended, result.present, result.renamed) == (3, 0, 1)
    copied = await exported(other)
    for there in (log, other):
        assert (await import_records(there, read(copied), "test")).present == 3
    for projection in PROJECTIONS:
        original, copy = [fold_all(projection, await records_in(one)) for one in (log, other)]
        assert copy.documents() == original.documents()


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
    await create_reference_stream(link, NATSTER.stream)
    log = await EventLog.open(link, NATSTER)
    await append_without_headers(log, [initialized(A), shared(A, B), shared(A, B), bound(A)])
    assert all(record.headers == () for record in await records_in(log))
    result = await import_records(log, read(await exported(log)), "test")
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


async def test_an_id_that_comes_again_for_another_event_loses_nothing(
    log: EventLog, other: EventLog
) -> None:
    """Ids that are made of what is said, and not of when: shared, unshared, shared again."""
    told = (shared(A, B), event("catalog_unshared", A, B, "kevbuzz"), shared(A, B))
    file = [
        Record(seq, 10**18 + seq, one.subject, b"", ((MESSAGE_ID, one.subject),))
        for seq, one in enumerate(told, 1)
    ]
    result = await import_records(log, file, "test")
    assert (result.appended, result.present, result.renamed) == (3, 0, 1)
    assert result.sentences == ["1 event got an id of the import, because another event has theirs"]
    landed = await records_in(log)
    assert [record.subject for record in landed] == [one.subject for one in told]
    assert landed[2].header(MESSAGE_ID) == import_id(file[2])
    for projection in PROJECTIONS:
        assert fold_all(projection, landed).documents() == fold_all(projection, file).documents()
    # The same again, and from the copy to a third log and back, adds nothing anywhere.
    assert (await import_records(log, file, "test")).appended == 0
    copied = read(await exported(log))
    assert (await import_records(other, file, "test")).appended == 3
    for there in (log, other):
        result = await import_records(there, copied, "test")
        assert (result.appended, result.present) == (0, 3)


async def test_an_event_whose_id_the_log_has_for_another_one_is_appended(log: EventLog) -> None:
    mine = Record(1, 10**18, shared(A, B).subject, b"", ((MESSAGE_ID, "m"),))
    theirs = Record(1, 10**18, shared(B, A).subject, b"", ((MESSAGE_ID, "m"),))
    await import_records(log, [mine], "test")
    assert (await import_records(log, [theirs], "test")).appended == 1
    assert (await import_records(log, [mine, theirs], "test")).present == 2
    assert [r.subject for r in await records_in(log)] == [mine.subject, theirs.subject]


async def test_an_event_that_stands_twice_in_a_file_is_one(log: EventLog) -> None:
    one = Record(1, 10**18, shared(A, B).subject, b"", ((MESSAGE_ID, "same"),))
    again = Record(2, 10**18, shared(A, B).subject, b"", ((MESSAGE_ID, "same"),))
    result = await import_records(log, [one, again], "test")
    assert (result.appended, result.present) == (1, 1)


async def test_equal_events_at_different_places_are_two(log: EventLog) -> None:
    records = records_of(shared(A, B), shared(A, B))
    assert (await import_records(log, records, "test")).appended == 2


async def test_what_the_server_still_takes_for_a_duplicate_is_said_and_not_tried_for_ever(
    link: Link,
) -> None:
    log = await EventLog.create(link, NATSTER, LogSettings(deny_delete=False))
    records = recording("01")
    await import_records(log, records, "test")
    await ask_jetstream(link, f"STREAM.MSG.DELETE.{NATSTER.stream}", {"seq": 3})
    with pytest.raises(ServerError, match="duplicate"):
        await import_records(log, records, "test")


# -- in order, beside others -------------------------------------------------------------------


async def test_events_land_in_order_though_others_write_at_the_same_time(
    log: EventLog, settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_events, "IMPORT_CHUNK", 40)
    records = records_of(*(shared(A, f"M{number:03}") for number in range(300)))
    other_link = await Link.open(settings)
    elsewhere = await EventLog.open(other_link, NATSTER)
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
    elsewhere = await EventLog.open(other_link, NATSTER)
    results = await asyncio.gather(
        import_records(log, records, "one"), import_records(elsewhere, records, "two")
    )
    await other_link.close()
    assert [essence(r) for r in await records_in(log)] == [essence(r) for r in records]
    assert sum(result.appended for result in results) == 100
    assert all(result.appended + result.present == 100 for result in results)


# -- what is carried ---------------------------------------------------------------------------


async def test_headers_survive_but_those_that_a_server_acts_on(log: EventLog) -> None:
    kept = (("X", "1"), ("x", "2"), ("X", "3"), (OCCURRED_AT, "2021-03-04T05:06:07Z"))
    dropped = (
        ("Nats-Expected-Last-Sequence", "77"), ("Nats-Expected-Stream", "ELSEWHERE"),
        ("Nats-Expected-Last-Subject-Sequence", "7"), ("Nats-Expected-Last-Msg-Id", "x"),
        ("Nats-Rollup", "all"), ("Nats-TTL", "1s"), ("Nats-Trace-Only", "true"),
        ("Nats-Batch-Id", "b"), ("Nats-Batch-Sequence", "1"), ("traceparent", "00-1-2-01"),
    )  # fmt: skip
    record = Record(9, 10**18, shared(A, B).subject, b"{}", ((MESSAGE_ID, "m"), *dropped, *kept))
    await import_records(log, records_of(initialized(A)), "test")
    result = await import_records(log, [record], "test")
    first, landed = await records_in(log)
    assert first.seq == 1  # not rolled up
    own = [pair for pair in landed.headers if not pair[0].startswith("Nats-Expected-")]
    assert own == [(MESSAGE_ID, "m"), *kept]
    assert ("Nats-Expected-Last-Sequence", "77") not in landed.headers
    assert result.sentences == [
        "left out 6 headers that a server would act on: Nats-Rollup, Nats-TTL, Nats-Trace-Only, "
        "Nats-Batch-Id, Nats-Batch-Sequence and 1 other names"
    ]


async def test_a_trace_goes_nowhere(log: EventLog) -> None:
    """The server publishes the trace of a stored message to whatever subject a header names."""
    await append(log, [initialized(B)])
    victim = shared(B, A).subject
    for name in ("Nats-Trace-Dest", "nats-trace-dest", "NATS-Trace-Dest"):
        record = Record(1, 10**18, shared(A, B).subject, b"", ((name, victim), (MESSAGE_ID, name)))
        await import_records(log, [record], "test")
    await ask_jetstream(
        log.link, f"STREAM.INFO.{NATSTER.stream}"
    )  # anything that is answered after the traces
    assert [r.subject for r in await records_in(log)] == [
        initialized(B).subject, *[shared(A, B).subject] * 3
    ]  # fmt: skip


async def test_header_bytes_that_are_not_utf8_survive(log: EventLog, other: EventLog) -> None:
    values = "Jos\udce9", "\u00a0caf\u00e9 ", "\udcff\udcfe", "\x1c"
    headers = tuple((f"X-{at}", value.strip(" ")) for at, value in enumerate(values))
    record = Record(1, 10**18, shared(A, B).subject, b"", headers)
    await import_records(log, [record], "test")
    await import_records(other, read(await exported(log)), "test")
    for there in (log, other):
        (landed,) = await records_in(there)
        block = landed.stored_headers
        assert isinstance(block, bytes)
        assert b"\r\nX-0: Jos\xe9\r\n" in block
        assert b"\r\nX-1: \xc2\xa0caf\xc3\xa9\r\n" in block
        assert sorted(pair for pair in landed.headers if pair[0].startswith("X-")) == [*headers]


async def test_names_that_cannot_be_sent_are_named_and_left_out(
    log: EventLog, other: EventLog
) -> None:
    block = b"NATS/1.0\r\nX Trace Id: abc\r\nx/y: 1\r\nX: kept\r\nNats-TTL: 1s\r\n\r\n"
    record = Record(1, 10**18, shared(A, B).subject, b"", block)
    report = ExportReport()
    line = report.line_of(record, NATSTER)
    assert line is not None
    assert report.sentences == [
        "import leaves out 1 header that a server would act on: Nats-TTL",
        "import leaves out 2 headers with a name that cannot be sent: 'X Trace Id', 'x/y'",
    ]
    result = await import_records(other, read([line]), "test")
    assert result.left_out.total == 3
    assert [told.replace("left out", "import leaves out") for told in result.sentences] == (
        report.sentences
    )
    (landed,) = await records_in(other)
    assert landed.header("X") == "kept"
    assert landed.header("x/y") is None


async def test_delete_markers_are_counted_and_go_nowhere(log: EventLog) -> None:
    marker = Record(2, 10**18, shared(A, B).subject, b"", (("Nats-Marker-Reason", "MaxAge"),))
    first, last = records_of(initialized(A), initialized(B))
    result = await import_records(log, [first, marker, last], "test")
    assert (result.appended, result.present, result.markers) == (2, 0, 1)
    assert result.sentences == ["left out 1 delete marker: nothing happened"]
    report = ExportReport()
    assert report.line_of(marker, NATSTER) is None
    assert report.sentences == ["1 delete marker is not exported: nothing happened"]


async def test_export_names_the_subjects_that_import_refuses() -> None:
    report = ExportReport()
    for seq, subject in enumerate(("natster.events.A", "natster.events.A.none.none.x", "x"), 7):
        assert report.line_of(Record(seq, 10**18, subject), NATSTER) is not None
    assert report.sentences == [
        "2 events are not on natster.events.*.*.*.*, the first at 7: import refuses a file that "
        "holds such lines"
    ]


async def test_an_event_keeps_its_time(log: EventLog) -> None:
    (record,) = records_of(initialized(A))
    await import_records(log, [record], "test")
    (landed,) = await records_in(log)
    assert landed.time_ns != record.time_ns
    assert landed.event_time == record.event_time
    assert landed.header(OCCURRED_AT) == "2026-11-23T03:13:15Z"


# -- what goes wrong ---------------------------------------------------------------------------


async def test_a_full_log_says_so_names_the_limit_and_the_remedy(link: Link) -> None:
    log = await EventLog.create(link, NATSTER, LogSettings(max_bytes=4_000))
    records = records_of(*(shared(A, f"M{number:03}") for number in range(100)))
    with pytest.raises(ServerError) as caught:
        await import_records(log, records, "test")
    sentence = caught.value.sentence
    assert sentence.startswith("NATSTER_EVENTS is full (")
    assert "max_bytes 4,000" in sentence
    assert "raise max_bytes of the stream, then try again" in sentence
    landed = await records_in(log)
    assert sentence.endswith(
        f"; the import stopped at the file's event {len(landed) + 1}, with {len(landed)} events "
        "imported before: repeat the command to continue there"
    )
    # What fitted is there, in order, and the rest follows when there is room.
    assert 0 < len(landed) < 100
    assert [essence(r) for r in landed] == [essence(r) for r in records[: len(landed)]]
    config = (await ask_jetstream(link, f"STREAM.INFO.{NATSTER.stream}"))["config"]
    await ask_jetstream(link, f"STREAM.UPDATE.{NATSTER.stream}", {**config, "max_bytes": 10**8})
    result = await import_records(log, records, "test")
    assert (result.appended, result.present) == (100 - len(landed), len(landed))
    assert [essence(r) for r in await records_in(log)] == [essence(r) for r in records]


async def test_a_log_that_is_full_by_number_says_so_too(link: Link) -> None:
    log = await EventLog.create(link, NATSTER, LogSettings())
    config = (await ask_jetstream(link, f"STREAM.INFO.{NATSTER.stream}"))["config"]
    await ask_jetstream(link, f"STREAM.UPDATE.{NATSTER.stream}", {**config, "max_msgs": 3})
    await log.refresh()
    with pytest.raises(ServerError, match=r"NATSTER_EVENTS is full .*max_msgs 3.*: raise max_msgs"):
        await import_records(log, recording("01"), "test")


async def test_an_event_larger_than_the_server_takes_is_a_sentence(log: EventLog) -> None:
    small = Record(6, 10**18, shared(A, B).subject)
    record = Record(7, 10**18, shared(A, B).subject, b"x" * (log.link.info.max_payload + 1))
    with pytest.raises(ServerError, match="stopped at the file's event 7, with 1 event imported"):
        await import_records(log, [small, record, small], "test")
    assert (await log.refresh()).last_seq == 1
