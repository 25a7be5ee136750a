"""Nothing that was opened before an erasure is stored after it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from natster_tui.engine.erasure import affected_by_erasing, erase_account
from natster_tui.engine.history.time_travel import TimeTravel
from natster_tui.engine.log.import_events import import_records
from natster_tui.engine.projecting.stored_projection import (
    bucket_of,
    checkpoint_of,
    load_projection,
)
from natster_tui.engine.rebuilding.confirming import Consent
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.errors import ConflictError, RefusedError
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS, PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import Append, EventLog
from natster_tui.store.sealing.key_rotation import destroy
from tests.conftest import until
from tests.engine.running import project_to_head, projecting
from tests.making_logs import A, B, append, initialized, records_of, shared
from tests.sealed_logs import SECRET, keyring_of, opened_with, sealed_log


@pytest.fixture
async def sealed(sealed: EventLog) -> EventLog:
    """The same, projected."""
    for projection in PROJECTIONS:
        await project_to_head(sealed, projection)
    return sealed


async def stored_documents(log: EventLog, key_file: Path) -> bytes:
    """All account documents as a reader with today's keys sees them."""
    again = await opened_with(log, key_file)
    snapshot = await bucket_of(again, ACCOUNTS, "look").load()
    return b"\n".join(entry.value for entry in snapshot.documents.values())


@pytest.mark.parametrize("purge", [False, True])
async def test_a_rebuild_that_was_prepared_before_an_erasure_is_replayed_after_it(
    sealed: EventLog, key_file: Path, purge: bool
) -> None:
    work = Rebuild(await opened_with(sealed, key_file), WholeProjections(PROJECTIONS), "slow")
    await work.prepare()
    await erase_account(sealed, A, PROJECTIONS, "erase")
    verdicts = await work.commit(Consent(purge=purge))
    assert all(verdict.good for verdict in verdicts)
    stored = await stored_documents(sealed, key_file)
    assert SECRET.encode() not in stored
    assert b"Ada" not in stored
    fresh = await opened_with(sealed, key_file)
    work = Rebuild(fresh, WholeProjections(PROJECTIONS), "verify")
    assert all(verdict.good for verdict in await work.verify())


async def test_a_projector_does_not_write_on_what_it_folded_before_an_erasure(
    sealed: EventLog, key_file: Path
) -> None:
    """Nothing has been rebuilt yet; the projector learns of the erasure from a new event."""
    other = await opened_with(sealed, key_file)
    async with projecting(other, ACCOUNTS, "projector") as projector:
        await until(lambda: projector.status.stored == 4)
        await destroy(keyring_of(sealed), A)
        await append(sealed, [initialized(A, "Anew")])
        await until(lambda: projector.status.stored == 5)
    stored = await stored_documents(sealed, key_file)
    assert SECRET.encode() not in stored
    assert b"Anew" in stored


async def test_nothing_folded_before_an_erasure_is_sealed_under_a_key_made_after_it(
    sealed: EventLog, key_file: Path
) -> None:
    """However late it is noticed: between the look at the bucket and the batch, too."""
    other = await opened_with(sealed, key_file)
    bucket = bucket_of(other, ACCOUNTS, "slow")
    stored = await load_projection(bucket, ACCOUNTS)
    fold = stored.fold()
    document = fold.document(A)
    assert document is not None
    assert SECRET.encode() in document
    await destroy(keyring_of(sealed), A)
    await append(sealed, [initialized(A, "Anew")])
    await other.sealing.refresh()
    checkpoint = await checkpoint_of(fold, other)
    revision = stored.snapshot.checkpoint_revision
    with pytest.raises(ConflictError, match="were erased just now"):
        await bucket.commit({A: document}, checkpoint.encode(), revision, fold)
    assert (await bucket.info()).last_revision == revision


async def test_time_travel_forgets_what_was_erased(sealed: EventLog, key_file: Path) -> None:
    other = await opened_with(sealed, key_file)
    travel = TimeTravel(other, "travel", lambda _done, _total: None, PROJECTIONS)
    moment = await travel.at(4)
    assert moment.pasts[ACCOUNTS.name].states[A].bound_context is not None
    await erase_account(sealed, A, PROJECTIONS, "erase")
    travel.log = await opened_with(sealed, key_file)
    moment = await travel.at(4)
    assert moment.pasts[ACCOUNTS.name].states[A].bound_context is None


async def test_an_erasure_whose_rebuild_is_refused_says_that_the_keys_are_gone(
    sealed: EventLog,
) -> None:
    keyring = keyring_of(sealed)
    (of_b,) = [key for key in keyring.wrapped.values() if key.account == B]
    await keyring.bucket.erase(of_b.revision)
    log = await opened_with(sealed, keyring.key_file.path if keyring.key_file else None)
    with pytest.raises(RefusedError, match=f"the keys of {A} are destroyed, but .*stopped before"):
        await erase_account(log, A, PROJECTIONS, "erase")
    assert json.dumps(keyring_of(log).tombstones[A].keys)


async def test_an_event_that_was_sealed_before_an_erasure_and_lands_after_it_is_told(
    sealed: EventLog, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await opened_with(sealed, key_file)
    publish = other.appender.publish
    message = Append(f"natster.events.{A}.none.none.x", b"{}", (("Nats-Msg-Id", "m"),))

    async def erase_first(*given: Any) -> int:
        stored = other.sealing.seal_payload(message.subject, "m", message.payload)
        await destroy(keyring_of(sealed), A)
        return await publish(replace(message, payload=stored), given[1])

    monkeypatch.setattr(other.appender, "publish", erase_first)
    with pytest.raises(RefusedError, match=r"event 5 is stored, but .* publish it again"):
        await other.append(message, expected_last=0, expected_subject=message.subject)
    monkeypatch.undo()
    again = replace(message, headers=(("Nats-Msg-Id", "n"),))
    assert await other.append(again, expected_last=5, expected_subject=message.subject) == 6
    record = await other.record_at(6)
    assert record is not None
    assert record.payload == b"{}"


async def test_an_import_during_an_erasure_says_what_nobody_can_read(
    sealed: EventLog, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await opened_with(sealed, key_file)
    publish = other.appender.publish
    records = records_of(initialized(A, "Anew"), initialized(B, "Bobby"))

    async def erase_last(message: Append, headers: Any) -> int:
        seq = await publish(message, headers)
        if message.subject == records[-1].subject:
            await destroy(keyring_of(sealed), A)
        return seq

    monkeypatch.setattr(other.appender, "publish", erase_last)
    with pytest.raises(RefusedError, match=r"imported, but 1 of the events, the first at 5, are"):
        await import_records(other, records, "import")
    assert (await import_records(other, records, "import")).present == 2


async def test_a_catalog_in_pages_is_among_what_an_erasure_touches(
    link: Link, key_file: Path
) -> None:
    log = await sealed_log(link, key_file)
    await append(log, [initialized(A, "Ada"), *(shared(A, f"R{n:060}") for n in range(4_500))])
    await project_to_head(log, CATALOGS)
    stored = await bucket_of(log, CATALOGS, "look").load()
    assert "kevbuzz/shared_with/1" in stored.documents
    assert (await affected_by_erasing(log, A, "look")).catalogs == ("kevbuzz",)
