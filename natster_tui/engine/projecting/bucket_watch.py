"""Watching a projection's bucket between writes, and while this process must not write.

A projector that only watches must notice the bucket's position, a rebuild by another process, and
how another program's documents drift from the log. A projector that writes must notice, while no
events arrive, when another program changed its bucket.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

from natster_tui.engine.foreign.drift_watch import DriftWatch
from natster_tui.engine.projecting.found_drift import DriftCheck
from natster_tui.engine.projecting.obstacles import UnreadableCheckpoint
from natster_tui.engine.projecting.status import ProjectorStatus
from natster_tui.engine.projecting.stored_projection import (
    BucketState,
    StoredProjection,
    check_identity,
    load_projection,
)
from natster_tui.errors import ConflictError, LogChangedError, RefusedError, ServerError
from natster_tui.events.event import Record
from natster_tui.projections.api import CHECKPOINT_KEY, Projection
from natster_tui.projections.checkpoint import BadCheckpointError, decode_checkpoint
from natster_tui.projections.fold import Fold
from natster_tui.store.bucket import Bucket, StoredEntry
from natster_tui.store.log import EventLog

POLL_S = 0.9
"""The least number of seconds between two polls. Heartbeats of a silent consumer trigger them, one
each second; a little less than that, so that no heartbeat comes too early."""
RETRY_S = 3.0
"""Seconds until a bucket that could not be used, or stopped the projector, is read again."""
LONGEST_RETRY_S = 60.0
"""Each retry that finds no change doubles the time to the next one, up to this."""

_UNUSABLE = frozenset(
    {
        BucketState.FOREIGN,
        BucketState.OTHER_VERSION,
        BucketState.BEFORE_ERASURE,
        BucketState.UNREADABLE,
        BucketState.INTERRUPTED,
    }
)


class BucketWatch:
    """Watches one projector's bucket over one link, and updates the projector's status."""

    def __init__(
        self, bucket: Bucket, projection: Projection[Any], status: ProjectorStatus
    ) -> None:
        self._bucket = bucket
        self._projection = projection
        self._status = status
        self.accepted = 0
        """Up to this revision of the bucket, other programs' writes are known to be harmless."""
        self._revision = self._seen = 0
        self._value = b""
        """The checkpoint that the projector started from."""
        self.version = projection.version
        """The version of that checkpoint; ours if there was none, or it was unreadable."""
        self._cannot_continue = False
        self._pause = RETRY_S
        self._retry_at = 0.0
        self._stopped_at = -1
        self._polled_at = 0.0
        self._drift: DriftWatch | None = None
        """Compares the documents with the log, while they are another program's."""
        self._check = DriftCheck(bucket, projection)

    def begin(self, stored: StoredProjection, *, unusable: bool) -> None:
        """Note what the projector started from; `unusable` if it could not continue from it."""
        self._revision = self._seen = stored.snapshot.checkpoint_revision
        checkpoint = stored.snapshot.checkpoint
        self._value = b"" if checkpoint is None else checkpoint.value
        self.version = self._projection.version
        if stored.checkpoint is not None:
            self.version = stored.checkpoint.version
        if unusable:
            self._reset_retries()
        self._cannot_continue = unusable
        self._status.unusable = unusable or stored.bucket_state in _UNUSABLE
        self._status.checkpoint_problem = None
        found = self._status.found_drift
        if found is not None and not found.is_stored_in(stored):
            self._status.found_drift = None
        self._status.other = self._drift = None
        if stored.bucket_state is BucketState.FOREIGN:
            self._drift = DriftWatch(self._bucket, self._projection, self._status)

    def follow(self, records: Iterable[Record]) -> None:
        """Take the next events of the log, which the fold has taken too."""
        if self._drift is not None:
            self._drift.follow(records)

    async def check_found_drift(self) -> None:
        """Raise ConflictError if drift that a verify found is no longer stored.

        The projector must start again then: its fold may come from documents that were wrong.
        """
        found = self._status.found_drift
        if found is not None and await self._check.is_over(found):
            raise ConflictError("the documents were put right")

    async def poll(self, log: EventLog, fold: Fold[Any]) -> bool:
        """Read the bucket's position and drift, once a second, while the projector only watches.

        Returns whether a second had passed. Raises ConflictError if the projector should start
        again: an unusable bucket was rebuilt or can be read now, or another version is stored.
        """
        now = time.monotonic()
        if now - self._polled_at < POLL_S:
            return False
        self._polled_at = now
        try:
            entry = await self._bucket.read(CHECKPOINT_KEY)
            if entry is not None:
                self._check_checkpoint(entry)
                await self._retry_unusable(now)
            else:
                self._status.stored = None
                if self._drift is not None:
                    await self._drift.poll(log, fold)
            self._status.checkpoint_problem = None
        except BadCheckpointError as error:
            self._status.checkpoint_problem = UnreadableCheckpoint(self._bucket.name, str(error))
        except ServerError as error:
            if log.link.is_lost:
                raise
            self._status.checkpoint_problem = ServerError(error.sentence)
        return True

    def _check_checkpoint(self, entry: StoredEntry) -> None:
        """Note the stored position; raises ConflictError if we should start again from it."""
        checkpoint = decode_checkpoint(entry.value)
        if checkpoint.version != self.version:
            # A process that waits for the lease must not count this as progress.
            raise ConflictError("another version of the projection is stored now")
        self._status.stored = checkpoint.seq
        if entry.revision != self._seen:
            # The checkpoint's writer recorded in it whether others had written.
            self._seen = entry.revision
            self._status.touched_by_others = checkpoint.touched
        if (
            self._status.unusable
            and (entry.revision, entry.value) != (self._revision, self._value)
            and checkpoint.rebuild is None
            and checkpoint.version == self._projection.version
        ):
            raise ConflictError("the projection was rebuilt")

    async def _retry_unusable(self, now: float) -> None:
        """Read documents of ours again that could not be read; raises ConflictError if they can."""
        if not self._cannot_continue or now < self._retry_at:
            return
        self._back_off()
        stored = await load_projection(self._bucket, self._projection)
        if stored.bucket_state is not BucketState.OURS:
            return
        try:
            stored.fold()
        except RefusedError:
            return
        raise ConflictError("the projection can be read now")

    def _reset_retries(self) -> None:
        self._pause = RETRY_S
        self._retry_at = time.monotonic() + self._pause

    def _back_off(self) -> None:
        self._pause = min(2 * self._pause, LONGEST_RETRY_S)
        self._retry_at = time.monotonic() + self._pause

    async def check_own_commit(self, revision: int) -> bool:
        """Check, while no events arrive, that the bucket is as our commit at `revision` left it.

        Returns whether another program has written, if that was not known before. Raises
        ConflictError if another program moved the checkpoint, ServerError if the bucket is gone.
        """
        info = await self._bucket.info()
        if not info.exists:
            raise ServerError(
                f"the bucket {self._bucket.name} was deleted: it is made again from the log"
            )
        if revision == 0 or info.last_revision in (revision, self.accepted):
            return False
        entry = await self._bucket.read(CHECKPOINT_KEY)
        if entry is None or entry.revision != revision:
            raise ConflictError("the projection was rebuilt")
        if self._status.touched_by_others:
            return False
        self._status.touched_by_others = True
        return True

    async def wait_until_rewritten(self, log: EventLog, revision: int, stop: RefusedError) -> None:
        """Wait until the checkpoint is not the one at `revision`, or the link is lost.

        In most cases only a rebuild (here or in another process) or a new link can remove the
        problem. The answer that the log is another one may have been false, so it is asked again.
        """
        if self._status.position != self._stopped_at:
            self._reset_retries()
        else:
            self._back_off()
        self._stopped_at = self._status.position
        while True:
            await asyncio.wait({log.link.lost}, timeout=POLL_S)
            entry = await self._bucket.read(CHECKPOINT_KEY)
            if entry is not None and entry.revision != revision:
                return
            if isinstance(stop, LogChangedError) and time.monotonic() >= self._retry_at:
                if await _fits(log, entry):
                    return
                self._back_off()


async def _fits(log: EventLog, entry: StoredEntry | None) -> bool:
    """Whether a log is the one that a stored checkpoint came from, as both are read now."""
    if entry is None:
        return False
    try:
        return await check_identity(log, decode_checkpoint(entry.value)) is None
    except (BadCheckpointError, LogChangedError):
        return False
