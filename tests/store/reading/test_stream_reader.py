"""Reading a stream in order, each record once, whatever happens to the consumer."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from statistics import median
from typing import Any, ClassVar

import pytest

from natster_tui.errors import ApiError, ConnectionLostError, LogChangedError, ServerError
from natster_tui.events.event import Record
from natster_tui.events.natster import NATSTER
from natster_tui.store.connection.consumers import list_consumers
from natster_tui.store.connection.delivery_parser import Delivery
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.reading import gap_check, leader, pull_consumer, pull_size, stream_reader
from natster_tui.store.reading.gap_check import GapCheck
from natster_tui.store.reading.leader import StreamLeader
from natster_tui.store.reading.pull_consumer import PullConsumer
from natster_tui.store.reading.pull_size import Window
from natster_tui.store.reading.ranges import read_filtered, read_range
from natster_tui.store.reading.stream_reader import SLICE, StreamReader
from tests.conftest import until
from tests.jetstream import ask_jetstream
from tests.making_logs import A, B, append, event, initialized, shared


def numbered(count: int, first: int = 1) -> list[Any]:
    """Events whose payload says where they belong."""
    return [
        event("catalog_shared", A, B, f"c{number}", b"%d" % number)
        for number in range(first, first + count)
    ]


async def open_log(link: Link, **settings: Any) -> EventLog:
    return await EventLog.create(link, NATSTER, LogSettings(**settings))


async def range_of(link: Link, first: int, last: int, subject_filter: str = "") -> list[int]:
    found: list[Record] = []
    of = StreamLeader(link, NATSTER.stream)
    if subject_filter:
        batches = read_filtered(of, first, last, subject_filter, purpose="t", instance="i")
    else:
        batches = read_range(of, first, last, purpose="t", instance="i")
    async with aclosing(batches):
        async for batch in batches:
            assert batch
            found += batch
    return [record.seq for record in found]


def reader_of(link: Link, start: int = 1, **options: Any) -> StreamReader:
    return StreamReader(link, NATSTER.stream, start, purpose="t", instance="i", **options)


async def take(batches: Any, count: int) -> list[Record]:
    """At least so many records; heartbeats are passed over."""
    records: list[Record] = []
    while len(records) < count:
        records += await anext(batches)
    return records


async def consumer_names(link: Link) -> list[str]:
    return [consumer.name for consumer in await list_consumers(link, NATSTER.stream)]


# -- following ---------------------------------------------------------------------------------


async def test_a_page_does_not_ask_for_more_than_two_of_its_kind(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append(log, numbered(1_000))
    brought: list[int] = []
    take = PullConsumer._on_messages

    def counted(consumer: PullConsumer, deliveries: list[Any]) -> None:
        brought.append(len(deliveries))
        take(consumer, deliveries)

    monkeypatch.setattr(PullConsumer, "_on_messages", counted)
    assert await range_of(log.link, 501, 600) == list(range(501, 601))
    # Besides the events, a status for each request.
    assert sum(brought) <= 202


async def test_records_come_in_order_once_each_and_then_as_they_are_written(log: EventLog) -> None:
    await append(log, numbered(3 * SLICE))
    async with reader_of(log.link) as reader, aclosing(reader.batches()) as batches:
        old = await take(batches, 3 * SLICE)
        await append(log, numbered(5, 3 * SLICE + 1))
        new = await take(batches, 5)
        assert [int(record.payload) for record in old + new] == list(range(1, 3 * SLICE + 6))
        assert [record.seq for record in old + new] == list(range(1, 3 * SLICE + 6))
        assert (reader.next_seq, reader.pending, reader.restarts) == (3 * SLICE + 6, 0, 0)


async def test_batches_are_small_enough_for_a_screen(log: EventLog) -> None:
    await append(log, numbered(3 * SLICE))
    async with reader_of(log.link) as reader, aclosing(reader.batches()) as batches:
        await until(lambda: len(reader.consumer.arrived) >= 3 * SLICE)
        assert [len(await anext(batches)) for _ in range(3)] == [SLICE] * 3


async def test_a_heartbeat_hands_out_an_empty_batch(log: EventLog) -> None:
    async with (
        reader_of(log.link, heartbeat_s=0.1) as reader,
        aclosing(reader.batches()) as batches,
    ):
        assert await anext(batches) == []
        assert reader.idle
        await append(log, numbered(1))
        (record,) = await take(batches, 1)
        assert record.seq == 1


async def test_what_comes_soon_after_a_first_message_is_handed_out_with_it(log: EventLog) -> None:
    async with log.reader(1, purpose="gathering", instance="test") as reader:
        consumer = reader.consumer
        first, second = (b"1", b"", b"", None), (b"2", b"", b"", None)
        waiting = asyncio.create_task(consumer.wait(str))
        await asyncio.sleep(0)
        consumer._on_messages([first])
        await asyncio.sleep(0)
        assert not waiting.done()
        consumer._on_messages([second])
        await waiting
        assert consumer.take()[-2:] == [first, second]


async def test_it_starts_where_it_is_told(log: EventLog) -> None:
    await append(log, numbered(10))
    async with reader_of(log.link, 8) as reader, aclosing(reader.batches()) as batches:
        assert [record.seq for record in await take(batches, 3)] == [8, 9, 10]


async def test_the_consumer_is_ephemeral_in_memory_without_acks_and_marked_as_ours(
    log: EventLog,
) -> None:
    async with StreamReader(log.link, NATSTER.stream, 7, purpose="account", instance="cafe"):
        (name,) = await consumer_names(log.link)
        assert name.startswith("natster-tui-account-cafe")
        config = (await ask_jetstream(log.link, f"CONSUMER.INFO.{NATSTER.stream}.{name}"))["config"]
    assert "durable_name" not in config
    assert not {"filter_subject", "filter_subjects"} & config.keys()
    assert (config["ack_policy"], config["opt_start_seq"]) == ("none", 7)
    assert (config["mem_storage"], config["num_replicas"]) == (True, 1)
    assert config["metadata"]["natster-tui"] == "cafe"
    assert config["inactive_threshold"] > 0


async def test_no_consumer_is_left_behind(log: EventLog) -> None:
    await append(log, numbered(10))
    async with reader_of(log.link) as reader:
        await take(reader.batches(), 1)
        assert len(await consumer_names(log.link)) == 1
    assert await consumer_names(log.link) == []
    assert await range_of(log.link, 1, 10) == list(range(1, 11))
    assert await consumer_names(log.link) == []

    async def stopped_on_the_way() -> None:
        async with aclosing(read_range(log.leader, 1, 10, purpose="t", instance="i")) as some:
            async for _batch in some:
                await asyncio.get_running_loop().create_future()

    task = asyncio.create_task(stopped_on_the_way())
    names: list[str] = []
    while not names:
        names = await consumer_names(log.link)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await consumer_names(log.link) == []


# -- what can happen to a consumer -------------------------------------------------------------


async def test_a_consumer_deleted_under_the_reader_is_made_anew_where_it_was(
    log: EventLog,
) -> None:
    await append(log, numbered(3))
    async with reader_of(log.link) as reader, aclosing(reader.batches()) as batches:
        seen = await take(batches, 3)
        for round_ in range(2):
            (name,) = await consumer_names(log.link)
            await ask_jetstream(log.link, f"CONSUMER.DELETE.{NATSTER.stream}.{name}")
            await append(log, numbered(3, 4 + 3 * round_))
            seen += await take(batches, 3)
        assert [record.seq for record in seen] == list(range(1, 10))
        assert reader.restarts == 2
        assert len(await consumer_names(log.link)) == 1


async def test_a_consumer_deleted_while_much_is_under_way_loses_and_doubles_nothing(
    log: EventLog,
) -> None:
    await append(log, numbered(3_000))
    async with (
        reader_of(log.link, window=Window(100)) as reader,
        aclosing(reader.batches()) as batches,
    ):
        seen = await take(batches, 150)
        (name,) = await consumer_names(log.link)
        await ask_jetstream(log.link, f"CONSUMER.DELETE.{NATSTER.stream}.{name}")
        seen += await take(batches, 3_000 - len(seen))
        assert [record.seq for record in seen] == list(range(1, 3_001))


async def test_a_delivery_out_of_turn_makes_the_consumer_anew(log: EventLog) -> None:
    await append(log, numbered(6))
    async with reader_of(log.link) as reader:
        # As if the third delivery had been lost on the way.
        await until(lambda: len(reader.consumer.arrived) == 6)
        del reader.consumer.arrived[2]
        batches = reader.batches()
        seen = await take(batches, 6)
        await batches.aclose()
        assert [record.seq for record in seen] == list(range(1, 7))
        assert reader.restarts == 1


async def test_silence_is_looked_into(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull_consumer, "SILENCE_S", 0.1)
    await append(log, numbered(1))
    async with reader_of(log.link) as reader, aclosing(reader.batches()) as batches:
        assert len(await take(batches, 1)) == 1
        # Its inbox is gone: neither heartbeats nor events come through any more.
        assert reader.consumer._inbox is not None
        log.link.client.detach(reader.consumer._inbox._subscription._id)
        await append(log, numbered(1, 2))
        assert [record.seq for record in await take(batches, 1)] == [2]
        assert reader.restarts >= 1


async def test_a_stream_made_anew_is_not_taken_for_the_old_one(log: EventLog) -> None:
    await append(log, numbered(3))
    async with (
        reader_of(log.link, gaps=GapCheck(log.leader, checks_all=True)) as reader,
        aclosing(reader.batches()) as batches,
    ):
        await take(batches, 3)
        await ask_jetstream(log.link, f"STREAM.DELETE.{NATSTER.stream}")
        await open_log(log.link)
        with pytest.raises(LogChangedError, match="deleted and made again"):
            await take(batches, 1)


async def test_a_stream_that_is_gone_is_an_error(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull_consumer, "SILENCE_S", 0.1)
    async with reader_of(log.link) as reader, aclosing(reader.batches()) as batches:
        await ask_jetstream(log.link, f"STREAM.DELETE.{NATSTER.stream}")
        with pytest.raises(ApiError, match="stream not found"):
            await take(batches, 1)


async def test_a_lost_link_ends_the_reading(log: EventLog) -> None:
    async with reader_of(log.link) as reader, aclosing(reader.batches()) as batches:
        waiting = asyncio.create_task(take(batches, 1))
        await asyncio.sleep(0)
        await log.link.close()
        with pytest.raises(ConnectionLostError):
            await waiting


# -- memory ------------------------------------------------------------------------------------


async def test_a_slow_taker_never_has_more_than_two_windows_waiting(log: EventLog) -> None:
    window, count = 40, 300
    await append(log, numbered(count))
    async with (
        reader_of(log.link, window=Window(window)) as reader,
        aclosing(reader.batches()) as batches,
    ):
        seen: list[Record] = []
        while len(seen) < count:
            seen += await anext(batches)
            # While nothing is taken, what was asked for arrives, and no more than that.
            coming = min(reader.consumer.asked, count - len(seen))
            await until(lambda: len(reader.consumer.arrived) >= coming)  # noqa: B023 - used at once
            await ask_jetstream(log.link, "INFO")
            deliveries = [
                reply for _, reply, _, _ in reader.consumer.arrived if reply[:4] == b"$JS."
            ]
            assert len(deliveries) <= 2 * window
        assert [record.seq for record in seen] == list(range(1, count + 1))
        assert reader.restarts == 0


async def test_windows_are_bounded_in_bytes_as_well(log: EventLog) -> None:
    await append(log, [event("x", A, payload=b"x" * 1_000_000) for _ in range(20)])
    async with reader_of(log.link) as reader, aclosing(reader.batches()) as batches:
        seen: list[Record] = []
        while len(seen) < 20:
            seen += await anext(batches)
            await ask_jetstream(log.link, "INFO")
            waiting = sum(len(data) for _, _, data, _ in reader.consumer.arrived)
            assert waiting <= 2 * pull_size.WINDOW_BYTES
        assert [record.seq for record in seen] == list(range(1, 21))


async def test_an_event_larger_than_a_whole_window_is_read(log: EventLog) -> None:
    large = pull_size.WINDOW_BYTES + 1_000_000
    made = [initialized(A), event("x", A, payload=b"x" * large), *numbered(3)]
    await append(log, [*made, event("x", A, payload=b"y" * (large - 1)), initialized(B)])
    assert await range_of(log.link, 1, 7) == [1, 2, 3, 4, 5, 6, 7]


# -- ranges ------------------------------------------------------------------------------------


async def test_a_range_ends_where_it_is_told_though_the_log_goes_on(log: EventLog) -> None:
    await append(log, numbered(50))
    assert await range_of(log.link, 1, 50) == list(range(1, 51))
    assert await range_of(log.link, 3, 7) == [3, 4, 5, 6, 7]
    assert await range_of(log.link, 50, 50) == [50]
    assert await range_of(log.link, 0, 1) == [1]
    assert await range_of(log.link, 5, 4) == []
    assert await range_of(log.link, 1, 0) == []


async def test_a_range_may_end_in_deleted_messages_or_hold_nothing_else(link: Link) -> None:
    log = await open_log(link, deny_delete=False, deny_purge=False)
    await append(log, numbered(10))
    for seq in (1, 4, 9, 10):
        await ask_jetstream(link, f"STREAM.MSG.DELETE.{NATSTER.stream}", {"seq": seq})
    assert await range_of(link, 1, 10) == [2, 3, 5, 6, 7, 8]
    assert await range_of(link, 9, 10) == []
    assert await range_of(link, 1, 9) == [2, 3, 5, 6, 7, 8]
    await ask_jetstream(link, f"STREAM.PURGE.{NATSTER.stream}")
    assert await range_of(link, 1, 10) == []


async def test_a_range_of_a_stream_that_begins_later(link: Link) -> None:
    log = await open_log(link, deny_purge=False)
    await append(log, numbered(10))
    await ask_jetstream(link, f"STREAM.PURGE.{NATSTER.stream}", {"seq": 7})
    assert await range_of(link, 1, 10) == [7, 8, 9, 10]
    assert await range_of(link, 1, 6) == []


async def test_filtered_ranges(log: EventLog) -> None:
    await append(
        log, [shared(A, B, "one"), shared(B, A, "two"), initialized(A), shared(A, B, "two")]
    )
    assert await range_of(log.link, 1, 4, f"natster.events.{A}.>") == [1, 3, 4]
    assert await range_of(log.link, 1, 3, f"natster.events.{A}.>") == [1, 3]
    assert await range_of(log.link, 2, 4, "natster.events.*.*.two.*") == [2, 4]
    assert await range_of(log.link, 1, 3, "natster.events.*.*.one.*") == [1]
    assert await range_of(log.link, 1, 4, "natster.events.*.*.three.*") == []
    assert await range_of(log.link, 1, 4, "natster.events.CC.>") == []


async def test_filtered_ranges_end_though_the_server_counts_what_it_never_delivers(
    log: EventLog,
) -> None:
    """A subject with a literal `>` matches the filter when counted, and not when delivered."""
    odd = [shared(">", A), shared(A, ">"), event("x", "*", A, ">"), event(">", A, A, "kevbuzz")]
    await append(log, [shared(A, B), *odd, shared(B, A), *odd])
    assert await range_of(log.link, 1, 10, f"natster.events.*.{A}.*.*") == [6]
    assert await range_of(log.link, 1, 10, "natster.events.*.*.kevbuzz.*") == [1, 6]
    assert await range_of(log.link, 1, 10, f"natster.events.{A}.>") == [1, 3, 5, 8, 10]
    assert await range_of(log.link, 1, 10) == list(range(1, 11))


async def test_a_filtered_range_ends_while_others_keep_writing(log: EventLog) -> None:
    await append(log, numbered(20))

    async def write() -> None:
        for number in range(1_000):
            await append(log, numbered(1, 100 + number))

    writing = asyncio.create_task(write())
    try:
        for _ in range(5):
            assert await range_of(log.link, 1, 20, f"natster.events.{A}.>") == list(range(1, 21))
            assert await range_of(log.link, 11, 20) == list(range(11, 21))
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)


class Withholding(PullConsumer):
    """Consumers that hold back what stands in `held`: one set of sequences for each of them.

    A message that is held back is dropped with everything that follows, as from a replica that has
    not got it yet, or with `skips` it alone, as if the consumer had never known of it.
    """

    held: ClassVar[list[set[int]]] = []
    skips: ClassVar[bool] = False

    async def make(self, start: int) -> int | None:
        self._withheld = self.held.pop(0) if self.held else set[int]()
        self._skipped = 0
        return await super().make(start)

    def _on_messages(self, deliveries: list[Delivery]) -> None:
        kept = []
        for subject, reply, payload, headers in deliveries:
            if reply.startswith(b"$JS.ACK."):
                tokens = reply.split(b".")
                seq, number = int(tokens[-4]), int(tokens[-3])
                if seq in self._withheld:
                    if not self.skips:
                        break
                    self._skipped += 1
                    continue
                tokens[-3] = b"%d" % (number - self._skipped)
                reply = b".".join(tokens)
            kept.append((subject, reply, payload, headers))
        if kept:
            super()._on_messages(kept)


@pytest.fixture
def withholding(monkeypatch: pytest.MonkeyPatch) -> type[Withholding]:
    """Ranges are read by such consumers."""
    monkeypatch.setattr(stream_reader, "PullConsumer", Withholding)
    monkeypatch.setattr(Withholding, "held", [])
    monkeypatch.setattr(gap_check, "UNDELIVERED_S", 0.5)
    return Withholding


async def seqs_in(log: EventLog, first: int, last: int, **options: Any) -> list[int]:
    return [
        record.seq
        async for batch in log.records(first, last, purpose="t", instance="i", **options)
        for record in batch
    ]


@pytest.mark.parametrize("subject_filter", ["", f"natster.events.{A}.>"])
async def test_a_replica_that_is_behind_is_not_the_end_of_a_range(
    subject_filter: str, log: EventLog, withholding: type[Withholding]
) -> None:
    await append(log, numbered(10))
    withholding.held = [{4, 5, 6, 7, 8, 9, 10}, {8, 9, 10}]
    log.info = replace(await log.refresh(), replicas=3)
    assert await seqs_in(log, 1, 10, subject_filter=subject_filter) == list(range(1, 11))
    assert withholding.held == []


async def test_what_a_consumer_left_out_is_read_by_the_next_one(
    log: EventLog, withholding: type[Withholding], monkeypatch: pytest.MonkeyPatch
) -> None:
    await append(log, numbered(10))
    monkeypatch.setattr(withholding, "skips", True)
    withholding.held = [{1, 2}, {6}]
    assert await seqs_in(log, 1, 10) == list(range(1, 11))
    assert withholding.held == []


@pytest.mark.parametrize("withheld", [1, 5, 10], ids=["first", "middle", "last"])
@pytest.mark.parametrize("subject_filter", ["", f"natster.events.{A}.>"])
async def test_a_read_that_misses_what_the_log_holds_is_no_result(
    withheld: int, subject_filter: str, log: EventLog, withholding: type[Withholding]
) -> None:
    await append(log, numbered(10))
    withholding.held = [{withheld, *range(withheld, 11)} for _ in range(100)]
    with pytest.raises(ServerError, match=rf"holds a message at {withheld} that the server does"):
        await seqs_in(log, 1, 10, subject_filter=subject_filter)


async def test_a_message_that_was_deleted_is_not_missing(
    link: Link, withholding: type[Withholding], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = await open_log(link, deny_delete=False)
    await append(log, numbered(10))
    for seq in (1, 4, 5, 10):
        await ask_jetstream(link, f"STREAM.MSG.DELETE.{NATSTER.stream}", {"seq": seq})
    assert await seqs_in(log, 1, 10) == [2, 3, 6, 7, 8, 9]
    monkeypatch.setattr(withholding, "skips", True)
    withholding.held = [{6} for _ in range(100)]
    # Beside those that are gone there is one that is not.
    with pytest.raises(ServerError, match="holds a message at 6 that"):
        await seqs_in(log, 1, 10)


async def test_gaps_are_asked_about_once_and_a_log_without_any_costs_no_question(
    link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = await open_log(link, deny_delete=False)
    await append(log, numbered(100))
    asked: list[str] = []
    request = Link.request

    async def counted(link: Link, subject: Any, *rest: Any, **options: Any) -> bytes:
        asked.append(subject)
        return await request(link, subject, *rest, **options)

    monkeypatch.setattr(Link, "request", counted)

    async def questions(first: int, last: int) -> list[str]:
        asked.clear()
        await seqs_in(log, first, last)
        return [subject for subject in asked if ".STREAM." in subject]

    assert await questions(1, 100) == []
    for seq in (10, 20, 100):
        await ask_jetstream(link, f"STREAM.MSG.DELETE.{NATSTER.stream}", {"seq": seq})
    info = f"$JS.API.STREAM.INFO.{NATSTER.stream}"
    assert await questions(1, 100) == [info, info]
    assert await questions(5, 25) == await questions(15, 100) == []
    await ask_jetstream(link, f"STREAM.MSG.DELETE.{NATSTER.stream}", {"seq": 30})
    assert await questions(1, 9) == []
    assert await questions(1, 100) == [info, info]


async def test_more_deleted_messages_than_can_be_listed_are_asked_for_one_by_one(
    link: Link, withholding: type[Withholding], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leader, "LISTED_BYTES", 10)
    log = await open_log(link, deny_delete=False)
    await append(log, numbered(20))
    for seq in range(2, 20, 3):
        await ask_jetstream(link, f"STREAM.MSG.DELETE.{NATSTER.stream}", {"seq": seq})
    there = [seq for seq in range(1, 21) if seq % 3 != 2]
    assert await seqs_in(log, 1, 20) == [seq for seq in there if seq != 20] + [20]
    monkeypatch.setattr(withholding, "skips", True)
    withholding.held = [{9} for _ in range(100)]
    with pytest.raises(ServerError, match="holds a message at 9 that"):
        await seqs_in(log, 1, 20)


async def test_what_falls_away_while_it_is_read_is_lost_history(link: Link) -> None:
    log = await open_log(link, deny_purge=False)
    await append(log, numbered(1_000))
    async with (
        reader_of(link, gaps=GapCheck(log.leader, checks_all=True), window=Window(50)) as reader,
        aclosing(reader.batches()) as batches,
    ):
        await take(batches, 50)
        await ask_jetstream(link, f"STREAM.PURGE.{NATSTER.stream}", {"seq": 901})
        with pytest.raises(LogChangedError, match="it begins at 901 now"):
            await take(batches, 1_000)


async def test_what_fell_away_before_the_read_counts_only_where_it_was_known_to_be_there(
    link: Link,
) -> None:
    log = await open_log(link, deny_purge=False)
    await append(log, numbered(10))
    await ask_jetstream(link, f"STREAM.PURGE.{NATSTER.stream}", {"seq": 4})
    assert await seqs_in(log, 1, 10) == [4, 5, 6, 7, 8, 9, 10]
    assert await seqs_in(log, 1, 10, known_from=4) == [4, 5, 6, 7, 8, 9, 10]
    with pytest.raises(LogChangedError, match="begins at 4 now, and 1 messages that were there"):
        await seqs_in(log, 1, 10, known_from=3)


async def test_a_log_that_ends_before_the_range_was_shrunken(log: EventLog) -> None:
    await append(log, numbered(10))
    with pytest.raises(LogChangedError, match="ends at 10, and 12 was asked for"):
        await seqs_in(log, 1, 12)


async def test_a_log_as_the_reference_makes_it_is_read_the_same(link: Link) -> None:
    """Without direct reads, and without headers on its messages."""
    await ask_jetstream(
        link,
        f"STREAM.CREATE.{NATSTER.stream}",
        {
            "name": NATSTER.stream,
            "subjects": [NATSTER.subjects],
            "storage": "file",
            "allow_direct": False,
        },
    )
    log = await EventLog.open(link, NATSTER)
    for made in numbered(20):
        await link.request(made.subject, made.payload)
    assert await range_of(link, 1, 20) == list(range(1, 21))
    record = await log.record_at(7)
    assert record is not None
    assert (record.payload, record.headers) == (b"7", ())
    async with reader_of(link, 7) as reader, aclosing(reader.batches()) as batches:
        assert (await take(batches, 1))[0] == record


async def test_a_slow_caller_is_sent_what_it_works_off_in_a_moment_and_a_quick_one_more(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, each_s = 1.0, 0.0
    monkeypatch.setattr(pull_size, "monotonic", lambda: now)
    monkeypatch.setattr(pull_size, "FIRST_WINDOW", 100)
    monkeypatch.setattr(pull_size, "LEAST_WINDOW", 10)
    await append(log, numbered(4_000))
    reader = reader_of(log.link, window=Window(400, fits=True), slice_messages=10)
    quick: list[int] = []
    slow: list[int] = []
    async with reader, aclosing(reader.batches()) as batches:
        read = 0
        while read < 4_000:
            batch = await anext(batches)
            assert [record.seq for record in batch] == list(range(read + 1, read + len(batch) + 1))
            read += len(batch)
            now += len(batch) * each_s
            (slow if each_s else quick).append(reader.consumer.window.messages)
            # How the messages arrive decides how long batches are: none need end at 2,000.
            if read >= 2_000:
                each_s = pull_size.WINDOW_S / 50  # as if folding fifty took that long
    assert max(quick) == quick[-1] == 400
    # Single sizes depend on where batches end.
    assert 25 <= median(slow[len(slow) // 2 :]) < 200, slow
