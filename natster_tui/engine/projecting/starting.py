"""Gathering the facts from which a projector decides how to start (`decision`).

The facts are what is stored, and whether the lease is ours.
"""

from __future__ import annotations

import asyncio
from typing import Any

from natster_tui.engine.leases.keeper import LeaseKeeper
from natster_tui.engine.projecting.decision import Ask, Decision, Facts, decide
from natster_tui.engine.projecting.stored_projection import (
    BucketState,
    StoredProjection,
    bucket_state_of,
    load_projection,
    read_checkpoint,
)
from natster_tui.errors import DeniedError, MisplacedWriteError
from natster_tui.projections.api import Projection
from natster_tui.store.bucket import Bucket
from natster_tui.store.log import EventLog
from natster_tui.store.tasks import end_all


class StartDecider:
    """Decides how one projector starts, each time it starts.

    Without a lease, no other process is expected to write.
    """

    def __init__(
        self,
        projection: Projection[Any],
        lease: LeaseKeeper | None,
        *,
        may_write: bool,
        auto_rebuild: bool,
    ) -> None:
        self.denied: DeniedError | MisplacedWriteError | None = None
        """Why the last write failed, if trying again will not help."""
        self.was_ours = False
        """Whether this version was projected here before."""
        self._projection = projection
        self._lease = lease
        self._may_write = may_write
        self._auto_rebuild = auto_rebuild

    async def decide(self, log: EventLog, bucket: Bucket) -> tuple[StoredProjection, Decision]:
        """Read what is stored, and decide; asks for the lease if the decision depends on it."""
        lease = self._lease
        if lease is not None and isinstance(await self._decide_early(log, bucket), Ask):
            # Read what is stored only once it is known whose the lease is.
            await _ask_for(lease, bucket)
        while True:
            stored = await load_projection(bucket, self._projection)
            checkpoint = stored.checkpoint
            version = None if checkpoint is None else checkpoint.version
            decision = decide(self._facts(log, stored.bucket_state, version, stored.is_sealed))
            if not isinstance(decision, Ask):
                return stored, decision
            assert lease is not None
            # The previous holder of the lease may have written since: read again.
            await _ask_for(lease, bucket)

    async def _decide_early(self, log: EventLog, bucket: Bucket) -> Decision | None:
        """Decide by the checkpoint alone, before the documents are read."""
        checkpoint = await read_checkpoint(bucket)
        if checkpoint is None:
            return None
        bucket_state = bucket_state_of(checkpoint, self._projection, log.sealing.tombstones)
        return decide(self._facts(log, bucket_state, checkpoint.version, is_sealed=False))

    def _facts(
        self, log: EventLog, bucket_state: BucketState, stored_version: int | None, is_sealed: bool
    ) -> Facts:
        lease = self._lease
        decided = lease is None or lease.is_decided
        return Facts(
            bucket_state,
            self._projection.version,
            stored_version,
            is_tried=bool(self._projection.tried_from),
            may_write=self._may_write,
            denied=self.denied is not None,
            has_batches=log.link.info.has_atomic_batches,
            cannot_seal=bool(log.sealing.seal_problem),
            seals=log.sealing.seals,
            is_sealed=is_sealed,
            auto_rebuild=self._auto_rebuild,
            was_ours=self.was_ours,
            lease_decided=decided,
            waiting=None if lease is None or not decided else lease.waiting,
        )


async def _ask_for(lease: LeaseKeeper, bucket: Bucket) -> None:
    """Wait until it is known whose the lease is, and check that commits would reach the bucket."""
    confirming = asyncio.create_task(bucket.confirm())
    try:
        await lease.decide()
        if lease.allows:
            await confirming
    finally:
        # If another process holds the lease, nothing is written, so the check is not needed.
        await end_all([confirming])
