"""The base class of projections: a pure rule that folds events into documents, one per key.

Everything else (projecting live, rebuilding, verifying, showing) uses these methods; no other code
implements a fold. Authors of projections derive from `KeyedProjection` (see `keyed`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from natster_tui.errors import UnopenedEventError
from natster_tui.events.event import Event
from natster_tui.events.parking import ParkReason
from natster_tui.events.sealed_payload import Seal
from natster_tui.projections.documents import Document, encode_document, read_document
from natster_tui.projections.fast.share_relation import ShareRelation
from natster_tui.text.safe_text import safe_text

State = TypeVar("State")

CHECKPOINT_KEY = "_checkpoint"
"""The bucket key of the position; no document can have this key (see `is_usable_token`)."""


FastForm = Callable[[ShareRelation, dict[str, State]], dict[str, State]]
"""Makes all states of the active shares, and of the states that the other events made by the rule.

They must be what `apply` makes of the whole log, in the same order.
"""


def names_and_values(content: Mapping[Any, Any]) -> tuple[list[Any], list[Any]]:
    """The names and the values of a mapping as they are."""
    return list(content), list(content.values())


@dataclass(frozen=True, slots=True)
class PageableList(Generic[State]):
    """A list in documents that is stored in pages if the document is large (see `paging`).

    `of` finds it in a state, as a mapping in the order of the list. `columns` gives the names and
    the values of such a mapping, in a form that is quick to compare. `as_json` turns them, or a
    part of them, into the entries of the list.
    """

    of: Callable[[State], Mapping[Any, Any]]
    as_json: Callable[[Sequence[Any], Sequence[Any]], list[Any]]
    columns: Callable[[Any], tuple[Sequence[Any], Sequence[Any]]] = names_and_values


class Projection(ABC, Generic[State]):
    """One projection: its names, its version, and the rule.

    `name` is what people type, `bucket` the key-value bucket of the documents, `key_noun` the word
    for a key in a sentence. Raise `version` whenever the same log would give different documents:
    stored projections of another version must be rebuilt. `pageable` has the lists that may grow
    with the community, by their names in the document.
    """

    name: str
    bucket: str
    version: int
    key_noun: str
    uses: frozenset[StrEnum]
    pageable: Mapping[str, PageableList[State]] = MappingProxyType({})
    beside: str = ""
    """The bucket that this version is stored beside; empty for a version in the stored bucket.
    Projections do not declare it: `versions.naming` makes such versions."""
    tried_from: str = ""
    """The file that this projection is tried from; empty for one that is stored. A tried one is
    never written. Projections do not declare it: `registering.tried` makes them."""
    fast_form: FastForm[State] | None = None
    """Folds from the log's beginning by the shares as a relation (see `quick_fold`); None: every
    event goes through `apply`."""

    @abstractmethod
    def apply(self, states: dict[str, State], event: Event) -> tuple[str, ...] | ParkReason:
        """Fold one event of a type in `uses` into `states`, in place.

        Returns the keys whose documents changed, or the reason why the event is parked; then
        nothing has changed. Deterministic: no clock, no randomness, no I/O. Raises
        BlockedEventError if it needs a payload whose key is not here: such an event is neither
        parked nor skipped, and nothing has changed then either.
        """

    def parks(self, event: Event) -> ParkReason | None:
        """Why this projection parks an event, whatever the states are; None if it does not.

        Override it if `apply` parks events for other reasons than unusable tokens.
        """
        return ParkReason.TOKEN if event.type in self.uses and not event.usable else None

    def holder(self, key: str, _state: State) -> str:
        """The account that a document belongs to; the document is sealed with its key."""
        return key

    @abstractmethod
    def keys_of(self, event: Event) -> tuple[str, ...]:
        """The keys whose documents an event of a type in `uses` may touch, parked or not."""

    @abstractmethod
    def key_filters(self, key: str) -> tuple[str, ...]:
        """Subject filters (one wildcard read each) that together hold all events of a key."""

    def copy(self, state: State) -> State:
        """A copy of a state that can be changed without changing the original."""
        return deepcopy(state)

    @abstractmethod
    def document(self, key: str, state: State, lists: Mapping[str, Any]) -> Document:
        """The document of a state, its fields in order.

        `lists` has the value for each pageable list, by name: the list, or the number of pages.
        """

    @abstractmethod
    def state_of(self, document: Document) -> State:
        """The state of a whole document; ValueError if this projection cannot have made it."""

    def whole(self, key: str, state: State) -> Document:
        """The whole document of a state, as JSON values."""
        lists = {
            name: each.as_json(*each.columns(each.of(state)))
            for name, each in self.pageable.items()
        }
        return self.document(key, state, lists)

    def encode(self, key: str, state: State) -> bytes:
        """The whole document as UTF-8 JSON without spaces; `paging` says how it is stored."""
        return encode_document(self.whole(key, state))

    def decode(self, document: bytes) -> State:
        """The state of a whole document in bytes; ValueError as for `state_of`."""
        value = read_document(document)
        if value is None:
            raise ValueError("not a JSON object")
        return self.state_of(value)


def unopened_error(event: Event, seal: Seal) -> UnopenedEventError:
    """The error for an event whose payload is needed and whose key is missing."""
    key = f"the key {seal.key_id}" if seal.key_id else "a key"
    return UnopenedEventError(
        f"stopped before event {event.seq:,}: its payload, from {safe_text(event.origin, 80)}, is "
        f"sealed with {key}, which is not available: {seal.reason}",
        event.seq,
    )
