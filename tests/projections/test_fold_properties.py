"""What holds for every log: folding in pieces, stopping and going on, one key, parked events.

`Plain` below is the rules once more, with lists and without shortcuts, so that
the projections are held against the words and not only against themselves.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natster_tui.demo.community import DemoCommunity
from natster_tui.events.event import Event, Record
from natster_tui.events.natster import CATALOG_TYPES, NATSTER, EventType
from natster_tui.events.parking import ParkReason
from natster_tui.projections.account import CONTEXT_FIELDS
from natster_tui.projections.api import Projection
from natster_tui.projections.checkpoint import Checkpoint, decode_checkpoint
from natster_tui.projections.community.figures import community_figures
from natster_tui.projections.fold import Fold
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS, PROJECTIONS
from natster_tui.text.strict_json import UnreadableError, read_json
from tests.folding import advance, fold_all
from tests.making_logs import in_batches, logs

every_projection = pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda p: p.name)
cuts = st.lists(st.integers(0, 40), max_size=4)


def matches(subject_filter: str, subject: str) -> bool:
    """Whether a subject matches a filter, as NATS defines it for stored subjects."""
    wanted, tokens = subject_filter.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted = wanted[:-1]
        if len(tokens) <= len(wanted):
            return False
    elif len(tokens) != len(wanted):
        return False
    return all(want in ("*", token) for want, token in zip(wanted, tokens, strict=False))


# -- pieces and restarts -----------------------------------------------------------------------


@every_projection
@given(records=logs(), at=cuts)
def test_what_a_committer_writes_batch_by_batch_is_the_one_fold(
    projection: Projection[Any], records: list[Record], at: list[int]
) -> None:
    stored: dict[str, bytes | None] = {}
    fold = Fold(projection)
    for batch in in_batches(records, at):
        advance(fold, batch)
        stored.update({key: fold.document(key) for key in fold.take_dirty()})
        assert stored == fold.documents()
    whole = fold_all(projection, records)
    assert stored == whole.documents()
    assert fold.parked == whole.parked
    assert fold.seq == whole.seq == (records[-1].seq if records else 0)


@every_projection
@given(records=logs(), at=cuts)
def test_stopping_anywhere_and_going_on_from_what_is_stored_changes_nothing(
    projection: Projection[Any], records: list[Record], at: list[int]
) -> None:
    fold = Fold(projection)
    for batch in in_batches(records, at):
        documents = fold.documents()
        kept = decode_checkpoint(Checkpoint(fold.seq, 1, "S", "", "", "", fold.parked).encode())
        fold = Fold(
            projection,
            {key: projection.decode(document) for key, document in documents.items()},
            kept.seq,
            parked=kept.parked,
        )
        advance(fold, batch)
    whole = fold_all(projection, records)
    assert fold.documents() == whole.documents()
    assert fold.parked == whole.parked


@every_projection
@given(records=logs(), at=cuts)
def test_records_that_come_again_are_passed_over(
    projection: Projection[Any], records: list[Record], at: list[int]
) -> None:
    fold, seen = Fold(projection), []
    for batch in in_batches(records, at):
        seen += batch
        advance(fold, seen)
    whole = fold_all(projection, records)
    assert (fold.documents(), fold.parked) == (whole.documents(), whole.parked)


@every_projection
@given(records=logs())
def test_documents_survive_being_decoded_and_encoded(
    projection: Projection[Any], records: list[Record]
) -> None:
    for key, state in fold_all(projection, records).states.items():
        document = projection.encode(key, state)
        assert projection.decode(document) == state
        assert projection.encode(key, projection.decode(document)) == document


@every_projection
@given(stored=st.binary(max_size=30))
def test_a_value_that_is_not_a_document_raises_a_value_error(
    projection: Projection[Any], stored: bytes
) -> None:
    with pytest.raises(ValueError):
        projection.decode(stored)


@every_projection
def test_a_state_read_from_its_document_holds_no_copies_of_the_tokens(
    projection: Projection[Any],
) -> None:
    """Copies would double what a large projection takes in memory once it was loaded."""
    records = [
        Record(seq, 0, event.subject, event.payload)
        for seq, event in enumerate(DemoCommunity(1).history(400, 1_700_000_000), 1)
    ]
    fold = fold_all(projection, records)
    folded = {id(token) for state in fold.states.values() for token in tokens_of(projection, state)}
    loaded = [
        token
        for document in fold.documents().values()
        for token in tokens_of(projection, projection.decode(document))
    ]
    assert len(loaded) > 100
    assert {id(token) for token in loaded} == folded


def tokens_of(projection: Projection[Any], state: Any) -> list[str]:
    """The accounts and catalogs in the lists of a state."""
    return [
        token
        for pageable in projection.pageable.values()
        for name in pageable.of(state)
        for token in ([name] if isinstance(name, str) else name)
    ]


# -- keys --------------------------------------------------------------------------------------


@every_projection
@given(records=logs())
def test_the_events_of_a_keys_filters_alone_give_its_document(
    projection: Projection[Any], records: list[Record]
) -> None:
    for key, document in fold_all(projection, records).documents().items():
        filters = projection.key_filters(key)
        own = [r for r in records if any(matches(each, r.subject) for each in filters)]
        assert fold_all(projection, own).document(key) == document


@every_projection
@given(records=logs())
def test_an_event_changes_documents_of_its_own_keys_only_and_says_which(
    projection: Projection[Any], records: list[Record]
) -> None:
    fold = Fold(projection)
    before = fold.documents()
    for record in records:
        event = NATSTER.read(record)
        changed = fold.apply(record, event)
        after = fold.documents()
        assert {key for key in after if after[key] != before.get(key)} == set(changed)
        assert len(changed) == len(set(changed)) <= 2
        assert before.keys() <= after.keys()
        if changed:
            assert isinstance(event, Event)
            assert set(changed) <= set(projection.keys_of(event))
        before = after


@every_projection
@given(records=logs())
def test_keys_can_be_keys_of_a_bucket_and_are_never_ours(
    projection: Projection[Any], records: list[Record]
) -> None:
    for key in fold_all(projection, records).states:
        assert re.fullmatch(r"[A-Za-z0-9=-][A-Za-z0-9_=-]*", key)
        assert key != "none"


# -- parked events -----------------------------------------------------------------------------


@every_projection
@given(records=logs())
def test_parked_events_change_nothing(projection: Projection[Any], records: list[Record]) -> None:
    fold, parked = Fold(projection), set()
    for record in records:
        count = fold.parked.count
        changed = fold.apply(record, NATSTER.read(record))
        if fold.parked.count > count:
            assert changed == ()
            parked.add(record.seq)
    assert parked == {event.seq for event in fold.parked.recent}
    without = fold_all(projection, [r for r in records if r.seq not in parked])
    assert without.documents() == fold.documents()
    assert without.parked.count == 0


# -- the contract, read literally --------------------------------------------------------------


class Plain:
    """Both projections as the contract words them; slow, and with no state but documents."""

    def __init__(self, records: list[Record]) -> None:
        self.accounts: dict[str, dict[str, Any]] = {}
        self.catalogs: dict[str, dict[str, Any]] = {}
        self.parked: dict[str, list[tuple[int, str]]] = {"account": [], "catalog": []}
        for record in records:
            self.fold(record)

    def park(self, record: Record, reason: str, *projections: str) -> None:
        for name in projections:
            self.parked[name].append((record.seq, reason))

    def account(self, key: str) -> dict[str, Any]:
        return self.accounts.setdefault(
            key, {"out_shares": [], "in_shares": [], "initialized_at": 0}
        )

    def fold(self, record: Record) -> None:
        tokens = record.subject.split(".")
        if len(tokens) != 6 or tokens[:2] != ["natster", "events"]:
            return self.park(record, "subject", "account", "catalog")
        if any(name == "Nats-Marker-Reason" for name, _value in record.headers):
            return self.park(record, "marker", "account", "catalog")
        origin, target, catalog, kind = tokens[2:]
        if kind not in list(EventType):
            return self.park(record, "unknown type", "account", "catalog")
        of_catalog = kind in CATALOG_TYPES
        used = [origin, target, catalog] if of_catalog else [origin]
        if any(
            t == "none" or t.startswith("_") or not re.fullmatch("[A-Za-z0-9_=-]+", t) for t in used
        ):
            return self.park(
                record, "token", *(["account", "catalog"] if of_catalog else ["account"])
            )
        match kind:
            case "natster_initialized":
                self.initialized(record, origin)
            case "context_bound":
                self.bound(record, origin)
            case "catalog_shared" if origin != target:
                self.shared(origin, target, catalog)
            case "catalog_unshared" if origin != target:
                self.unshared(origin, target, catalog)
            case "catalog_imported":
                self.imported(record, origin, target, catalog)
        return None

    def read(self, payload: bytes) -> Any:
        try:
            return read_json(payload)
        except UnreadableError:
            return None

    def initialized(self, record: Record, origin: str) -> None:
        account = self.account(origin)
        if account["initialized_at"] == 0:
            account["initialized_at"] = record.event_time
        told = self.read(record.payload)
        if (
            isinstance(told, dict)
            and type(told.get("account_name")) is str
            and told["account_name"]
        ):
            account["account_name"] = told["account_name"]

    def bound(self, record: Record, origin: str) -> None:
        told = self.read(record.payload)
        good = (
            isinstance(told, dict)
            and type(told.get("oauth_id")) is str
            and told["oauth_id"] != ""
            and isinstance(told.get("bound_context"), dict)
            and all(type(told["bound_context"].get(name, "")) is str for name in CONTEXT_FIELDS)
        )
        if not good:
            return self.park(record, "payload", "account")
        fields = {name: told["bound_context"].get(name, "") for name in CONTEXT_FIELDS}
        self.account(origin)["bound_at"] = record.event_time
        self.account(origin)["bound_context"] = {
            "oauth_id": told["oauth_id"],
            "bound_context": fields,
        }
        return None

    def shared(self, origin: str, target: str, catalog: str) -> None:
        for one, other, side in ((origin, target, "out_shares"), (target, origin, "in_shares")):
            shares = self.account(one)[side]
            if not any((s["catalog"], s["account"]) == (catalog, other) for s in shares):
                shares.append({"catalog": catalog, "account": other})
        document = self.catalogs.setdefault(
            catalog, {"catalog_name": catalog, "owner": origin, "shared_with": []}
        )
        if document["owner"] != origin:
            contested = document.setdefault("contested_by", [])
            if origin not in contested:
                contested.append(origin)
        elif target not in document["shared_with"]:
            document["shared_with"].append(target)

    def unshared(self, origin: str, target: str, catalog: str) -> None:
        for one, other, side in ((origin, target, "out_shares"), (target, origin, "in_shares")):
            if one in self.accounts:
                self.accounts[one][side] = [
                    share
                    for share in self.accounts[one][side]
                    if (share["catalog"], share["account"]) != (catalog, other)
                ]
        document = self.catalogs.get(catalog)
        if document and document["owner"] == origin and target in document["shared_with"]:
            document["shared_with"].remove(target)

    def imported(self, record: Record, importer: str, owner: str, catalog: str) -> None:
        for one, other, side in ((importer, owner, "in_shares"), (owner, importer, "out_shares")):
            for share in self.accounts.get(one, {}).get(side, []):
                if (share["catalog"], share["account"]) == (catalog, other):
                    share.setdefault("imported_at", record.event_time)


ORDER = ["out_shares", "in_shares", "initialized_at", "account_name", "bound_at", "bound_context"]


@given(logs())
def test_the_documents_are_the_contracts(records: list[Record]) -> None:
    plain = Plain(records)
    accounts, catalogs = fold_all(ACCOUNTS, records), fold_all(CATALOGS, records)
    ordered = {
        key: {name: document[name] for name in ORDER if name in document}
        for key, document in plain.accounts.items()
    }
    # Compared as text, because the order of names counts too.
    for fold, expected in ((accounts, ordered), (catalogs, plain.catalogs)):
        assert {key: document.decode() for key, document in fold.documents().items()} == {
            key: json.dumps(document, ensure_ascii=False, separators=(",", ":"))
            for key, document in expected.items()
        }
        name = fold.projection.name
        assert [(e.seq, e.reason.value) for e in fold.parked.recent] == plain.parked[name]


@given(logs())
def test_the_derived_figures_are_counted_from_the_documents(records: list[Record]) -> None:
    plain = Plain(records)
    figures = community_figures(
        fold_all(ACCOUNTS, records).states, fold_all(CATALOGS, records).states, ()
    )
    accounts = plain.accounts.values()
    counts = Counter(
        initialized=sum(account["initialized_at"] > 0 for account in accounts),
        active=sum(len(account["out_shares"]) for account in accounts),
        duplicate=sum("contested_by" in catalog for catalog in plain.catalogs.values()),
        candidates=sum(
            any("imported_at" in share for share in account["in_shares"]) for account in accounts
        ),
    )
    assert figures.accounts_initialized == counts["initialized"]
    assert figures.active_shares == counts["active"]
    assert figures.duplicate_names == counts["duplicate"]
    assert figures.prize_candidates == counts["candidates"]


def test_the_generated_logs_hold_what_they_are_meant_to() -> None:
    """A strategy that stopped making some kind of event would make every test above pass."""
    seen: set[Any] = set()

    @settings(max_examples=200, derandomize=True, database=None)
    @given(logs())
    def collect(records: list[Record]) -> None:
        fold = fold_all(ACCOUNTS, records)
        seen.update(event.reason for event in fold.parked.recent)
        documents = fold.documents()
        seen.update(
            name for name in ORDER if any(f'"{name}"'.encode() in d for d in documents.values())
        )
        seen.update("imported_at" for d in documents.values() if b'"imported_at"' in d)
        catalogs = fold_all(CATALOGS, records).documents()
        seen.update("contested_by" for d in catalogs.values() if b'"contested_by"' in d)

    collect()
    assert seen >= {*ORDER, "imported_at", "contested_by", *ParkReason} - {ParkReason.ERASED}


# -- parking -----------------------------------------------------------------------------------


@every_projection
@given(records=logs())
@settings(max_examples=60, deadline=None)
def test_a_projection_says_of_each_event_alone_whether_its_rule_parks_it(
    projection: Projection[Any], records: list[Record]
) -> None:
    fold = Fold(projection)
    for record in records:
        event = NATSTER.read(record)
        before = fold.parked_count
        fold.apply(record, event)
        if isinstance(event, Event):
            reason = projection.parks(event)
            assert (fold.parked_count > before) == (reason is not None)
            if reason is not None:
                assert fold.parked.recent[-1].reason is reason
