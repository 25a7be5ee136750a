"""Projections that people bring: their rule, what goes wrong in it, and their declaration."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, field_serializer

from natster_tui.errors import (
    DocumentRefusedError,
    ProjectionRefusedError,
    RuleFailedError,
    UnopenedEventError,
)
from natster_tui.events.event import Event, Record
from natster_tui.events.natster import NATSTER, EventType
from natster_tui.events.parking import ParkReason
from natster_tui.events.sealed_payload import Seal, Unopened
from natster_tui.projections.account import AccountProjection
from natster_tui.projections.fold import Fold
from natster_tui.projections.history.states import StateHistory
from natster_tui.projections.keyed import KeyedProjection, Part
from natster_tui.projections.paging import PAGED_FROM, DocumentPager, entries_of
from natster_tui.projections.preview import preview_of
from natster_tui.projections.registering.declaration import declaration_problem
from natster_tui.projections.registering.registry import ACCOUNTS, BUILT_IN
from tests.folding import advance, fold_all
from tests.making_logs import A, B, C, bound, in_batches, initialized, logs, records_of, shared
from tests.projections.activity import Activity, ActivityProjection

ACTIVITY = ActivityProjection()


class Recipients(BaseModel):
    model_config = ConfigDict(frozen=True)
    accounts: tuple[str, ...] = ()


class Broken(KeyedProjection[Recipients]):
    name, bucket, version, key_noun = "broken", "PROJ_BROKEN", 1, "catalog"
    uses = frozenset({EventType.SHARED})
    keys = (Part.CATALOG,)
    model = Recipients

    def rule(self, document: Recipients | None, event: Event, key: str) -> Any:
        match event.target:
            case "BB":
                raise ZeroDivisionError("division\x1b[31m by zero")
            case "CC":
                return {"accounts": ["CC"]}
            case "DD":
                return ParkReason.PAYLOAD
        known = document or Recipients()
        return Recipients(accounts=(*known.accounts, event.target))


def test_a_rule_makes_documents_from_documents() -> None:
    fold = fold_all(ACTIVITY, records_of(initialized(A), shared(A, B), shared(B, A)))
    assert fold.states["AA"].events == 2
    assert fold.document("BB") == b'{"events":1,"first_seen":1795403597,"last_seen":1795403597}'


class Open(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class OpenProjection(KeyedProjection[Open]):
    name, bucket, version, key_noun = "open", "PROJ_OPEN", 1, "catalog"
    uses = frozenset({EventType.SHARED})
    keys = (Part.CATALOG,)
    model = Open

    def rule(self, document: Open | None, event: Event, key: str) -> Any:
        return Open.model_validate({"last": event.target})


def test_a_document_with_other_extra_fields_is_another_document() -> None:
    fold = fold_all(OpenProjection(), records_of(shared(A, B)))
    assert fold.take_dirty()
    advance(fold, records_of(shared(A, B), shared(A, C))[1:])
    assert fold.take_dirty()
    assert all(b"CC" in document for document in fold.documents().values())


def test_stored_documents_become_states_again() -> None:
    fold = fold_all(ACTIVITY, records_of(initialized(A), shared(A, B)))
    for key, document in fold.documents().items():
        assert ACTIVITY.decode(document) == fold.states[key]
    with pytest.raises(ValueError, match="not a document of activity: events: "):
        ACTIVITY.decode(b'{"events":"many"}')


@given(records=logs(), at=st.lists(st.integers(0, 40), max_size=4))
def test_batches_make_no_difference_to_a_rule(records: list[Record], at: list[int]) -> None:
    fold = Fold(ACTIVITY)
    for batch in in_batches(records, at):
        advance(fold, batch)
    assert fold.documents() == fold_all(ACTIVITY, records).documents()


@given(records=logs())
def test_the_past_of_a_rules_documents_can_be_seen(records: list[Record]) -> None:
    history = StateHistory(ACTIVITY)
    for record in records:
        history.apply(record, NATSTER.read(record))
    for upto in range(len(records) + 1):
        seq = records[upto - 1].seq if upto else 0
        assert history.at(seq).documents() == fold_all(ACTIVITY, records[:upto]).documents()


@pytest.mark.parametrize(
    ("target", "why"),
    [
        (B, r"ZeroDivisionError: division.*by zero"),
        (C, "it returned dict instead of Recipients"),
    ],
)
def test_a_rule_that_fails_stops_before_the_event_and_names_it(target: str, why: str) -> None:
    fold = Fold(Broken())
    with pytest.raises(RuleFailedError, match=f"broken failed at event 2 .*{why}") as failure:
        advance(fold, records_of(shared(A, "EE"), shared(A, target), shared(A, "FF")))
    assert "\x1b" not in failure.value.sentence
    assert (fold.seq, failure.value.seq) == (1, 2)
    assert fold.states["kevbuzz"].accounts == ("EE",)


class Shown(BaseModel):
    """A document of which a rule can make what its model refuses."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)
    share: float = 0.0
    name: str | None = "nameless"
    number: int = 0

    @field_serializer("number")
    def number_as_it_is(self, number: int) -> int:
        if number < 0:
            raise ZeroDivisionError("no serial")
        return number


class Unstorable(KeyedProjection[Shown]):
    """Makes at the second event what `odd` says."""

    name, bucket, version, key_noun = "shown", "PROJ_SHOWN", 1, "account"
    uses = frozenset(EventType)
    model = Shown

    def __init__(self, **odd: Any) -> None:
        self.odd = odd

    def rule(self, document: Shown | None, event: Event, key: str) -> Shown:
        return Shown() if document is None else document.model_copy(update=self.odd)


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        ({"share": float("nan")}, "its model refuses it: share: Input should be a valid number"),
        ({"share": float("inf")}, "its model refuses it: share: Input should be a valid number"),
        ({"name": "\ud800"}, "it is no JSON: "),
        ({"number": 10**40}, "it is no JSON: TypeError: Integer exceeds 64-bit range"),
        ({"number": -1}, "no serial"),
        ({"name": None}, "it is another one when it is read back: name"),
    ],
)
def test_a_document_that_would_not_be_read_back_as_it_is_fails_the_rule(
    odd: dict[str, Any], why: str
) -> None:
    fold = fold_all(Unstorable(**odd), records_of(shared(A, B), shared(A, C), shared(B, A)))
    assert fold.document(B)
    sentence = "shown failed at event 2: the document of account AA cannot be stored: "
    with pytest.raises(RuleFailedError, match=re.escape(sentence)) as failure:
        fold.documents()
    assert why in failure.value.sentence
    assert failure.value.seq == 2


@pytest.mark.parametrize("odd", [{"share": float("nan")}, {"number": 10**40}, {"name": None}])
@pytest.mark.parametrize("found", [True, False], ids=["found stored", "made here"])
def test_a_large_document_that_changes_is_read_back_too(odd: dict[str, Any], found: bool) -> None:
    projection, large = Unstorable(), Shown(name="x" * PAGED_FROM)
    stored = entries_of(projection, A, large)
    assert list(stored) == [A]
    pager = DocumentPager(projection)
    if found:
        pager.found(A, large, stored)
    else:
        assert pager.changes(A, large) == stored
    changed = Shown(name="y" * PAGED_FROM)
    assert pager.changes(A, changed) == entries_of(projection, A, changed)
    with pytest.raises(DocumentRefusedError):
        pager.changes(A, changed.model_copy(update=odd))


@pytest.mark.parametrize(
    ("holder", "why"),
    [
        (lambda _self, _key, _state: 7, "holder returned int, no account"),
        (lambda _self, key, _state: {1: key}[key], "holder: KeyError"),
    ],
)
def test_a_holder_that_is_none_fails_the_rule(holder: Any, why: str) -> None:
    projection = type("Held", (ActivityProjection,), {"holder": holder})()
    fold = fold_all(projection, records_of(shared(A, B)))
    with pytest.raises(RuleFailedError, match=f"activity failed at event 1: {why}"):
        fold.holder("AA")


def test_documents_of_a_strict_model_are_read_back() -> None:
    class Strict(BaseModel):
        model_config = ConfigDict(frozen=True, strict=True)
        accounts: tuple[str, ...]

    class Accounts(Unstorable):
        model = Strict  # type: ignore[assignment]

        def rule(self, document: Any, event: Event, key: str) -> Any:
            return Strict(accounts=(event.target,))

    fold = fold_all(Accounts(), records_of(shared(A, B)))
    assert fold.projection.decode(fold.documents()["AA"]) == fold.states["AA"]


class Unprintable(Exception):
    def __str__(self) -> str:
        raise ValueError("it has no text")


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (SystemExit("gone"), "SystemExit: gone"),
        (asyncio.CancelledError(), "CancelledError; correct it"),
        (GeneratorExit(), "GeneratorExit; correct it"),
        (Unprintable(), "Unprintable; correct it"),
    ],
)
def test_an_exception_in_a_rule_stops_only_that_rule(error: BaseException, why: str) -> None:
    class Raises(Unstorable):
        def rule(self, document: Any, event: Event, key: str) -> Any:
            raise error

    with pytest.raises(RuleFailedError, match=why):
        fold_all(Raises(), records_of(shared(A, B)))


def test_an_interrupt_by_the_user_is_not_a_failure_of_the_rule() -> None:
    class Interrupted(Unstorable):
        def rule(self, document: Any, event: Event, key: str) -> Any:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fold_all(Interrupted(), records_of(shared(A, B)))


def test_a_validation_error_is_reported_without_the_input() -> None:
    class Tells(Unstorable):
        def rule(self, document: Any, event: Event, key: str) -> Any:
            return Activity.model_validate({"events": "hidden-token", "first_seen": 1})

    with pytest.raises(RuleFailedError, match="ValidationError: events: ") as failure:
        fold_all(Tells(), records_of(shared(A, B)))
    assert "hidden-token" not in failure.value.sentence


def test_a_rule_that_changes_the_event_is_detected_if_checked() -> None:
    class Changes(Unstorable):
        checks_input = True

        def rule(self, document: Any, event: Event, key: str) -> Any:
            event.origin = "ZZ"
            return Shown()

    with pytest.raises(RuleFailedError, match="it changed the event that it was given"):
        fold_all(Changes(), records_of(shared(A, B)))


def test_a_projection_with_a_fold_of_its_own_is_stopped_in_the_same_way() -> None:
    class Own(AccountProjection):
        def apply(self, states: Any, event: Event) -> Any:
            raise ZeroDivisionError("division by zero")

    with pytest.raises(RuleFailedError, match="account failed at event 1: ZeroDivisionError: div"):
        fold_all(Own(), records_of(shared(A, B)))


def test_a_rule_that_fails_has_no_part_in_a_preview() -> None:
    record = records_of(shared(A, B))[0]
    folds = {each.name: Fold(each) for each in (Broken(), ACTIVITY)}
    effects = preview_of(record, NATSTER.read(record), folds)
    assert {effect.projection for effect in effects} == {ACTIVITY}


def test_a_rule_may_park_an_event() -> None:
    fold = fold_all(Broken(), records_of(shared(A, "DD"), shared(A, "EE")))
    assert [(each.seq, each.reason) for each in fold.parked.recent] == [(1, ParkReason.PAYLOAD)]
    assert fold.states["kevbuzz"].accounts == ("EE",)


def test_an_event_whose_payload_counts_is_not_passed_without_its_key() -> None:
    class Opens(ActivityProjection):
        opens_payloads = True

    record = records_of(bound(A))[0]
    record.payload, record.seal = b"", Seal(b"sealed", "k1", Unopened.UNAVAILABLE, "no key file")
    assert fold_all(ACTIVITY, [record]).states["AA"].events == 1
    with pytest.raises(UnopenedEventError):
        fold_all(Opens(), [record])
    record.seal = Seal(b"sealed", "k1", Unopened.ERASED, "erased")
    erased = fold_all(Opens(), [record])
    assert [each.reason for each in erased.parked.recent] == [ParkReason.ERASED]
    assert not erased.states


def test_the_events_of_a_key_are_found_by_its_filters() -> None:
    assert ACTIVITY.key_filters("AA") == ("natster.events.AA.>",)
    assert Broken().key_filters("kevbuzz") == ("natster.events.*.*.kevbuzz.*",)


class Mutable(BaseModel):
    events: int = 0


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"name": "Activity"}, "name must be a lower-case letter"),
        ({"name": "activity_v2"}, "may end in _v and digits"),
        ({"bucket": "NATSTER_MINE"}, "may not begin with NATSTER_"),
        ({"bucket": "a.b"}, "bucket must be"),
        ({"bucket": "PROJ_ACTIVITY_v2"}, "may end in _v and digits"),
        ({"version": 0}, "version must be"),
        ({"version": True}, "version must be"),
        ({"uses": frozenset()}, "uses must be"),
        ({"uses": frozenset({"catalog_renamed"})}, "which is no event type"),
        ({"model": dict}, "model must be a pydantic model"),
        ({"model": Mutable}, "Mutable must be frozen"),
        ({"keys": ()}, "keys must be a tuple of"),
        ({"keys": Part.ORIGIN}, "keys must be a tuple of"),
        ({"key_noun": 7}, "key_noun must say"),
        ({"key_noun": "acc\x1b[31mount"}, "all of them printable"),
        ({"key_noun": "x" * 41}, "at most 40 characters"),
        ({"keys_of": lambda _self, _event: ("x",)}, "keys_of follows from keys and rule"),
        ({"apply": lambda _self, _states, _event: ()}, "apply follows from keys and rule"),
        ({"keys": (Part.ORIGIN, Part.CATALOG)}, "accounts or catalogs, not both"),
    ],
)
def test_each_mistake_in_a_declaration_has_its_clause(changes: dict[str, Any], why: str) -> None:
    projection = type("Changed", (ActivityProjection,), changes)()
    assert why in declaration_problem(projection)


@pytest.mark.parametrize(("what", "taken"), [("name", "account"), ("bucket", "PROJ_ACCOUNT")])
def test_a_name_or_bucket_that_is_taken_is_refused(what: str, taken: str) -> None:
    projection = type("Changed", (ActivityProjection,), {what: taken})()
    sentence = f"mine.py: the {what} {taken} is taken by the projection account"
    with pytest.raises(ProjectionRefusedError, match=sentence):
        BUILT_IN.adding(projection, "mine.py")


def test_a_registry_holds_built_in_projections_first() -> None:
    registry = BUILT_IN.adding(ACTIVITY, "mine.py")
    assert registry.names == ("account", "catalog", "activity")
    assert registry.named("account") is ACCOUNTS
    assert len(BUILT_IN) == 2
    assert ACTIVITY.copy(Activity(events=1, first_seen=1, last_seen=1)).events == 1
