"""What a projection is: a pure rule that folds events into documents, one per key.

Adding one takes a domain file with a subclass of `Projection`, a line in `projections.py`, and
a test. Everything else (projecting live, rebuilding, verifying, showing) follows from these
methods; nothing re-implements a fold.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import deepcopy
from typing import Generic, TypeVar

from natster_tui.domain.events import Event, EventType
from natster_tui.domain.parking import ParkReason

State = TypeVar("State")

CHECKPOINT_KEY = "_checkpoint"
"""The bucket key that holds the position; no document may be named so (see `is_usable_token`)."""


class Projection(ABC, Generic[State]):
    """One projection: its names, its version, and the rule.

    `name` is what people type, `bucket` the key-value bucket of the documents, `key_noun` what
    a key is called in a sentence. Raise `version` whenever the same log would give other
    documents than before: stored projections of another version must be rebuilt.
    """

    name: str
    bucket: str
    version: int
    key_noun: str
    uses: frozenset[EventType]

    @abstractmethod
    def apply(self, states: dict[str, State], event: Event) -> tuple[str, ...] | ParkReason:
        """Fold one event of a type in `uses` into `states`, in place.

        Returns the keys whose document changed, or the reason why the event is parked, in
        which case nothing was touched. Deterministic: no clock, no randomness, no I/O.
        """

    def parks(self, event: Event) -> ParkReason | None:
        """Why this projection sets an event aside, or None; no state plays a part in that."""
        if event.type not in self.uses:
            return None
        outcome = self.apply({}, event)
        return outcome if isinstance(outcome, ParkReason) else None

    @abstractmethod
    def keys_of(self, event: Event) -> tuple[str, ...]:
        """The keys whose documents an event of a type in `uses` may touch, parked or not."""

    @abstractmethod
    def key_filters(self, key: str) -> tuple[str, ...]:
        """Subject filters (one wildcard read each) that together hold all events of a key."""

    def copy(self, state: State) -> State:
        """A state that can be changed without changing this one."""
        return deepcopy(state)

    @abstractmethod
    def encode(self, key: str, state: State) -> bytes:
        """The stored document: UTF-8 JSON without spaces, keys in the contract's order."""

    @abstractmethod
    def decode(self, document: bytes) -> State:
        """The state a stored document stands for; raises ValueError if it is not one of ours."""
