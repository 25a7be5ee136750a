from __future__ import annotations

from natster_tui.projections.versions.comparing import FieldCount, compare_documents


def test_documents_are_equal_changed_or_only_on_one_side() -> None:
    found = compare_documents(
        {"A": b'{"n":1}', "B": b'{"n":2,"old":1}', "C": b'{"n":3}'},
        {"A": b'{"n": 1}', "B": b'{"n":3,"new":1}', "D": b'{"n":4}'},
    )
    assert found
    assert found.equal == 1
    assert [change.key for change in found.changed] == ["B"]
    assert [change.key for change in found.only_stored] == ["C"]
    assert [change.key for change in found.only_beside] == ["D"]
    assert found.fields() == (
        FieldCount("+", "new", 1),
        FieldCount("-", "old", 1),
        FieldCount("~", "n", 1),
    )


def test_the_same_documents_do_not_differ() -> None:
    found = compare_documents({"A": b"{}"}, {"A": b"{}"})
    assert not found
    assert found.equal == 1
    assert found.fields() == ()


def test_what_differs_inside_a_field_counts_as_that_field() -> None:
    found = compare_documents(
        {"A": b'{"all":[1,2],"in":{"x":1}}', "B": b'{"all":[1],"in":{}}'},
        {"A": b'{"all":[2,1],"in":{"x":2}}', "B": b'{"all":[1,3],"in":{}}'},
    )
    assert found.fields() == (FieldCount("~", "all", 2), FieldCount("~", "in", 1))
