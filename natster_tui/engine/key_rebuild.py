"""Rebuilding one document: exactly to where its bucket stands, under the same checkpoint.

DESIGN section 5: the key is folded to the stored checkpoint's sequence and the checkpoint is
rewritten at the same position, never ahead of it, because the other documents are not.
"""

from __future__ import annotations

from typing import Any

from natster_tui.domain.diff import Diff, diff_documents
from natster_tui.domain.projection import Projection
from natster_tui.domain.safe_text import safe_text
from natster_tui.engine.key_history import key_document
from natster_tui.engine.projection_store import Standing, check_identity, load_projection
from natster_tui.engine.rebuild import (
    COMMIT_TRIES,
    HELD_AFTER,
    Pause,
    PlannedRebuild,
    Verdict,
    hold_others,
    no_pause,
)
from natster_tui.errors import ConflictError, LogChangedError, NotFoundError, RefusedError
from natster_tui.store.bucket import Bucket
from natster_tui.store.log import EventLog


class KeyRebuild:
    """The rebuild of one key. Same steps as `Rebuild`."""

    def __init__(self, log: EventLog, projection: Projection[Any], key: str, instance: str) -> None:
        self.log = log
        self.projection = projection
        self.key = key
        self._instance = instance
        self._bucket = Bucket(log.link, projection.bucket, instance)

    async def prepare(self) -> list[PlannedRebuild]:
        """Fold the key, and compare it with what is stored; writes nothing.

        Raises NotFoundError when neither the log nor the bucket knows the key.
        """
        plan = await self._plan()
        if not plan.diff.keys:
            raise NotFoundError(
                f"there is no {self.projection.name} {safe_text(self.key, 100)}, neither stored "
                f"nor in the log at {plan.seq:,}"
            )
        return [plan]

    async def _plan(self, held: str = "") -> PlannedRebuild:
        stored = await load_projection(self._bucket, self.projection)
        mark = None if stored.checkpoint is None else stored.checkpoint.rebuild
        ours = stored.standing is Standing.OURS or (mark is not None and mark.id == held)
        if not ours or stored.checkpoint is None:
            raise RefusedError(
                f"one key can be rebuilt only where {self.projection.bucket} is complete: "
                f"rebuild {self.projection.name} as a whole"
            )
        if problem := await check_identity(self.log, stored.checkpoint):
            raise LogChangedError(problem)
        before = stored.documents.get(self.key)
        after = await key_document(
            self.log, self.projection, self.key, stored.checkpoint.seq, self._instance
        )
        diff = diff_documents(
            {} if before is None else {self.key: before}, {} if after is None else {self.key: after}
        )
        return PlannedRebuild(stored, diff, stored.checkpoint.seq)

    async def commit(
        self, pause: Pause = no_pause, *, purge: bool = False, take_over: bool = False
    ) -> list[Verdict]:
        """Write the document if it differs, then read it back."""
        assert not purge
        assert not take_over
        async with pause(self.projection):
            for attempt in range(COMMIT_TRIES):
                held = await hold_others(self._bucket, self.log) if attempt >= HELD_AFTER else ""
                plan = await self._plan(held)
                assert plan.stored.checkpoint is not None
                changes = {change.key: change.after for change in plan.diff.changes}
                try:
                    await self._bucket.commit(
                        changes,
                        plan.stored.checkpoint.marked(None).encode(),
                        plan.stored.snapshot.checkpoint_revision,
                    )
                except ConflictError:
                    continue
                after = await self._plan()
                diff = Diff(after.diff.changes, 1)
                return [Verdict(self.projection, after.seq, diff, after.stored.standing)]
        raise ConflictError(
            f"another projector kept writing to {self.projection.bucket}: stop it, or try again"
        )
