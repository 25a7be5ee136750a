"""The document of a key at any sequence equals the fold of the log up to there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from natster_tui.engine.history.document_history import (
    effects_of,
    key_document,
    key_history,
)
from natster_tui.events.event import Record
from natster_tui.projections.account import AccountProjection
from natster_tui.projections.api import Projection
from natster_tui.projections.diff import FieldChange, field_changes
from natster_tui.projections.fold import Fold
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS, PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from tests.engine.running import consumers_of, fresh_log
from tests.folding import advance, fold_all
from tests.making_logs import (
    WEIRD_TOKENS,
    A,
    B,
    C,
    append,
    bound,
    event,
    initialized,
    records_in,
    shared,
    stored_events,
    unshared,
)

every_projection = pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda p: p.name)
few_examples = hypothesis_settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def changes_of(
    projection: Projection[Any], records: list[Record], key: str
) -> list[tuple[int, tuple[FieldChange, ...]]]:
    """The events that changed a document and how, read off a fold of everything."""
    fold, changes, before = Fold(projection), [], None
    for record in records:
        advance(fold, [record])
        after = fold.document(key)
        if after != before:
            changes.append((record.seq, field_changes(before, after)))
        before = after
    return changes


@every_projection
@few_examples
@given(events=stored_events(12), data=st.data())
async def test_a_document_and_its_history_are_those_of_the_logs_prefix(
    projection: Projection[Any], link: Link, events: list[Any], data: st.DataObject
) -> None:
    log = await fresh_log(link)
    head = await append(log, [initialized(A), shared(A, B), *events])
    records = await records_in(log)
    key = data.draw(st.sampled_from(list(fold_all(projection, records).states)))
    for upto in {head, data.draw(st.integers(0, head))}:
        prefix = [record for record in records if record.seq <= upto]
        history = await key_history(log, projection, key, upto, "t")
        assert (history.key, history.seq) == (key, upto)
        assert history.document == fold_all(projection, prefix).document(key)
        assert [(change.record.seq, change.fields) for change in history.changes] == changes_of(
            projection, prefix, key
        )
    assert await key_document(log, projection, key, upto, "t") == history.document
    assert await consumers_of(link) == set()


@every_projection
@pytest.mark.parametrize(
    "key", ["NOBODY", "", "none", "*", ">", "AA.>", "a$b", "_checkpoint", "a b"]
)
async def test_what_nobody_is_called_has_no_document_whatever_it_would_match(
    key: str, projection: Projection[Any], log: EventLog
) -> None:
    await append(log, [initialized(A), shared(A, B), shared(">", "*", "a$b")])
    history = await key_history(log, projection, key, 3, "t")
    assert (history.document, history.changes) == (None, ())


@pytest.mark.parametrize("target", [*WEIRD_TOKENS, B])
async def test_an_initialization_counts_whatever_its_target_and_catalog_tokens_say(
    target: str, log: EventLog
) -> None:
    """A wildcard filter of four tokens would silently leave out those with a literal `>`."""
    await append(log, [event("natster_initialized", A, target, target), shared(B, A)])
    expected = fold_all(ACCOUNTS, await records_in(log)).document(A)
    assert expected is not None
    assert b'"initialized_at":0' not in expected
    assert await key_document(log, ACCOUNTS, A, 2, "t") == expected


async def test_a_key_is_folded_though_odd_events_of_its_name_lie_between(log: EventLog) -> None:
    odd = [shared(">", A), shared(A, ">"), shared("*", B), event(">", A, B, "kevbuzz"),
           event("natster_initialized", A, ">", ">"), bound(">")]  # fmt: skip
    await append(log, [*odd, shared(A, B), *odd, shared(C, B), *odd, unshared(A, B), *odd])
    records = await records_in(log)
    keys: list[tuple[Projection[Any], str]] = [(ACCOUNTS, A), (ACCOUNTS, B), (CATALOGS, "kevbuzz")]
    for projection, key in keys:
        for upto in (len(records), 14, 7, 6):
            prefix = fold_all(projection, records[:upto])
            assert await key_document(log, projection, key, upto, "t") == prefix.document(key)


async def test_at_nothing_there_is_nothing(log: EventLog) -> None:
    await append(log, [initialized(A)])
    history = await key_history(log, ACCOUNTS, A, 0, "t")
    assert (history.document, history.changes) == (None, ())


# -- what one event did ------------------------------------------------------------------------


@few_examples
@given(events=stored_events(12), data=st.data())
async def test_the_effects_of_an_event_are_what_the_fold_did_there(
    link: Link, events: list[Any], data: st.DataObject
) -> None:
    log = await fresh_log(link)
    await append(log, [initialized(A), shared(A, B), *events])
    records = await records_in(log)
    record = data.draw(st.sampled_from(records))
    effects = await effects_of(log, record, "t", PROJECTIONS)
    found = {(e.projection.name, e.key): (e.made, e.fields) for e in effects}
    assert len(found) == len(effects)
    for projection in PROJECTIONS:
        before = fold_all(projection, [r for r in records if r.seq < record.seq]).documents()
        after = fold_all(projection, [r for r in records if r.seq <= record.seq]).documents()
        changed = {key for key in after if after[key] != before.get(key)}
        assert changed <= {key for name, key in found if name == projection.name}
        for (name, key), change in found.items():
            if name == projection.name:
                old, new = before.get(key), after.get(key)
                assert change == (old is None and new is not None, field_changes(old, new))


async def test_a_hub_with_thousands_of_shares_is_told_of_without_its_every_past(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its document grows with each share: all of its pasts together grow with their square."""
    count = 3_000
    encoded = 0
    document_of = AccountProjection.document

    def counting(self: AccountProjection, key: str, state: Any, lists: Mapping[str, Any]) -> Any:
        nonlocal encoded
        encoded += sum(map(len, lists.values()))
        return document_of(self, key, state, lists)

    monkeypatch.setattr(AccountProjection, "document", counting)
    head = await append(log, [shared("HUB", f"M{number:05}", "hub") for number in range(count)])
    history = await key_history(log, ACCOUNTS, "HUB", head, "t")
    assert history.document is not None
    assert history.document.count(b'"catalog":"hub"') == count
    assert len(history.changes) == count
    # The whole document at the end, and at each step no more than the share it brought.
    assert encoded <= 2 * count
    assert history.document == await key_document(log, ACCOUNTS, "HUB", head, "t")
    record = await log.record_at(head)
    assert record is not None
    effects = await effects_of(log, record, "t", PROJECTIONS)
    assert [(effect.key, effect.made, len(effect.fields)) for effect in effects] == [
        ("HUB", False, 1), ("M02999", True, 3), ("hub", False, 1),
    ]  # fmt: skip
