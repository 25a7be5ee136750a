"""What the reference service's rules explain of how its documents differ, and what nothing does."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natster_tui.events.event import Record
from natster_tui.projections.api import Projection
from natster_tui.projections.diff import diff_documents, same_json
from natster_tui.projections.reference_service.drift import Drift, explain, read_reference
from natster_tui.projections.reference_service.rules import binding_of
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS, PROJECTIONS
from tests.conftest import RECORDINGS, recording
from tests.folding import fold_all
from tests.making_logs import (
    BASE_S,
    A,
    B,
    C,
    accounts,
    bound,
    catalogs,
    context,
    imported,
    initialized,
    records_of,
    shared,
    unshared,
)
from tests.projections.reference_service.emulator import Documents, emulated, stored

few = settings(max_examples=40)
NAMES = sorted(path.name.split(".")[0] for path in RECORDINGS.glob("*.events.jsonl"))
every_projection = pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda each: each.name)


def drift_of(
    projection: Projection[Any],
    records: Sequence[Record],
    documents: dict[str, bytes],
    delivered: int | None = None,
) -> Drift:
    diff = diff_documents(documents, fold_all(projection, records).documents(), same_json)
    drift = explain(diff, read_reference(projection.name, records), delivered)
    assert drift.explained + len(drift.unexplained.changes) == len(diff.changes)
    return drift


def unexplained(drift: Drift) -> dict[str, list[str]]:
    """The paths that nothing explains, by key."""
    return {
        change.key: [field.path for field in change.fields()]
        for change in drift.unexplained.changes
    }


@every_projection
@pytest.mark.parametrize("name", NAMES)
def test_all_that_the_service_stored_for_a_recording_is_explained(
    name: str, projection: Projection[Any]
) -> None:
    path = next(RECORDINGS.glob(f"{name}.reference.json"))
    theirs = json.loads(path.read_text())["documents"][projection.bucket]
    drift = drift_of(projection, recording(name), stored(theirs))
    assert unexplained(drift) == {}
    assert drift.explained > 0


def random_log(events: int, seed: int = 7) -> list[Record]:
    """A community of 40 accounts, some of which initialize late or never, and odd events."""
    chance = random.Random(seed)
    names = [f"ACC{number:02}" for number in range(40)]
    made = [initialized(name) for name in names[:30]]
    while len(made) < events:
        one, other = chance.choices(names, k=2)
        name = chance.choice([f"cat{number:02}" for number in range(30)] + ["none", "bad$name"])
        kind: Any = chance.choices(
            [shared, unshared, imported, lambda a, *_: bound(a), lambda a, *_: initialized(a),
             lambda a, *_: bound(a, b"null"), lambda a, *_: bound(a, b"{not json")],
            [50, 20, 10, 6, 2, 1, 1],
        )[0]  # fmt: skip
        if kind is imported or one not in names[38:]:
            made.append(kind(one, other, name))
    return records_of(*made)


def plant_in_an_account(documents: Documents) -> tuple[str, str]:
    key = next(k for k in sorted(documents) if len(documents[k]["out_shares"]) > 5)
    lost = documents[key]["out_shares"].pop(2)
    same = lost in documents[key]["out_shares"]
    label = f"{lost['catalog']} {lost['account']}"
    return key, "out_shares(repeated)" if same else f"out_shares[{label}]"


def plant_in_a_catalog(documents: Documents) -> tuple[str, str]:
    key = next(k for k in sorted(documents) if len(documents[k]["shared_with"]) > 5)
    lost = documents[key]["shared_with"].pop(2)
    return key, f"shared_with[{lost}]"


@pytest.mark.parametrize(
    ("projection", "plant"),
    [(ACCOUNTS, plant_in_an_account), (CATALOGS, plant_in_a_catalog)],
    ids=lambda each: getattr(each, "name", ""),
)
def test_one_lost_entry_does_not_drown_among_two_thousand_events(
    projection: Projection[Any], plant: Any
) -> None:
    records = random_log(2_000)
    theirs = emulated(records)[projection.name]
    clean = drift_of(projection, records, stored(theirs))
    assert unexplained(clean) == {}
    assert clean.explained >= 30
    key, path = plant(theirs)
    drift = drift_of(projection, records, stored(theirs))
    assert unexplained(drift) == {key: [path]}
    assert drift.explained == clean.explained - 1


# -- any log, any order of redeliveries --------------------------------------------------------

_events = st.one_of(
    st.builds(shared, accounts, accounts, catalogs),
    st.builds(shared, accounts, accounts, catalogs),
    st.builds(unshared, accounts, accounts, st.one_of(catalogs, st.just("none"))),
    st.builds(imported, accounts, accounts, catalogs),
    st.builds(initialized, accounts),
    st.builds(
        bound,
        st.one_of(accounts, st.just("a$b")),
        st.sampled_from([context(), context("two", user_id="x"), b"null", b"{not json", b"7"]),
    ),
)
logs = st.lists(_events, max_size=25).map(lambda events: records_of(*events))


@every_projection
@few
@given(records=logs, seed=st.integers(0, 1_000))
def test_all_documents_of_the_service_are_explained(
    projection: Projection[Any], records: list[Record], seed: int
) -> None:
    theirs = emulated(records, seed)[projection.name]
    assert unexplained(drift_of(projection, records, stored(theirs))) == {}


@every_projection
@few
@given(records=logs)
def test_what_the_log_says_is_never_drift(
    projection: Projection[Any], records: list[Record]
) -> None:
    ours = fold_all(projection, records).documents()
    assert not drift_of(projection, records, ours)


@every_projection
@few
@given(records=logs, seed=st.integers(0, 1_000), data=st.data())
def test_an_added_or_removed_document_is_unexplained(
    projection: Projection[Any], records: list[Record], seed: int, data: st.DataObject
) -> None:
    theirs = emulated(records, seed)[projection.name]
    expected = fold_all(projection, records).documents()
    documents = stored(theirs)
    documents["ZZ"] = b'{"out_shares":[]}'
    lost = set()
    if both := sorted(theirs.keys() & expected.keys()):
        lost = {data.draw(st.sampled_from(both))}
        del documents[next(iter(lost))]
    assert unexplained(drift_of(projection, records, documents)).keys() == {"ZZ", *lost}


# -- field by field ----------------------------------------------------------------------------

STORY = records_of(
    initialized(A, "Ann"), initialized(B), bound(A), shared(A, B), shared(A, C), imported(B, A)
)


@pytest.mark.parametrize(
    ("field", "value", "paths"),
    [
        ("initialized_at", BASE_S + 1_000, []),
        ("initialized_at", 0, ["initialized_at"]),
        ("initialized_at", True, ["initialized_at"]),
        ("initialized_at", "today", ["initialized_at"]),
        ("account_name", "Ann", []),
        ("account_name", "Bob", ["account_name"]),
        ("bound_at", BASE_S + 2, []),
        ("bound_at", 1, ["bound_at"]),
        ("bound_context", {"oauth_id": "x"}, ["bound_context.oauth_id"]),
        ("out_shares", [], [f"out_shares[kevbuzz {B}]"]),
        ("color", "red", ["color"]),
    ],
)
def test_each_field_is_explained_separately(field: str, value: Any, paths: list[str]) -> None:
    theirs = emulated(STORY)["account"]
    theirs[A][field] = value
    names = ("out_shares", "in_shares", "initialized_at", "account_name", "bound_at")
    theirs[A] = {name: theirs[A][name] for name in (*names, "bound_context", "color")
                 if name in theirs[A]}  # fmt: skip
    found = unexplained(drift_of(ACCOUNTS, STORY, stored(theirs)))
    assert [path for each in found.values() for path in each][: len(paths)] == paths
    assert bool(found) == bool(paths)


def test_values_that_are_not_documents_are_unexplained() -> None:
    documents = stored(emulated(STORY)["account"]) | {A: b"not json"}
    assert unexplained(drift_of(ACCOUNTS, STORY, documents)) == {A: ["(stored value)"]}


def test_another_order_of_names_is_unexplained() -> None:
    theirs = emulated(STORY)["account"]
    theirs[A] = dict(reversed(theirs[A].items()))
    assert unexplained(drift_of(ACCOUNTS, STORY, stored(theirs))).keys() == {A}


def test_what_was_not_delivered_yet_is_not_expected() -> None:
    before = stored(emulated(STORY[:3])["account"])
    assert unexplained(drift_of(ACCOUNTS, STORY, before)).keys() == {A, B}
    assert unexplained(drift_of(ACCOUNTS, STORY, before, delivered=3)) == {}
    lost = before | {A: b'{"out_shares":[]}'}
    assert unexplained(drift_of(ACCOUNTS, STORY[:3], lost, delivered=3)).keys() == {A}


def test_other_projections_have_no_rules_that_explain_them() -> None:
    diff = diff_documents({"x": b"1"}, {})
    assert explain(diff, read_reference("activity", [])).unexplained == diff


@pytest.mark.parametrize(
    ("payload", "oauth_id"),
    [
        (b'{"oauth_id":"x"}', "x"),
        (b'{"OAuth_ID":"x","oauth_id":null}', "x"),
        (b'{"oauth_id":"x","oauth_id":"y"}', "y"),
        (b'{"oauth_id":"\\ud800"}', "\N{REPLACEMENT CHARACTER}"),
        (b"null", ""),
        (b"{}", ""),
        (b'{"oauth_id":7}', None),
        (b'{"bound_context":[]}', None),
        (b'{"bound_context":{"creds":NaN}}', None),
        (b"[]", None),
        (b"", None),
        (b"\xef\xbb\xbf{}", None),
        (b"[" * 100_000, None),
    ],
)
def test_payloads_are_read_as_go_reads_them(payload: bytes, oauth_id: str | None) -> None:
    binding = binding_of(payload)
    assert (None if binding is None else binding["oauth_id"]) == oauth_id
