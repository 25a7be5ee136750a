"""What an event would change, before it happens: the real fold on copies of the states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from natster_tui.domain.events import Record, read_event
from natster_tui.domain.fold import Fold
from natster_tui.domain.parking import ParkReason
from natster_tui.domain.projection import Projection


@dataclass(frozen=True, slots=True)
class Preview:
    """A document before and after an event that has not happened."""

    projection: Projection[Any]
    key: str
    before: bytes | None
    after: bytes | None


def preview_of(record: Record, folds: Mapping[str, Fold[Any]]) -> list[Preview]:
    """The documents that a record would change; only those states are copied."""
    event = read_event(record)
    if isinstance(event, ParkReason):
        return []
    previews = []
    for fold in folds.values():
        projection = fold.projection
        if event.type not in projection.uses:
            continue
        states = {
            key: projection.copy(fold.states[key])
            for key in projection.keys_of(event)
            if key in fold.states
        }
        before = {key: projection.encode(key, state) for key, state in states.items()}
        outcome = projection.apply(states, event)
        if isinstance(outcome, ParkReason):
            continue
        previews += [
            Preview(projection, key, before.get(key), projection.encode(key, states[key]))
            for key in outcome
        ]
    return previews
