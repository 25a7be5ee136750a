"""What one event changed, in each projection, by the real fold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from natster_tui.domain.events import Record, read_event
from natster_tui.domain.fold import Fold
from natster_tui.domain.parking import ParkReason
from natster_tui.domain.projection import Projection
from natster_tui.domain.projections import PROJECTIONS
from natster_tui.engine.key_history import key_records
from natster_tui.store.log import EventLog


@dataclass(frozen=True, slots=True)
class Effect:
    """A document before and after an event; both the same where it changed nothing."""

    projection: Projection[Any]
    key: str
    before: bytes | None
    after: bytes | None


async def effects_of(log: EventLog, record: Record, instance: str) -> list[Effect]:
    """The documents that an event touched. Its cost follows those keys' events, not the log."""
    event = read_event(record)
    if isinstance(event, ParkReason):
        return []
    effects = []
    for projection in PROJECTIONS:
        if event.type not in projection.uses or projection.parks(event) is not None:
            continue
        for key in dict.fromkeys(projection.keys_of(event)):
            fold = Fold(projection)
            fold.advance(await key_records(log, projection, key, record.seq - 1, instance))
            before = fold.document(key)
            fold.apply(record, event)
            effects.append(Effect(projection, key, before, fold.document(key)))
    return effects
