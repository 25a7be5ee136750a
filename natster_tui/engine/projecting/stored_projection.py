"""A projection as it is stored: loading it with its position, and the checkpoint of a fold.

This is between the bucket (bytes) and the fold (states). It says what kind of projection a bucket
holds: none yet, ours, another version of ours, an interrupted rebuild, or another program's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from natster_tui.errors import RefusedError
from natster_tui.events.times import format_timestamp
from natster_tui.projections.api import CHECKPOINT_KEY, Projection
from natster_tui.projections.checkpoint import (
    NO_TOMBSTONES,
    BadCheckpointError,
    Checkpoint,
    decode_checkpoint,
)
from natster_tui.projections.documents import encode_document
from natster_tui.projections.fold import Fold
from natster_tui.projections.log_identity import ChangedLog, changed_log
from natster_tui.projections.paging import (
    DocumentPager,
    PagesError,
    assembled,
    by_document,
    document_key,
)
from natster_tui.projections.versions.naming import bucket_beside
from natster_tui.store.bucket import Bucket, BucketInfo, Sent, Snapshot
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.together import together
from natster_tui.store.log import EventLog
from natster_tui.store.provisioning.version_buckets import is_beside_if_permitted
from natster_tui.store.tasks import end_all


class BucketState(Enum):
    """The kind of projection that a bucket holds."""

    MISSING = "missing"
    EMPTY = "empty"
    OURS = "ours"
    OTHER_VERSION = "other version"
    BEFORE_ERASURE = "from before an erasure"
    INTERRUPTED = "interrupted rebuild"
    FOREIGN = "another program's"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class StoredProjection:
    """A projection as one read of its bucket found it.

    `unreadable` is why its checkpoint cannot be read.
    """

    projection: Projection[Any]
    info: BucketInfo
    snapshot: Snapshot
    bucket_state: BucketState
    checkpoint: Checkpoint | None
    unreadable: BadCheckpointError | None = None
    unsealed: frozenset[str] = frozenset()
    """The entries that are stored in clear, although they should be sealed."""
    tombstones: str = NO_TOMBSTONES
    """The digest of the erasures that were known at the time of the read."""
    can_promote: bool = False
    """Whether another version is stored here, and this program's version is stored beside it."""

    @property
    def needs_operator(self) -> bool:
        """Whether it must be rebuilt or taken over before a projector can continue from it."""
        return self.bucket_state not in (BucketState.MISSING, BucketState.EMPTY, BucketState.OURS)

    @property
    def was_made_for_another(self) -> bool:
        """Whether it is a version beside, in a bucket that was not made for that version."""
        return bool(self.projection.beside) and self.info.beside != self.projection.beside

    @property
    def entries(self) -> dict[str, bytes]:
        """The entries of the stored documents; another program's are whole documents."""
        return {key: entry.value for key, entry in self.snapshot.documents.items()}

    @property
    def document_count(self) -> int:
        """How many documents are stored, however many entries they take."""
        if self.bucket_state is BucketState.FOREIGN:
            return len(self.snapshot.documents)
        return len({document_key(key) for key in self.snapshot.documents})

    @property
    def is_sealed(self) -> bool:
        """Whether any of the entries is stored sealed."""
        return any(entry.sealed for entry in self.snapshot.documents.values())

    @property
    def touched_by_others(self) -> bool:
        """Whether another program wrote to the bucket since it was last made from the log.

        It did if there are entries after our checkpoint, which ends each batch of ours, or if the
        checkpoint says that it did before.
        """
        if self.snapshot.checkpoint is None:
            return False
        return self.snapshot.last_revision > self.snapshot.checkpoint.revision or (
            self.checkpoint is not None and self.checkpoint.touched
        )

    def fold(self) -> Fold[Any]:
        """The fold to continue from; raises RefusedError if a document is not one of ours."""
        assert self.checkpoint is not None
        states = {}
        documents = self.snapshot.documents
        if closed := [key for key, entry in documents.items() if entry.unopened]:
            # Sorted, so that the sentence always names the same one.
            first = min(closed)
            more = f" and {len(closed) - 1:,} others" if closed[1:] else ""
            raise RefusedError(
                f"only watching: the entry {first}{more} in {self.projection.bucket}: sealed, and "
                f"not to be opened ({documents[first].unopened})"
            )
        for key, entries in by_document(self.entries):
            try:
                states[key] = self.projection.state_of(assembled(self.projection, key, entries))
            except PagesError as error:
                raise RefusedError(
                    f"the document {key} in {self.projection.bucket} cannot be read ({error}): "
                    f"rebuild {self.projection.name} to put it right"
                ) from error
            except ValueError as error:
                raise RefusedError(
                    f"the entry {key} in {self.projection.bucket} is not a document of ours: "
                    f"rebuild {self.projection.name} to put it right"
                ) from error
        return Fold(
            self.projection,
            states,
            self.checkpoint.seq,
            parked=self.checkpoint.parked,
            tombstones=self.checkpoint.tombstones,
        )

    def whole_documents(self) -> dict[str, bytes]:
        """The stored documents, with their pages joined, whichever version wrote them.

        Raises RefusedError if one of them cannot be opened or read.
        """
        bucket, documents = self.projection.bucket, dict[str, bytes]()
        for key, entry in self.snapshot.documents.items():
            if entry.unopened:
                raise RefusedError(
                    f"the entry {key} in {bucket} is sealed, and cannot be opened: {entry.unopened}"
                )
        for key, entries in by_document(self.entries):
            try:
                documents[key] = encode_document(assembled(self.projection, key, entries))
            except ValueError as error:
                raise RefusedError(
                    f"the document {key} in {bucket} cannot be read: {error}"
                ) from error
        return documents

    def empty_fold(self) -> Fold[Any]:
        """An empty fold, for reading the log from its beginning."""
        return Fold(self.projection, tombstones=self.tombstones)

    def pager(self, fold: Fold[Any]) -> DocumentPager[Any]:
        """A pager for writing the changes of a fold that came from here."""
        pager = DocumentPager(self.projection)
        for key, entries in by_document(self.entries):
            if key in fold.states and key in entries:
                pager.found(key, fold.states[key], entries)
        return pager

    def fold_or_empty(self) -> Fold[Any]:
        """The fold to continue from; an empty one if nothing is stored yet."""
        return self.empty_fold() if self.checkpoint is None else self.fold()


def bucket_of(log: EventLog, projection: Projection[Any], instance: str) -> Bucket:
    """The bucket of a projection of a log, sealed as the log is."""
    return Bucket(log.link, projection.bucket, instance, log.sealing, beside=projection.beside)


async def load_projections(
    buckets: Mapping[str, Bucket], projections: Sequence[Projection[Any]]
) -> tuple[StoredProjection, ...]:
    """Read the buckets of some projections, all at once; `buckets` are by projection's name."""
    if not projections:
        return ()
    # They are sealed with the same keys, which are read once for all.
    keys = asyncio.create_task(buckets[projections[0].name].sealing.refresh())
    try:
        loading = [load_projection(buckets[each.name], each, keys) for each in projections]
        return await together(*loading)
    finally:
        await end_all([keys])


async def load_projection(
    bucket: Bucket,
    projection: Projection[Any],
    keys: Awaitable[object] | None = None,
    *,
    sent: Sent | None = None,
) -> StoredProjection:
    """Read a bucket; for `keys` and `sent` see `Bucket.inspect`."""
    info, snapshot = await bucket.inspect(keys, sent)
    tombstones = bucket.sealing.tombstones
    checkpoint, unreadable = _checkpoint_in(snapshot)
    bucket_state = _bucket_state(projection, info, snapshot, checkpoint, tombstones)
    can_promote = bucket_state is BucketState.OTHER_VERSION and await _is_beside(bucket, projection)
    # Another program writes plain documents, which is no drift.
    seals = bucket.sealing.seals and bucket_state is not BucketState.FOREIGN
    return StoredProjection(
        projection,
        info,
        snapshot,
        bucket_state,
        None if bucket_state is BucketState.FOREIGN else checkpoint,
        unreadable,
        frozenset(k for k, entry in snapshot.documents.items() if seals and not entry.sealed),
        tombstones or NO_TOMBSTONES,
        can_promote,
    )


async def _is_beside(bucket: Bucket, projection: Projection[Any]) -> bool:
    """Whether this program's version of a projection is stored beside its bucket."""
    placed = bucket_beside(projection.bucket, projection.version)
    return not projection.beside and await is_beside_if_permitted(
        bucket.link, placed, projection.bucket
    )


def _checkpoint_in(snapshot: Snapshot) -> tuple[Checkpoint | None, BadCheckpointError | None]:
    """The checkpoint, or why it cannot be read; neither if there is none."""
    if snapshot.checkpoint is None:
        return None, None
    try:
        return decode_checkpoint(snapshot.checkpoint.value), None
    except BadCheckpointError as error:
        return None, error


def _bucket_state(
    projection: Projection[Any],
    info: BucketInfo,
    snapshot: Snapshot,
    checkpoint: Checkpoint | None,
    tombstones: str | None,
) -> BucketState:
    if not info.exists:
        return BucketState.MISSING
    if projection.beside and info.beside != projection.beside:
        return BucketState.FOREIGN
    if snapshot.checkpoint is None:
        is_new = info.allow_atomic and not snapshot.documents
        return BucketState.EMPTY if is_new else BucketState.FOREIGN
    if checkpoint is None:
        return BucketState.UNREADABLE
    return bucket_state_of(checkpoint, projection, tombstones)


def bucket_state_of(
    checkpoint: Checkpoint, projection: Projection[Any], tombstones: str | None
) -> BucketState:
    """The kind of projection that a checkpoint belongs to.

    `tombstones` is the digest of the erasures, None if it is not known.
    """
    if checkpoint.rebuild is not None:
        return BucketState.INTERRUPTED
    if checkpoint.version != projection.version:
        return BucketState.OTHER_VERSION
    if tombstones is not None and checkpoint.tombstones != tombstones:
        return BucketState.BEFORE_ERASURE
    return BucketState.OURS


async def check_identity(log: EventLog, checkpoint: Checkpoint) -> ChangedLog | None:
    """Why `log` is not the log that a checkpoint came from; None if it is."""
    info, time_at_seq = await together(log.refresh(), _time_at(log, checkpoint.seq))
    return changed_log(info, checkpoint, time_at_seq)


async def check_identity_now(log: EventLog, checkpoint: Checkpoint) -> ChangedLog | None:
    """The same for a log whose `info` is fresh, which in most cases needs no request."""
    info = log.info
    if (checkpoint.seq, checkpoint.log_time) == (info.last_seq, info.last_time):
        return changed_log(info, checkpoint, info.last_time)
    return changed_log(info, checkpoint, await _time_at(log, checkpoint.seq))


async def _time_at(log: EventLog, seq: int) -> str | None:
    """The stream time of the event at a sequence; None if there is no such event."""
    record = None if seq == 0 else await log.record_at(seq)
    return None if record is None else format_timestamp(record.time_ns)


async def checkpoint_of(fold: Fold[Any], log: EventLog) -> Checkpoint:
    """The checkpoint that belongs to a fold of `log`."""
    if fold.seq > 0 and fold.time_ns == 0:
        # The fold was loaded from a checkpoint, and nothing was folded since.
        record = await log.record_at(fold.seq)
        fold.time_ns = 0 if record is None else record.time_ns
    return Checkpoint(
        seq=fold.seq,
        version=fold.projection.version,
        log_stream=log.info.stream,
        log_created=log.info.created,
        log_time=format_timestamp(fold.time_ns) if fold.time_ns else "",
        tombstones=fold.tombstones,
        parked=fold.parked,
    )


async def stored_checkpoint(link: Link, projection: Projection[Any]) -> Checkpoint | None:
    """The stored checkpoint of a projection; None if there is none that can be read."""
    return await read_checkpoint(Bucket(link, projection.bucket, ""))


async def read_checkpoint(bucket: Bucket) -> Checkpoint | None:
    """The checkpoint in a bucket; None if there is none that can be read."""
    entry = await bucket.read(CHECKPOINT_KEY)
    if entry is None:
        return None
    try:
        return decode_checkpoint(entry.value)
    except BadCheckpointError:
        return None
