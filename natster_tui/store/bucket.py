"""A projection's bucket: its documents and its checkpoint, written together or not at all.

Only this module stores projections. Changed documents and the checkpoint go into one atomic batch
(NATS ADR-50). The checkpoint comes last and expects its own revision, so the whole batch of a
writer with a stale view is refused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Any, NamedTuple

from natster_tui.errors import ApiError, BucketError, ConflictError, ServerError
from natster_tui.events.event import MARKER_REASON, Record, StoredMessage, as_records
from natster_tui.events.log.hazards import bucket_refuses
from natster_tui.projections.api import CHECKPOINT_KEY
from natster_tui.projections.fold import Fold
from natster_tui.projections.paging import document_key
from natster_tui.store.connection.answers.streams import DoneAnswer
from natster_tui.store.connection.api_codes import STREAM_NOT_FOUND
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.streams import find_stream, last_message
from natster_tui.store.connection.together import together
from natster_tui.store.connection.wire import KV_OPERATION, is_removal
from natster_tui.store.provisioning.batch_writing import commit_batch
from natster_tui.store.provisioning.converting import convert_bucket, refuse_unconvertible
from natster_tui.store.provisioning.maker import BucketMaker, projection_spec
from natster_tui.store.provisioning.retention import unfit_setting
from natster_tui.store.provisioning.specs import BESIDE_MARK
from natster_tui.store.reading.stream_reader import StreamReader, start_reader
from natster_tui.store.sealing.values import PlainSealing, Sealing
from natster_tui.store.writing.atomic_batch import (
    BATCH_ID,
    BATCH_LIMIT,
    BatchMessage,
    is_unfinished,
)
from natster_tui.store.writing.stream_writer import confirm_early

HEADER_ALLOWANCE = 512
"""Bytes of the message size limit that our own headers may need."""

_IN_BATCH = BATCH_ID.encode()
_OPERATION, _MARKER = KV_OPERATION.encode(), MARKER_REASON.encode()

Sent = dict[str, tuple[bytes, int | None]]
"""Entries as they were sent: by key, the value, and the hash of its sealed form.

The hash is None if the value was not sealed. A value that is read back as it was sent need not be
opened. Keeping the sealed bytes would take as much memory as all documents. Python's hash of bytes
has 64 bits and a random key for each process, so other bytes do not have the same one, neither by
accident nor on purpose.
"""


class StoredEntry(NamedTuple):
    """One stored value, opened: the bytes, the revision, and whether one of our batches wrote it.

    `sealed` says whether it is stored sealed. `unopened` says why it could not be opened; `value`
    is then the stored bytes.
    """

    value: bytes
    revision: int
    time_ns: int
    from_batch: bool
    sealed: bool = False
    unopened: str = ""


@dataclass(frozen=True, slots=True)
class BucketInfo:
    """What the server says about a bucket."""

    exists: bool
    allow_atomic: bool = False
    last_revision: int = 0
    replicas: int = 1
    values: int = 0
    beside: str = ""
    """The bucket that its mark says it is stored beside; empty without that mark."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The content of a bucket at one instant, with the checkpoint apart from the documents.

    `documents` holds the entries as stored; this layer does not join the pages of a large document.
    `removed_at` is the revision of the delete marker if the checkpoint was deleted.
    """

    documents: dict[str, StoredEntry]
    checkpoint: StoredEntry | None
    last_revision: int
    removed_at: int = 0

    @property
    def checkpoint_revision(self) -> int:
        """The revision that the next commit must expect; 0 when there was never a checkpoint."""
        return self.removed_at if self.checkpoint is None else self.checkpoint.revision


@dataclass(frozen=True, slots=True)
class EntryLimit:
    """The largest value of an entry, in bytes, and the setting to raise for larger ones."""

    size: int
    setting: str = "max_payload on the server"


class Bucket:
    """The bucket `name`, whether it exists or not; `beside` as in `BucketSpec`."""

    def __init__(
        self,
        link: Link,
        name: str,
        instance: str,
        sealing: Sealing | None = None,
        *,
        beside: str = "",
    ) -> None:
        self.link = link
        self.name = name
        self.stream = f"KV_{name}"
        self.beside = beside
        self._instance = instance
        self._max_entry = 0
        self._unfit_setting = ""
        self.sealing: Sealing = sealing or PlainSealing()

    @property
    def entry_limit(self) -> EntryLimit:
        """What limits the size of an entry, as of the last read."""
        size, setting = self.link.info.max_payload, "max_payload on the server"
        if 0 < self._max_entry < size:
            size, setting = self._max_entry, f"max_msg_size of the stream {self.stream}"
        return EntryLimit(max(0, size - HEADER_ALLOWANCE), setting)

    async def info(self) -> BucketInfo:
        """Whether the bucket exists, and how it is set up."""
        info = await find_stream(self.link, self.stream)
        if info is None:
            self._unfit_setting = ""
            return BucketInfo(exists=False)
        self._unfit_setting = unfit_setting(self.name, info.config)
        self._max_entry = info.config.max_msg_size
        return BucketInfo(
            exists=True,
            allow_atomic=info.config.allow_atomic,
            last_revision=info.state.last_seq,
            replicas=info.config.num_replicas,
            values=info.state.messages,
            beside=(info.config.metadata or {}).get(BESIDE_MARK, ""),
        )

    async def create(self, maker: BucketMaker) -> None:
        """Create the bucket; raises ConflictError if another process created it first."""
        if not await maker.make(projection_spec(self.name, self.beside)):
            raise ConflictError(f"another process made the bucket {self.name} first")

    async def refuse_unconvertible(self, needed: int) -> None:
        """Raise RefusedError if another program's bucket cannot be converted.

        `needed` is how many bytes its entries will take.
        """
        await refuse_unconvertible(self.link, self.name, needed)

    async def convert(self) -> None:
        """Change the settings of another program's bucket for commits; its size limit stays."""
        await convert_bucket(self.link, self.name)

    async def load(self) -> Snapshot:
        """Every stored value as of one instant; see `inspect`."""
        return (await self.inspect())[1]

    async def inspect(
        self, keys: Awaitable[object] | None = None, sent: Sent | None = None
    ) -> tuple[BucketInfo, Snapshot]:
        """How the bucket is set up, and every stored value as of one instant.

        `keys` is a read of the keys that has already started, shared by several buckets. A value
        that is stored as it was `sent` is taken from there instead of being opened. The stream is
        read in revision order until nothing is pending; a value that is overwritten during the
        read comes again with its later revision. The result is a true state of the bucket only if
        no batch is half read (the server shows its messages one by one), and if the stream's
        leader has nothing that the consumer's replica lacks.
        """
        reader = StreamReader(
            self.link, self.stream, 1, purpose=f"load-{self.name}", instance=self._instance
        )
        async with AsyncExitStack() as stack:
            # The values may be sealed with keys that were added since the last read.
            info, _, failed = await together(
                self.info(), keys or self.sealing.refresh(), start_reader(stack, reader)
            )
            if info.values == 0:
                return info, Snapshot({}, None, info.last_revision)
            if failed is not None:
                raise failed
            return info, await self._read_all(reader, info, {} if sent is None else sent)

    async def _read_all(self, reader: StreamReader, info: BucketInfo, sent: Sent) -> Snapshot:
        """Read all values, at least those that the bucket held at the time of `info`."""
        documents: dict[str, StoredEntry] = {}
        checkpoint: StoredEntry | None = None
        last = removed_at = delivered = 0
        in_batch = False
        prefix = f"$KV.{self.name}.".encode()
        async with aclosing(reader.messages()) as batches:
            async for batch in batches:
                delivered += len(batch)
                for message in batch:
                    subject = message[2]
                    if not subject.startswith(prefix):
                        raise self.link.malformed(
                            f"a request for messages of {self.stream}",
                            "it sent one of another subject",
                        )
                    key, last = str(subject[len(prefix) :], "utf-8", "replace"), message[0]
                    if (entry := self._as_sent(key, message, sent)) is None:
                        entry = self._entry(key, *as_records((message,)))
                    if key == CHECKPOINT_KEY:
                        checkpoint, removed_at = entry, last
                    elif entry is None:
                        documents.pop(key, None)
                    else:
                        documents[key] = entry
                in_batch = is_unfinished(*as_records(batch[-1:])) if batch else in_batch
                if reader.pending == 0 and last >= info.last_revision and not in_batch:
                    break
                if reader.idle and await reader.has_all():
                    break
        if delivered < info.values:
            await self._refuse_if_short(delivered)
        return Snapshot(documents, checkpoint, last, 0 if checkpoint else removed_at)

    async def _refuse_if_short(self, delivered: int) -> None:
        """Raise ServerError unless the messages that did not come were removed during the read."""
        held = (await self.info()).values
        if delivered < held:
            raise ServerError(
                f"{self.stream} holds {held:,} messages, and the server delivered {delivered:,}: "
                "the read is not complete; look at the server's log, then try again"
            )

    async def read(self, key: str) -> StoredEntry | None:
        """One stored value, or None."""
        try:
            record = await last_message(self.link, self.stream, self._subject(key))
        except ApiError as error:
            if error.code == STREAM_NOT_FOUND:
                return None
            raise
        return None if record is None else self._entry(key, record)

    def _as_sent(self, key: str, message: StoredMessage, sent: Sent) -> StoredEntry | None:
        """A message of a batch as the entry that was sent, or None if it is not the same."""
        if (known := sent.get(key)) is None:
            return None
        seq, time_ns, _subject, payload, headers = message
        value, sealed = known
        if value != payload if sealed is None else sealed != hash(payload):
            return None
        if _IN_BATCH not in headers or _OPERATION in headers or _MARKER in headers:
            return None
        del sent[key]
        return StoredEntry(value, seq, time_ns, from_batch=True, sealed=sealed is not None)

    def _entry(self, key: str, record: Record) -> StoredEntry | None:
        """A message of the bucket's stream as an entry; None for the mark of a removal."""
        if is_removal(record):
            return None
        batch = record.header(BATCH_ID) is not None
        if key == CHECKPOINT_KEY:
            return StoredEntry(record.payload, record.seq, record.time_ns, batch)
        opened = self.sealing.open_document(self.name, key, record.payload)
        return StoredEntry(
            opened.value, record.seq, record.time_ns, batch, opened.sealed, opened.unopened
        )

    async def commit(
        self,
        changes: Mapping[str, bytes | None],
        checkpoint: bytes,
        expected_revision: int,
        fold: Fold[Any] | None = None,
        sent: Sent | None = None,
    ) -> int:
        """Write changed entries (None: remove) and the checkpoint; returns its revision.

        `fold` is the source of the documents. It says which account's key seals each of them, and
        which erasures it has taken into account. What is stored is noted in `sent`.

        Raises BucketError if the bucket, as of the last read, does not take entries.
        Raises ConflictError, with nothing written, if the checkpoint is no longer at
        `expected_revision` or an account was erased since the fold began. If the answer is lost
        (ServerError), the batch may be stored or not: read the bucket before going on.
        """
        if self._unfit_setting:
            raise BucketError(bucket_refuses(self.name, self._unfit_setting).sentence)
        if len(changes) >= BATCH_LIMIT:
            raise ValueError(f"{len(changes)} changes and a checkpoint do not fit in one batch")
        holder = str if fold is None else fold.holder
        accounts = {
            key: holder(document_key(key))
            for key, document in changes.items()
            if document is not None
        }
        await self.sealing.ready_for(accounts.values())
        # Do not await until everything is sealed: a value opened before an erasure must not be
        # sealed with a key made after it.
        if fold is not None and self.sealing.tombstones not in (None, fold.tombstones):
            raise ConflictError(
                f"an account's keys were erased just now: nothing was written to {self.name}"
            )
        messages = [
            BatchMessage(self._subject(key), b"", operation="DEL")
            if document is None
            else BatchMessage(self._subject(key), self._sealed(key, accounts[key], document, sent))
            for key, document in changes.items()
        ]
        messages.append(BatchMessage(self._subject(CHECKPOINT_KEY), checkpoint, expected_revision))
        return await commit_batch(self.link, self.name, messages)

    def _subject(self, key: str) -> str:
        return f"$KV.{self.name}.{key}"

    def _sealed(self, key: str, account: str, document: bytes, sent: Sent | None) -> bytes:
        """The stored form of a document, which is noted in `sent`."""
        stored = self.sealing.seal_document(self.name, key, account, document)
        if sent is not None:
            sent[key] = (document, None if stored is document else hash(stored))
        return stored

    async def confirm(self) -> None:
        """Check, before the first commit, that this bucket would store it.

        A commit checks the same, but several buckets checked together take less time. Raises
        MisplacedWriteError, ServerError.
        """
        await confirm_early(self.link, self.stream, self._subject(CHECKPOINT_KEY))

    async def purge_before(self, revision: int) -> None:
        """Remove every entry older than `revision`; the entry at `revision` stays."""
        await self.link.ask(f"STREAM.PURGE.{self.stream}", DoneAnswer, {"seq": revision})
