"""A projection whose documents say which events made them: the events' sequences, in order.

The accounts and catalogs forgive an event that is applied twice, for most of their changes are
idempotent. Here an event lost, doubled or out of order is a document that differs.
"""

from __future__ import annotations

import json

from natster_tui.domain.events import SUBJECT_PREFIX, Event, EventType, has_usable_tokens
from natster_tui.domain.parking import ParkReason
from natster_tui.domain.projection import Projection


class Journal(Projection[list[int]]):
    name = "journal"
    bucket = "PROJ_JOURNAL"
    version = 1
    key_noun = "account"
    uses = frozenset(EventType)

    def apply(self, states: dict[str, list[int]], event: Event) -> tuple[str, ...] | ParkReason:
        if not has_usable_tokens(event):
            return ParkReason.TOKEN
        states.setdefault(event.origin, []).append(event.seq)
        return (event.origin,)

    def keys_of(self, event: Event) -> tuple[str, ...]:
        return (event.origin,)

    def key_filters(self, key: str) -> tuple[str, ...]:
        return (f"{SUBJECT_PREFIX}{key}.*.*.*",)

    def encode(self, _key: str, state: list[int]) -> bytes:
        return json.dumps(state).encode()

    def decode(self, document: bytes) -> list[int]:
        value = json.loads(document)
        if not isinstance(value, list):
            raise ValueError("not a journal")  # noqa: TRY004 - what `Projection.decode` raises
        return value
