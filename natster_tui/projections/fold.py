"""Folding a log into one projection: the only place where events meet states.

Live projecting, rebuilding, dry runs, verifying, time travel and "why" all hold a `Fold`. The
state inside is mutable, because a replay applies millions of events; what leaves it (document
bytes, tallies, keys) is immutable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic

from natster_tui.errors import DocumentRefusedError, NatsterError, RuleFailedError
from natster_tui.events.event import Event, Record
from natster_tui.events.parking import ParkedEvent, ParkedTally, ParkReason
from natster_tui.projections.api import Projection, State
from natster_tui.projections.checkpoint import NO_TOMBSTONES
from natster_tui.projections.registering.raised import described_error


class Fold(Generic[State]):
    """The states of one projection at a position in the log.

    `seq` is the sequence of the last record folded (0: none), `time_ns` that record's stream
    time, and `parked` the tally of events set aside. `dirty` has the keys whose document changed
    since `take_dirty` was last called, each with the sequence of the event that did it last.
    `tombstones` is the digest of the erasures that it was started with. Erasures are an input,
    like the log: with other erasures it is another fold.
    """

    def __init__(
        self,
        projection: Projection[State],
        states: dict[str, State] | None = None,
        seq: int = 0,
        time_ns: int = 0,
        parked: ParkedTally | None = None,
        *,
        tombstones: str = NO_TOMBSTONES,
    ) -> None:
        self.projection = projection
        self.states: dict[str, State] = {} if states is None else states
        self.seq = seq
        self.time_ns = time_ns
        self.tombstones = tombstones
        self.dirty: dict[str, int] = {}
        self._uses = projection.uses
        self._rule = projection.apply
        self._parked = parked or ParkedTally()
        self._newly_parked: list[ParkedEvent] = []

    def apply(self, record: Record, event: Event | ParkReason) -> tuple[str, ...]:
        """Fold one record, read with the system it belongs to; returns the keys that changed.

        Raises BlockedEventError (see `Projection.apply`), and does not move.
        """
        return self.apply_all((record,), (event,))

    def apply_all(
        self, records: Sequence[Record], events: Sequence[Event | ParkReason]
    ) -> tuple[str, ...]:
        """Fold records in ascending order; returns the keys that the last one changed.

        A record at or below `seq` was folded before and is skipped: only the stream sequence
        identifies a duplicate. Raises BlockedEventError, and stands just before that event.
        """
        uses, rule, states, dirty = self._uses, self._rule, self.states, self.dirty
        changed: tuple[str, ...] = ()
        for record, event in zip(records, events, strict=True):
            seq = record.seq
            if seq <= self.seq:
                changed = ()
                continue
            outcome: tuple[str, ...] | ParkReason = ()
            if isinstance(event, ParkReason):
                outcome = event
            elif event.type in uses:
                try:
                    outcome = rule(states, event)
                except NatsterError:
                    raise
                except Exception as error:
                    raise self._failure(seq, described_error(error)) from error
            self.seq = seq
            self.time_ns = record.time_ns
            if isinstance(outcome, ParkReason):
                self._newly_parked.append(ParkedEvent(seq, outcome))
                outcome = ()
            for key in outcome:
                dirty[key] = seq
            changed = outcome
        return changed

    def continue_from(self, other: Fold[State]) -> None:
        """Take over the position and states of another fold, which must not be used any more."""
        self.states, self.seq, self.time_ns = other.states, other.seq, other.time_ns
        self.dirty, self._parked, self._newly_parked = other.dirty, other.parked, []

    def copy(self) -> Fold[State]:
        """An independent copy at the same position."""
        copy = self.projection.copy
        states = {key: copy(state) for key, state in self.states.items()}
        return Fold(
            self.projection,
            states,
            self.seq,
            self.time_ns,
            self.parked,
            tombstones=self.tombstones,
        )

    @property
    def parked_count(self) -> int:
        """How many events were parked so far; cheaper than the tally."""
        return self._parked.count + len(self._newly_parked)

    @property
    def parked(self) -> ParkedTally:
        """The events parked so far."""
        if self._newly_parked:
            self._parked = self._parked.adding(self._newly_parked)
            self._newly_parked = []
        return self._parked

    def take_dirty(self) -> tuple[str, ...]:
        """The keys changed since the last call, in the order in which they first changed."""
        keys = tuple(self.dirty)
        self.dirty.clear()
        return keys

    def document(self, key: str) -> bytes | None:
        """The document of a key as it would be stored now, or None if there is none.

        Raises RuleFailedError if it cannot be stored.
        """
        return self._encoded(key) if key in self.states else None

    def _encoded(self, key: str) -> bytes:
        try:
            return self.projection.encode(key, self.states[key])
        except DocumentRefusedError as error:
            raise self.refused(key, error) from error

    def refused(self, key: str, error: DocumentRefusedError) -> RuleFailedError:
        """The error for a document that cannot be stored, naming the event that changed it last."""
        return self._failure(self.dirty.get(key, self.seq), error.sentence)

    def _failure(self, seq: int, why: str) -> RuleFailedError:
        sentence = f"the rule of {self.projection.name} failed at event {seq:,}: {why}"
        return RuleFailedError(f"{sentence}; correct it, then try again", seq)

    def holder(self, key: str) -> str:
        """The account under whose key the document of a key is sealed. Raises RuleFailedError."""
        try:
            holder = self.projection.holder(key, self.states[key])
        except Exception as error:
            raise self._failure(self.seq, f"holder: {described_error(error)}") from error
        if not isinstance(holder, str):
            raise self._failure(self.seq, f"holder returned {type(holder).__name__}, no account")
        return holder

    def documents(self) -> dict[str, bytes]:
        """Every document as it would be stored now. Raises RuleFailedError."""
        return {key: self._encoded(key) for key in self.states}
