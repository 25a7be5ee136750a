"""What a step says an event changed is what differs between the whole documents around it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natster_tui.events.event import Record
from natster_tui.events.natster import NATSTER
from natster_tui.projections.api import Projection
from natster_tui.projections.diff import field_changes
from natster_tui.projections.fold import Fold
from natster_tui.projections.history.steps import DocumentSteps
from natster_tui.projections.preview import preview_of
from natster_tui.projections.registering.registry import PROJECTIONS
from tests.folding import advance, fold_all
from tests.making_logs import logs

every_projection = pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda p: p.name)


@every_projection
@settings(max_examples=60)
@given(records=logs(max_size=25), begun=st.integers(0, 25), data=st.data())
def test_each_step_is_the_difference_between_the_documents_around_it(
    projection: Projection[Any], records: list[Record], begun: int, data: st.DataObject
) -> None:
    everything = fold_all(projection, records)
    key = data.draw(st.sampled_from(["nobody", *everything.states]))
    fold = fold_all(projection, records[:begun])
    steps = DocumentSteps(fold.copy(), key)  # of a state that is there already, or of none
    for record in records[begun:]:
        before = fold.document(key)
        advance(fold, [record])
        after = fold.document(key)
        effect = steps.apply(record, NATSTER.read(record))
        assert (effect.projection, effect.key) == (projection, key)
        assert effect.fields == field_changes(before, after)
        assert effect.made == (before is None and after is not None)
    assert steps.fold.documents() == everything.documents()


@settings(max_examples=60)
@given(records=logs(max_size=15))
def test_a_preview_is_what_then_happens_and_changes_nothing(records: list[Record]) -> None:
    folds: dict[str, Fold[Any]] = {each.name: Fold(each) for each in PROJECTIONS}
    for record in records:
        told = preview_of(record, NATSTER.read(record), folds)
        happened = []
        for fold in folds.values():
            documents = fold.documents()
            advance(fold, [record])
            happened += [
                (fold.projection.name, key, key not in documents, fields)
                for key in fold.take_dirty()
                if (fields := field_changes(documents.get(key), fold.document(key)))
            ]
        assert [(e.projection.name, e.key, e.made, e.fields) for e in told] == happened
