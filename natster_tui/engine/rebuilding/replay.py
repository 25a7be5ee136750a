"""Reading the log from its beginning and folding it, in bulk, without holding up a screen.

One read serves all the projections asked for. Used by rebuild, dry run, verify and every view
that must not rely on what is stored.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from natster_tui.engine.gc_tuning import collecting_rarely, freeze_loaded
from natster_tui.engine.log.repeated_ids import RepeatedIds
from natster_tui.errors import BlockedEventError, DocumentRefusedError
from natster_tui.events.event import Record, as_records
from natster_tui.events.parking import ParkReason
from natster_tui.projections.api import Projection
from natster_tui.projections.checkpoint import NO_TOMBSTONES
from natster_tui.projections.fast.quick_fold import QuickFold
from natster_tui.projections.fold import Fold
from natster_tui.projections.paging import entries_of
from natster_tui.store.log import EventLog


@dataclass(slots=True)
class ReplayProgress:
    """How far a replay is. Sequences and events are counted separately: a log may have gaps.

    `parked` is how many events each projection has parked so far, `blocked` why a projection
    stopped before an event that it must not pass. `repeated_ids` are those of what was read; None
    if they are not looked for.
    """

    first: int
    last: int
    started: float
    seq: int = 0
    events: int = 0
    by_type: Counter[str] = field(default_factory=Counter)
    parked: dict[str, int] = field(default_factory=dict)
    blocked: list[str] = field(default_factory=list)
    repeated_ids: RepeatedIds | None = None
    finished: float | None = None

    def begin_again(self) -> None:
        """Count from nothing again."""
        self.seq = self.events = 0
        self.by_type.clear()
        self.parked.clear()
        self.blocked.clear()
        if self.repeated_ids is not None:
            self.repeated_ids = RepeatedIds()

    @property
    def fraction(self) -> float:
        """From 0 to 1."""
        total = self.last - self.first + 1
        return 1.0 if total <= 0 or self.seq >= self.last else (self.seq - self.first + 1) / total

    @property
    def seconds(self) -> float:
        """Seconds since the replay began, or that it took."""
        return max((self.finished or time.monotonic()) - self.started, 1e-6)

    @property
    def rate(self) -> float:
        """Events per second so far."""
        return self.events / self.seconds

    @property
    def seconds_left(self) -> float | None:
        """An estimate, or None before there is anything to estimate from."""
        if self.fraction <= 0:
            return None
        return self.seconds * (1 - self.fraction) / self.fraction

    @property
    def parked_line(self) -> str:
        """How many events were parked, in words; empty when none were."""
        parked = ", ".join(f"{name} {count:,}" for name, count in self.parked.items() if count)
        return f"parked: {parked}" if parked else ""


FREEZE_EVERY = 100_000
"""After this many events, `gc.freeze()`: a full collection is a pause that grows with the log, a
second at ten million events."""
FREEZE_AT_END = 10_000
"""At the end of a read, `gc.freeze()` if at least this many events were read."""
ENCODED_AT_ONCE = 250
"""Documents encoded before the rest of the program may run again."""

OnProgress = Callable[[ReplayProgress], None]


class Replay:
    """Folds of one or more projections, moved forward through the log together."""

    def __init__(
        self,
        log: EventLog,
        projections: Sequence[Projection[Any]],
        instance: str,
        on_progress: OnProgress | None = None,
        *,
        by_rule: bool = False,
        looks_for_repeated_ids: bool = False,
    ) -> None:
        tombstones = log.sealing.tombstones or NO_TOMBSTONES
        self.folds: dict[str, Fold[Any]] = {
            p.name: Fold(p, tombstones=tombstones) for p in projections
        }
        self.blocked: dict[str, BlockedEventError] = {}
        """The folds that stopped before an event they must not pass, by projection, and why."""
        self.entries = {name: Entries(fold) for name, fold in self.folds.items()}
        self.log = log
        self.seq = 0
        self._known_from = log.info.first_seq
        self.progress = ReplayProgress(1, 0, time.monotonic())
        if looks_for_repeated_ids:
            # It takes half a microsecond per event, too long for a rebuild.
            self.progress.repeated_ids = RepeatedIds()
        self._going = tuple(self.folds.items())
        self._by_rule = by_rule
        self._frozen_at = 0
        self._instance = instance
        self._on_progress = on_progress or (lambda _progress: None)

    @property
    def is_outdated(self) -> bool:
        """Whether an account was erased since it began: its states may hold erased data."""
        now = self.log.sealing.tombstones
        return any(now not in (None, fold.tombstones) for fold in self.folds.values())

    async def advance(self, to: int) -> None:
        """Fold every event after the present position up to `to` inclusive.

        Raises LogChangedError when the log ends before `to`, or lost events since the replay was
        begun that were not read: it was shrunken meanwhile.
        """
        if to <= self.seq:
            return
        progress = self.progress
        progress.first = max(1, self.log.info.first_seq)
        progress.last = max(to, progress.last)
        progress.finished = None
        with collecting_rarely():
            if self.seq == 0 and not self._by_rule:
                await self._read_quickly(to)
            await self._read_to(to)
        if progress.events - self._frozen_at >= FREEZE_AT_END:
            self._keep()
        progress.seq = self.seq
        progress.finished = time.monotonic()
        self._on_progress(progress)

    def _keep(self) -> None:
        freeze_loaded()
        self._frozen_at = self.progress.events

    async def _read_quickly(self, to: int) -> None:
        """Read from the log's beginning by the fast form of the projections that have one.

        Where that is not possible, because a projection must not pass an event, the folds do not
        change, and the log is read by the rules.
        """
        quick = tuple(each for each in self._going if each[1].projection.fast_form is not None)
        if not quick:
            return
        others = tuple(each for each in self._going if each not in quick)
        tombstones = next(iter(self.folds.values())).tombstones
        fold = QuickFold(
            [each.projection for _name, each in quick], self.log.system, tombstones=tombstones
        )
        self._going = others
        try:
            await self._fold_quickly(fold, to)
        except BlockedEventError:
            self._begin_again()
            self._by_rule = True
            return
        except BaseException:
            # Cancelled, or the link is lost, perhaps between two of the folds.
            self._begin_again()
            raise
        for finished in fold.finish():
            self.folds[finished.projection.name].continue_from(finished)
        self._going = tuple(each for each in self.folds.items() if each[0] not in self.blocked)

    def _begin_again(self) -> None:
        """Forget what was folded."""
        for fold in self.folds.values():
            fold.continue_from(Fold(fold.projection))
        self._going = tuple(self.folds.items())
        self.blocked.clear()
        self.seq = self._frozen_at = 0
        self.progress.begin_again()

    async def _fold_quickly(self, quick: QuickFold, to: int) -> None:
        progress = self.progress
        async with aclosing(
            self.log.messages(
                self.seq + 1,
                to,
                purpose="replay",
                instance=self._instance,
                known_from=max(self._known_from, self.seq + 1),
            )
        ) as slices:
            async for messages in slices:
                if self._going:
                    self._fold(await self.log.sealing.open_records(as_records(messages)))
                if progress.repeated_ids is not None:
                    progress.repeated_ids.add_messages(messages)
                others = quick.take(messages)
                if others:
                    quick.apply(await self.log.sealing.open_records(as_records(others)))
                progress.by_type = quick.counts
                progress.parked.update(quick.parked())
                await self._passed(messages[-1][0], len(messages))

    async def _read_to(self, to: int) -> None:
        if self.seq >= to:
            return
        async with aclosing(
            self.log.records(
                self.seq + 1,
                to,
                purpose="replay",
                instance=self._instance,
                known_from=max(self._known_from, self.seq + 1),
            )
        ) as batches:
            async for batch in batches:
                if self.progress.repeated_ids is not None:
                    self.progress.repeated_ids.add(batch)
                self._fold(batch)
                await self._passed(batch[-1].seq, len(batch))
        if self.seq < to:
            self._pass_to(to)

    async def _passed(self, seq: int, events: int) -> None:
        """Count a slice of the log, report it, and let the rest of the program run."""
        progress = self.progress
        self.seq = progress.seq = seq
        progress.events += events
        self._on_progress(progress)
        if progress.events - self._frozen_at >= FREEZE_EVERY:
            self._keep()
        # A slice is at most a few thousand events.
        await asyncio.sleep(0)

    def _fold(self, records: list[Record]) -> None:
        events = list(map(self.log.system.read, records))
        self.progress.by_type.update(
            [event if isinstance(event, ParkReason) else event.type for event in events]
        )
        for name, fold in self._going:
            try:
                fold.apply_all(records, events)
            except BlockedEventError as error:
                # The other projections go on; this one stays before that event.
                self.blocked[name] = error.without_traceback()
                self.progress.blocked.append(f"{name}: {error.sentence}")
                self._going = tuple(each for each in self._going if each[0] != name)
            self.progress.parked[name] = fold.parked_count

    def _pass_to(self, to: int) -> None:
        """Move to a sequence up to which the log holds no more events."""
        self.seq = to
        for _name, fold in self._going:
            # There is no event at that sequence, so it has no time.
            fold.seq, fold.time_ns = to, 0


class Entries:
    """The entries of every document of a fold, as they are to be stored.

    A document is encoded once, and again only when it changed: a rebuild needs the same bytes to
    compare, to write and to verify. No other code may call `take_dirty` on the fold.
    """

    def __init__(self, fold: Fold[Any]) -> None:
        self.fold = fold
        self._entries: dict[str, bytes] = {}
        self._pages: dict[str, list[str]] = {}

    async def encoded(self) -> Mapping[str, bytes]:
        """The entries of the fold as it is now; valid until the fold moves on.

        A slice at a time: encoding a hundred thousand documents takes seconds.
        """
        fold, entries = self.fold, self._entries
        for number, key in enumerate(tuple(fold.dirty), 1):
            try:
                made = entries_of(fold.projection, key, fold.states[key])
            except DocumentRefusedError as error:
                raise fold.refused(key, error) from error
            del fold.dirty[key]
            for page in self._pages.pop(key, ()):
                del entries[page]
            if len(made) > 1:
                self._pages[key] = [page for page in made if page != key]
                # Pages come before the entry that names them.
                entries.pop(key, None)
            entries.update(made)
            if number % ENCODED_AT_ONCE == 0:
                await asyncio.sleep(0)
        return entries


async def encoded_documents(fold: Fold[Any]) -> dict[str, bytes]:
    """Every document of a fold, whole, to compare another program's documents with."""
    documents: dict[str, bytes] = {}
    for number, key in enumerate(list(fold.states), 1):
        document = fold.document(key)
        assert document is not None
        documents[key] = document
        if number % ENCODED_AT_ONCE == 0:
            await asyncio.sleep(0)
    return documents


async def replay(
    log: EventLog,
    projections: Sequence[Projection[Any]],
    to: int,
    instance: str,
) -> Replay:
    """A replay from the beginning to sequence `to`; raises BlockedEventError."""
    work = Replay(log, projections, instance)
    await work.advance(to)
    for error in work.blocked.values():
        raise error.without_traceback()
    return work
