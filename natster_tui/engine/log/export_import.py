"""Carrying a log out as JSON lines, and appending such lines to a log without doubling any.

Form and identity of events: `natster_tui.events.log.lines`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field

from natster_tui.errors import RefusedError, UsageError
from natster_tui.events.event import SUBJECTS, Record
from natster_tui.events.log.lines import (
    BadLineError,
    decode_line,
    encode_line,
    event_identity,
    imported_headers,
)
from natster_tui.events.sealed_payload import Unopened
from natster_tui.store.log import Append, EventLog

IMPORT_CHUNK = 5_000
ONE_BY_ONE = 20
REASONS_TOLD = 3

_LOG_SUBJECT = re.compile(re.escape(SUBJECTS).replace(r"\*", r"[^.]+"))


@dataclass(frozen=True, slots=True)
class ImportResult:
    """How many events were appended, and how many were there already."""

    appended: int
    present: int


@dataclass(slots=True)
class NotOpened:
    """The events of an export that were to be opened and did not open, counted by the reason."""

    sealed: Counter[str] = field(default_factory=Counter)
    """What their key could still open: they are written as they are stored."""
    erased: Counter[str] = field(default_factory=Counter)
    """What nobody can ever open: they are written empty."""

    @property
    def sentences(self) -> list[str]:
        """What became of them and why, the commonest reasons first; none if all did open."""
        became = (("stayed sealed", self.sealed), ("came out empty", self.erased))
        return [_counted(how, reasons) for how, reasons in became if reasons]

    def payload(self, record: Record) -> bytes | None:
        """What to write for a sealed record; None for what is stored."""
        assert record.seal is not None
        match record.seal.unopened:
            case None:
                return record.payload
            case Unopened.ERASED:
                # It folds as it does here: an initialization counts without a name, a binding
                # not at all. Sealed, no other log would take it, and all others with it.
                self.erased[record.seal.reason] += 1
                return b""
            case _:
                self.sealed[record.seal.reason] += 1
                return None


def _counted(how: str, reasons: Counter[str]) -> str:
    told = [reason for reason, _count in reasons.most_common(REASONS_TOLD)]
    more = len(reasons) - len(told)
    also = f"; and {more:,} other reasons" if more else ""
    count = reasons.total()
    return f"{count:,} {'event' if count == 1 else 'events'} {how}: {'; '.join(told)}{also}"


async def export_lines(
    log: EventLog, since: int, instance: str, *, opened: NotOpened | None = None
) -> AsyncGenerator[str, None]:
    """The events from sequence `since` to the head as it is now, one line each.

    Payloads are as stored; with `opened` they are opened, and those that do not open are counted
    there.
    """
    info = await log.refresh()
    async with aclosing(
        log.records(since, info.last_seq, purpose="export", instance=instance)
    ) as batches:
        async for batch in batches:
            for record in batch:
                payload = None
                if opened is not None and record.seal is not None:
                    payload = opened.payload(record)
                yield encode_line(record, payload)


def read_lines(lines: Iterable[str], name: str) -> list[Record]:
    """The records of a file; raises UsageError naming the first bad line and what is wrong."""
    records = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            records.append(_event_of(line))
        except BadLineError as error:
            raise UsageError(
                f"line {number} of {name} is not an event ({error}): nothing was imported"
            ) from error
    return records


def _event_of(line: str) -> Record:
    """The event that a line stands for; raises BadLineError.

    Only the log's own subjects are let through. To append is to publish, and on another subject
    that may mean anything to anybody, up to a request to JetStream that deletes the log.
    """
    record = decode_line(line)
    if _LOG_SUBJECT.fullmatch(record.subject) is None:
        raise BadLineError(f"its subject is not one of {SUBJECTS}")
    return record


async def import_records(log: EventLog, records: list[Record], instance: str) -> ImportResult:
    """Append what is not in the log yet, in order.

    Every append expects to follow exactly on what we have seen, so an event that another writer
    puts in between is looked at before we go on, and nothing is ever doubled or reordered.
    Raises RefusedError, at the end, when some are stored that nobody can read: their account was
    erased while they were on their way.
    """
    await _refuse_what_stays_closed(log, records)
    present: set[str] = set()
    seen = 0
    before, erased = log.appended, log.sealing.tombstones
    waiting = [(event_identity(record), record) for record in records]
    first_new = log.info.last_seq + 1
    total = len(waiting)
    while True:
        info = await log.refresh()
        async for batch in _records_after(log, seen, info.last_seq, instance):
            present.update(map(event_identity, batch))
        seen = info.last_seq
        fresh: dict[str, Record] = {}
        for identity, record in waiting:
            if identity not in present:
                fresh.setdefault(identity, record)
        waiting = list(fresh.items())
        if not waiting:
            appended = log.appended - before
            await log.sealing.refresh()
            if appended and log.sealing.tombstones != erased:
                await _refuse_what_was_erased(log, records, first_new, seen, instance)
            return ImportResult(appended, total - appended)
        chunk = [
            Append(record.subject, record.payload, imported_headers(record))
            for _identity, record in waiting[:IMPORT_CHUNK]
        ]
        landed = await log.append_all(chunk, expected_last=seen)
        # They stand right behind what was seen, so only what others wrote is left to look at.
        present.update(identity for identity, _record in waiting[:landed])
        seen += landed


async def _refuse_what_stays_closed(log: EventLog, records: list[Record]) -> None:
    """Sealed payloads belong to a keyring; without it they would stop a projector for good."""
    for record in await log.sealing.open_records(records):
        if record.seal is not None and record.seal.unopened is Unopened.UNAVAILABLE:
            raise RefusedError(
                f"event {record.seq:,} is sealed with the key {record.seal.key_id}, which is not "
                f"available here ({record.seal.reason}): export it with --open, or bring the keys "
                "first; nothing was imported"
            )


async def _refuse_what_was_erased(
    log: EventLog, records: list[Record], first: int, last: int, instance: str
) -> None:
    """Events of ours from `first` on that were sealed with a key that is destroyed by now."""
    ours = {event_identity(record) for record in records}
    found = [
        record
        async for batch in _records_after(log, first - 1, last, instance)
        for record in batch
        if record.seal is not None
        and record.seal.unopened is Unopened.ERASED
        and event_identity(record) in ours
    ]
    if found:
        raise RefusedError(
            f"everything was imported, but {len(found):,} of the events, the first at "
            f"{found[0].seq:,}, are of an account that was erased meanwhile: nobody can read what "
            "they say"
        )


async def _records_after(
    log: EventLog, seq: int, last: int, instance: str
) -> AsyncGenerator[list[Record], None]:
    """What came in after a sequence; a few are asked for singly, which is over sooner."""
    if last - seq <= ONE_BY_ONE:
        found = [await log.record_at(each) for each in range(seq + 1, last + 1)]
        yield [record for record in found if record is not None]
        return
    async with aclosing(log.records(seq + 1, last, purpose="import", instance=instance)) as batches:
        async for batch in batches:
            yield batch
