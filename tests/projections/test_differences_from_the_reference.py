"""Where the rules differ from the reference service: one test per difference.

Each shows what the reference stored (the recordings) beside what the same log says here. The
other service's documents are wrong on purpose: that is what is being recorded.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from natster_tui.engine.log.import_events import import_records
from natster_tui.engine.projecting.projector import Projector
from natster_tui.events.parking import ParkedEvent, ParkReason
from natster_tui.projections.fold import Fold
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS, PROJECTIONS
from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import RECORDINGS, recording, until
from tests.folding import fold_all
from tests.making_logs import append, bound, initialized, records_of, shared, unshared
from tests.reading_buckets import stored_documents

HUB = "AC5V4OC2POUAX4W4H7CKN5TQ5AKVJJ4AJ7XZKNER6P6DHKBYGVGJHSNC"
A = "ACB4B3IAFNI6NUNGYCLUG5WXAAIAZSWMJSQUT5HQS4OKOD5P2RJ2NGDT"
B = "AA33U5HNMJFHIX63KYLTK3J3MMPWQHBUMYDYQQGDS5O3WNCL5GDFQ462"
D = "ADEOEMJCAV46YW2UH2SH4RH5N63AAXB6PQSGGNRP7BIPXFQTWDN2VOWJ"


def reference(name: str) -> Any:
    """What the reference service stored for a recording."""
    return json.loads(next(RECORDINGS.glob(f"{name}*.reference.json")).read_text())


def their(name: str, kind: str) -> Any:
    return reference(name)["documents"][f"PROJ_{kind.upper()}"]


def documents(fold: Fold[Any]) -> dict[str, Any]:
    return {key: json.loads(document) for key, document in fold.documents().items()}


def test_1_initialized_at_is_the_first_initializations_event_time_whenever_it_is_folded() -> None:
    records = recording("12")
    first, second = (record for record in records if f".{A}.none.none." in record.subject)
    assert (first.time_ns // 10**9, second.time_ns // 10**9) == (1795403630, 1795403632)
    assert their("12", "account")[A]["initialized_at"] == 1795403632
    ours = documents(fold_all(ACCOUNTS, records))
    assert ours[A]["initialized_at"] == 1795403630
    assert ours == documents(fold_all(ACCOUNTS, records))


def test_2_an_unshare_takes_the_recipient_off_the_catalog() -> None:
    theirs = their("04", "catalog")["kevbuzz"]
    assert theirs == {"catalog_name": "kevbuzz", "owner": A, "shared_with": [B]}
    ours = documents(fold_all(CATALOGS, recording("04")))["kevbuzz"]
    assert ours == {"catalog_name": "kevbuzz", "owner": A, "shared_with": []}


def test_3_a_share_repeated_without_an_unshare_is_listed_once() -> None:
    # The recording goes on to the unshare, which takes both entries off: this is just before.
    twice = recording("04")[:8]
    theirs = [{"catalog": "kevbuzz", "account": B}, {"catalog": "kevbuzz", "account": B}]
    ours = documents(fold_all(ACCOUNTS, twice))
    assert ours[A]["out_shares"] == theirs[:1]
    kevbuzz = [entry for entry in ours[B]["in_shares"] if entry["catalog"] == "kevbuzz"]
    assert kevbuzz == [{"catalog": "kevbuzz", "account": A}]
    assert documents(fold_all(CATALOGS, twice))["kevbuzz"]["shared_with"] == [B]


def test_4_a_share_to_oneself_neither_enters_nor_creates_a_catalog() -> None:
    assert their("05", "catalog") == {
        "kevbuzz": {"catalog_name": "kevbuzz", "owner": A, "shared_with": [A]},
        "synadiahub": {"catalog_name": "synadiahub", "owner": HUB, "shared_with": [HUB, A]},
    }
    assert documents(fold_all(CATALOGS, recording("05"))) == {
        "synadiahub": {"catalog_name": "synadiahub", "owner": HUB, "shared_with": [A]},
    }


def test_5_another_accounts_share_of_a_name_grants_nothing_and_is_seen_as_contesting_it() -> None:
    # A shared with D and took it back; B shared the same name with D and A.
    assert their("07", "catalog")["movies"] == {
        "catalog_name": "movies",
        "owner": A,
        "shared_with": [D, A],
    }
    records = recording("07")
    assert documents(fold_all(CATALOGS, records))["movies"] == {
        "catalog_name": "movies",
        "owner": A,
        "shared_with": [],
        "contested_by": [B],
    }
    # The accounts record B's shares all the same, as the reference does.
    ours, theirs = documents(fold_all(ACCOUNTS, records)), their("07", "account")
    assert ours[B]["out_shares"] == theirs[B]["out_shares"]
    assert ours[D]["in_shares"] == theirs[D]["in_shares"]


def test_6_an_unshare_of_an_unknown_name_does_not_claim_it() -> None:
    assert their("08", "catalog")["neverseen"] == {
        "catalog_name": "neverseen",
        "owner": A,
        "shared_with": [],
    }
    assert "neverseen" not in documents(fold_all(CATALOGS, recording("08")))


def test_7_none_and_unusable_names_are_parked_and_never_become_accounts_or_catalogs() -> None:
    assert reference("17")["settled"] is False
    assert {"none", "NOTANACCOUNT"} <= their("17", "account").keys()
    assert their("17", "catalog")["none"]["owner"] == A
    assert "bad$name" in {entry["catalog"] for entry in their("17", "account")[A]["out_shares"]}

    accounts, catalogs = (fold_all(p, recording("17")) for p in (ACCOUNTS, CATALOGS))
    # Well-formed is enough: whether a token is a real account key is not the projection's business.
    assert documents(accounts).keys() == {HUB, A, B, "NOTANACCOUNT"}
    assert documents(catalogs).keys() == {"synadiahub"}
    assert documents(accounts)[A]["out_shares"] == []
    token = ParkReason.TOKEN
    assert [event for event in accounts.parked.recent if event.reason is token] == [
        ParkedEvent(seq, token) for seq in (7, 8, 11, 12, 13, 14)
    ]
    # The catalog projection does not use initializations, so it parks none of them.
    assert catalogs.parked.recent == tuple(ParkedEvent(seq, token) for seq in (7, 8, 11, 12))


def test_8_a_context_without_an_identity_is_parked_and_binds_nothing() -> None:
    # Its last event binds null to B.
    assert their("15", "account")[B]["bound_context"]["oauth_id"] == ""
    assert set(their("15", "account")[B]["bound_context"]["bound_context"].values()) == {""}
    fold = fold_all(ACCOUNTS, recording("15"))
    assert "bound_context" not in documents(fold)[B]
    assert fold.parked.recent == tuple(
        ParkedEvent(seq, ParkReason.PAYLOAD) for seq in (9, 10, 11, 12)
    )


def test_9_an_event_that_means_nothing_is_parked_and_what_follows_is_folded_in_order() -> None:
    assert reference("16")["settled"] is False
    records = recording("16")
    for projection in PROJECTIONS:
        fold = fold_all(projection, records)
        assert fold.parked.recent == (ParkedEvent(7, ParkReason.UNKNOWN_TYPE),)
        assert fold.seq == 8
    assert documents(fold_all(CATALOGS, records))["kevbuzz"]["shared_with"] == [B]
    # A share to an account that initializes later is applied when it happens, not when the
    # account appears: B's list has the order of the log.
    late = records_of(
        shared("A", "B", "one"),
        shared("C", "B", "two"),
        initialized("B"),
        shared("A", "B", "three"),
    )
    catalogs = [entry["catalog"] for entry in documents(fold_all(ACCOUNTS, late))["B"]["in_shares"]]
    assert catalogs == ["one", "two", "three"]


async def test_10_two_projectors_and_one_killed_at_work_leave_the_documents_right(
    log: EventLog, settings: ConnectionSettings
) -> None:
    records = recording("01")
    await import_records(log, records, "test")
    projectors = [Projector(ACCOUNTS, instance) for instance in ("one", "two", "killed")]
    tasks = [asyncio.create_task(projector.run(log)) for projector in projectors]
    try:
        await until(lambda: any(projector.status.stored for projector in projectors))
        tasks[2].cancel()
        # Toggled, so that an event applied twice or out of order would show.
        more = [made for _ in range(20) for made in (shared(A, D), unshared(A, D))]
        head = await append(log, [*more, shared(A, D), bound(D)])
        await until(lambda: all(projector.status.stored == head for projector in projectors[:2]))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    stored = await stored_documents(settings, "PROJ_ACCOUNT")
    assert stored[A]["out_shares"] == [
        {"catalog": "kevbuzz", "account": B, "imported_at": records[9].time_ns // 10**9},
        {"catalog": "kevbuzz", "account": D},
    ]
    assert stored[D]["in_shares"] == [{"catalog": "kevbuzz", "account": A}]
