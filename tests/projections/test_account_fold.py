"""The account projection's rules."""

from __future__ import annotations

import json
from typing import Any

import pytest

from natster_tui.events.event import MARKER_REASON, OCCURRED_AT
from natster_tui.events.natster import NATSTER, EventType
from natster_tui.events.parking import ParkedEvent, ParkReason
from natster_tui.projections.account import CONTEXT_FIELDS
from natster_tui.projections.documents import read_document
from natster_tui.projections.fold import Fold
from natster_tui.projections.registering.registry import ACCOUNTS
from natster_tui.store.log import Append
from tests.folding import advance, fold_all
from tests.making_logs import (
    BASE_S,
    WEIRD_TOKENS,
    A,
    B,
    C,
    bound,
    context,
    event,
    imported,
    initialized,
    records_of,
    shared,
    unshared,
)

EMPTY = {"out_shares": [], "in_shares": [], "initialized_at": 0}


def fold(*events: Append) -> Fold[Any]:
    return fold_all(ACCOUNTS, records_of(*events))


def documents(*events: Append) -> dict[str, Any]:
    return {key: json.loads(document) for key, document in fold(*events).documents().items()}


def parked(*events: Append) -> list[tuple[int, str]]:
    return [(event.seq, event.reason.value) for event in fold(*events).parked.recent]


# -- the form of a document --------------------------------------------------------------------


def test_a_document_is_utf8_json_without_spaces_with_its_names_in_the_contracts_order() -> None:
    fields = {name: f"{name} é" for name in reversed(CONTEXT_FIELDS)}
    made = fold(
        bound(A, context("github|aaa", **fields)),
        shared(B, A, "hub"),
        shared(A, B, "kevbuzz"),
        imported(B, A, "kevbuzz"),
        initialized(A, "Zoë"),
    )
    ordered = ",".join(f'"{name}":"{name} é"' for name in CONTEXT_FIELDS)
    document = (
        f'{{"out_shares":[{{"catalog":"kevbuzz","account":"BB","imported_at":{BASE_S + 3}}}],'
        '"in_shares":[{"catalog":"hub","account":"BB"}],'
        f'"initialized_at":{BASE_S + 4},'
        '"account_name":"Zoë",'
        f'"bound_at":{BASE_S},'
        f'"bound_context":{{"oauth_id":"github|aaa","bound_context":{{{ordered}}}}}}}'
    )
    assert made.document(A) == document.encode()


def test_fields_that_were_never_set_are_left_out() -> None:
    assert documents(shared(A, B)) == {
        A: {**EMPTY, "out_shares": [{"catalog": "kevbuzz", "account": B}]},
        B: {**EMPTY, "in_shares": [{"catalog": "kevbuzz", "account": A}]},
    }


# -- when a document exists --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "keys"),
    [
        (initialized(A), {A}),
        (bound(A), {A}),
        (shared(A, B), {A, B}),
        (shared(A, A), set()),
        (unshared(A, B), set()),
        (imported(A, B), set()),
        (bound(A, b"null"), set()),
        (event("natster_initialized", "none"), set()),
        (event("catalog_deleted", A, B, "kevbuzz"), set()),
    ],
)
def test_which_events_create_a_document(made: Append, keys: set[str]) -> None:
    assert documents(made).keys() == keys


def test_a_document_outlives_what_created_it() -> None:
    assert documents(shared(A, B), unshared(A, B)) == {A: EMPTY, B: EMPTY}


# -- initialized_at and account_name -----------------------------------------------------------


def test_initialized_at_is_the_first_ones_time_and_later_ones_change_only_the_name() -> None:
    made = [initialized(A, "one"), initialized(A, "two"), initialized(A)]
    assert documents(*made)[A] == {**EMPTY, "initialized_at": BASE_S, "account_name": "two"}


def test_an_initialization_after_other_events_still_counts() -> None:
    assert documents(bound(A), shared(A, B), initialized(A))[A]["initialized_at"] == BASE_S + 2


def test_initialized_at_comes_from_a_valid_occurred_at() -> None:
    at = (OCCURRED_AT, "2021-03-04T05:06:07.9Z")
    assert documents(initialized(A, None, at))[A]["initialized_at"] == 1614834367


def test_of_repeated_occurred_at_headers_the_first_counts_even_if_it_is_invalid() -> None:
    valid, other, invalid = (
        (OCCURRED_AT, "2001-01-01T00:00:00Z"),
        (OCCURRED_AT, "2002-01-01T00:00:00Z"),
        (OCCURRED_AT, "soon"),
    )
    assert documents(initialized(A, None, valid, other))[A]["initialized_at"] == 978307200
    assert documents(initialized(A, None, invalid, valid))[A]["initialized_at"] == BASE_S


def test_a_header_of_that_name_in_other_letters_is_another_header() -> None:
    at = (OCCURRED_AT.lower(), "2001-01-01T00:00:00Z")
    assert documents(initialized(A, None, at))[A]["initialized_at"] == BASE_S


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"null", b"{not json", b"\xff", b"[]", b'"x"', b"{}", b'{"account_name":""}',
        b'{"account_name":null}', b'{"account_name":7}', b'{"account_name":["x"]}',
        b'{"Account_name":"x"}', b'{"account_name":"x","y":NaN}',
        b'\xef\xbb\xbf{"account_name":"x"}',
        b'{"account_name":"\\ud800"}',
    ],
)  # fmt: skip
def test_an_initialization_without_a_readable_name_counts_and_keeps_the_name_that_was(
    payload: bytes,
) -> None:
    unreadable = event(EventType.INITIALIZED, A, payload=payload)
    assert documents(unreadable)[A] == {**EMPTY, "initialized_at": BASE_S}
    assert documents(initialized(A, "before"), unreadable)[A]["account_name"] == "before"
    assert parked(unreadable) == []


def test_of_duplicate_names_in_the_payload_the_last_wins() -> None:
    twice = event(EventType.INITIALIZED, A, payload=b'{"account_name":"x","account_name":"y"}')
    assert documents(twice)[A]["account_name"] == "y"


def test_an_initialization_uses_its_origin_only() -> None:
    for target in WEIRD_TOKENS:
        odd = event(EventType.INITIALIZED, A, target, "a$b")
        assert documents(odd) == {A: {**EMPTY, "initialized_at": BASE_S}}


# -- bound_context -----------------------------------------------------------------------------


def test_the_latest_context_counts_and_missing_fields_read_as_empty_texts() -> None:
    made = documents(bound(A, context("one", creds="c")), bound(A, context("two", user_id="u")))
    assert made[A]["bound_context"] == {
        "oauth_id": "two",
        "bound_context": {**dict.fromkeys(CONTEXT_FIELDS, ""), "user_id": "u"},
    }


def test_unknown_fields_of_a_context_are_ignored() -> None:
    payload = b'{"oauth_id":"x","more":[1],"bound_context":{"creds":"c","Creds":null,"more":1e9}}'
    assert documents(bound(A, payload))[A]["bound_context"] == {
        "oauth_id": "x",
        "bound_context": {**dict.fromkeys(CONTEXT_FIELDS, ""), "creds": "c"},
    }


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"null", b"{}", b"[]", b"7", b'"a string"', b"{not json", b"\xff", b"{} ,",
        b'{"bound_context":{}}', b'{"oauth_id":"","bound_context":{}}',
        b'{"oauth_id":null,"bound_context":{}}', b'{"oauth_id":7,"bound_context":{}}',
        b'{"oauth_id":"x"}', b'{"oauth_id":"x","bound_context":null}',
        b'{"oauth_id":"x","bound_context":[]}', b'{"oauth_id":"x","bound_context":"y"}',
        b'{"Oauth_id":"x","bound_context":{}}',
        b'\xef\xbb\xbf{"oauth_id":"x","bound_context":{}}',
        b'{"oauth_id":"x","bound_context":{"more":NaN}}',
        b'{"oauth_id":"x","bound_context":{"more":"\\udc00"}}',
        *(b'{"oauth_id":"x","bound_context":{"%s":null}}' % f.encode() for f in CONTEXT_FIELDS),
        *(b'{"oauth_id":"x","bound_context":{"%s":1}}' % f.encode() for f in CONTEXT_FIELDS),
    ],
)  # fmt: skip
def test_a_context_that_must_be_parked_changes_nothing(payload: bytes) -> None:
    before = documents(bound(A))
    assert documents(bound(A), bound(A, payload)) == before
    assert parked(bound(A), bound(A, payload)) == [(2, "payload")]


def test_an_unusable_origin_comes_before_an_unreadable_payload() -> None:
    assert parked(bound("a$b", b"{not json")) == [(1, "token")]


# -- shares ------------------------------------------------------------------------------------


def test_shares_stand_in_the_order_in_which_they_came_once_each() -> None:
    made = documents(
        shared(A, B, "one"), shared(A, C, "one"), shared(A, B, "two"), shared(A, B, "one")
    )
    assert [(s["catalog"], s["account"]) for s in made[A]["out_shares"]] == [
        ("one", B), ("one", C), ("two", B),
    ]  # fmt: skip
    assert [s["catalog"] for s in made[B]["in_shares"]] == ["one", "two"]


def test_a_share_to_oneself_changes_nothing_but_is_not_parked() -> None:
    assert documents(initialized(A), shared(A, A), unshared(A, A)) == documents(initialized(A))
    assert parked(shared(A, A), unshared(A, A)) == []


def test_an_unshare_takes_that_pair_off_both_and_an_absent_one_is_nothing() -> None:
    made = [shared(A, B, "one"), shared(A, C, "one"), shared(B, A, "one"), unshared(A, B, "one")]
    after = documents(*made, unshared(A, B, "one"), unshared(C, B, "one"), unshared(A, B, "two"))
    assert after == documents(*made)
    assert after[A]["out_shares"] == [{"catalog": "one", "account": C}]
    assert after[B]["in_shares"] == []
    assert after[A]["in_shares"] == [{"catalog": "one", "account": B}]


def test_a_payload_of_a_share_or_import_is_never_opened() -> None:
    made = [shared(A, B, "one", b"{not json"), event(EventType.IMPORTED, B, A, "one", b"\xff")]
    assert parked(*made) == []
    assert documents(*made)[B]["in_shares"][0]["imported_at"] == BASE_S + 1


# -- imports -----------------------------------------------------------------------------------


def test_an_import_stamps_both_sides_and_only_the_first_counts() -> None:
    made = documents(shared(A, B), imported(B, A), imported(B, A))
    assert made[A]["out_shares"][0]["imported_at"] == BASE_S + 1
    assert made[B]["in_shares"][0]["imported_at"] == BASE_S + 1


def test_an_import_before_the_share_is_nothing() -> None:
    made = documents(imported(B, A), shared(A, B))
    assert "imported_at" not in made[A]["out_shares"][0]
    assert "imported_at" not in made[B]["in_shares"][0]


def test_an_import_of_another_name_owner_or_direction_is_nothing() -> None:
    made = [shared(A, B, "one"), shared(C, B, "two")]
    for odd in (imported(B, A, "two"), imported(B, C, "one"), imported(A, B, "one"),
                imported(B, A, "One"), imported(B, B, "one")):  # fmt: skip
        assert documents(*made, odd) == documents(*made)


def test_a_reshare_starts_without_its_import() -> None:
    made = documents(shared(A, B), imported(B, A), unshared(A, B), shared(A, B))
    assert made[A]["out_shares"] == [{"catalog": "kevbuzz", "account": B}]
    assert made[B]["in_shares"] == [{"catalog": "kevbuzz", "account": A}]


def test_a_share_repeated_after_its_import_keeps_it() -> None:
    made = documents(shared(A, B), imported(B, A), shared(A, B))
    assert made[B]["in_shares"][0]["imported_at"] == BASE_S + 1


def test_imported_at_is_the_events_time_of_old_even_the_first_second() -> None:
    at = (OCCURRED_AT, "1970-01-01T00:00:01Z")
    made = documents(shared(A, B), imported(B, A, "kevbuzz", at))
    assert made[B]["in_shares"][0]["imported_at"] == 1


# -- parking -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "token", ["none", "_x", "_checkpoint", "a$b", "*", ">", "é", "a/b", "a b", ""]
)
def test_a_token_that_is_used_must_be_usable(token: str) -> None:
    for made in (
        event(EventType.INITIALIZED, token),
        bound(token),
        shared(token, B), shared(A, token), shared(A, B, token),
        unshared(token, B), unshared(A, token), unshared(A, B, token),
        imported(token, B), imported(A, token), imported(A, B, token),
    ):  # fmt: skip
        assert parked(made) == [(1, "token")], made.subject
        assert documents(made) == {}


@pytest.mark.parametrize("token", ["a", "A9", "-x", "=", "a_", "None", "NONE", "x" * 300])
def test_any_other_token_is_usable(token: str) -> None:
    assert parked(shared(token, "zz", token)) == []


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        ("natster.events.AA.BB.kevbuzz", "subject"),
        ("natster.events.AA.BB.kevbuzz.catalog_shared.x", "subject"),
        ("natster.event.AA.BB.kevbuzz.catalog_shared", "subject"),
        ("Natster.events.AA.BB.kevbuzz.catalog_shared", "subject"),
        ("natster.events.AA.BB.kevbuzz.catalog_deleted", "unknown type"),
        ("natster.events.AA.BB.kevbuzz.Catalog_shared", "unknown type"),
        ("natster.events.a$b.BB.kevbuzz.catalog_deleted", "unknown type"),
    ],
)
def test_what_every_projection_parks(subject: str, reason: str) -> None:
    assert parked(Append(subject, b"")) == [(1, reason)]


MARKED = (MARKER_REASON, "MaxAge")


def test_a_delete_marker_is_parked_with_any_writer_and_value() -> None:
    share = shared(A, B).subject
    for header in (MARKED, (MARKER_REASON, ""), (MARKER_REASON, "no such reason")):
        assert parked(Append(share, b"", (("Nats-Msg-Id", "x"), header))) == [(1, "marker")]
    for name in ("nats-marker-reason", "X-Nats-Marker-Reason", "Nats-Marker-Reason-More"):
        assert parked(Append(share, b"", ((name, "MaxAge"),))) == []
    # What was shared and unshared stays unshared when the share expires.
    made = documents(shared(A, B), unshared(A, B), Append(share, b"", (MARKED,)))
    assert made[A]["out_shares"] == []


def test_of_several_reasons_the_first_in_their_order_counts() -> None:
    order = [
        (Append("natster.events.AA", b"", (MARKED,)), "subject"),
        (event("no_such_type", "none", "none", "none", b"", MARKED), "marker"),
        (event("no_such_type", "none"), "unknown type"),
        (event(EventType.CONTEXT_BOUND, "none", "none", "none", b"not json"), "token"),
        (event(EventType.CONTEXT_BOUND, A, "none", "none", b"not json"), "payload"),
    ]
    assert [parked(made) for made, _reason in order] == [[(1, reason)] for _made, reason in order]
    assert [*(reason for _made, reason in order), "erased"] == list(ParkReason)


def test_the_tally_counts_all_and_remembers_the_last_hundred() -> None:
    made = fold(*(bound("none") for _ in range(150)))
    assert made.parked.count == 150
    assert made.parked.recent == tuple(ParkedEvent(seq, ParkReason.TOKEN) for seq in range(51, 151))
    assert made.seq == 150


# -- when a context was bound ------------------------------------------------------------------


def test_bound_at_is_the_time_of_the_latest_binding_even_if_it_repeats_the_same_one() -> None:
    made = fold(bound(A), initialized(A, "Ann"), bound(A))
    document = read_document(made.document(A) or b"")
    assert document is not None
    assert list(document)[-2:] == ["bound_at", "bound_context"]
    assert document["bound_at"] == BASE_S + 2


def test_a_document_with_a_binding_but_no_bound_at_is_refused() -> None:
    document = read_document(fold(bound(A)).document(A) or b"")
    assert document is not None
    del document["bound_at"]
    with pytest.raises(ValueError, match="not an account document"):
        ACCOUNTS.state_of(document)


@pytest.mark.parametrize("imported_at", [2**64 - 1, 2**64, -1, 1.5, "1", True])
def test_a_document_with_an_import_at_no_time_is_refused(imported_at: object) -> None:
    share = {"catalog": "kevbuzz", "account": B, "imported_at": imported_at}
    for shares in ({"out_shares": [share]}, {"in_shares": [share]}):
        with pytest.raises(ValueError, match="not an account document"):
            ACCOUNTS.decode(json.dumps(EMPTY | shares).encode())


# -- redelivery --------------------------------------------------------------------------------


def test_a_record_that_was_folded_before_is_passed_over() -> None:
    records = records_of(shared(A, B), imported(B, A), unshared(A, B), bound("none"))
    made = fold_all(ACCOUNTS, records)
    before, tally = made.documents(), made.parked
    advance(made, records)
    assert made.documents() == before
    assert made.parked == tally


# -- what counts as a change -------------------------------------------------------------------


@pytest.mark.parametrize(
    "again",
    [initialized(A, "Ann"), initialized(A), shared(A, B), imported(B, A), unshared(A, C)],
)
def test_what_is_so_already_changes_no_document(again: Append) -> None:
    records = records_of(
        initialized(A, "Ann"), bound(A), shared(A, B), imported(B, A), shared(A, C),
        unshared(A, C), again,
    )  # fmt: skip
    made = fold_all(ACCOUNTS, records[:-1])
    assert set(made.take_dirty()) == {A, B, C}
    assert made.apply(records[-1], NATSTER.read(records[-1])) == ()
    assert made.take_dirty() == ()
