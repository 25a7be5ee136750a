"""Through a JetStream domain or an imported API the program writes there, and nowhere else.

The account next to the client holds a log, projections, leases and keys of the same names.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from natster_tui.engine.headless import project_until_caught_up
from natster_tui.engine.log.publish import publish
from natster_tui.engine.projecting import projector
from natster_tui.engine.projecting.status import Phase
from natster_tui.engine.rebuilding.confirming import Consent
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.errors import ServerError
from natster_tui.events.account_keys import encode_account_key
from natster_tui.events.natster import NATSTER, EventType
from natster_tui.projections.append_rules import Proposal
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.connection import confirmation
from natster_tui.store.connection.link import Link
from natster_tui.store.lease import BUCKET as LEASES
from natster_tui.store.log import EventLog
from natster_tui.store.sealing.key_rotation import rotate
from natster_tui.store.writing import probe
from tests.conftest import until
from tests.elsewhere import (
    Elsewhere,
    HubAndLeaf,
    ImportingAccounts,
    everything_in,
    publish_there_only,
    started,
    when_connected,
)
from tests.engine.running import OURS, running
from tests.making_logs import context, initialized
from tests.sealed_logs import keyring_of, opened_with, sealed_log

A, B, C = (encode_account_key(bytes([number]) * 32) for number in (1, 2, 3))
SHARED_HERE = Proposal(EventType.SHARED, A, B, "kevbuzz")


@pytest.fixture(autouse=True)
def quick_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two servers on one machine answer sooner than the program waits."""
    monkeypatch.setattr(probe, "SECOND_ANSWER_S", 0.2)


@pytest.fixture(scope="module")
def leaf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubAndLeaf]:
    with started(HubAndLeaf(tmp_path_factory.mktemp("domains"), 2)) as place:
        yield place


@pytest.fixture(scope="module")
def imports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImportingAccounts]:
    with started(ImportingAccounts(tmp_path_factory.mktemp("imports"), 2)) as place:
        yield place


@pytest.fixture(params=["domain", "prefix"])
async def place(
    request: pytest.FixtureRequest, leaf: HubAndLeaf, imports: ImportingAccounts, tmp_path: Path
) -> Elsewhere:
    """Where everything is mapped, or imported."""
    if request.param == "domain":
        return await furnished(leaf.take(mapped=True), tmp_path)
    return await furnished(imports.take(imported=True), tmp_path)


@pytest.fixture(params=["domain", "prefix"])
async def bare(
    request: pytest.FixtureRequest, leaf: HubAndLeaf, imports: ImportingAccounts, tmp_path: Path
) -> Elsewhere:
    """The same without what events, and under a prefix entries too, need."""
    if request.param == "domain":
        return await furnished(leaf.take(mapped=False), tmp_path)
    return await furnished(imports.take(imported=False), tmp_path)


async def furnished(place: Elsewhere, directory: Path) -> Elsewhere:
    """A log, projections and keys next to the client, and a log of two events elsewhere."""
    await when_connected(place)
    async with opened(place.own) as link:
        log = await sealed_log(link, directory / "own.json")
        for account in (A, B):
            await publish(log, Proposal(EventType.INITIALIZED, account), "test")
        await publish(log, Proposal(EventType.CONTEXT_BOUND, A, payload=context()), "test")
        await project_until_caught_up(log, PROJECTIONS, "test")
    async with opened(place.inside) as link:
        await sealed_log(link, directory / "inside.json")
    await publish_there_only(place.inside, [initialized(A, "Ada"), initialized(B, "Ben")])
    return place


@asynccontextmanager
async def opened(settings: Any) -> AsyncIterator[Link]:
    link = await Link.open(settings)
    try:
        yield link
    finally:
        await link.close()


async def test_events_projections_rebuilds_and_keys_are_written_there_only(
    place: Elsewhere, tmp_path: Path
) -> None:
    before = await everything_in(place.own)
    async with opened(place.through) as link:
        log = await opened_with(await EventLog.open(link, NATSTER), tmp_path / "inside.json")
        assert await publish(log, SHARED_HERE, "test") == 3
        bind = Proposal(EventType.CONTEXT_BOUND, B, payload=context())
        assert await publish(log, bind, "test") == 4
        assert [each.seq for each in await project_until_caught_up(log, PROJECTIONS, "test")] == [
            4,
            4,
        ]
        keys = await rotate(keyring_of(log))
        assert keys.rewrapped > 0
        rebuild = Rebuild(log, WholeProjections(PROJECTIONS), "test")
        await rebuild.prepare()
        assert all(verdict.good for verdict in await rebuild.commit(Consent(purge=True)))
    async with opened(place.inside) as link:
        log = await opened_with(await EventLog.open(link, NATSTER), tmp_path / "inside.json")
        work = Rebuild(log, WholeProjections(PROJECTIONS), "test")
        assert all(verdict.good for verdict in await work.verify())
    inside = await everything_in(place.inside)
    assert set(inside) == set(before)
    assert await everything_in(place.own) == before


async def test_a_dashboard_projects_there_only(place: Elsewhere, tmp_path: Path) -> None:
    before = await everything_in(place.own)
    async with running(place.through, key_file=tmp_path / "inside.json") as workspace:
        projectors = list(workspace.projectors.values())
        await until(lambda: all(each.status.stored == 2 for each in projectors))
        assert {each.status.phase for each in projectors} <= set(OURS)
        assert "(JetStream " in workspace.server_shown
        assert workspace.log is not None
        await publish(workspace.log, SHARED_HERE, "test")
        await until(lambda: all(each.status.stored == 3 for each in projectors))
    assert await everything_in(place.own) == before


async def test_without_the_mapping_or_import_every_write_is_refused(
    bare: Elsewhere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "FIRST_ANSWER_S", 0.3)
    before = await everything_in(bare.own)
    domain = bare.through.js_domain
    remedy = r"map \$JS\.hub" if domain else r"import natster"
    async with opened(bare.through) as link:
        log = await opened_with(await EventLog.open(link, NATSTER), tmp_path / "inside.json")
        with pytest.raises(ServerError, match=remedy):
            await publish(log, SHARED_HERE, "test")
        if domain:
            # The server maps the buckets of a domain by itself.
            assert [
                each.seq for each in await project_until_caught_up(log, PROJECTIONS, "test")
            ] == [2, 2]
        else:
            with pytest.raises(ServerError, match=remedy):
                await project_until_caught_up(log, PROJECTIONS, "test")
            rebuild = Rebuild(log, WholeProjections(PROJECTIONS), "test")
            await rebuild.prepare()
            with pytest.raises(ServerError, match=remedy):
                await rebuild.commit()
    assert await everything_in(bare.own) == before
    inside = await everything_in(bare.inside)
    assert inside[NATSTER.stream][2]["messages"] == 2


async def test_a_dashboard_without_the_import_watches_and_says_why(
    imports: ImportingAccounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "FIRST_ANSWER_S", 0.3)
    bare = await furnished(imports.take(imported=False), tmp_path)
    before = await everything_in(bare.own)
    async with running(bare.through, key_file=tmp_path / "inside.json") as workspace:
        projectors = list(workspace.projectors.values())
        await until(lambda: all(each.status.position == 2 for each in projectors))
        await until(
            lambda: all(
                each.status.phase is Phase.WATCHING and "import natster" in each.status.problem
                for each in projectors
            )
        )
    assert await everything_in(bare.own) == before


async def test_documents_that_have_no_way_are_shown_all_the_same_and_tried_again(
    imports: ImportingAccounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The leases can be written, so that only the first commit finds out."""
    monkeypatch.setattr(probe, "FIRST_ANSWER_S", 0.3)
    monkeypatch.setattr(confirmation, "REFUSED_FOR_S", 0.1)
    monkeypatch.setattr(projector, "RETRY_S", 0.1)
    place = await furnished(imports.partial(), tmp_path)
    async with opened(place.inside) as link:
        log = await opened_with(await EventLog.open(link, NATSTER), tmp_path / "inside.json")
        await project_until_caught_up(log, PROJECTIONS, "test")
        await publish(log, SHARED_HERE, "test")
    before = await everything_in(place.inside)
    async with opened(place.through) as link:
        log = await opened_with(await EventLog.open(link, NATSTER), tmp_path / "inside.json")
        with pytest.raises(ServerError, match="import natster"):
            await project_until_caught_up(log, PROJECTIONS, "test")
    async with running(place.through, key_file=tmp_path / "inside.json") as workspace:
        projectors = list(workspace.projectors.values())
        await until(lambda: all("import natster" in each.status.problem for each in projectors))
        await until(lambda: all(each.status.phase is Phase.WATCHING for each in projectors))
        await until(lambda: all(each.status.position == 3 for each in projectors))
        after = await everything_in(place.inside)
        for stream in before.keys() - {f"KV_{LEASES}"}:
            assert after[stream] == before[stream]
        assert workspace.log is not None
        link = workspace.log.link
        imports.complete_partial()
        await until(lambda: all(each.status.stored == 3 for each in projectors))
        assert workspace.log.link is link
