"""A projection whose documents say which events made them: the events' sequences, in order.

The accounts and catalogs forgive an event that is applied twice, for most of their changes are
idempotent. Here an event lost, doubled or out of order is a document that differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from natster_tui.events.event import Event
from natster_tui.events.natster import NATSTER, EventType
from natster_tui.events.parking import ParkReason
from natster_tui.projections.api import PageableList, Projection
from natster_tui.projections.documents import Document, seconds_of

Events = dict[int, int]
"""Sequences by their number in the journal: what came twice stands in it twice."""


def _sequences(_numbers: Sequence[int], sequences: Sequence[int]) -> list[int]:
    return list(sequences)


class Journal(Projection[Events]):
    name = "journal"
    bucket = "PROJ_JOURNAL"
    version = 1
    key_noun = "account"
    uses = frozenset(EventType)
    pageable = MappingProxyType({"events": PageableList(lambda events: events, _sequences)})

    def apply(self, states: dict[str, Events], event: Event) -> tuple[str, ...] | ParkReason:
        if not event.usable:
            return ParkReason.TOKEN
        events = states.setdefault(event.origin, {})
        events[len(events)] = event.seq
        return (event.origin,)

    def keys_of(self, event: Event) -> tuple[str, ...]:
        return (event.origin,)

    def key_filters(self, key: str) -> tuple[str, ...]:
        # Not `KEY.*.*.*`: an initialization counts even with a literal `>` for a target.
        return (f"{NATSTER.prefix}{key}.>",)

    def document(self, _key: str, _state: Events, lists: Mapping[str, Any]) -> Document:
        return {"events": lists["events"]}

    def state_of(self, document: Document) -> Events:
        try:
            return dict(enumerate(map(seconds_of, document["events"])))
        except (KeyError, TypeError) as error:
            raise ValueError("not a journal") from error
