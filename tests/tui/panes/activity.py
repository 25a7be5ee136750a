"""A projection that the package does not have: how many events each account published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from natster_tui.events.event import Event
from natster_tui.events.natster import NATSTER, EventType
from natster_tui.events.parking import ParkReason
from natster_tui.projections.api import Projection
from natster_tui.projections.documents import Document


@dataclass(slots=True)
class ActivityState:
    first_seen: int
    events: int = 0


class ActivityProjection(Projection[ActivityState]):
    name = "activity"
    bucket = "PROJ_ACTIVITY"
    version = 1
    key_noun = "account"
    uses = frozenset(EventType)

    def apply(self, states: dict[str, ActivityState], event: Event) -> tuple[str, ...] | ParkReason:
        if not event.usable:
            return ParkReason.TOKEN
        state = states.setdefault(event.origin, ActivityState(event.time))
        state.events += 1
        return (event.origin,)

    def keys_of(self, event: Event) -> tuple[str, ...]:
        return (event.origin,)

    def key_filters(self, key: str) -> tuple[str, ...]:
        return (f"{NATSTER.prefix}{key}.>",)

    def document(self, key: str, state: ActivityState, lists: Mapping[str, Any]) -> Document:
        return {"account": key, "first_seen": state.first_seen, "events": state.events}

    def state_of(self, document: Document) -> ActivityState:
        return ActivityState(document["first_seen"], document["events"])
