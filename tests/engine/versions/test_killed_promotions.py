"""Promotions that are killed before each of their steps, while a reader watches the bucket.

Documents are in pages here, and a promotion takes several batches: between any two of them each
document must be, with all of its pages, as one version or the other makes it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from natster_tui.engine.rebuilding import rebuild as rebuilding
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.engine.versions.finding import VersionPair
from natster_tui.engine.versions.promoting import Promotion
from natster_tui.events.natster import NATSTER, EventType
from natster_tui.projections import paging
from natster_tui.projections.account import AccountProjection
from natster_tui.projections.registering.registry import ACCOUNTS
from natster_tui.projections.versions.naming import placed_beside
from natster_tui.store.bucket import Bucket
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.engine.running import project_to_head, stored_is_paged_fold
from tests.engine.versions.stored_reader import StoredReader, odd_documents
from tests.folding import fold_all
from tests.interrupting import Killed, Steps
from tests.jetstream import ask_jetstream
from tests.making_logs import append, imported, initialized, records_in, shared

ENOUGH = 400
OWNERS = ("AA", "BB", "CC")
EVENTS = [
    *(initialized(owner, f"Name of {owner}") for owner in OWNERS),
    *(shared(owner, f"T{number}", f"c{number}") for owner in OWNERS for number in range(9)),
    *(imported(f"T{number}", owner, f"c{number}") for owner in OWNERS for number in range(9)),
]


class Newer(AccountProjection):
    """Knows of no imports, so that each page of each list is another one."""

    version = ACCOUNTS.version + 1
    uses = ACCOUNTS.uses - {EventType.IMPORTED}
    fast_form = None  # type: ignore[assignment] # it is folded by its rule alone


NEWER = Newer()
PAIR = VersionPair((NEWER,), NEWER.version)
BUCKET = ACCOUNTS.bucket


async def kill(settings: ConnectionSettings, steps: Steps) -> None:
    """Promote over a link of its own, killed at a step; then let its leases run out."""
    link = await Link.open(settings)
    try:
        promotion = Promotion(await EventLog.open(link, NATSTER), PAIR, "killed")
        await promotion.prepare()
        with steps.counted():
            await promotion.commit()
    except Killed:
        assert steps.stopped_at
    finally:
        await link.close()


async def rebuild_in_place(log: EventLog, version: AccountProjection) -> None:
    rebuild = Rebuild(log, WholeProjections((version,)), "again")
    await rebuild.prepare()
    assert (await rebuild.commit())[0].good


async def promote(log: EventLog) -> None:
    promotion = Promotion(log, PAIR, "again")
    await promotion.prepare()
    assert (await promotion.commit()).good


async def test_a_promotion_killed_anywhere_is_finished_or_begun_again(
    log: EventLog,
    link: Link,
    settings: ConnectionSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(paging, "PAGED_FROM", 300)
    monkeypatch.setattr(paging, "PAGE_LENGTH", 2)
    monkeypatch.setattr(rebuilding, "BATCH_LIMIT", 12)
    await append(log, EVENTS)
    await project_to_head(log, ACCOUNTS)
    await project_to_head(log, placed_beside(NEWER))
    await rebuild_in_place(log, ACCOUNTS)  # which makes the bucket of leases
    records = await records_in(log)
    older, newer = (fold_all(version, records).documents() for version in (ACCOUNTS, NEWER))
    allowed = {key: {older[key], newer[key]} for key in older}
    assert all(len(each) == 2 for each in allowed.values())
    reader, marked, number = StoredReader(ACCOUNTS, allowed), 0, 0
    async with reader.reading(settings):
        for number in range(1, ENOUGH):
            steps = Steps(number, tmp_path)
            await kill(settings, steps)
            if not steps.stopped_at:
                break
            await ask_jetstream(link, "STREAM.PURGE.KV_NATSTER_LEASE")
            stored = await Bucket(link, BUCKET, "look").load()
            entries = {key: entry.value for key, entry in stored.documents.items()}
            assert odd_documents(ACCOUNTS, entries, allowed) == [], steps.stopped_at
            assert stored.checkpoint is not None
            marked += b'"rebuild"' in stored.checkpoint.value
            match number % 3:
                case 0:
                    await promote(log)
                    await stored_is_paged_fold(log, NEWER)
                case 1:
                    await project_or_rebuild(log, NEWER)
                case _:
                    await project_or_rebuild(log, ACCOUNTS)
            await rebuild_in_place(log, ACCOUNTS)
        # All of it is seen before the verdict: what was written last, too.
        last = (await Bucket(link, BUCKET, "look").info()).last_revision
        await until(lambda: reader.revision == last)
    assert number > 15
    assert marked > 3
    assert reader.problems == []
    assert reader.batches > number


async def project_or_rebuild(log: EventLog, version: Any) -> None:
    """A projector of a version: it finishes what was interrupted, if anything was."""
    async with asyncio.timeout(20):
        await project_to_head(log, version, auto_rebuild=True)
    await stored_is_paged_fold(log, version)
