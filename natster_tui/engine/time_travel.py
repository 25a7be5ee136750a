"""The projections as of any sequence of the log.

Going forward folds on; going anywhere else begins at the nearest copy of the states that was
kept on the way. Copies are kept at a regular distance, and one close behind the present
position, so that stepping back costs a few hundred events whatever the log's length.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from natster_tui.domain.events import Record, read_event
from natster_tui.domain.fold import Fold
from natster_tui.domain.projections import PROJECTIONS
from natster_tui.store.log import EventLog

COPIES_KEPT = 48
STATES_KEPT = 2_000_000
"""All copies together hold at most so many states; a community of 100,000 gets fewer copies."""
COPY_EVERY_AT_LEAST = 2_000
CLOSE_BEHIND = 250

Folds = dict[str, Fold[Any]]


@dataclass(frozen=True)
class Moment:
    """Everything as of `seq`. `time` is that event's time in unix seconds, 0 before the first.

    `changed` names, by projection, the keys whose documents that very event changed.
    """

    seq: int
    time: int
    folds: Folds
    changed: dict[str, frozenset[str]]


class TimeTravel:
    """Moments of one log."""

    def __init__(
        self, log: EventLog, instance: str, on_progress: Callable[[int, int], None]
    ) -> None:
        self.log = log
        self._instance = instance
        self._on_progress = on_progress
        self._copies: list[tuple[int, Folds]] = []
        self._folds: Folds = _beginning()
        self._seq = 0

    async def at(self, seq: int) -> Moment:
        """The moment after event `seq`; beyond the head is the head, below 1 is before all.

        The folds of a moment are its own until the next call.
        """
        head = (await self.log.refresh()).last_seq
        seq = max(0, min(seq, head))
        # One event short of it, so that the last step shows what that event changed.
        self._go_back_for(seq - 1)
        await self._advance(seq - 1, head)
        changed: dict[str, frozenset[str]] = {}
        time = 0
        async with aclosing(
            self.log.records(self._seq + 1, seq, purpose="travel", instance=self._instance)
        ) as batches:
            async for batch in batches:
                for record in batch:
                    changed = self._fold(record)
                    time = record.event_time
        self._seq = max(self._seq, seq)
        return Moment(seq, time, self._folds, changed)

    def _go_back_for(self, seq: int) -> None:
        """Begin at the nearest position at or below `seq`: the present one, or a copy."""
        at = bisect_right(self._copies, seq, key=lambda copy: copy[0]) - 1
        best = self._copies[at][0] if at >= 0 else 0
        if best <= self._seq <= seq:
            return
        self._folds = _copied(self._copies[at][1]) if at >= 0 else _beginning()
        self._seq = best

    async def _advance(self, seq: int, head: int) -> None:
        if seq <= self._seq:
            return
        every = max(COPY_EVERY_AT_LEAST, head // COPIES_KEPT)
        start = self._seq
        # A short way needs no copy close behind: the one it began at is close enough.
        close_behind = seq - CLOSE_BEHIND if seq - start > CLOSE_BEHIND else 0
        async with aclosing(
            self.log.records(start + 1, seq, purpose="travel", instance=self._instance)
        ) as batches:
            async for batch in batches:
                for record in batch:
                    if self._seq < close_behind <= record.seq:
                        self._keep_copy()
                    self._fold(record)
                    self._seq = record.seq
                last = self._copies[-1][0] if self._copies else 0
                if self._seq - last >= every:
                    self._keep_copy()
                self._on_progress(self._seq, seq)
                await asyncio.sleep(0)
        self._seq = max(self._seq, seq)

    def _fold(self, record: Record) -> dict[str, frozenset[str]]:
        event = read_event(record)
        return {name: frozenset(fold.apply(record, event)) for name, fold in self._folds.items()}

    def _keep_copy(self) -> None:
        at = bisect_right(self._copies, self._seq, key=lambda copy: copy[0])
        if at > 0 and self._copies[at - 1][0] == self._seq:
            return
        self._copies.insert(at, (self._seq, _copied(self._folds)))
        states = sum(len(fold.states) for fold in self._folds.values())
        while len(self._copies) > 2 and (
            len(self._copies) > 2 * COPIES_KEPT or len(self._copies) * states > STATES_KEPT
        ):
            # Thin out: every other one but the newest goes, so that what stays is even.
            self._copies = self._copies[1::2]


def _beginning() -> Folds:
    return {projection.name: Fold(projection) for projection in PROJECTIONS}


def _copied(folds: Folds) -> Folds:
    return {name: fold.copy() for name, fold in folds.items()}
