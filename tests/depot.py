"""A made-up system: depots in which items are stored and from which they are taken."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from natster_tui.events.event import Event
from natster_tui.events.event_kind import EventKind
from natster_tui.events.system import EventSystem
from natster_tui.projections.keyed import KeyedProjection, Part


class DepotType(StrEnum):
    STORED = "stored"
    TAKEN = "taken"


DEPOT = EventSystem(
    stream="DEPOT",
    grammar="depot.{origin}.{catalog}.{event}",
    kinds=(
        EventKind(DepotType.STORED, "stored", "+", "+", "good", "put there", has_catalog=True),
        EventKind(DepotType.TAKEN, "taken", "-", "-", "warn", "taken away", has_catalog=True),
    ),
)


class Stock(BaseModel):
    model_config = ConfigDict(frozen=True)

    count: int
    last: str


class StockProjection(KeyedProjection[Stock]):
    name = "stock"
    bucket = "PROJ_STOCK"
    version = 1
    key_noun = "item"
    uses = frozenset(DepotType)
    keys = (Part.CATALOG,)
    model = Stock
    system = DEPOT

    def rule(self, document: Stock | None, event: Event, key: str) -> Stock:
        before = 0 if document is None else document.count
        change = 1 if event.type is DepotType.STORED else -1
        return Stock(count=before + change, last=event.origin)
