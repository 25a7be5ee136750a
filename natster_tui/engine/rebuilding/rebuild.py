"""Rebuilding projections from the log, and verifying stored projections against it.

The steps are: preflight, replay through the same fold, diff, commit under the checkpoint's
revision, verify. A rebuild only reads the log. Nothing is written before `commit`. Readers never
see an empty bucket, except in purge mode.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from natster_tui.engine.foreign.takeover import leftover_consumers, refuse_while_active
from natster_tui.engine.leases.rebuild_lease import rebuilding
from natster_tui.engine.log.repeated_ids import RepeatedIds
from natster_tui.engine.projecting.commit_batches import batches
from natster_tui.engine.projecting.obstacles import SealedDocuments
from natster_tui.engine.projecting.stored_projection import BucketState, StoredProjection, bucket_of
from natster_tui.engine.rebuilding.confirming import (
    DIFFERENCES_ONLY,
    Consent,
    Decision,
    EndsBeforeEvent,
    Findings,
    Request,
    decide,
)
from natster_tui.engine.rebuilding.expected import Changes, Expected
from natster_tui.engine.rebuilding.expected_key import ExpectedKey
from natster_tui.engine.rebuilding.expected_whole import ExpectedWhole
from natster_tui.engine.rebuilding.findings import PlannedRebuild, Verdict
from natster_tui.engine.rebuilding.preflight import Preflight, read_preflight
from natster_tui.engine.rebuilding.rebuild_sentences import nothing_written
from natster_tui.engine.rebuilding.replay import OnProgress, ReplayProgress
from natster_tui.engine.rebuilding.scope import OneKey, Scope
from natster_tui.errors import BlockedEventError, ConflictError, RefusedError
from natster_tui.events.log.hazards import old_server
from natster_tui.projections.api import Projection
from natster_tui.projections.fold import Fold
from natster_tui.store.bucket import Bucket, Sent
from natster_tui.store.connection.consumers import ConsumerInfo
from natster_tui.store.connection.reporting import notice, waiting_for
from natster_tui.store.connection.together import together
from natster_tui.store.lease import Lease, rebuild_key
from natster_tui.store.log import EventLog
from natster_tui.store.writing.atomic_batch import BATCH_LIMIT

TRIES_S = 20.0
"""Seconds during which a rebuild tries again if another writer changes the bucket.

A projector in another process pauses once it has seen the rebuild's lease, within a second.
"""

Pause = Callable[[Projection[Any]], AbstractAsyncContextManager[None]]
"""Pauses the projector of a projection in this process while its bucket is rewritten."""


@asynccontextmanager
async def no_pause(_projection: Projection[Any]) -> AsyncIterator[None]:
    """For a rebuild without a projector in the same process."""
    yield


class Rebuild:
    """A rebuild of a scope, from preflight to verdict.

    `prepare` replays and compares, `commit` writes, `verify` reads back. Each may be cancelled;
    before `commit` that leaves no trace. `pause` holds up the projector in this process while its
    bucket is written. `repeated_ids` are those that were found in the log already.
    """

    def __init__(
        self,
        log: EventLog,
        scope: Scope,
        instance: str,
        on_progress: OnProgress | None = None,
        *,
        pause: Pause = no_pause,
        by_rule: bool = False,
        repeated_ids: RepeatedIds | None = None,
    ) -> None:
        self.log = log
        self.scope = scope
        self.projections = scope.projections
        self.leftover_consumers: tuple[ConsumerInfo, ...] = ()
        """The other program's consumers, once its projections were taken over."""
        self.plans: list[PlannedRebuild] = []
        """What would change, once the log was replayed."""
        self._found: Preflight | None = None
        self._instance = instance
        self._repeated_ids = repeated_ids
        self._pause = pause
        self._buckets = {p.name: bucket_of(log, p, instance) for p in scope.projections}
        self._waiting_on: dict[str, str] = {}
        """By projection, the sentence for what its commit waits for after a conflict."""
        self._whole: ExpectedWhole | None = None
        self._expected: Expected
        if isinstance(scope, OneKey):
            bucket = self._buckets[scope.projection.name]
            self._expected = ExpectedKey(log, scope, bucket, instance)
        else:
            self._expected = self._whole = ExpectedWhole(
                log, scope.projections, self._buckets, instance, on_progress, by_rule=by_rule
            )

    # -- what is known ---------------------------------------------------------------------

    @property
    def folds(self) -> dict[str, Fold[Any]]:
        """The folds so far, by projection; empty for a single document."""
        return {} if self._whole is None else self._whole.folds

    @property
    def progress(self) -> ReplayProgress:
        """The replay's progress."""
        return self._expected.progress

    @property
    def blocked(self) -> Mapping[str, BlockedEventError]:
        """The projections that end before an event they must not pass, and why."""
        return self._expected.blocked

    def continues_in(self, log: EventLog) -> bool:
        """Whether the events read so far are the beginning of this log, over the same link."""
        return self.log is log and self._whole is not None and self._whole.is_current

    # -- before anything is written --------------------------------------------------------

    async def preflight(self) -> Preflight:
        """Find out how much is to be read, what is affected and what blocks the rebuild."""
        self._found = await read_preflight(
            self.log, self.projections, self._instance, self._repeated_ids
        )
        return self._found

    async def prepare(self) -> list[PlannedRebuild]:
        """Replay to the present head, and compare with what is stored.

        Raises NotFoundError for a single key that neither the log nor the bucket has.
        """
        self.plans = await self._expected.plans()
        return self.plans

    def decide(self, request: Request) -> Decision:
        """What must be confirmed, according to the findings so far."""
        if self.plans:
            foreign = tuple(projection.bucket for projection in self._foreign)
        else:
            foreign = () if self._found is None else self._found.foreign
        if isinstance(self.scope, OneKey):
            foreign = ()  # refused later: one key cannot be taken over
        return decide(
            request,
            Findings(
                lost=self.log.info.lost,
                blocked=tuple(EndsBeforeEvent(name, e) for name, e in self.blocked.items()),
                foreign=foreign,
                stored=sum(plan.stored.document_count for plan in self.plans),
                changes=sum(len(plan.diff.changes) for plan in self.plans),
            ),
        )

    # -- writing ---------------------------------------------------------------------------

    async def commit(self, consent: Consent = DIFFERENCES_ONLY) -> list[Verdict]:
        """Write the differences of every projection, then verify them.

        Waits while another process rebuilds the same projection. Raises RefusedError if a
        projection is blocked, or its bucket belongs to another program, and `consent` does not
        cover that; and ConflictError if another program keeps writing to the bucket.
        """
        if not self.log.link.info.has_atomic_batches:
            raise RefusedError(old_server(self.log.link.info.version_described).sentence)
        for projection in self.projections:
            if projection.tried_from:
                raise RefusedError(
                    f"{projection.name} is only tried: to store it, name its file with --projection"
                )
        for projection in self._foreign if not consent.take_over else ():
            raise _not_ours(projection)
        if self.log.sealing.seal_problem:
            raise RefusedError(f"nothing can be sealed: {self.log.sealing.seal_problem}")
        for error in self.blocked.values() if not consent.partial else ():
            raise nothing_written(error)
        await confirm_writes(self.log, self._buckets)
        foreign = self._foreign if consent.take_over else []
        if foreign and self._whole is not None:
            await refuse_while_active(self.log, foreign, self._instance, notice)
            await self._whole.convert_foreign_buckets()
        committing = [
            self._commit_and_verify(projection, consent) for projection in self.projections
        ]
        verdicts = list(await together(*committing))
        if foreign:
            self.leftover_consumers = await leftover_consumers(self.log, foreign)
        return verdicts

    @property
    def _foreign(self) -> list[Projection[Any]]:
        """The projections whose buckets belonged to another program at the time of `prepare`."""
        return [
            plan.projection
            for plan in self.plans
            if plan.stored.bucket_state is BucketState.FOREIGN
        ]

    async def _commit_and_verify(self, projection: Projection[Any], consent: Consent) -> Verdict:
        async with (
            self._pause(projection),
            rebuilding(self.log, projection, self._instance),
        ):
            with waiting_for(lambda: self._waiting_on.get(projection.name, "")):
                sent = await self._commit_until_written(projection, consent)
        return await self._expected.verdict(projection, sent)

    async def _commit_until_written(self, projection: Projection[Any], consent: Consent) -> Sent:
        bucket = self._buckets[projection.name]
        last_try = time.monotonic() + TRIES_S
        while True:
            changes = await self._expected.changes(
                projection, purge=consent.purge, partial=consent.partial
            )
            try:
                await self._prepare_bucket(bucket, changes.stored, consent)
                await _write(bucket, changes, purge=consent.purge)
            except ConflictError as error:
                if time.monotonic() > last_try:
                    raise kept_writing(projection) from error
                self._waiting_on[projection.name] = (
                    f"waiting for another projector to stop writing to {bucket.name}"
                )
                await self._expected.catch_up()
                continue
            return changes.sent

    async def _prepare_bucket(
        self, bucket: Bucket, stored: StoredProjection, consent: Consent
    ) -> None:
        """Create or convert the bucket if needed."""
        if stored.is_sealed and not self.log.sealing.seals:
            raise RefusedError(SealedDocuments(bucket.name).fault)
        if stored.bucket_state is BucketState.MISSING:
            await bucket.create(self.log.buckets)
        elif stored.bucket_state is BucketState.FOREIGN and not consent.take_over:
            raise _not_ours(stored.projection)
        elif stored.bucket_state is BucketState.FOREIGN:
            await bucket.convert()

    async def verify(self) -> list[Verdict]:
        """Compare what is stored with the log at the stored position; writes nothing.

        Without a checkpoint of ours the comparison is at the head.
        """
        return await self._expected.verify()


async def _write(bucket: Bucket, changes: Changes, *, purge: bool) -> None:
    fold, before = changes.fold, changes.before
    revision = changes.stored.snapshot.checkpoint_revision
    if before is None:
        (only,) = batches(changes.of_documents, BATCH_LIMIT - 1)
        await bucket.commit(only, changes.final, revision, fold, changes.sent)
        return
    if purge:
        revision = await bucket.commit({}, before, revision, fold)
        await bucket.purge_before(revision)
    batch: dict[str, bytes | None] | None = None
    for following in batches(changes.of_documents, BATCH_LIMIT - 1):
        if batch is not None:
            revision = await bucket.commit(batch, before, revision, fold, changes.sent)
        batch = following
    assert batch is not None
    await bucket.commit(batch, changes.final, revision, fold, changes.sent)


async def confirm_writes(log: EventLog, buckets: Mapping[str, Bucket]) -> None:
    """Check that the writes of a rebuild would reach these buckets, by projection."""
    confirming = [bucket.confirm() for bucket in buckets.values()]
    confirming += [Lease(log.link, rebuild_key(name)).confirm() for name in buckets]
    await together(*confirming)


def _not_ours(projection: Projection[Any]) -> RefusedError:
    return RefusedError(
        f"{projection.bucket} was written by another program: taking it over must "
        "be asked for explicitly"
    )


def kept_writing(projection: Projection[Any]) -> ConflictError:
    """The error if another program, which ignores the lease, wrote first each time."""
    return ConflictError(
        f"another projector kept writing to {projection.bucket}: stop it, or try again"
    )
