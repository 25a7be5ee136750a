"""Previewing what an event would change, with the real fold on copies of the states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from natster_tui.errors import DocumentRefusedError, RuleFailedError
from natster_tui.events.event import Event, Record
from natster_tui.events.parking import ParkReason
from natster_tui.projections.fold import Fold
from natster_tui.projections.history.steps import DocumentSteps, Effect


def preview_of(
    record: Record, event: Event | ParkReason, folds: Mapping[str, Fold[Any]]
) -> list[Effect]:
    """The changes that a record would make; only the states of the keys it names are copied.

    An event that is not published yet has no sequence: use any number from 1 on. A projection whose
    rule fails at the event has no changes; its projector says why when it comes to that.
    """
    if isinstance(event, ParkReason):
        return []
    effects = []
    for fold in folds.values():
        projection = fold.projection
        if event.type not in projection.uses:
            continue
        keys = tuple(dict.fromkeys(projection.keys_of(event)))
        for key in keys:
            states = {
                each: projection.copy(fold.states[each]) for each in keys if each in fold.states
            }
            try:
                effect = DocumentSteps(Fold(projection, states), key).apply(record, event)
            except (RuleFailedError, DocumentRefusedError):
                continue
            if effect.fields:
                effects.append(effect)
    return effects
