"""Large documents in pages: the same entries whatever the history, and the same state back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from natster_tui.projections import paging
from natster_tui.projections.account import AccountState
from natster_tui.projections.catalog import CatalogState
from natster_tui.projections.diff import diff_entries
from natster_tui.projections.fast.shares import Shares
from natster_tui.projections.paging import (
    PAGE_LENGTH,
    PAGED_FROM,
    DocumentPager,
    PagesError,
    assembled,
    by_document,
    document_key,
    entries_of,
    page_key,
)
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "PAGED_FROM", 120)
    monkeypatch.setattr(paging, "PAGE_LENGTH", 2)


def store(entries: dict[str, bytes], changes: Mapping[str, bytes | None]) -> None:
    for key, entry in changes.items():
        if entry is None:
            del entries[key]  # nothing is removed that is not there
        else:
            assert entries.get(key) != entry, "nothing is written that is there"
            entries[key] = entry


def numbered(number: int) -> str:
    return f"M{number:055}"


def hub(recipients: int) -> AccountState:
    shares = Shares({("everything", numbered(i)): None for i in range(recipients)})
    return AccountState(shares, initialized_at=7)


# -- what stands in a bucket but is no document ------------------------------------------------

MAIN = {"catalog_name": "hub", "owner": "AA", "shared_with": {"pages": 2}}
GOOD = {"hub": MAIN, "hub/shared_with/0": ["B", "C"], "hub/shared_with/1": ["D"]}


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"hub/shared_with/1": None}, "the page hub/shared_with/1 is missing"),
        ({"hub/shared_with/0": None}, "the page hub/shared_with/0 is missing"),
        ({"hub": None}, "it has pages, but no main entry that names them"),
        ({"hub": []}, "not a JSON object"),
        ({"hub/shared_with/2": ["E"]}, "the entry hub/shared_with/2 is not a page that it names"),
        ({"hub/shared_with/01": ["E"]}, "the entry hub/shared_with/01 is not a page"),
        ({"hub/x\x1b[1m": ["E"]}, "the entry hub/x␛[1m is not a page"),
        ({"hub": MAIN | {"shared_with": ["B"]}}, "the entry hub/shared_with/0 is not a page"),
        ({"hub": MAIN | {"shared_with": {"pages": 10**9}}}, "hub/shared_with/1 has 1 entries"),
        ({"hub": MAIN | {"shared_with": {"pages": -1}}}, "neither a list nor a number of pages"),
        ({"hub": MAIN | {"shared_with": {"pages": True}}}, "neither a list nor a number"),
        ({"hub": MAIN | {"shared_with": {}}}, "neither a list nor a number of pages"),
        ({"hub": MAIN | {"shared_with": {"pages": 2, "x": 1}}}, "neither a list nor a number"),
        ({"hub/shared_with/0": ["B"]}, "hub/shared_with/0 has 1 entries: pages have 2, the last"),
        ({"hub/shared_with/0": ["B", "C", "E"]}, "the page hub/shared_with/0 has 3 entries"),
        ({"hub/shared_with/1": []}, "the page hub/shared_with/1 has 0 entries"),
        ({"hub/shared_with/1": {}}, "the page hub/shared_with/1 is not a JSON list"),
    ],
)  # fmt: skip
def test_entries_that_make_no_document_are_refused_by_name(
    change: dict[str, Any], problem: str
) -> None:
    values = {key: value for key, value in (GOOD | change).items() if value is not None}
    entries = {key: json.dumps(value).encode() for key, value in values.items()}
    ((key, own),) = by_document(entries)
    assert key == "hub"
    with pytest.raises(ValueError if change == {"hub": []} else PagesError) as caught:
        assembled(CATALOGS, key, own)
    assert problem in str(caught.value)
    # A comparison tells the same, in the place of fields.
    good = entries_of(CATALOGS, "hub", CatalogState("AA", dict.fromkeys("BCD"), {}))
    (difference,) = diff_entries(CATALOGS, entries, good).changes
    (field,) = difference.fields()
    assert field.path == "(stored value)"
    assert problem in field.before or change == {"hub": []}


def test_a_document_with_an_entry_twice_is_refused() -> None:
    twice = {"catalog_name": "hub", "owner": "AA", "shared_with": ["B", "B"]}
    with pytest.raises(ValueError, match="twice"):
        CATALOGS.state_of(twice)
    share = {"catalog": "x", "account": "B"}
    with pytest.raises(ValueError, match="twice"):
        ACCOUNTS.state_of({"out_shares": [share, share], "in_shares": [], "initialized_at": 0})


@pytest.mark.usefixtures("small_pages")
def test_a_difference_in_form_alone_is_one_difference() -> None:
    state = CatalogState("AA", dict.fromkeys(f"member{i}" for i in range(9)), {})
    good = entries_of(CATALOGS, "hub", state)
    assert len(good) == 6
    spaced = good | {"hub/shared_with/0": good["hub/shared_with/0"].replace(b",", b" ,")}
    for stored in (spaced, {"hub": CATALOGS.encode("hub", state)}):
        (difference,) = diff_entries(CATALOGS, stored, good).changes
        assert [field.path for field in difference.fields()] == ["(form)"]


# -- a hub, on pages of the real size ----------------------------------------------------------


def test_one_more_share_and_one_import_cost_one_page_each_and_a_removal_those_after_it() -> None:
    state = hub(5_999)
    pager = DocumentPager(ACCOUNTS)
    entries: dict[str, bytes] = {}
    store(entries, pager.changes("HUB", state))
    assert len(entries) == 7
    assert json.loads(entries["HUB"]) == {
        "out_shares": {"pages": 6}, "in_shares": {"pages": 0}, "initialized_at": 7,
    }  # fmt: skip
    assert all(len(json.loads(entries[f"HUB/out_shares/{n}"])) == 1_000 for n in range(5))

    def changed() -> list[str]:
        changes = pager.changes("HUB", state)
        store(entries, changes)
        assert entries == entries_of(ACCOUNTS, "HUB", state)
        return list(changes)

    state.out_shares["everything", "NEW"] = None
    assert changed() == ["HUB/out_shares/5"]
    state.out_shares["everything", "NEWER"] = None
    assert changed() == ["HUB/out_shares/6", "HUB"]
    state.out_shares["everything", numbered(2_345)] = 99
    assert changed() == ["HUB/out_shares/2"]
    state.account_name = "Hub"
    assert changed() == ["HUB"]
    del state.out_shares["everything", numbered(3_210)]
    # The last page is empty now, and goes.
    assert changed() == [*(f"HUB/out_shares/{n}" for n in (3, 4, 5)), "HUB", "HUB/out_shares/6"]
    assert changed() == []


def test_the_size_of_the_whole_document_decides_to_the_byte() -> None:
    def named(length: int) -> AccountState:
        state = hub(1_500)
        state.account_name = "x" * length
        return state

    rest = PAGED_FROM - len(ACCOUNTS.encode("HUB", named(0)))
    assert rest > 0
    pager = DocumentPager(ACCOUNTS)
    for length, count in ((rest - 1, 1), (rest, 3), (rest + 1, 3), (rest, 3), (rest - 1, 1)):
        state = named(length)
        assert len(ACCOUNTS.encode("HUB", state)) == PAGED_FROM - rest + length
        changes = pager.changes("HUB", state)
        written = {key: entry for key, entry in changes.items() if entry is not None}
        assert len(entries_of(ACCOUNTS, "HUB", state)) == count
        assert written.items() <= entries_of(ACCOUNTS, "HUB", state).items()
        if count == 1:
            assert list(written) == ["HUB"]
    assert [key for key, entry in changes.items() if entry is None] == [
        "HUB/out_shares/0", "HUB/out_shares/1",
    ]  # fmt: skip


def test_room_is_left_in_a_batch_for_what_one_more_event_may_change() -> None:
    pager = DocumentPager(ACCOUNTS)
    assert pager.room(999) == 997
    pager.changes("SMALL", hub(10))
    assert (pager.at_most("SMALL"), pager.room(999)) == (1, 997)
    pager.changes("HUB", hub(20_500))
    assert pager.at_most("HUB") == 21 + 2
    assert pager.room(999) == 999 - 2 * 23


def test_pages_and_documents_have_different_keys() -> None:
    assert page_key("AA=_-", "out_shares", 12) == "AA=_-/out_shares/12"
    assert document_key("AA=_-/out_shares/12") == document_key("AA=_-") == "AA=_-"
    assert PAGE_LENGTH == 1_000
    assert PAGED_FROM == 262_144
