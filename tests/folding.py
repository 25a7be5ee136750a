"""Folding records that were made by hand."""

from __future__ import annotations

from collections.abc import Iterable

from natster_tui.events.event import Record
from natster_tui.events.natster import NATSTER
from natster_tui.projections.api import Projection, State
from natster_tui.projections.fold import Fold


def advance(fold: Fold[State], records: Iterable[Record]) -> None:
    """Fold records in order."""
    kept = list(records)
    fold.apply_all(kept, list(map(NATSTER.read, kept)))


def fold_all(projection: Projection[State], records: Iterable[Record]) -> Fold[State]:
    """One fold of a whole log."""
    fold = Fold(projection)
    advance(fold, records)
    return fold
