"""Changes in atomic batches: documents stay together, and oversized ones are reported."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natster_tui.engine.projecting import commit_batches
from natster_tui.engine.projecting import writer as projection_writer
from natster_tui.engine.projecting.commit_batches import (
    OversizedEntry,
    TooManyEntries,
    batches,
    oversized,
    unfit,
)
from natster_tui.engine.projecting.status import Phase
from natster_tui.engine.rebuilding import rebuild as rebuild_module
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.projections import paging
from natster_tui.projections.paging import document_key
from natster_tui.projections.registering.registry import ACCOUNTS
from natster_tui.store.bucket import Bucket, EntryLimit
from natster_tui.store.log import EventLog
from tests.conftest import until
from tests.engine.running import projecting, stored_is_paged_fold
from tests.making_logs import A, append, shared, unshared

changed_documents = st.lists(
    st.integers(1, 9).map(lambda count: [b"x" * (count % 4) or None for _ in range(count)]),
    max_size=12,
).map(
    lambda documents: [
        {f"D{number}/{entry}": value for entry, value in enumerate(values)}
        for number, values in enumerate(documents)
    ]
)


@given(documents=changed_documents, room=st.integers(1, 12), size=st.integers(1, 20))
def test_the_entries_of_a_document_stay_together_unless_no_batch_holds_them(
    documents: list[dict[str, bytes | None]], room: int, size: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commit_batches, "BATCH_BYTES", size)
        made = list(batches(documents, room))
    assert made
    assert all(len(batch) <= room for batch in made)
    assert [each for batch in made for each in batch.items()] == [
        each for changes in documents for each in changes.items()
    ]
    for changes in documents:
        holding = [batch for batch in made if batch.keys() & changes.keys()]
        assert len(holding) == 1 or len(changes) > room
    for batch in made:
        if len({document_key(key) for key in batch}) > 1:
            assert sum(len(value or b"") for value in batch.values()) <= size


def test_what_is_not_taken_is_told_with_key_size_and_limit() -> None:
    changes = {"HUB/out_shares/7": b"x" * 1_234, "HUB": None}
    enough, less = EntryLimit(1_234), EntryLimit(1_233)
    assert oversized(ACCOUNTS, changes, enough) is unfit(ACCOUNTS, changes, 2, enough) is None
    too_large, too_many = unfit(ACCOUNTS, changes, 2, less), unfit(ACCOUNTS, changes, 1, enough)
    assert too_large == oversized(ACCOUNTS, changes, less)
    assert isinstance(too_large, OversizedEntry)
    assert isinstance(too_many, TooManyEntries)
    assert too_large.sentence == (
        "page out_shares/7 of the account document HUB would be 1,234 bytes and the server takes "
        "1,233: raise max_payload on the server"
    )
    assert too_many.sentence == (
        "2 entries of PROJ_ACCOUNT would change at once, and one batch takes 1: rebuild account, "
        "which may write in parts"
    )


# -- on a real server, with pages of two entries and small batches -----------------------------


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "PAGED_FROM", 300)
    monkeypatch.setattr(paging, "PAGE_LENGTH", 2)
    monkeypatch.setattr(projection_writer, "BATCH_LIMIT", 21)
    monkeypatch.setattr(rebuild_module, "BATCH_LIMIT", 21)


@pytest.mark.usefixtures("small")
async def test_events_that_together_change_more_than_a_batch_takes_are_written_by_prefixes(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = [f"M{number:02}" for number in range(30)]
    by_prefixes = 0
    commit = projection_writer.ProjectionWriter._commit_by_prefixes

    async def counted(*arguments: Any) -> None:
        nonlocal by_prefixes
        by_prefixes += 1
        await commit(*arguments)

    monkeypatch.setattr(projection_writer.ProjectionWriter, "_commit_by_prefixes", counted)
    # As if none of the gathering knew that documents may be several entries.
    monkeypatch.setattr(paging.DocumentPager, "at_most", lambda _self, _key: 1)
    batch_sizes = []
    write = Bucket.commit

    async def sized(bucket: Bucket, changes: Any, *arguments: Any) -> int:
        batch_sizes.append(len(changes) + 1)
        return await write(bucket, changes, *arguments)

    monkeypatch.setattr(Bucket, "commit", sized)
    await append(log, [shared(A, member) for member in members])
    async with projecting(log) as projector:
        await until(lambda: projector.status.stored == 30)
        # Each moves half of the pages, and touches an account of its own.
        head = await append(log, [unshared(A, member) for member in members[8:25]])
        await until(lambda: projector.status.stored == head)
        assert projector.fold.states[A].out_shares.keys() == {
            ("kevbuzz", member) for member in members[:8] + members[25:]
        }
        assert projector.status.phase is Phase.PROJECTING
    assert by_prefixes
    assert max(batch_sizes) <= 21
    await stored_is_paged_fold(log)


@pytest.mark.usefixtures("small")
async def test_it_stops_before_one_event_that_changes_more_than_a_batch_and_a_rebuild_goes_on(
    log: EventLog,
) -> None:
    members = [f"M{number:02}" for number in range(50)]
    head = await append(log, [shared(A, member) for member in members])
    async with projecting(log) as projector:
        await until(lambda: projector.status.stored == head)
        await append(log, [shared(A, "N"), unshared(A, members[0]), shared(A, "O")])
        await until(lambda: projector.status.phase is Phase.STOPPED)
        assert projector.status.problem == (
            f"stopped before event {head + 2}: 28 entries of PROJ_ACCOUNT would change at once, "
            "and one batch takes 20: rebuild account, which may write in parts"
        )
        assert (projector.status.stored, projector.status.position) == (head + 1, head + 1)
        await stored_is_paged_fold(log)
        work = Rebuild(
            log,
            WholeProjections((ACCOUNTS,)),
            "rebuilder",
            pause=lambda _projection: projector.paused(),
        )
        await work.prepare()
        (verdict,) = await work.commit()
        assert verdict.good
        await until(lambda: projector.status.phase is Phase.PROJECTING)
        assert projector.status.stored == head + 3
    await stored_is_paged_fold(log)
