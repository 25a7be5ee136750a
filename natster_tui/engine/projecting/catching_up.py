"""Catching up with most of a long log by a rebuild, instead of batch by batch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from natster_tui.engine.log.rate import RateMeter
from natster_tui.engine.rebuilding.confirming import Consent
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.replay import ReplayProgress
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.errors import BlockedEventError
from natster_tui.projections.api import Projection
from natster_tui.projections.fold import Fold
from natster_tui.store.log import EventLog

FAR_BEHIND = 20_000
"""Minimum number of missing events, if they are most of the log, to catch up by a rebuild."""


def is_far(seq: int, log: EventLog) -> bool:
    """Whether most of a long log is still to be folded, from a sequence on.

    Batch by batch, a busy document would be written hundreds of times; a rebuild folds in
    memory and writes each document once.
    """
    head = log.info.last_seq
    lag = head - seq
    return lag > FAR_BEHIND and 2 * lag > head


class CatchingUp:
    """The rebuilds with which one projector catches up.

    `show` is called with the fold so far and its sequence, `meter` counts the events read.
    """

    def __init__(
        self,
        projection: Projection[Any],
        instance: str,
        meter: RateMeter,
        show: Callable[[Fold[Any], int], None],
    ) -> None:
        self._projection = projection
        self._instance = instance
        self._meter = meter
        self._show = show
        self._begun: Rebuild | None = None
        """A rebuild of ours that was stopped while it read the log."""
        self._reading: Rebuild | None = None

    def forget(self) -> None:
        """Drop what an unfinished rebuild has read: it is no longer needed."""
        self._begun = None

    async def rebuild(self, log: EventLog) -> BlockedEventError | None:
        """Bring the bucket up to date; returns the event that it ends before, if there is one."""
        self._reading = rebuild = self._rebuild_of(log)
        try:
            plan = (await rebuild.prepare())[0]
        except asyncio.CancelledError:
            # The lease ran out, or a rebuild makes us wait. Keep what is folded: otherwise a long
            # log on a slow server would be read from its beginning again and again.
            self._begun = rebuild
            raise
        finally:
            self._reading = None
        blocked = rebuild.blocked.get(self._projection.name)
        # Projecting would also stop before an event that must not be passed.
        await rebuild.commit(Consent(partial=plan.is_forward))
        return blocked

    def _rebuild_of(self, log: EventLog) -> Rebuild:
        """A rebuild that reports its progress: an unfinished one, if it is of this log."""
        begun, self._begun = self._begun, None
        if begun is not None and begun.goes_on_in(log):
            return begun

        counted = 0

        def show(progress: ReplayProgress) -> None:
            nonlocal counted
            self._meter.add(max(0, progress.events - counted))
            counted = progress.events
            # Not bound to the rebuild: one in a reference cycle would never be freed.
            if self._reading is not None:
                self._show(self._reading.folds[self._projection.name], progress.seq)

        # By the rules, so that the states so far can be shown, and kept when this is cancelled.
        return Rebuild(
            log, WholeProjections((self._projection,)), self._instance, show, by_rule=True
        )
