"""The event log: one JetStream stream, appended to and read, never changed otherwise.

This module creates a log or adopts an existing one, reads by sequence, and appends with expected
sequences. It never updates, purges or deletes an existing log.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from natster_tui.errors import ApiError, LogChangedError, MissingLogError
from natster_tui.events.event import MESSAGE_ID, Record, StoredMessage
from natster_tui.events.log.info import LogInfo
from natster_tui.events.system import EventSystem
from natster_tui.store.connection.answers.streams import StreamInfoAnswer
from natster_tui.store.connection.api_codes import REPLICAS_NOT_SUPPORTED
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.streams import (
    find_stream,
    last_message,
    message_at,
    next_message,
)
from natster_tui.store.connection.together import together
from natster_tui.store.log_config import LogSettings, log_info, stream_config
from natster_tui.store.provisioning.maker import BucketMaker
from natster_tui.store.reading.gap_check import GapCheck
from natster_tui.store.reading.leader import StreamLeader
from natster_tui.store.reading.pull_size import FOLLOWING_MESSAGES, GATHERS_S, Window
from natster_tui.store.reading.ranges import read_filtered, read_messages, read_range
from natster_tui.store.reading.stream_reader import StreamReader
from natster_tui.store.sealing.values import PlainSealing, Sealing, is_sealable
from natster_tui.store.writing.appending import Appender

CLUSTER_FOR_THREE_REPLICAS = 3


@dataclass(frozen=True, slots=True)
class Append:
    """One message to append; `headers` must hold its Nats-Msg-Id."""

    subject: str
    payload: bytes
    headers: tuple[tuple[str, str], ...] = field(default=())

    @property
    def message_id(self) -> str:
        """The message id, or an empty string."""
        return next((value for name, value in self.headers if name == MESSAGE_ID), "")


class EventLog:
    """The log, reached over a link. `info` is as of the last `refresh`."""

    def __init__(
        self, link: Link, info: LogInfo, system: EventSystem, sealing: Sealing | None = None
    ) -> None:
        self.system = system
        """The kinds of events that it holds, and their subjects."""
        self.link = link
        self.info = info
        self.sealing: Sealing = sealing or PlainSealing()
        self.buckets = BucketMaker(link, replicas=info.replicas, log_limit=info.max_bytes)
        """Creates the buckets that belong to the log."""
        self.appender = Appender(self)
        self.leader = StreamLeader(link, info.stream, info.created, info.subjects)
        """Knows which sequences were deleted from the log."""

    @property
    def identity(self) -> tuple[object, ...]:
        """A value that changes when data read earlier may no longer be shown.

        It covers the log itself, the erasures, and the available keys.
        """
        sealing = self.sealing
        return (self.info.stream, self.info.created, sealing.tombstones, sealing.problems)

    @classmethod
    async def open(cls, link: Link, system: EventSystem) -> EventLog:
        """Open the existing log; raises MissingLogError if there is none."""
        return cls(link, await _read_info(link, system), system)

    @classmethod
    async def create(cls, link: Link, system: EventSystem, settings: LogSettings) -> EventLog:
        """Create the log; raises ApiError if the server refuses or the name is taken."""
        replicas = replicas_of_new_log(link, settings)
        if settings.replicas is None and replicas > 1:
            several = settings.model_copy(update={"replicas": replicas})
            try:
                return await cls.create(link, system, several)
            except ApiError as error:
                # Another refusal may pass, and the replicas of a log are never changed later.
                if error.code != REPLICAS_NOT_SUPPORTED:
                    raise
            replicas = 1
        config = stream_config(system, settings, replicas)
        await link.ask(f"STREAM.CREATE.{system.stream}", StreamInfoAnswer, config)
        return await cls.open(link, system)

    @property
    def stream(self) -> str:
        """The stream's name."""
        return self.info.stream

    async def refresh(self) -> LogInfo:
        """Read the log's current state from the server.

        Raises LogChangedError if another log has the same name now: what was read or folded
        through this object does not belong to it.
        """
        info = await _read_info(self.link, self.system)
        if info.created != self.info.created:
            raise LogChangedError(
                f"{info.stream} was deleted and made again at {info.created}: "
                "this is not the log that was being read"
            )
        self.info = info
        return info

    async def record_at(self, seq: int) -> Record | None:
        """The record at a sequence, or None if there is none or it was deleted."""
        record = await message_at(self.link, self.stream, seq)
        return None if record is None else (await self.sealing.open_records([record]))[0]

    async def records(
        self,
        first: int,
        last: int,
        *,
        purpose: str,
        instance: str,
        subject_filter: str = "",
        known_from: int | None = None,
    ) -> AsyncGenerator[list[Record], None]:
        """Records from `first` to `last` inclusive, in batches; close it when leaving early.

        Ends without an error only if they are all that the log holds in that range. Messages from
        `known_from` on are known to exist: LogChangedError is raised if one of them is removed
        before it is read. By default this applies to everything after the first record.
        """
        if subject_filter:
            read = read_filtered(
                self.leader,
                first,
                last,
                subject_filter,
                purpose=purpose,
                instance=instance,
                replicas=self.info.replicas,
            )
        else:
            read = read_range(
                self.leader,
                first,
                last,
                purpose=purpose,
                instance=instance,
                known_from=known_from,
            )
        async with aclosing(read) as batches:
            async for batch in batches:
                yield await self.sealing.open_records(batch)

    def messages(
        self, first: int, last: int, *, purpose: str, instance: str, known_from: int | None = None
    ) -> AsyncGenerator[list[StoredMessage], None]:
        """The messages of a range, with payloads as stored; otherwise the same as `records`."""
        return read_messages(
            self.leader, first, last, purpose=purpose, instance=instance, known_from=known_from
        )

    def reader(
        self,
        start: int,
        *,
        purpose: str,
        instance: str,
        slice_messages: int | None = None,
    ) -> StreamReader:
        """Follow the log from `start` on, at the caller's pace."""
        return StreamReader(
            self.link,
            self.stream,
            start,
            purpose=purpose,
            instance=instance,
            gaps=GapCheck(self.leader, checks_all=True),
            window=Window(FOLLOWING_MESSAGES, gathers_s=GATHERS_S),
            slice_messages=slice_messages,
        )

    async def last_of_subject(self, subject_filter: str) -> int:
        """The sequence of the newest event that matches a filter; 0 if none does."""
        found = await last_message(self.link, self.stream, subject_filter)
        return 0 if found is None else found.seq

    async def clear_payload(self) -> int:
        """The sequence of an event that needs a payload, and whose payload is not sealed.

        Only the first and the newest of each kind are checked; 0 if all of them are sealed.
        """
        system = self.system
        wanted = [system.subject(event=kind.name) for kind in system.needing_payload]
        ends = await together(
            *(next_message(self.link, self.stream, 1, each) for each in wanted),
            *(last_message(self.link, self.stream, each) for each in wanted),
        )
        for record in ends:
            if record is not None and is_sealable(record.payload):
                return record.seq
        return 0

    async def confirm(self, subject: str) -> None:
        """Check, before the first event is appended, that this log would store it.

        Appending checks the same. Call this early, beside other work, to save time. Raises
        MisplacedWriteError, ServerError.
        """
        await self.appender.confirm(subject)

    async def append(self, message: Append, *, expected_last: int, expected_subject: str) -> int:
        """Append one event, unless a newer one matches a subject; see `Appender.one`."""
        return await self.appender.one(message, expected_last, expected_subject)

    async def append_all(self, messages: Sequence[Append], *, expected_last: int | None) -> int:
        """Append many events in order; see `Appender.many`."""
        return await self.appender.many(messages, expected_last)


def replicas_of_new_log(link: Link, settings: LogSettings) -> int:
    """How many replicas a new log should have."""
    if settings.replicas is not None:
        return settings.replicas
    # Addresses, not nodes: a node may have several.
    nodes = len(link.info.connect_urls or ())
    return 3 if nodes >= CLUSTER_FOR_THREE_REPLICAS else 1


async def _read_info(link: Link, system: EventSystem) -> LogInfo:
    stream = system.stream
    answer = await find_stream(link, stream)
    if answer is not None:
        return log_info(answer, system)
    # A server with a domain may be a leaf node, and the log in the domain of its hub.
    where = "--server and --stream"
    if link.target.is_plain and link.info.domain:
        where = f"--server, --stream and --js-domain (this is domain {link.info.domain})"
    raise MissingLogError(
        f"there is no log {stream} at {link.target.described_at(link.settings.described)} for "
        f"{link.settings.user_described}: check {where}, or make it with --create-log"
    )
