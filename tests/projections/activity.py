"""A projection as a user writes one: what each account did, and when it was last seen."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from natster_tui.events.event import Event
from natster_tui.events.natster import EventType
from natster_tui.projections.keyed import KeyedProjection, Part


class Activity(BaseModel):
    model_config = ConfigDict(frozen=True)

    events: int
    first_seen: int
    last_seen: int


class ActivityProjection(KeyedProjection[Activity]):
    name = "activity"
    bucket = "PROJ_ACTIVITY"
    version = 1
    key_noun = "account"
    uses = frozenset(EventType)
    keys = (Part.ORIGIN,)
    model = Activity

    def rule(self, document: Activity | None, event: Event, key: str) -> Activity:
        if document is None:
            return Activity(events=1, first_seen=event.time, last_seen=event.time)
        return document.model_copy(
            update={
                "events": document.events + 1,
                "last_seen": max(document.last_seen, event.time),
            }
        )
