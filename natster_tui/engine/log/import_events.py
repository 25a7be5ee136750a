"""Appending the events of a file to a log, in order, none of them twice.

`natster_tui.events.log.identity` decides which events are the same, and under which id one is
stored. `natster_tui.events.log.carried` decides which headers are imported.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import islice

from natster_tui.errors import NatsterError, RefusedError, ServerError
from natster_tui.events.event import Record
from natster_tui.events.log.carried import DroppedHeaders, imported_headers
from natster_tui.events.log.identity import Identities, Placement
from natster_tui.events.log.key_lines import KeyLine
from natster_tui.events.sealed_payload import Unopened
from natster_tui.store.log import Append, EventLog
from natster_tui.store.sealing.key_transfer import OfferedKeys, import_keys, plan_keys
from natster_tui.store.sealing.values import open_record
from natster_tui.text.counting import counted

IMPORT_CHUNK = 5_000
ONE_BY_ONE = 20


@dataclass(slots=True)
class ImportResult:
    """What an import did, counted. `appended` and `present` are events."""

    appended: int = 0
    present: int = 0
    """Events that the log held already, or that came earlier in the file."""
    renamed: int = 0
    """Appended events that got a new message id, because another event has theirs."""
    erased: int = 0
    """Events of the file that are sealed with a key that was destroyed."""
    markers: int = 0
    """Delete markers, which are not events and not imported."""
    keys: int = 0
    """Data keys that were added."""
    erasures: int = 0
    """Accounts whose erasure was added."""
    left_out: DroppedHeaders = field(default_factory=DroppedHeaders)
    """Headers that were not imported."""

    @property
    def sentences(self) -> list[str]:
        """What is not usual about the import, one sentence each."""
        sentences = []
        if self.keys or self.erasures:
            sentences.append(
                f"{counted(self.keys, 'data key')} and {counted(self.erasures, 'erasure')} were "
                "added to the keys"
            )
        if self.renamed:
            sentences.append(
                f"{counted(self.renamed, 'event')} got an id of the import, because another event "
                "has theirs"
            )
        if self.erased:
            sentences.append(
                f"{counted(self.erased, 'event')} of the file can never be read: their keys were "
                "erased"
            )
        if self.markers:
            sentences.append(f"left out {counted(self.markers, 'delete marker')}: nothing happened")
        return sentences + self.left_out.sentences("left out")


async def import_records(
    log: EventLog, events: Iterable[Record], instance: str, keys: Sequence[KeyLine] = ()
) -> ImportResult:
    """Append what is not in the log yet, in order; `events` is iterated over several times.

    Everything that can be refused is refused before anything is written. A later error says at
    which event the import stopped; repeating the import continues there. Raises RefusedError at
    the end if stored events cannot be read because their account was erased during the import.
    """
    work = _Import(log, events, instance)
    await work.open_keys(keys)
    await work.check_file()
    await work.read_log()
    await work.refuse_unrenamable()
    await work.add_keys()
    await work.append()
    return work.result


class _Import:
    """One import. `seen` is the sequence up to which the log was read."""

    def __init__(self, log: EventLog, events: Iterable[Record], instance: str) -> None:
        self.log = log
        self.result = ImportResult()
        self.seen = 0
        self.identities = Identities()
        self._events = events
        self._instance = instance
        self._offered: OfferedKeys | None = None
        self._has_sealed = False

    @property
    def events(self) -> Iterator[Record]:
        """The events of the file, from the beginning, without delete markers."""
        return (record for record in self._events if not record.is_marker)

    # -- before anything is written ----------------------------------------------------------

    async def open_keys(self, lines: Sequence[KeyLine]) -> None:
        """Open the keys of the file. Raises RefusedError if they cannot be added."""
        if not lines:
            return
        keyring = self.log.sealing.keyring
        if keyring is None:
            raise RefusedError("no keys are in use here; nothing was imported")
        try:
            self._offered = OfferedKeys.of(lines, keyring.key_file)
        except RefusedError as error:
            raise RefusedError(f"{error.sentence}; nothing was imported") from error
        await keyring.refresh()
        plan_keys(self._offered, keyring)

    async def check_file(self) -> None:
        """Note the identity of all events; raises RefusedError at one that cannot be opened.

        A sealed payload without its key would stop every projector.
        """
        for batch in _chunks(self._events):
            events = [record for record in batch if not record.is_marker]
            self.result.markers += len(batch) - len(events)
            for record in events:
                self.identities.expect(record)
                self.result.left_out.count(record)
            for record in await self._opened(events):
                if record.seal is None:
                    continue
                self._has_sealed = True
                self.result.erased += record.seal.unopened is Unopened.ERASED
                if record.seal.unopened is Unopened.UNAVAILABLE:
                    raise RefusedError(
                        f"event {record.seq:,} is sealed with the key {record.seal.key_id}, which "
                        f"is not available here ({record.seal.reason}): export it with --open, or "
                        "with --keys; nothing was imported"
                    )

    async def _opened(self, records: list[Record]) -> list[Record]:
        """Open records with the keys of the log, or else with those of the file."""
        opened = await self.log.sealing.open_records(records)
        offered = self._offered
        if offered is None:
            return opened
        return [
            open_record(offered.table, record)
            if record.seal is not None and record.seal.unopened is Unopened.UNAVAILABLE
            else record
            for record in opened
        ]

    async def read_log(self) -> None:
        """Note the events that were stored since the last call."""
        info = await self.log.refresh()
        async for batch in _records_after(self.log, self.seen, info.last_seq, self._instance):
            for record in batch:
                self.identities.stored(record)
        self.seen = info.last_seq

    async def refuse_unrenamable(self) -> None:
        """Raise RefusedError if the log does not seal, and a sealed event needs another message id.

        A sealed payload is bound to its message id, so this one would be stored in clear.
        """
        if self.log.sealing.seals or not self._has_sealed:
            return
        placed = [place for record in self.events if (place := self.identities.place(record))]
        for batch in _chunks(place.record for place in placed if place.is_renamed):
            for record in await self._opened(batch):
                if _is_open(record):
                    raise RefusedError(f"{_would_be_in_clear(record)}; nothing was imported")
        for place in placed:
            self.identities.take_back(place)

    # -- writing -----------------------------------------------------------------------------

    async def add_keys(self) -> None:
        """Add the keys of the file, before the first event that needs one."""
        keyring = self.log.sealing.keyring
        if self._offered is None or keyring is None:
            return
        plan = await import_keys(keyring, self._offered)
        self.result.keys, self.result.erasures = plan.keys, plan.erasures
        await self.log.sealing.refresh()

    async def append(self) -> None:
        """Append what is new, a chunk at a time.

        Every append expects the log's last sequence that we have read. So an event that another
        writer appends in between is read first, and nothing is duplicated or reordered.
        """
        first_new = self.log.info.last_seq + 1
        erased = self.log.sealing.tombstones
        for batch in _chunks(self.events):
            waiting = batch
            while waiting:
                waiting = await self._append_some(waiting)
        if not self.result.appended:
            return
        await self.log.sealing.refresh()
        if self.log.sealing.tombstones != erased:
            await self._refuse_erased(first_new)

    async def _append_some(self, records: list[Record]) -> list[Record]:
        """Append those of some records that are new; returns those that are not stored yet."""
        places = []
        for record in records:
            place = self.identities.place(record)
            if place is None:
                self.result.present += 1
            else:
                places.append(place)
        if not places:
            return []
        before = self.log.appender.appended
        try:
            messages = await self._messages(places)
            landed = await self.log.append_all(messages, expected_last=self.seen)
        except NatsterError as error:
            done = self.log.appender.appended - before
            raise self._stopped(error, places[min(done, len(places) - 1)], done) from error
        # Of several in flight, one may conflict with the same event of another import, and later
        # ones are stored all the same. The next read of the log finds them; they count once.
        appended = max(landed, self.log.appender.appended - before)
        self.result.appended += appended
        self.result.present -= appended - landed
        self.result.renamed += sum(place.has_lost_its_id for place in places[:landed])
        # They follow directly on what was read, so only other writers' events are left to check.
        self.seen += landed
        if landed == len(places):
            return []
        for place in places[landed:]:
            self.identities.take_back(place)
        await self.read_log()
        return [place.record for place in places[landed:]]

    async def _messages(self, places: list[Placement]) -> list[Append]:
        """What to append; a sealed event that gets another id is sealed again under that id."""
        renamed = [place.record for place in places if place.is_renamed]
        opened = iter(await self.log.sealing.open_records(renamed))
        messages = []
        for place in places:
            payload = place.record.payload
            if place.is_renamed and _is_open(record := next(opened)):
                if not self.log.sealing.seals:
                    raise RefusedError(_would_be_in_clear(record))
                payload = record.payload
            headers = imported_headers(place.record, place.message_id)
            messages.append(Append(place.record.subject, payload, headers))
        return messages

    def _stopped(self, error: NatsterError, at: Placement, done: int) -> NatsterError:
        """The same error, which adds where the import stopped and what to do next."""
        count = self.result.appended + done
        sentence = (
            f"{error.sentence}; the import stopped at the file's event {at.record.seq:,}, with "
            f"{counted(count, 'event')} imported before: repeat the command to continue there"
        )
        kind = ServerError if isinstance(error, ServerError) else RefusedError
        return kind(sentence)

    async def _refuse_erased(self, first_new: int) -> None:
        """Raise RefusedError if events of ours are sealed with a key that was destroyed since."""
        found = [
            record
            async for batch in _records_after(self.log, first_new - 1, self.seen, self._instance)
            for record in batch
            if record.seal is not None
            and record.seal.unopened is Unopened.ERASED
            and self.identities.expects(record)
        ]
        if found:
            raise RefusedError(
                f"everything was imported, but {len(found):,} of the events, the first at "
                f"{found[0].seq:,}, are of an account that was erased during the import: what they "
                "say can never be read"
            )


def _chunks(records: Iterable[Record]) -> Iterator[list[Record]]:
    remaining = iter(records)
    while chunk := list(islice(remaining, IMPORT_CHUNK)):
        yield chunk


def _is_open(record: Record) -> bool:
    """Whether a payload was sealed, and could be opened."""
    return record.seal is not None and record.seal.unopened is None


def _would_be_in_clear(record: Record) -> str:
    return (
        f"event {record.seq:,} is sealed and needs another message id, for it has none or another "
        "event has it, but this log does not seal, and would store it in clear: import it into a "
        "sealed log, or export it with --open"
    )


async def _records_after(
    log: EventLog, seq: int, last: int, instance: str
) -> AsyncGenerator[list[Record], None]:
    """The records after a sequence; a few are requested one by one, which is faster."""
    if last - seq <= ONE_BY_ONE:
        found = [await log.record_at(each) for each in range(seq + 1, last + 1)]
        yield [record for record in found if record is not None]
        return
    async with aclosing(log.records(seq + 1, last, purpose="import", instance=instance)) as batches:
        async for batch in batches:
            yield batch
