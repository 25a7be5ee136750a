"""The world of the state machine: one log, one bucket, and processes that can be broken.

Each process is the real engine over a link of its own. What happens to its commits is decided at
the store's seam: `Bucket.commit` and `Bucket.purge_before` are wrapped, and a link may carry a
fault for the next commit. Everything runs in one event loop that only turns while a rule waits,
so the machine decides how things interleave.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar

import pytest

from natster_tui.engine.leases import keeper as lease_keeper
from natster_tui.engine.leases.keeper import LeaseKeeper
from natster_tui.engine.projecting import bucket_watch, projector
from natster_tui.engine.projecting import writer as projection_writer
from natster_tui.engine.projecting.projector import Projector
from natster_tui.engine.rebuilding import rebuild
from natster_tui.errors import ConflictError, ConnectionLostError, ServerError
from natster_tui.events.event import Record, StoredMessage
from natster_tui.events.log.info import LogInfo
from natster_tui.events.natster import NATSTER
from natster_tui.projections import paging
from natster_tui.projections.api import Projection
from natster_tui.projections.checkpoint import Checkpoint, decode_checkpoint
from natster_tui.projections.fold import Fold
from natster_tui.store.bucket import Bucket
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.reading.stream_reader import StreamReader
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.folding import fold_all
from tests.state_machine.journal import Journal

_commit = Bucket.commit
_purge_before = Bucket.purge_before


class Fault(Enum):
    """What befalls a commit, counted from the next one."""

    CRASH_BEFORE = "the process dies before the batch is sent"
    CRASH_WITHIN = "the process dies with the batch sent, but not its end"
    CRASH_AFTER = "the process dies after the batch was committed"
    LOST_REQUEST = "no answer, and nothing was committed"
    LOST_ANSWER = "no answer, and the batch was committed"
    LATE = "no answer, and the batch is committed some time later"


CRASHES = (Fault.CRASH_BEFORE, Fault.CRASH_WITHIN, Fault.CRASH_AFTER)
LOSSES = (Fault.LOST_REQUEST, Fault.LOST_ANSWER, Fault.LATE)


Delivered = TypeVar("Delivered")


class Redelivery(Generic[Delivered]):
    """Hands out again what was handed out before: `again` of them, once."""

    def __init__(self, seq_of: Callable[[Delivered], int]) -> None:
        self.again = 0
        self._seq_of = seq_of
        self._handed_out: list[Delivered] = []

    def of(self, batch: list[Delivered]) -> list[Delivered]:
        if self.again and batch and self._handed_out:
            first = self._seq_of(batch[0])
            again = [x for x in self._handed_out[-self.again :] if self._seq_of(x) < first]
            self.again = 0
            return again + batch
        self._handed_out = (self._handed_out + batch)[-20:]
        return batch


class RedeliveringReader(StreamReader):
    """A reader that hands messages out again."""

    redelivery: Redelivery[StoredMessage]

    async def messages(self) -> AsyncGenerator[list[StoredMessage], None]:
        async with aclosing(super().messages()) as slices:
            async for messages in slices:
                yield self.redelivery.of(messages)


class LogOfAProcess(EventLog):
    """A log whose readers and reads may hand out again what they did before."""

    def __init__(self, link: Link, info: LogInfo) -> None:
        super().__init__(link, info, NATSTER)
        self.messages_again = Redelivery[StoredMessage](lambda message: message[0])
        self.records_again = Redelivery[Record](lambda record: record.seq)

    def redeliver(self, again: int) -> None:
        """Hand out this many again with what is read next."""
        self.messages_again.again = self.records_again.again = again

    def reader(self, start: int, **options: Any) -> StreamReader:
        reader = super().reader(start, **options)
        reader.__class__ = RedeliveringReader
        assert isinstance(reader, RedeliveringReader)
        reader.redelivery = self.messages_again
        return reader

    async def records(
        self, first: int, last: int, **options: Any
    ) -> AsyncGenerator[list[Record], None]:
        async with aclosing(super().records(first, last, **options)) as batches:
            async for batch in batches:
                yield self.records_again.of(batch)


@dataclass(eq=False)
class Process:
    """A process with a link of its own: a projector at work, or only a rebuild."""

    log: LogOfAProcess
    keeper: LeaseKeeper
    projector: Projector
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    fault: Fault | None = None
    fault_after: int = 0
    crashed: bool = False
    struck: int = 0
    """How many faults befell it."""
    refused: int = 0
    """How many of its commits came too late."""


@dataclass
class Late:
    """A commit that is under way somewhere between a client and the server."""

    changes: dict[str, bytes | None]
    checkpoint: bytes
    expected: int


class World:
    """One log, its projection, and who works on it."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        settings: ConnectionSettings,
        projection: Projection[Any],
        patch: pytest.MonkeyPatch,
    ) -> None:
        self.loop = loop
        self.settings = settings
        self.projection = projection
        self.processes: dict[int, Process] = {}
        self.by_link: dict[Link, Process] = {}
        self.late: list[Late] = []
        self.records: list[Record] = []
        self.model: dict[str, bytes] = {}
        """The documents that the commits which landed made."""
        self.wrong: set[str] = set()
        """Keys that were tampered with, until they are right again."""
        self.tampered = False
        """Whether keys were tampered with since the last rebuild, which a projector may await."""
        self.position: Checkpoint | None = None
        self.revision = 0
        self.targets: set[int] = set()
        """Where the rebuilds that were begun and not ended would have led, one after another."""
        self.story: list[str] = []
        """What was done, for the day when it fails."""
        self.under_way = 0
        self.may_commit = asyncio.Event()
        self.may_commit.set()
        patch.setattr(Bucket, "commit", self._seam())
        patch.setattr(Bucket, "purge_before", self._purge_seam())
        # Quicker, so that a step takes milliseconds; smaller, so that few events fill batches.
        patch.setattr(lease_keeper, "RENEW_S", 0.02)
        patch.setattr(projector, "RETRY_S", 0.02)
        patch.setattr(bucket_watch, "POLL_S", 0.02)
        patch.setattr(projection_writer, "BATCH_LIMIT", 5)
        patch.setattr(rebuild, "BATCH_LIMIT", 3)
        if isinstance(projection, Journal):
            # Its documents only grow, so that no event needs more entries than a batch has.
            patch.setattr(paging, "PAGED_FROM", 20)
            patch.setattr(paging, "PAGE_LENGTH", 2)
        defaults = StreamReader.__init__.__kwdefaults__
        assert defaults is not None
        patch.setitem(defaults, "heartbeat_s", 0.15)

    # -- processes -------------------------------------------------------------------------

    async def open(self, name: str) -> Process:
        link = await Link.open(self.settings)
        opened = await EventLog.open(link, NATSTER)
        log = LogOfAProcess(link, opened.info)
        keeper = LeaseKeeper(self.projection, name)
        process = Process(log, keeper, Projector(self.projection, name, lease=keeper))
        self.by_link[link] = process
        return process

    async def start(self, number: int, name: str) -> Process:
        process = self.processes[number] = await self.open(name)
        process.tasks = [
            asyncio.create_task(process.keeper.run(process.log)),
            asyncio.create_task(process.projector.run(process.log)),
        ]
        return process

    async def stop(self, process: Process) -> None:
        """Leave properly."""
        for task in process.tasks:
            task.cancel()
        self.raised(await asyncio.gather(*process.tasks, return_exceptions=True))
        # What was on its way lands or not; it is we who have to hear of it.
        await until(lambda: self.under_way == 0)
        await self.forget(process)

    async def die(self, process: Process) -> None:
        """Leave without a word: nothing is deleted, given back, or waited for."""
        process.crashed = True
        process.log.link._end("the process died")
        for task in process.tasks:
            task.cancel()
        self.raised(await asyncio.gather(*process.tasks, return_exceptions=True))
        await self.forget(process)

    async def forget(self, process: Process) -> None:
        await process.log.link.close()
        for number, other in list(self.processes.items()):
            if other is process:
                del self.processes[number]

    def raised(self, results: list[Any]) -> None:
        for result in results:
            if isinstance(result, asyncio.CancelledError | ConnectionLostError):
                continue
            if isinstance(result, BaseException):
                raise result

    def look_for_failures(self) -> None:
        for process in self.processes.values():
            for task in process.tasks:
                if task.done() and not process.crashed:
                    task.result()
                    raise AssertionError("a task of a process ended by itself")

    async def until(self, condition: Callable[[], object], seconds: float = 8.0) -> None:
        def met() -> object:
            self.look_for_failures()
            return condition()

        try:
            await until(met, seconds)
        except AssertionError as error:
            # A task's own failed assertion, too: it is the cause that is looked for.
            raise AssertionError("\n".join(map(self.described, self.processes.values()))) from error

    def described(self, process: Process) -> str:
        status = process.projector.status
        return (
            f"{process.keeper.me.instance}: held {process.keeper.held}, {process.keeper.waiting}"
            f", {status}, landed at {self.revision}: {self.position}, head {self.head}, "
            f"wrong {self.wrong}"
        )

    # -- the seam --------------------------------------------------------------------------

    def _seam(self) -> Callable[..., Awaitable[int]]:
        async def commit(
            bucket: Bucket,
            changes: Mapping[str, bytes | None],
            checkpoint: bytes,
            expected: int,
            *_seals_and_notes: object,
        ) -> int:
            await self.may_commit.wait()
            process = self.by_link[bucket.link]
            fault, process.fault = process.fault, None
            if fault is not None and process.fault_after > 0:
                process.fault, process.fault_after, fault = fault, process.fault_after - 1, None
            if fault is None:
                try:
                    return await self.land(bucket, dict(changes), checkpoint, expected)
                except ConflictError:
                    process.refused += 1
                    raise
            process.struck += 1
            match fault:
                case Fault.CRASH_WITHIN:
                    await self._begin_batch(bucket, changes)
                case Fault.CRASH_AFTER | Fault.LOST_ANSWER:
                    await self.land(bucket, dict(changes), checkpoint, expected)
                case Fault.LATE:
                    self.late.append(Late(dict(changes), checkpoint, expected))
                case _:
                    pass
            if fault in CRASHES:
                process.crashed = True
                # As good as dead: the machine ends it, and nothing of it goes on meanwhile.
                process.log.link._end("the process died")
                raise ConnectionLostError("the process died")
            raise ServerError("the server did not answer")

        return commit

    def _purge_seam(self) -> Callable[..., Awaitable[None]]:
        async def purge_before(bucket: Bucket, revision: int) -> None:
            await _purge_before(bucket, revision)
            self.model.clear()
            self.wrong.clear()

        return purge_before

    async def _begin_batch(self, bucket: Bucket, changes: Mapping[str, bytes | None]) -> None:
        for number, (key, document) in enumerate(changes.items(), 1):
            await bucket.link.publish(
                bucket.link.target.stored(f"$KV.{bucket.name}.{key}"),
                document or b"",
                {"Nats-Batch-Id": "never-ended", "Nats-Batch-Sequence": str(number)},
            )

    async def land(
        self,
        bucket: Bucket,
        changes: dict[str, bytes | None],
        checkpoint: bytes,
        expected: int,
    ) -> int:
        """The real commit, and what it must be when it succeeds (I1, I2 and I5)."""
        # Not to be cancelled between the answer and our taking note of it.
        return await asyncio.shield(
            asyncio.ensure_future(self._land(bucket, changes, checkpoint, expected))
        )

    async def _land(
        self, bucket: Bucket, changes: dict[str, bytes | None], checkpoint: bytes, expected: int
    ) -> int:
        self.under_way += 1
        who = self.by_link[bucket.link].keeper.me.instance
        what = (
            f"{who} commits {sorted(changes)} to {decode_checkpoint(checkpoint).seq} on {expected}"
        )
        try:
            revision = await _commit(bucket, changes, checkpoint, expected)
        except BaseException as error:
            self.story.append(f"{what}: {error!r}")
            raise
        finally:
            self.under_way -= 1
        self.story.append(f"{what}: {revision}")
        assert expected == self.revision, "two commits were made on the same state"
        position = decode_checkpoint(checkpoint)
        before = 0 if self.position is None else self.position.seq
        assert position.seq >= before, "the projection went back"
        self.revision, self.position = revision, position
        if position.rebuild is None:
            self.targets.clear()
        else:
            self.targets.add(position.rebuild.to)
        for key, document in changes.items():
            if document is None:
                self.model.pop(key, None)
            else:
                self.model[key] = document
        if position.rebuild is None:
            self.hold(self.model, position)
        return revision

    # -- what must be true -----------------------------------------------------------------

    @property
    def head(self) -> int:
        return len(self.records)

    def fold(self, upto: int) -> Fold[Any]:
        return fold_all(self.projection, self.records[:upto])

    def entries(self, upto: int) -> dict[str, bytes]:
        """The entries of all documents as of a position."""
        return {
            entry_key: entry
            for key, state in self.fold(upto).states.items()
            for entry_key, entry in paging.entries_of(self.projection, key, state).items()
        }

    def hold(self, documents: Mapping[str, bytes], position: Checkpoint) -> None:
        """These documents are what the log says up to the position (I1, and so I2)."""
        fold = self.fold(position.seq)
        expected = self.entries(position.seq)
        differing = {
            key: (documents.get(key), expected.get(key))
            for key in documents.keys() | expected.keys()
            if documents.get(key) != expected.get(key)
        }
        # A document is wrong with all its pages, and right again when the last of them is.
        self.wrong &= {paging.document_key(key) for key in differing}
        for key in list(differing):
            if paging.document_key(key) in self.wrong:
                del differing[key]
        assert differing == {}, f"at {position.seq}: {differing}"
        assert position.parked == fold.parked

    async def hold_commits(self) -> None:
        """Let none begin, and those under way end, so that the bucket can be tampered with."""
        self.may_commit.clear()
        await until(lambda: self.under_way == 0)

    def let_commits_go(self) -> None:
        self.may_commit.set()

    def started_over(self) -> None:
        """The bucket is a new one."""
        self.model.clear()
        self.wrong.clear()
        self.position, self.revision = None, 0
        self.targets.clear()
