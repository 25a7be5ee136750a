"""Rebuilding one document: exactly to where its bucket stands, under the same checkpoint.

The key is folded to the stored checkpoint's sequence and the checkpoint is
rewritten at the same position, never ahead of it, because the other documents are not.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from natster_tui.engine.history.document_history import key_fold
from natster_tui.engine.leases.rebuild_lease import rebuilding
from natster_tui.engine.projecting.batching import unfit
from natster_tui.engine.projecting.stored_projection import (
    Standing,
    bucket_of,
    check_identity,
    load_projection,
)
from natster_tui.engine.rebuilding.findings import PlannedRebuild, Verdict
from natster_tui.engine.rebuilding.rebuild import (
    TRIES_S,
    Pause,
    confirm_writes,
    kept_writing,
    no_pause,
    sealed_sentence,
)
from natster_tui.errors import (
    BlockedEventError,
    ConflictError,
    LogChangedError,
    NotFoundError,
    RefusedError,
)
from natster_tui.projections.api import Projection
from natster_tui.projections.diff import Diff, changed_entries, diff_entries
from natster_tui.projections.fold import Fold
from natster_tui.projections.paging import document_key, entries_of
from natster_tui.store.log import EventLog
from natster_tui.store.writing.atomic_batch import BATCH_LIMIT
from natster_tui.text.masking import screen_text


class KeyRebuild:
    """The rebuild of one key. Same steps as `Rebuild`."""

    def __init__(self, log: EventLog, projection: Projection[Any], key: str, instance: str) -> None:
        self.log = log
        self.projection = projection
        self.key = key
        self._instance = instance
        self._bucket = bucket_of(log, projection, instance)

    async def prepare(self) -> list[PlannedRebuild]:
        """Fold the key, and compare it with what is stored; writes nothing.

        Raises NotFoundError when neither the log nor the bucket knows the key.
        """
        plan, _changes, _fold = await self._plan()
        if not plan.diff.keys:
            raise NotFoundError(
                f"there is no {self.projection.name} {screen_text(self.key, 100)}, neither stored "
                f"nor in the log at {plan.seq:,}"
            )
        return [plan]

    async def _plan(self) -> tuple[PlannedRebuild, dict[str, bytes | None], Fold[Any]]:
        """What to do, the entries to write or remove, and the fold they come from."""
        stored = await load_projection(self._bucket, self.projection)
        if stored.standing is not Standing.OURS or stored.checkpoint is None:
            raise RefusedError(
                f"one key can be rebuilt only where {self.projection.bucket} is complete: "
                f"rebuild {self.projection.name} as a whole"
            )
        if problem := await check_identity(self.log, stored.checkpoint):
            raise LogChangedError(problem)
        before = {
            entry_key: entry
            for entry_key, entry in stored.entries.items()
            if document_key(entry_key) == self.key
        }
        fold = await key_fold(
            self.log, self.projection, self.key, stored.checkpoint.seq, self._instance
        )
        state = fold.states.get(self.key)
        after = {} if state is None else entries_of(self.projection, self.key, state)
        plan = PlannedRebuild(
            stored,
            diff_entries(self.projection, before, after, unsealed=stored.unsealed),
            stored.checkpoint.seq,
        )
        changes = changed_entries(before, after, stored.unsealed).get(self.key, {})
        return plan, changes, fold

    @property
    def blocked(self) -> Mapping[str, BlockedEventError]:
        """Nothing: a key whose events do not open is refused as a whole."""
        return {}

    async def commit(
        self,
        pause: Pause = no_pause,
        *,
        purge: bool = False,
        take_over: bool = False,
        partial: bool = False,
    ) -> list[Verdict]:
        """Write the document if it differs, then read it back."""
        assert not purge
        assert not take_over
        assert not partial
        await confirm_writes(self.log, {self.projection.name: self._bucket})
        async with (
            pause(self.projection),
            rebuilding(self.log, self.projection, self._instance),
        ):
            last_try = time.monotonic() + TRIES_S
            while True:
                plan, changes, fold = await self._plan()
                assert plan.stored.checkpoint is not None
                if plan.stored.is_sealed and not self.log.sealing.seals:
                    raise RefusedError(sealed_sentence(plan.stored))
                # Other programs' writes still count: the other keys were not compared.
                checkpoint = replace(plan.stored.checkpoint, touched=plan.stored.touched_by_others)
                if problem := unfit(
                    self.projection, changes, BATCH_LIMIT - 1, self._bucket.entry_limit
                ):
                    raise RefusedError(problem)
                try:
                    await self._bucket.commit(
                        changes,
                        checkpoint.encode(),
                        plan.stored.snapshot.checkpoint_revision,
                        fold,
                    )
                except ConflictError as error:
                    if time.monotonic() > last_try:
                        raise kept_writing(self.projection) from error
                    continue
                after, _changes, _fold = await self._plan()
                diff = Diff(after.diff.changes, 1)
                return [Verdict(self.projection, after.seq, diff, after.stored.standing)]
