"""An account that shares one catalog with everybody, on a server with the default max_payload.

Its document is larger than a message may be, and stands in pages, as the catalog's does. By
default long names make up for few accounts.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from natster_tui.engine.history.document_history import key_document
from natster_tui.engine.projecting.status import Phase
from natster_tui.engine.projecting.stored_projection import BucketState
from natster_tui.engine.rebuilding.confirming import Consent
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import OneKey, WholeProjections
from natster_tui.events.natster import NATSTER
from natster_tui.projections.api import CHECKPOINT_KEY, Projection
from natster_tui.projections.catalog import CatalogState
from natster_tui.projections.paging import entries_of
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS, PROJECTIONS
from natster_tui.store.bucket import Bucket
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.sealing.envelope import is_sealed
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.engine.running import (
    assert_stored_is_the_fold,
    bucket_records,
    project_to_head,
    projecting,
)
from tests.faults.checker import Reader
from tests.making_logs import append, imported, initialized, records_in, shared, unshared
from tests.reading_buckets import put_value, stored_values
from tests.real_server import RealServer
from tests.sealed_logs import sealed_log

HUB = "HUB"


@dataclass(frozen=True)
class Community:
    """Who the hub shares its one catalog with."""

    catalog: str
    members: tuple[str, ...]

    @property
    def pages(self) -> int:
        return len(self.members) // 1_000 + 1

    def document(self, projection: Projection[Any]) -> tuple[str, str]:
        """The large document of a projection, and the list in it."""
        return (HUB, "out_shares") if projection is ACCOUNTS else (self.catalog, "shared_with")


def members(count: int, length: int) -> tuple[str, ...]:
    return tuple(f"M{number:0{length - 1}}" for number in range(count))


COMMUNITIES = {
    "long names": Community("everything" * 20, members(2_600, 200)),
    "many accounts": Community("everything", members(12_345, 56)),
}

every_projection = pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda p: p.name)


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    real = RealServer(tmp_path_factory.mktemp("nats"), max_payload="1MB")
    real.start()
    yield real
    real.stop()


@pytest.fixture
def settings(ordinary: RealServer) -> ConnectionSettings:
    return ordinary.new_account()


@pytest.fixture(params=["long names", pytest.param("many accounts", marks=pytest.mark.full)])
def hub(request: pytest.FixtureRequest) -> Community:
    return COMMUNITIES[request.param]


@pytest.fixture
async def log(hub: Community, settings: ConnectionSettings) -> AsyncIterator[EventLog]:
    """A log with the hub's shares, not projected yet."""
    link = await Link.open(settings)
    made = await EventLog.create(link, NATSTER, LogSettings())
    shares = [shared(HUB, member, hub.catalog) for member in hub.members]
    await append(made, [initialized(HUB), *shares])
    yield made
    await link.close()


def rebuild(log: EventLog, *projections: Projection[Any]) -> Rebuild:
    return Rebuild(log, WholeProjections(projections), "rebuilder")


async def rebuilt(log: EventLog, *projections: Projection[Any], purge: bool = False) -> None:
    work = rebuild(log, *projections)
    await work.prepare()
    assert all(verdict.good for verdict in await work.commit(Consent(purge=purge)))


async def written_since(log: EventLog, projection: Projection[Any], revision: int) -> list[str]:
    """The keys that were written to a bucket after a revision, in order."""
    prefix = f"$KV.{projection.bucket}."
    records = await bucket_records(log.link, projection.bucket)
    return [record.subject.removeprefix(prefix) for record in records if record.seq > revision]


async def stored_entries(
    settings: ConnectionSettings, projection: Projection[Any]
) -> dict[str, bytes]:
    values = await stored_values(settings, projection.bucket)
    del values[CHECKPOINT_KEY]
    return values


async def last_revision(log: EventLog, projection: Projection[Any]) -> int:
    return (await Bucket(log.link, projection.bucket, "test").info()).last_revision


@every_projection
async def test_projected_live_it_is_paged_and_one_more_share_costs_one_page(
    projection: Projection[Any], hub: Community, log: EventLog, settings: ConnectionSettings
) -> None:
    key, name = hub.document(projection)
    await project_to_head(log, projection)
    await assert_stored_is_the_fold(log, settings, projection)
    stored = await stored_values(settings, projection.bucket)
    assert json.loads(stored[key])[name] == {"pages": hub.pages}
    whole = await key_document(log, projection, key, log.info.last_seq, "test")
    assert whole is not None
    assert len(whole) > log.link.info.max_payload or projection is CATALOGS

    member, other = hub.members[1_321], hub.members[1_500]
    page = f"{key}/{name}/"
    # Begun anew from what is stored, as after a restart.
    async with projecting(log, projection) as projector:
        await until(lambda: projector.status.phase is Phase.PROJECTING)

        async def cost_of(event: Any) -> list[str]:
            """What is written, other than the checkpoint and the other account's document."""
            revision = await last_revision(log, projection)
            head = await append(log, [event])
            await until(lambda: projector.status.stored == head)
            *written, last = await written_since(log, projection, revision)
            assert last == CHECKPOINT_KEY
            return [each for each in written if each not in ("NEW", member, other)]

        assert await cost_of(shared(HUB, "NEW", hub.catalog)) == [f"{page}{hub.pages - 1}"]
        seen = await cost_of(imported(member, HUB, hub.catalog))
        assert seen == ([f"{page}1"] if projection is ACCOUNTS else [])
        seen = await cost_of(unshared(HUB, other, hub.catalog))
        assert seen == [f"{page}{number}" for number in range(1, hub.pages)]
    await assert_stored_is_the_fold(log, settings, projection)


@pytest.mark.full
async def test_who_reads_it_entry_by_entry_while_it_changes_never_has_a_torn_document(
    hub: Community, log: EventLog, settings: ConnectionSettings
) -> None:
    await rebuilt(log, ACCOUNTS)
    first = log.info.last_seq
    chance = random.Random(1)
    reader = Reader(settings, ACCOUNTS, [HUB])
    async with projecting(log) as projector, reader.reading():
        await until(lambda: projector.status.phase is Phase.PROJECTING)
        for number in range(40):
            member = chance.choice(hub.members)
            events = [unshared(HUB, member, hub.catalog), shared(HUB, f"N{number}", hub.catalog)]
            head = await append(log, [*events, imported(f"N{number}", HUB, hub.catalog)])
            await until(lambda: projector.status.stored == head)  # noqa: B023 - used at once
    assert reader.torn(await records_in(log), first, head) == 0
    assert reader.whole_reads > 5


@pytest.mark.full
async def test_it_is_rebuilt_verified_and_put_right_as_a_whole_and_by_its_key(
    hub: Community, log: EventLog, settings: ConnectionSettings
) -> None:
    await rebuilt(log, *PROJECTIONS)
    for projection in PROJECTIONS:
        await assert_stored_is_the_fold(log, settings, projection)
    good = [await stored_entries(settings, projection) for projection in PROJECTIONS]
    assert [plan.diff.summary for plan in await rebuild(log, *PROJECTIONS).prepare()] == [
        "no differences", "no differences",
    ]  # fmt: skip

    # A page is removed, one is spoilt, one is written that does not belong there.
    page, catalog_page = f"{HUB}/out_shares/1", f"{hub.catalog}/shared_with/2"
    extra = f"{hub.catalog}/shared_with/99"
    await put_value(settings, "PROJ_ACCOUNT", page, None)
    await put_value(settings, "PROJ_CATALOG", catalog_page, b"not a page")
    await put_value(settings, "PROJ_CATALOG", extra, b'["X"]')
    verdicts = await rebuild(log, *PROJECTIONS).verify()
    assert [[change.key for change in verdict.diff.changes] for verdict in verdicts] == [
        [HUB], [hub.catalog],
    ]  # fmt: skip
    problems = [verdict.diff.changes[0].fields()[0].before for verdict in verdicts]
    assert problems[0] == f"the page {page} is missing"
    assert problems[1].endswith("is not a JSON list")
    async with projecting(log) as projector:
        await until(lambda: projector.status.phase is Phase.WATCHING)
        assert f"the page {page} is missing" in projector.status.problem
        assert "rebuild account" in projector.status.problem

    # One key is put right by writing what is wrong of it and no more.
    revision = await last_revision(log, ACCOUNTS)
    (verdict,) = await Rebuild(log, OneKey(ACCOUNTS, HUB), "rebuilder").commit()
    assert verdict.good
    assert await written_since(log, ACCOUNTS, revision) == [page, CHECKPOINT_KEY]
    revision = await last_revision(log, CATALOGS)
    await rebuilt(log, CATALOGS)
    assert await written_since(log, CATALOGS, revision) == [catalog_page, extra, CHECKPOINT_KEY]
    assert [await stored_entries(settings, p) for p in PROJECTIONS] == good

    # Purged and made anew it is the same.
    await rebuilt(log, *PROJECTIONS, purge=True)
    assert [await stored_entries(settings, p) for p in PROJECTIONS] == good


@pytest.mark.parametrize("batches", [1, 2])
@pytest.mark.parametrize(
    "purge", [pytest.param(True, marks=pytest.mark.full), False], ids=["purge", "diff"]
)
async def test_a_rebuild_of_it_killed_between_batches_is_finished_at_the_next_start(
    batches: int,
    purge: bool,
    log: EventLog,
    settings: ConnectionSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commit, done = Bucket.commit, 0

    async def killed_on_the_way(*arguments: Any) -> int:
        nonlocal done
        if done == batches:
            raise asyncio.CancelledError
        done += 1
        return await commit(*arguments)

    work = rebuild(log, ACCOUNTS)
    await work.prepare()
    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "commit", killed_on_the_way)
        with pytest.raises(asyncio.CancelledError):
            await work.commit(Consent(purge=purge))
    (verdict,) = await rebuild(log, ACCOUNTS).verify()
    assert verdict.bucket_state is BucketState.INTERRUPTED
    await project_to_head(log)
    await assert_stored_is_the_fold(log, settings)


async def test_every_page_is_sealed_and_one_that_is_not_is_drift(
    settings: ConnectionSettings, tmp_path: Path
) -> None:
    hub = COMMUNITIES["long names"]
    link = await Link.open(settings)
    log = await sealed_log(link, tmp_path / "config" / "keys.json")
    await append(log, [shared(HUB, member, hub.catalog) for member in hub.members])
    await project_to_head(log, CATALOGS)
    stored = await stored_entries(settings, CATALOGS)
    assert len(stored) == hub.pages + 1
    assert all(map(is_sealed, stored.values()))
    (verdict,) = await rebuild(log, CATALOGS).verify()
    assert verdict.good

    plain = entries_of(CATALOGS, hub.catalog, CatalogState(HUB, dict.fromkeys(hub.members), {}))
    page = f"{hub.catalog}/shared_with/1"
    await put_value(settings, "PROJ_CATALOG", page, plain[page])
    (verdict,) = await rebuild(log, CATALOGS).verify()
    (change,) = verdict.diff.changes
    assert (change.key, change.unsealed) == (hub.catalog, True)
    revision = await last_revision(log, CATALOGS)
    await rebuilt(log, CATALOGS)
    assert await written_since(log, CATALOGS, revision) == [page, CHECKPOINT_KEY]
    assert all(map(is_sealed, (await stored_entries(settings, CATALOGS)).values()))
    await link.close()


@pytest.mark.full
@pytest.mark.timeout(600)
async def test_a_hub_of_a_hundred_thousand_is_rebuilt_and_goes_on_a_page_at_a_time(
    settings: ConnectionSettings,
) -> None:
    everybody = members(99_999, 56)
    link = await Link.open(settings)
    log = await EventLog.create(link, NATSTER, LogSettings())
    await append(log, [shared(HUB, member, "everything") for member in everybody])
    await rebuilt(log, *PROJECTIONS)
    async with projecting(log) as projector:
        await until(lambda: projector.status.phase is Phase.PROJECTING, 120)
        revision = await last_revision(log, ACCOUNTS)
        head = await append(log, [shared(HUB, "NEW", "everything")])
        await until(lambda: projector.status.stored == head)
        assert await written_since(log, ACCOUNTS, revision) == [
            f"{HUB}/out_shares/99", "NEW", CHECKPOINT_KEY,
        ]  # fmt: skip
    (verdict,) = await rebuild(log, ACCOUNTS).verify()
    assert verdict.good
    assert verdict.diff.keys == 100_001
    await link.close()
