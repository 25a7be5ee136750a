"""The log for the timeline: the head as it moves, and any record by its sequence.

Records are kept in pages, with a limit on their number and bytes. A missing page is fetched in the
background; `notify` is called when it has arrived, and the caller asks again.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import aclosing

from natster_tui.engine.interactive_priority import InteractivePriority
from natster_tui.engine.log.rate import RateMeter
from natster_tui.engine.log.record_parser import RecordParser
from natster_tui.events.event import Record
from natster_tui.store.log import EventLog
from natster_tui.store.reading.stream_reader import StreamReader

PAGE = 200
PAGES_KEPT = 100
PAGES_WANTED = 80
"""Page requests kept at a time; pages that were scrolled past are not fetched."""
BYTES_KEPT = 32 * 1024 * 1024


class _Page:
    """The records of one page. It is complete up to the sequence `upto`."""

    __slots__ = ("bytes", "records", "upto")

    def __init__(self, before: int) -> None:
        self.records: dict[int, Record] = {}
        self.upto = before
        self.bytes = 0

    def put(self, record: Record) -> None:
        if record.seq not in self.records:
            self.bytes += len(record.payload) + 200
        self.records[record.seq] = record


class LogFollower:
    """Follows one log's head, and pages through all of it."""

    def __init__(
        self,
        instance: str,
        notify: Callable[[], None] = lambda: None,
        interactive_priority: InteractivePriority | None = None,
        record_parser: RecordParser | None = None,
    ) -> None:
        self.first = 1
        self.head = 0
        self.meter = RateMeter()
        self.version = 0
        """Incremented at each change, so that readers can skip a refresh when nothing changed."""
        self.last_arrival: float | None = None
        """When an event last came in, in monotonic seconds."""
        self.on_live: Callable[[list[Record]], None] = lambda _records: None
        """Called with every batch of events that comes in."""
        self._last_heard: float | None = None
        self._instance = instance
        self._ring = notify
        self._interactive_priority = interactive_priority or InteractivePriority()
        self._record_parser = record_parser or RecordParser()
        self._pages: OrderedDict[int, _Page] = OrderedDict()
        self._wanted: OrderedDict[int, None] = OrderedDict()
        self._asked = asyncio.Event()
        self._identity: tuple[object, ...] = ()

    def _notify(self) -> None:
        self.version += 1
        self._ring()

    @property
    def silent_s(self) -> float:
        """Seconds since the last message or heartbeat; heartbeats come every second."""
        return 0.0 if self._last_heard is None else time.monotonic() - self._last_heard

    def get(self, seq: int) -> Record | None:
        """The record at a sequence; None if it is not cached."""
        page = self._pages.get((seq - 1) // PAGE)
        return None if page is None else page.records.get(seq)

    def is_known(self, seq: int) -> bool:
        """Whether the record at a sequence is cached, or known to be deleted."""
        page = self._pages.get((seq - 1) // PAGE)
        return page is not None and seq <= page.upto

    def want(self, first: int, last: int) -> None:
        """Fetch the missing records between two sequences; `notify` is called when they arrive."""
        for number in range((max(first, 1) - 1) // PAGE, (min(last, self.head) - 1) // PAGE + 1):
            page = self._pages.get(number)
            if page is not None and page.upto >= min((number + 1) * PAGE, self.head):
                self._pages.move_to_end(number)
                continue
            self._wanted[number] = None
            self._wanted.move_to_end(number)
        while len(self._wanted) > PAGES_WANTED:
            self._wanted.popitem(last=False)
        if self._wanted:
            self._asked.set()

    async def run(self, log: EventLog) -> None:
        """Follow until the link is lost, which is raised as ConnectionLostError."""
        info = log.info
        # What was read before may have been erased since, or may open now.
        identity = log.identity
        if self._identity != identity or info.last_seq < self.head:
            self._pages.clear()
        self._identity = identity
        self._last_heard = time.monotonic()
        self.first, self.head = max(info.first_seq, 1), info.last_seq
        self._notify()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(log, info.last_seq + 1))
            tasks.create_task(self._fetch_wanted(log))

    def set_first(self, first: int) -> None:
        """Note the log's first sequence, which rises if its first events are removed."""
        if first > self.first:
            self.first = first
            self._notify()

    async def _follow(self, log: EventLog, start: int) -> None:
        async with (
            log.reader(start, purpose="timeline", instance=self._instance) as reader,
            aclosing(reader.messages()) as batches,
        ):
            async for batch in batches:
                self._last_heard = time.monotonic()
                if not batch:
                    if reader.idle and self.head < (head := log.info.last_seq):
                        await self._move_to_head(reader, head)
                    continue
                parsed = await self._record_parser.parse(log, batch)
                records = [each.record for each in parsed]
                pace = self._interactive_priority.pace()
                for record in records:
                    if pace.is_over:
                        await pace.rest()
                    self._append(record)
                self._evict()
                self.on_live(records)
                self.meter.add(len(batch))
                self.last_arrival = time.monotonic()
                self._notify()
                await pace.rest()

    async def _move_to_head(self, reader: StreamReader, head: int) -> None:
        """Move to the log's head if the events up to it were deleted.

        Raises ServerError if they exist and are not delivered.
        """
        if await reader.has_all(head):
            self.head = max(self.head, head)
            self._notify()

    def _append(self, record: Record) -> None:
        """Add a live record to its page."""
        number = (record.seq - 1) // PAGE
        page = self._pages.get(number)
        if page is None:
            page = self._new_page(number)
        contiguous = page.upto >= min(self.head, record.seq - 1) or self.head <= number * PAGE
        page.put(record)
        if contiguous:
            page.upto = record.seq
        self.head = record.seq

    def _new_page(self, number: int) -> _Page:
        page = self._pages[number] = _Page(number * PAGE)
        return page

    async def _fetch_wanted(self, log: EventLog) -> None:
        while True:
            await self._asked.wait()
            if not self._wanted:
                self._asked.clear()
                continue
            number, _ = self._wanted.popitem()
            await self._fetch(log, number)

    async def _fetch(self, log: EventLog, number: int) -> None:
        first, last = number * PAGE + 1, min((number + 1) * PAGE, self.head)
        page = self._pages.get(number) or self._new_page(number)
        async with aclosing(
            log.records(first, last, purpose="page", instance=self._instance)
        ) as batches:
            async for batch in batches:
                for record in batch:
                    page.put(record)
        page.upto = max(page.upto, last)
        self._pages[number] = page
        self._pages.move_to_end(number)
        self._evict()
        self._notify()

    def _evict(self) -> None:
        held = sum(page.bytes for page in self._pages.values())
        while len(self._pages) > 1 and (len(self._pages) > PAGES_KEPT or held > BYTES_KEPT):
            _, page = self._pages.popitem(last=False)
            held -= page.bytes
