"""Observing a projection's bucket between writes, and while this process must not write.

A projector that only watches must notice the bucket's position, a rebuild by another process, and
how another program's documents drift from the log. A projector that writes must notice, while no
events arrive, when another program changed its bucket.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

from natster_tui.engine.beside.watching_drift import DriftWatch
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

LOOK_AT_STORED_S = 0.9
"""Seconds between two looks, which come with the heartbeats of a silent consumer. It is less than
their interval of one second, so that each heartbeat comes late enough for a look."""
LOOK_AGAIN_S = 3.0
"""Seconds after which what stopped a projector, or is wrong in the bucket, is read again."""
LOOK_AGAIN_AT_LAST_S = 60.0
"""Each look that finds no change doubles the time to the next one, up to this."""

_USELESS_UNTIL_REBUILT = frozenset(
    {
        BucketState.FOREIGN,
        BucketState.OTHER_VERSION,
        BucketState.BEFORE_ERASURE,
        BucketState.UNREADABLE,
        BucketState.INTERRUPTED,
    }
)


class StoredWatch:
    """Observes one projector's bucket over one link, and updates the projector's status."""

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
        """The checkpoint as it was read at the beginning."""
        self.version = projection.version
        """The version of that checkpoint; ours where there was none, or it was unreadable."""
        self._useless = False
        self._pause = LOOK_AGAIN_S
        self._look_again_at = 0.0
        self._stopped_at = -1
        self._looked = 0.0
        self._drift: DriftWatch | None = None
        """Compares the documents with the log, while they are another program's."""
        self._check = DriftCheck(bucket, projection)

    def begin(self, stored: StoredProjection, *, useless: bool) -> None:
        """Note what the projector started from; `useless`: it could not continue from it."""
        self._revision = self._seen = stored.snapshot.checkpoint_revision
        checkpoint = stored.snapshot.checkpoint
        self._value = b"" if checkpoint is None else checkpoint.value
        self.version = self._projection.version
        if stored.checkpoint is not None:
            self.version = stored.checkpoint.version
        if useless:
            self._begin_pause()
        self._useless = useless
        self._status.unusable = useless or stored.bucket_state in _USELESS_UNTIL_REBUILT
        self._status.checkpoint_problem = None
        found = self._status.found_drift
        if found is not None and not found.is_stored_in(stored):
            self._status.found_drift = None
        self._status.other = self._drift = None
        if stored.bucket_state is BucketState.FOREIGN:
            self._drift = DriftWatch(self._bucket, self._projection, self._status)

    def take(self, records: Iterable[Record]) -> None:
        """Follow the log, as the fold does."""
        if self._drift is not None:
            self._drift.take(records)

    async def look_at_found_drift(self) -> None:
        """While a verify's drift is known: look whether it is still stored.

        Raises ConflictError if it was put right: the fold may come from documents that were wrong.
        """
        found = self._status.found_drift
        if found is not None and await self._check.is_over(found):
            raise ConflictError("the documents were put right meanwhile")

    async def look(self, log: EventLog, fold: Fold[Any]) -> bool:
        """While only watching, once a second: where the bucket stands, and how it differs.

        Returns whether it was time to look. Raises ConflictError when what we could not go on
        from was rebuilt, or was read wrongly, and when another version was stored meanwhile.
        """
        now = time.monotonic()
        if now - self._looked < LOOK_AT_STORED_S:
            return False
        self._looked = now
        try:
            entry = await self._bucket.read(CHECKPOINT_KEY)
            if entry is not None:
                self._look_at_checkpoint(entry)
                await self._look_at_useless(now)
            else:
                self._status.stored = None
                if self._drift is not None:
                    await self._drift.look(log, fold)
            self._status.checkpoint_problem = None
        except BadCheckpointError as error:
            self._status.checkpoint_problem = UnreadableCheckpoint(self._bucket.name, str(error))
        except ServerError as error:
            if log.link.is_lost:
                raise
            self._status.checkpoint_problem = error.with_traceback(None)
        return True

    def _look_at_checkpoint(self, entry: StoredEntry) -> None:
        """Note where the bucket stands; raises ConflictError if we should start again from it."""
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
            raise ConflictError("the projection was rebuilt meanwhile")

    async def _look_at_useless(self, now: float) -> None:
        """Read again documents of ours that could not be read; raises ConflictError if they can."""
        if not self._useless or now < self._look_again_at:
            return
        self._lengthen_pause()
        stored = await load_projection(self._bucket, self._projection)
        if stored.bucket_state is not BucketState.OURS:
            return
        try:
            stored.fold()
        except RefusedError:
            return
        raise ConflictError("the projection can be read now")

    def _begin_pause(self) -> None:
        self._pause = LOOK_AGAIN_S
        self._look_again_at = time.monotonic() + self._pause

    def _lengthen_pause(self) -> None:
        self._pause = min(2 * self._pause, LOOK_AGAIN_AT_LAST_S)
        self._look_again_at = time.monotonic() + self._pause

    async def look_at_own(self, revision: int) -> bool:
        """While nothing comes in: whether the bucket is still as our commit at `revision` left it.

        Returns whether another program was seen to have written for the first time. Raises
        ConflictError when another program moved the checkpoint, ServerError when the bucket is
        gone.
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
            raise ConflictError("the projection was rebuilt meanwhile")
        if self._status.touched_by_others:
            return False
        self._status.touched_by_others = True
        return True

    async def until_rewritten(self, log: EventLog, revision: int, stop: RefusedError) -> None:
        """Wait until the checkpoint is not the one at `revision`, or the link is lost.

        In most cases only a rebuild (here or in another process) or a new link can remove the
        problem. An answer that the log is another one may have been false: it is asked again.
        """
        if self._status.position != self._stopped_at:
            self._begin_pause()
        else:
            self._lengthen_pause()
        self._stopped_at = self._status.position
        while True:
            await asyncio.wait({log.link.lost}, timeout=LOOK_AT_STORED_S)
            entry = await self._bucket.read(CHECKPOINT_KEY)
            if entry is not None and entry.revision != revision:
                return
            if isinstance(stop, LogChangedError) and time.monotonic() >= self._look_again_at:
                if await _fits(log, entry):
                    return
                self._lengthen_pause()


async def _fits(log: EventLog, entry: StoredEntry | None) -> bool:
    """Whether a log is the one that a stored checkpoint came from, as both are read now."""
    if entry is None:
        return False
    try:
        return await check_identity(log, decode_checkpoint(entry.value)) is None
    except (BadCheckpointError, LogChangedError):
        return False
