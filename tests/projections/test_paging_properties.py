"""Large documents in pages, as properties of whole logs: see `test_paging`.

All of it on pages so small that a made-up log fills several.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natster_tui.events.event import Record
from natster_tui.projections import paging
from natster_tui.projections.account import AccountState
from natster_tui.projections.api import Projection
from natster_tui.projections.diff import changed_entries, diff_entries
from natster_tui.projections.fast.shares import Shares
from natster_tui.projections.fold import Fold
from natster_tui.projections.paging import (
    DocumentPager,
    assembled,
    by_document,
    document_key,
    entries_of,
    page_key,
)
from natster_tui.projections.registering.registry import ACCOUNTS, PROJECTIONS
from tests.folding import advance, fold_all
from tests.making_logs import in_batches, logs

every_projection = pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda p: p.name)


@pytest.fixture(scope="module", autouse=True)
def small_pages() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paging, "PAGED_FROM", 120)
        patch.setattr(paging, "PAGE_LENGTH", 2)
        yield


def all_entries(fold: Fold[Any]) -> dict[str, bytes]:
    return {
        entry_key: entry
        for key, state in fold.states.items()
        for entry_key, entry in entries_of(fold.projection, key, state).items()
    }


def store(entries: dict[str, bytes], changes: Mapping[str, bytes | None]) -> None:
    for key, entry in changes.items():
        if entry is None:
            del entries[key]  # nothing is removed that is not there
        else:
            assert entries.get(key) != entry, "nothing is written that is there"
            entries[key] = entry


@every_projection
@given(records=logs())
def test_entries_give_the_state_back(projection: Projection[Any], records: list[Record]) -> None:
    fold = fold_all(projection, records)
    stored = dict(by_document(all_entries(fold)))
    assert stored.keys() == fold.states.keys()
    for key, entries in stored.items():
        document = assembled(projection, key, entries)
        state = projection.state_of(document)
        assert state == fold.states[key]
        assert projection.encode(key, state) == fold.document(key), "their order counts, too"
        assert json.dumps(document) == json.dumps(json.loads(fold.document(key) or b""))


@every_projection
@given(records=logs())
def test_a_document_is_paged_from_a_size_on_and_every_page_but_the_last_is_full(
    projection: Projection[Any], records: list[Record]
) -> None:
    for key, state in fold_all(projection, records).states.items():
        whole = projection.encode(key, state)
        entries = entries_of(projection, key, state)
        main = json.loads(entries.pop(key))
        if len(whole) < paging.PAGED_FROM:
            assert (main, entries) == (json.loads(whole), {})
            continue
        for name, entry in json.loads(whole).items():
            if name not in projection.pageable:
                assert main[name] == entry
                continue
            pages = main[name]["pages"]
            lists = [json.loads(entries.pop(page_key(key, name, n))) for n in range(pages)]
            assert [each for page in lists for each in page] == entry
            assert all(len(page) == 2 for page in lists[:-1])
            assert all(lists)
        assert entries == {}


@every_projection
@given(records=logs(), cuts=st.lists(st.integers(0, 100)), restarts=st.integers(0))
def test_the_entries_depend_on_the_state_only_with_any_batches_and_restarts(
    projection: Projection[Any], records: list[Record], cuts: list[int], restarts: int
) -> None:
    fold, entries = Fold(projection), dict[str, bytes]()
    pager = DocumentPager(projection)
    for number, batch in enumerate(in_batches(records, cuts)):
        if restarts >> number & 1:
            pager = DocumentPager(projection)
            for key, own in by_document(entries):
                pager.found(key, fold.states[key], own)
        advance(fold, batch)
        for key in fold.take_dirty():
            store_loosely(entries, pager.changes(key, fold.states[key]))
        assert entries == all_entries(fold)


def store_loosely(entries: dict[str, bytes], changes: Mapping[str, bytes | None]) -> None:
    """As `store`, but a key may be dirty and yet be as it was: shared and unshared in a batch."""
    pages = {key: entry for key, entry in changes.items() if "/" in key}
    store(entries, pages)
    for key, entry in changes.items():
        if key not in pages:
            assert entry is not None
            entries[key] = entry


@given(lengths=st.lists(st.integers(0, 9), min_size=1, max_size=12), data=st.data())
def test_lists_that_grow_shrink_and_change_in_any_way_cost_the_pages_that_differ(
    lengths: list[int], data: st.DataObject
) -> None:
    entries: dict[str, bytes] = {}
    pager = DocumentPager(ACCOUNTS)
    before: list[tuple[tuple[str, str], int | None]] | None = None
    for length in lengths:
        shares = data.draw(
            st.dictionaries(
                st.tuples(st.sampled_from("ab"), st.sampled_from("ABCDE")),
                st.sampled_from([None, 5]),
                max_size=length,
            )
        )
        state = AccountState(Shares(shares), Shares({("c", "Z"): None}), 1)
        changes = pager.changes("K", state)
        # Dicts of other orders are equal; documents of other orders are not.
        if list(shares.items()) != before:
            store(entries, changes)
        assert entries == entries_of(ACCOUNTS, "K", state)
        before = list(shares.items())
    store(entries, pager.changes("K", None))
    assert entries == {}


@every_projection
@given(records=logs(), more=logs(), spoilt=st.data())
def test_another_spelling_or_another_form_is_put_right_when_the_document_changes(
    projection: Projection[Any], records: list[Record], more: list[Record], spoilt: st.DataObject
) -> None:
    fold = fold_all(projection, records)
    entries = all_entries(fold)
    for key in list(entries):
        how = spoilt.draw(st.sampled_from(["as it is", "spaced", "whole"]))
        if how == "spaced":
            entries[key] = json.dumps(json.loads(entries[key]), indent=1).encode()
        elif how == "whole" and "/" not in key:
            for page in [each for each in entries if each.startswith(f"{key}/")]:
                del entries[page]
            entries[key] = fold.document(key) or b""
        if how == "whole":
            break
    pager = DocumentPager(projection)
    for key, own in by_document(entries):
        state = projection.state_of(assembled(projection, key, own))
        assert projection.encode(key, state) == fold.document(key)
        pager.found(key, fold.states[key], own)
    advance(fold, (Record(r.seq + 1_000, r.time_ns, r.subject, r.payload, r.headers) for r in more))
    changed = fold.take_dirty()
    changes: dict[str, bytes | None] = {}
    for key in changed:
        changes.update(pager.changes(key, fold.states[key]))
    for key, entry in changes.items():
        if entry is None:
            del entries[key]
        else:
            entries[key] = entry
    expected = all_entries(fold)
    for key in changed:
        own = {each: entry for each, entry in entries.items() if document_key(each) == key}
        assert own == {e: entry for e, entry in expected.items() if document_key(e) == key}


@every_projection
@given(old=logs(), new=logs())
def test_differences_between_entries_are_listed_by_document(
    projection: Projection[Any], old: list[Record], new: list[Record]
) -> None:
    stored, expected = fold_all(projection, old), fold_all(projection, new)
    entries, wanted = all_entries(stored), all_entries(expected)
    diff = diff_entries(projection, entries, wanted)
    before, after = stored.documents(), expected.documents()
    keys = before.keys() | after.keys()
    assert diff.keys == len(keys)
    assert [(change.key, change.before, change.after) for change in diff.changes] == [
        (key, before.get(key), after.get(key))
        for key in sorted(keys)
        if before.get(key) != after.get(key)
    ]
    assert all(change.fields() for change in diff.changes if change.kind == "changed")
    for changes in changed_entries(entries, wanted):
        store(entries, changes)
    assert entries == wanted
