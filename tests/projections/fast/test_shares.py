"""Packed shares are a mapping like any other, in the order in which the shares came."""

from __future__ import annotations

from sys import byteorder

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natster_tui.projections.fast import shares as packed
from natster_tui.projections.fast.names import names, number_of
from natster_tui.projections.fast.shares import (
    Pair,
    Shares,
    imported_count,
    imported_pairs,
    pairs_of,
)

pairs = st.tuples(st.sampled_from("xyz"), st.sampled_from("ABCDE"))


@pytest.fixture(params=[1, 4, 1_000], ids="from {} on large".format)
def large(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(packed, "LARGE", request.param)
    return int(request.param)


@pytest.mark.usefixtures("large")
@given(
    taken=st.lists(
        st.tuples(st.sampled_from(["set", "remove", "copy"]), pairs, st.none() | st.integers(0, 9)),
        max_size=40,
    )
)
def test_they_are_what_a_dict_would_be(taken: list[tuple[str, Pair, int | None]]) -> None:
    shares, expected = Shares(), dict[Pair, int | None]()
    for step, pair, imported in taken:
        assert (pair in shares) == (pair in expected)
        assert shares.get(pair, 0) == expected.get(pair, 0)
        match step:
            case "set":
                shares[pair] = expected[pair] = imported
            case "copy":
                before, shares = shares, Shares(shares)
                before["x", "other"] = 1
            case _ if pair in expected:
                del shares[pair], expected[pair]
            case _:
                with pytest.raises(KeyError):
                    del shares[pair]
                with pytest.raises(KeyError):
                    shares[pair]
        assert list(shares.items()) == list(expected.items())
    assert shares == expected == Shares(expected)
    assert list(shares) == list(expected)
    assert list(shares.values()) == list(expected.values())
    assert len(shares) == len(expected)
    were_imported = [pair for pair, imported in expected.items() if imported is not None]
    assert list(imported_pairs(shares)) == list(imported_pairs(expected)) == were_imported
    assert imported_count(shares) == imported_count(expected) == len(were_imported)
    keys, times = shares.columns()
    assert pairs_of(keys) == list(expected)
    assert [time - 1 if time else None for time in times] == list(expected.values())


def test_names_that_are_in_no_share_get_no_number() -> None:
    shares = Shares({("kevbuzz", "A"): None})
    known = len(names)
    assert ("never-shared", "A") not in shares
    assert shares.get(("kevbuzz", "never-seen")) is None
    assert len(names) == known


def test_bytes_that_only_look_like_a_share_are_not_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of one key and the beginning of the next can be the bytes of a third."""
    part = 0x0101_0101
    known = {"x": part, "A": part, "y": 0x0101_0202, "B": 0x0202_0202, "z": 0x0202_0101}
    monkeypatch.setattr(packed, "numbers", known)
    monkeypatch.setattr(packed, "number_of", known.__getitem__)
    shares = Shares({("y", "B"): 1, ("z", "A"): 2})
    assert shares._keys.find(part.to_bytes(4, byteorder) * 2) > 0
    assert ("x", "A") not in shares
    assert shares.get(("x", "A"), 7) == 7
    with pytest.raises(KeyError):
        del shares["x", "A"]
    shares["x", "A"] = 3
    assert [shares[pair] for pair in (("y", "B"), ("z", "A"), ("x", "A"))] == [1, 2, 3]
    del shares["x", "A"]
    assert len(shares) == 2


def test_a_share_takes_sixteen_bytes() -> None:
    shares = Shares({("kevbuzz", f"T{number}"): number for number in range(100)})
    assert len(shares._keys) + len(shares._times) == 16 * 100
    assert shares._large is None


def test_a_name_keeps_its_number() -> None:
    assert number_of("kevbuzz") == number_of("kev" + "buzz")
    assert names[number_of("kevbuzz")] == "kevbuzz"
