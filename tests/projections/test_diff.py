"""Differences between stored documents and what the log says, key by key and field by field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natster_tui.projections.diff import (
    FieldChange,
    diff_documents,
    diff_entries,
    field_changes,
    same_json,
)
from natster_tui.projections.documents import encode_document
from natster_tui.projections.registering.registry import ACCOUNTS


def paths(before: Any, after: Any) -> list[tuple[str, Any, Any]]:
    changes = field_changes(
        None if before is None else json.dumps(before).encode(),
        None if after is None else json.dumps(after).encode(),
    )
    return [(change.path, change.before, change.after) for change in changes]


def test_keys_added_changed_and_removed_in_the_order_of_their_names() -> None:
    diff = diff_documents({"c": b"1", "a": b"1", "x": b"1"}, {"x": b"1", "b": b"1", "a": b"2"})
    assert [(change.key, change.kind) for change in diff.changes] == [
        ("a", "changed"), ("b", "added"), ("c", "removed"),
    ]  # fmt: skip
    assert diff
    assert diff.keys == 4
    assert diff.summary == "1 added, 1 changed, 1 removed"
    assert [diff.count(kind) for kind in ("added", "changed", "removed")] == [1, 1, 1]


def test_no_difference() -> None:
    diff = diff_documents({"a": b"{}"}, {"a": b"{}"})
    assert not diff
    assert (diff.keys, diff.summary, diff.changes) == (1, "no differences", ())


def test_by_default_documents_must_be_equal_to_the_byte() -> None:
    spaced, plain = {"a": b'{"x": 1}'}, {"a": b'{"x":1}'}
    assert diff_documents(spaced, plain).count("changed") == 1
    assert not diff_documents(spaced, plain, same_json)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (b'{"a":1,"b":[2]}', b'{ "a": 1, "b": [ 2 ] }', True),
        (b'{"a":"<&>"}', b'{"a":"\\u003c\\u0026\\u003e"}', True),
        (b'{"a":1,"b":2}', b'{"b":2,"a":1}', False),
        (b'{"a":[1,2]}', b'{"a":[2,1]}', False),
        (b'{"a":1}', b'{"a":true}', False), (b'{"a":1}', b'{"a":1.0}', False),
        (b'{"a":null}', b"{}", False), (b"x", b"x", False), (b"null", b"null", False),
        (b'{"a":NaN}', b'{"a":NaN}', False), (b"[]", b"[]", False), (b"\xff", b"{}", False),
    ],
)  # fmt: skip
def test_equal_as_json_means_the_same_names_in_the_same_order(
    one: bytes, other: bytes, same: bool
) -> None:
    assert same_json(one, other) is same


def test_fields_of_objects() -> None:
    before = {"name": "x", "gone": 1, "inner": {"a": 1, "b": 2}}
    after = {"new": [], "name": "y", "inner": {"b": 2, "a": None, "c": {"d": 1}}}
    assert paths(before, after) == [
        ("new", None, []), ("name", "x", "y"), ("inner.a", 1, None), ("inner.c", None, {"d": 1}),
        ("gone", 1, None),
    ]  # fmt: skip


def test_list_entries_are_compared_by_what_they_are_and_not_by_their_place() -> None:
    def share(account: str, **more: int) -> dict[str, Any]:
        return {"catalog": "k", "account": account, **more}

    before = {"out_shares": [share("A"), share("B"), share("C")]}
    after = {"out_shares": [share("B"), share("C", imported_at=7), share("D")]}
    assert paths(before, after) == [
        ("out_shares[k C].imported_at", None, 7),
        ("out_shares[k D]", None, share("D")),
        ("out_shares[k A]", share("A"), None),
    ]
    assert paths({"shared_with": ["A"]}, {"shared_with": ["A", "B"]}) == [
        ("shared_with[B]", None, "B")
    ]


def test_another_order_or_a_repetition_in_a_list_is_a_difference() -> None:
    assert paths({"a": ["x", "y"]}, {"a": ["y", "x"]}) == [
        ("a(order)", "2 items", "the same in another order")
    ]
    assert paths({"a": ["x", "x"]}, {"a": ["x"]}) == [("a(repeated)", "2 items", "1 item")]


def test_a_list_that_was_not_there_before() -> None:
    assert paths({}, {"contested_by": ["B"]}) == [("contested_by[B]", None, "B")]
    assert paths({"contested_by": ["B"]}, {}) == [("contested_by[B]", "B", None)]
    assert paths({}, {"shared_with": []}) == [("shared_with", None, [])]


def test_a_whole_document_added_or_removed() -> None:
    assert paths(None, {"owner": "A", "shared_with": ["B"]}) == [
        ("owner", None, "A"), ("shared_with[B]", None, "B"),
    ]  # fmt: skip
    assert paths({"owner": "A"}, None) == [("owner", "A", None)]


def test_values_of_another_kind() -> None:
    assert paths({"a": [1]}, {"a": "x"}) == [("a", [1], "x")]
    assert paths({"a": {"b": 1}}, {"a": None}) == [("a", {"b": 1}, None)]
    assert paths({"a": 1}, {"a": True}) == [("a", 1, True)]
    share = {"catalog": "k", "account": "A"}
    assert paths({"s": [{**share, "imported_at": 1}]}, {"s": [{**share, "imported_at": True}]}) == [
        ("s[k A].imported_at", 1, True)
    ]


def test_a_stored_value_that_is_not_a_document_is_one_difference() -> None:
    for stored in (b"\xff\xfe", b"null", b"{not json", b'{"a":NaN}', b""):
        (change,) = field_changes(stored, b'{"a":1}')
        assert change == FieldChange(
            "(stored value)", f"{len(stored):,} bytes that are no document", "a document"
        )


def test_another_spelling_of_the_same_fields_is_shown_as_one() -> None:
    for before in (b'{"a": 1, "b": 2}', b'{"b":2,"a":1}'):
        (change,) = field_changes(before, b'{"a":1,"b":2}')
        assert change.path == "(form)"


names = st.sampled_from("abc")
leaves = st.none() | st.booleans() | st.integers(0, 3) | names
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3)
)
objects = st.dictionaries(names, values, max_size=3).map(lambda value: json.dumps(value).encode())


@given(objects, objects)
def test_documents_differ_in_a_field_exactly_when_their_bytes_differ(
    one: bytes, other: bytes
) -> None:
    assert bool(field_changes(one, other)) == (one != other)
    assert field_changes(one, one) == ()


@given(st.dictionaries(names, objects), st.dictionaries(names, objects))
def test_applying_the_changes_gives_what_was_expected(
    stored: dict[str, bytes], expected: dict[str, bytes]
) -> None:
    result = dict(stored)
    for change in diff_documents(stored, expected).changes:
        assert change.before == stored.get(change.key)
        if change.after is None:
            del result[change.key]
        else:
            result[change.key] = change.after
    assert result == expected


@pytest.mark.parametrize("depth", [100, 300, 900, 5_000])
def test_a_value_that_is_nested_too_deeply_is_not_a_document(depth: int) -> None:
    deep = b'{"out_shares":' + b"[" * depth + b"]" * depth + b"}"
    paged = b'{"x":' + b"[" * depth + b"]" * depth + b',"out_shares":{"pages":0}}'
    whole = encode_document({"out_shares": []})
    assert not same_json(deep, deep)
    assert not same_json(deep, whole)
    for stored in (deep, paged):
        (change,) = diff_entries(ACCOUNTS, {"A": stored}, {"A": whole}).changes
        assert field_changes(change.before, change.after)[0].path == "(stored value)"
