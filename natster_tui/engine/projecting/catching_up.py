"""Catching up with a long log by a rebuild, instead of batch by batch."""

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
"""The lag in events from which on a rebuild is used, if it is also most of the log."""


def is_far(seq: int, log: EventLog) -> bool:
    """Whether the events after a sequence are most of a long log.

    Batch by batch, a busy document would be written hundreds of times; a rebuild folds in
    memory and writes each document once.
    """
    head = log.info.last_seq
    lag = head - seq
    return lag > FAR_BEHIND and 2 * lag > head


class CatchUp:
    """Catches one projector up by rebuilds.

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
        self._unfinished: Rebuild | None = None
        """A rebuild that was cancelled while it read the log."""
        self._reading: Rebuild | None = None

    def forget(self) -> None:
        """Drop an unfinished rebuild, which is no longer needed."""
        self._unfinished = None

    async def rebuild(self, log: EventLog) -> BlockedEventError | None:
        """Bring the bucket up to date; returns the error of the event that blocks it, if any."""
        self._reading = rebuild = self._rebuild_of(log)
        try:
            plan = (await rebuild.prepare())[0]
        except asyncio.CancelledError:
            # The lease ran out, or another rebuild pauses this one. Keep what is folded: otherwise
            # a long log on a slow server would be read from its beginning again and again.
            self._unfinished = rebuild
            raise
        finally:
            self._reading = None
        blocked = rebuild.blocked.get(self._projection.name)
        # A partial result is right: projecting would stop before the same event.
        await rebuild.commit(Consent(partial=plan.is_forward))
        return blocked

    def _rebuild_of(self, log: EventLog) -> Rebuild:
        """A rebuild that reports its progress: the unfinished one, if it is of this log."""
        unfinished, self._unfinished = self._unfinished, None
        if unfinished is not None and unfinished.continues_in(log):
            return unfinished

        counted = 0

        def show(progress: ReplayProgress) -> None:
            nonlocal counted
            self._meter.add(max(0, progress.events - counted))
            counted = progress.events
            # Do not bind the rebuild here: in a reference cycle it would never be freed.
            if self._reading is not None:
                self._show(self._reading.folds[self._projection.name], progress.seq)

        # By the rules, so that the states so far can be shown, and kept on cancellation.
        return Rebuild(
            log, WholeProjections((self._projection,)), self._instance, show, by_rule=True
        )
