"""Holding a lease while work is done under it."""

from __future__ import annotations

import asyncio

import pytest

from natster_tui.engine.leases import keeper as lease_keeper
from natster_tui.engine.leases.entries import LeaseEntries
from natster_tui.engine.leases.rebuild_lease import rebuilding
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.errors import RefusedError
from natster_tui.projections.registering.registry import ACCOUNTS
from natster_tui.store.bucket import Bucket
from natster_tui.store.lease import Lease, rebuild_key
from natster_tui.store.log import EventLog
from tests.making_logs import A, append, initialized


class MistakeError(Exception):
    """An error that no part of the program expects."""


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keepers fail where they would renew."""
    monkeypatch.setattr(lease_keeper, "RENEW_S", 0.02)
    take = LeaseEntries.renew_or_take

    async def take_then_fail(entries: LeaseEntries) -> None:
        if entries.are_ours:
            raise MistakeError("the keeper failed")
        await take(entries)

    monkeypatch.setattr(LeaseEntries, "renew_or_take", take_then_fail)


@pytest.mark.usefixtures("failing")
async def test_work_ends_when_the_keeper_of_its_lease_fails(log: EventLog) -> None:
    ended = asyncio.Event()

    async def work() -> None:
        async with rebuilding(log, ACCOUNTS, "test"):
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

    with pytest.raises(MistakeError):
        await work()
    assert ended.is_set()
    assert (await Lease(log.link, rebuild_key("account")).read()).holder is None


@pytest.mark.usefixtures("failing")
async def test_a_rebuild_says_that_the_keeper_of_its_lease_failed(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append(log, [initialized(A)])

    async def never(*_arguments: object) -> int:
        await asyncio.Event().wait()
        return 0

    monkeypatch.setattr(Bucket, "commit", never)
    work = Rebuild(log, WholeProjections((ACCOUNTS,)), "test")
    await work.prepare()
    with pytest.raises(MistakeError):
        await work.commit()


async def test_an_error_of_the_work_is_raised_as_it_is(log: EventLog) -> None:
    with pytest.raises(RefusedError, match="no"):
        async with rebuilding(log, ACCOUNTS, "test"):
            raise RefusedError("no")
    assert (await Lease(log.link, rebuild_key("account")).read()).holder is None


async def test_an_error_while_the_lease_is_given_back_is_heard_of(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = LeaseEntries.release

    async def release_then_fail(entries: LeaseEntries) -> None:
        await release(entries)
        raise MistakeError("in leaving")

    with pytest.raises(MistakeError):
        async with rebuilding(log, ACCOUNTS, "test"):
            monkeypatch.setattr(LeaseEntries, "release", release_then_fail)
