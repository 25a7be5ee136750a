"""What may be published: nothing that would be parked or change nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natster_tui.events.account_keys import encode_account_key
from natster_tui.events.event import Record
from natster_tui.events.natster import EventType
from natster_tui.projections.append_rules import (
    Objection,
    Proposal,
    Reason,
    form_problem,
    state_problem,
)
from natster_tui.projections.fold import Fold
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS, PROJECTIONS
from natster_tui.store.log import Append
from tests.folding import advance, fold_all
from tests.making_logs import (
    WEIRD_TOKENS,
    bound,
    context,
    imported,
    initialized,
    payloads,
    records_of,
    shared,
    unshared,
)

A, B, C = (encode_account_key(bytes([number]) * 32) for number in (1, 2, 3))
CONTEXT = context("github|aaa", user_id="u")

INITIALIZE, BIND = EventType.INITIALIZED, EventType.CONTEXT_BOUND
SHARE, UNSHARE, IMPORT = EventType.SHARED, EventType.UNSHARED, EventType.IMPORTED


def folded(*events: Append) -> tuple[Fold[Any], Fold[Any]]:
    records = records_of(*events)
    return fold_all(ACCOUNTS, records), fold_all(CATALOGS, records)


def refused(proposal: Proposal, *before: Append) -> Objection | None:
    problem = form_problem(proposal)
    if problem is not None:
        return problem
    accounts, catalogs = folded(*before)
    return state_problem(proposal, accounts.states, catalogs.states)


def reason_of(proposal: Proposal) -> Reason | None:
    problem = form_problem(proposal)
    return None if problem is None else problem.reason


# -- subjects ----------------------------------------------------------------------------------


def test_account_events_expect_nothing_newer_of_that_account() -> None:
    for kind in (INITIALIZE, BIND):
        proposal = Proposal(kind, A)
        assert proposal.subject == f"natster.events.{A}.none.none.{kind.value}"
        assert proposal.expected_subject == f"natster.events.{A}.none.none.*"


def test_catalog_events_expect_nothing_newer_of_that_catalog() -> None:
    for kind in (SHARE, UNSHARE, IMPORT):
        proposal = Proposal(kind, A, B, "kevbuzz")
        assert proposal.subject == f"natster.events.{A}.{B}.kevbuzz.{kind.value}"
        assert proposal.expected_subject == "natster.events.*.*.kevbuzz.*"


# -- what may be published ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proposal", "before"),
    [
        (Proposal(INITIALIZE, A), []),
        (Proposal(INITIALIZE, A, payload=b"{not json"), []),
        (Proposal(INITIALIZE, A), [shared(B, A)]),
        (Proposal(INITIALIZE, A, payload=b'{"account_name":"new"}'), [initialized(A, "old")]),
        (Proposal(BIND, A, payload=CONTEXT), [initialized(A)]),
        (Proposal(BIND, A, payload=context("other")), [initialized(A), bound(A, CONTEXT)]),
        (Proposal(SHARE, A, B, "kevbuzz"), [initialized(A)]),
        (Proposal(SHARE, A, C, "kevbuzz"), [initialized(A), shared(A, B)]),
        (Proposal(SHARE, A, B, "kevbuzz"), [initialized(A), shared(A, B), unshared(A, B)]),
        (Proposal(UNSHARE, A, B, "kevbuzz"), [shared(A, B)]),
        (Proposal(UNSHARE, C, B, "kevbuzz"), [shared(A, B), shared(C, B)]),
        (Proposal(IMPORT, B, A, "kevbuzz"), [shared(A, B)]),
        (Proposal(IMPORT, B, A, "kevbuzz"),
         [shared(A, B), imported(B, A), unshared(A, B), shared(A, B)]),
    ],
)  # fmt: skip
def test_what_may_be_published(proposal: Proposal, before: list[Append]) -> None:
    assert refused(proposal, *before) is None


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proposal", "before", "reason", "says"),
    [
        (Proposal(INITIALIZE, A), [initialized(A)], Reason.INITIALIZED, "initialized already"),
        (Proposal(INITIALIZE, A, payload=b'{"account_name":"x"}'), [initialized(A, "x")],
         Reason.INITIALIZED, "no new name"),
        (Proposal(BIND, A, payload=CONTEXT), [], Reason.NOT_INITIALIZED, "not initialized"),
        (Proposal(BIND, A, payload=CONTEXT), [shared(B, A)], Reason.NOT_INITIALIZED,
         "not initialized"),
        (Proposal(BIND, A, payload=CONTEXT), [initialized(A), bound(A, CONTEXT)], Reason.BOUND,
         "bound already"),
        (Proposal(SHARE, A, B, "kevbuzz"), [initialized(B)], Reason.ORIGIN_NOT_INITIALIZED,
         "not initialized"),
        (Proposal(SHARE, A, B, "kevbuzz"), [initialized(A), shared(A, B)], Reason.SHARED,
         "already"),
        (Proposal(SHARE, A, B, "kevbuzz"), [initialized(A), shared(C, B)], Reason.NAME_TAKEN,
         "another account"),
        (Proposal(SHARE, A, B, "KEVBUZZ"), [initialized(A), shared(A, B)], Reason.NAME_TOO_LIKE,
         "letter case"),
        (Proposal(UNSHARE, A, B, "kevbuzz"), [], Reason.NOT_SHARED, "nothing to unshare"),
        (Proposal(UNSHARE, A, C, "kevbuzz"), [shared(A, B)], Reason.NOT_SHARED,
         "nothing to unshare"),
        (Proposal(IMPORT, B, A, "kevbuzz"), [], Reason.NOT_OFFERED, "not shared"),
        (Proposal(IMPORT, B, A, "kevbuzz"), [shared(A, B), unshared(A, B)], Reason.NOT_OFFERED,
         "not shared"),
        (Proposal(IMPORT, A, B, "kevbuzz"), [shared(A, B)], Reason.NOT_OFFERED, "not shared"),
        (Proposal(IMPORT, B, A, "kevbuzz"), [shared(A, B), imported(B, A)], Reason.IMPORTED,
         "imported already"),
    ],
)  # fmt: skip
def test_what_would_change_nothing_or_mean_nothing_is_refused(
    proposal: Proposal, before: list[Append], reason: Reason, says: str
) -> None:
    problem = refused(proposal, *before)
    assert problem is not None
    assert problem.reason is reason
    assert says in problem.sentence


@pytest.mark.parametrize(
    "payload",
    [b"", b"null", b"{", b"[]", b'{"oauth_id":"","bound_context":{}}', b'{"oauth_id":"x"}',
     b'{"oauth_id":"x","bound_context":{"creds":null}}', b'{"oauth_id":7,"bound_context":{}}'],
)  # fmt: skip
def test_a_context_that_would_be_parked_is_refused(payload: bytes) -> None:
    problem = refused(Proposal(BIND, A, payload=payload), initialized(A))
    assert problem is not None
    assert problem.reason is Reason.PAYLOAD
    assert "oauth_id" in problem.sentence


@pytest.mark.parametrize("kind", EventType)
@pytest.mark.parametrize("origin", [*WEIRD_TOKENS, "", "NOTANACCOUNT", A[:-1], A.lower(), A + "\n"])
def test_the_origin_must_be_an_account_key(kind: EventType, origin: str) -> None:
    proposal = Proposal(kind, origin, B, "kevbuzz", CONTEXT)
    assert reason_of(proposal) is Reason.ORIGIN_KEY


@pytest.mark.parametrize("kind", [SHARE, UNSHARE, IMPORT])
def test_the_target_must_be_another_account(kind: EventType) -> None:
    for target in ("none", "*", ">", "NOTANACCOUNT", ""):
        assert reason_of(Proposal(kind, A, target, "kevbuzz")) is Reason.TARGET_KEY
    assert reason_of(Proposal(kind, A, A, "kevbuzz")) is Reason.SAME_ACCOUNT


@pytest.mark.parametrize("kind", [SHARE, UNSHARE, IMPORT])
@pytest.mark.parametrize("catalog", ["none", "", "_x", "a$b", "*", ">", "a.b", "a b", "é", "x\n"])
def test_the_catalog_must_be_usable(kind: EventType, catalog: str) -> None:
    assert reason_of(Proposal(kind, A, B, catalog)) is Reason.CATALOG_NAME


@pytest.mark.parametrize("kind", [INITIALIZE, BIND])
def test_an_account_event_has_no_target_and_no_catalog(kind: EventType) -> None:
    for target, catalog in ((B, "none"), ("none", "kevbuzz"), ("", "none"), ("none", "")):
        proposal = Proposal(kind, A, target, catalog, CONTEXT)
        assert reason_of(proposal) is Reason.TAKES_NO_TARGET


# -- the rule behind them ----------------------------------------------------------------------

keys = st.sampled_from([A, B, C])
catalogs = st.sampled_from(["kevbuzz", "KevBuzz", "none"])
good_events = st.one_of(
    st.builds(initialized, keys, st.sampled_from([None, "x", "y"])),
    st.builds(bound, keys, payloads),
    st.builds(shared, keys, keys, catalogs),
    st.builds(unshared, keys, keys, catalogs),
    st.builds(imported, keys, keys, catalogs),
)
proposals = st.builds(
    Proposal,
    st.sampled_from(EventType),
    keys,
    keys | st.just("none"),
    catalogs,
    st.just(CONTEXT) | payloads,
)


@given(st.lists(good_events, max_size=12), proposals)
def test_what_may_be_published_is_parked_by_no_projection_and_changes_one(
    before: list[Append], proposal: Proposal
) -> None:
    if refused(proposal, *before) is not None:
        return
    records = records_of(*before)
    published = Record(len(records) + 1, 10**18, proposal.subject, proposal.payload)
    folds = [fold_all(projection, records) for projection in PROJECTIONS]
    documents = [fold.documents() for fold in folds]
    parked = [fold.parked for fold in folds]
    for fold in folds:
        advance(fold, [published])
    assert [fold.parked for fold in folds] == parked
    assert [fold.documents() for fold in folds] != documents
    contested = [json.loads(doc).get("contested_by") for doc in folds[1].documents().values()]
    assert contested == [json.loads(doc).get("contested_by") for doc in documents[1].values()] + (
        [None] * (len(contested) - len(documents[1]))
    )
