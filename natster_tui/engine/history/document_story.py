"""The events of one document, and when its shares were made and imported.

A state holds who shares what, but not when it was shared or by which event: that would take memory
for every share of the log. So this is read from the key's events, for the document that is shown.
The fold decides what an event did; this module only notes when.
"""

from __future__ import annotations

from bisect import bisect_right
from enum import StrEnum
from operator import attrgetter
from typing import Any, NamedTuple

from natster_tui.engine.history.document_history import key_records, paced
from natster_tui.events.event import Event, Record
from natster_tui.events.event_kind import EventKind
from natster_tui.events.parking import ParkReason
from natster_tui.projections.account import AccountState
from natster_tui.projections.api import Projection
from natster_tui.projections.checkpoint import NO_TOMBSTONES
from natster_tui.projections.fold import Fold
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.store.log import EventLog

_ABSENT = -1
"""Stands for the import time of a share that does not exist."""


class Mark(NamedTuple):
    """The sequence of an event, and its time in unix seconds."""

    seq: int
    time: int


class StoryEvent(NamedTuple):
    """An event that changed the document, or one of its shares."""

    seq: int
    time: int
    kind: EventKind
    origin: str
    target: str
    catalog: str


class Share(NamedTuple):
    """A catalog, the account that shares it, and the account that it is shared with."""

    origin: str
    target: str
    catalog: str


_seq = attrgetter("seq")


class DocumentStory:
    """The events that made the document of a key, and those that made its shares.

    `upto` is the last sequence that was read. Each question can also be asked as of an earlier
    one.
    """

    def __init__(
        self, projection: Projection[Any], key: str, tombstones: str = NO_TOMBSTONES
    ) -> None:
        self.projection = projection
        self.key = key
        self.upto = 0
        self.happenings: list[StoryEvent] = []
        self._fold = Fold(projection, tombstones=tombstones)
        self._shares: Fold[AccountState] | None = None
        """A fold of all accounts from the key's events, which is right for the key's own shares."""
        if projection is ACCOUNTS:
            self._shares = self._fold
        elif projection is CATALOGS:
            self._shares = Fold(ACCOUNTS, tombstones=tombstones)
        self._shared: dict[Share, list[Mark]] = {}
        self._imported: dict[Share, list[Mark]] = {}
        self._did: dict[StrEnum, list[Mark]] = {}
        """The events that the key's account itself sent, by type."""

    def concerns(self, event: Event | ParkReason) -> bool:
        """Whether an event may have changed the document."""
        return (
            not isinstance(event, ParkReason)
            and event.type in self.projection.uses
            and self.key in self.projection.keys_of(event)
        )

    def add(self, record: Record, event: Event | ParkReason) -> None:
        """Add the next event of the key. Raises BlockedEventError, as the fold does."""
        if record.seq <= self.upto:
            return
        if self._shares is None:
            changed = self.key in self._fold.apply(record, event)
        else:
            changed = self._add_share(self._shares, record, event)
        if changed and isinstance(event, Event):
            self.happenings.append(
                StoryEvent(
                    record.seq, event.time, event.kind, event.origin, event.target, event.catalog
                )
            )
            if event.origin == self.key:
                self._did.setdefault(event.type, []).append(Mark(record.seq, event.time))
        self.upto = record.seq

    def _add_share(
        self, fold: Fold[AccountState], record: Record, event: Event | ParkReason
    ) -> bool:
        """Fold an event, and note the share that it made or imported; returns whether it did."""
        if isinstance(event, ParkReason):
            return False
        sides = (
            Share(event.origin, event.target, event.catalog),
            Share(event.target, event.origin, event.catalog),
        )
        before = [_imported_at(fold, share) for share in sides]
        did = bool(fold.apply(record, event))
        if self._fold is not fold:
            did = bool(self._fold.apply(record, event)) or did
        mark = Mark(record.seq, event.time)
        for share, was in zip(sides, before, strict=True):
            now = _imported_at(fold, share)
            if was == _ABSENT and now != _ABSENT:
                self._shared.setdefault(share, []).append(mark)
            elif was is None and now is not None and now != _ABSENT:
                self._imported.setdefault(share, []).append(mark)
        return did

    def shared(self, share: Share, at: int) -> Mark | None:
        """The event that made a share, as of sequence `at`."""
        return _last(self._shared.get(share, []), at)

    def imported(self, share: Share, at: int) -> Mark | None:
        """The event that imported a share after it was last made, up to sequence `at`."""
        made, mark = self.shared(share, at), _last(self._imported.get(share, []), at)
        return mark if mark is not None and made is not None and mark.seq > made.seq else None

    def happened(self, at: int) -> int:
        """How many of `happenings` there were up to sequence `at`."""
        return bisect_right(self.happenings, at, key=_seq)

    def first(self, kind: EventKind, at: int) -> Mark | None:
        """The first event of a kind that the key's account sent, up to sequence `at`."""
        marks = self._did.get(kind.type, [])
        return marks[0] if marks and marks[0].seq <= at else None

    def last(self, kind: EventKind, at: int) -> Mark | None:
        """The last event of a kind that the key's account sent, up to sequence `at`."""
        return _last(self._did.get(kind.type, []), at)


def _imported_at(fold: Fold[AccountState], share: Share) -> int | None:
    """When a share was imported, None if it was not; _ABSENT if there is no such share."""
    state = fold.states.get(share.origin)
    entry = (share.catalog, share.target)
    return _ABSENT if state is None else state.out_shares.get(entry, _ABSENT)


def _last(marks: list[Mark], at: int) -> Mark | None:
    number = bisect_right(marks, at, key=_seq)
    return marks[number - 1] if number else None


async def read_story(log: EventLog, story: DocumentStory, upto: int, instance: str) -> None:
    """Read the key's events that are not yet part of the story, up to a sequence."""
    records = await key_records(
        log, story.projection, story.key, upto, instance, first=story.upto + 1
    )
    async for record in paced(records):
        story.add(record, log.system.read(record))
    story.upto = max(story.upto, upto)
