"""Which documents changed since a mark, against a model."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from natster_tui.engine.projecting.recent_changes import RecentChanges

STEPS = st.lists(st.one_of(st.none(), st.lists(st.sampled_from("abcdef"), max_size=4)))


@given(STEPS, st.data())
def test_since_a_mark_is_what_was_noted_after_it(
    steps: list[list[str] | None], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(steps)))
    changes = RecentChanges()
    mark = changes.mark
    for number, step in enumerate(steps):
        if number == at:
            mark = changes.mark
        if step is None:
            changes.forget()
        else:
            changes.note(step)
    if at == len(steps):
        mark = changes.mark
    after = steps[at:]
    found = changes.since(mark)
    if None in after:
        assert found is None
    else:
        assert found is not None
        assert sorted(found) == sorted({key for step in after for key in step or ()})
