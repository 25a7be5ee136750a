"""A running dashboard whose keys are removed, restored or destroyed."""

from __future__ import annotations

from pathlib import Path

import pytest

from natster_tui.engine import workspace as workspace_module
from natster_tui.engine.erasure import erase_account
from natster_tui.engine.projecting.status import Phase
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.engine.workspace import Connection, Workspace
from natster_tui.events.log.info import LogInfo
from natster_tui.projections.registering.registry import ACCOUNTS, PROJECTIONS
from natster_tui.store.log import EventLog
from natster_tui.store.sealing.key_rotation import rotate
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.engine.running import running
from tests.making_logs import A, append, bound, context, initialized, shared
from tests.sealed_logs import SECRET, keyring_of


def stored_at(workspace: Workspace, seq: int) -> bool:
    return all(
        projector.status.stored == seq and projector.status.phase is Phase.PROJECTING
        for projector in workspace.projectors.values()
    )


async def test_it_opens_without_its_keys_and_goes_on_when_they_are_back(
    sealed: EventLog, settings: ConnectionSettings, key_file: Path
) -> None:
    aside = key_file.with_suffix(".aside")
    key_file.rename(aside)
    async with running(settings, key_file=key_file) as workspace:
        accounts, catalogs = (workspace.projectors[name] for name in ("account", "catalog"))
        await until(lambda: accounts.status.phase is Phase.STOPPED)
        await until(lambda: catalogs.status.position == 4)
        assert workspace.connection is Connection.CONNECTED
        assert "sealed with the key k" in accounts.status.problem
        await until(lambda: any("no key file" in p.sentence for p in workspace.problems))
        workspace.follower.want(1, 4)
        await until(lambda: workspace.follower.get(2) is not None)
        record = workspace.follower.get(2)
        assert record is not None
        assert record.payload == b""
        aside.rename(key_file)
        await until(lambda: stored_at(workspace, 4))
        workspace.follower.want(1, 4)
        await until(lambda: (r := workspace.follower.get(2)) and SECRET.encode() in r.payload)
        assert workspace.accounts[A].bound_context is not None


async def test_an_erasure_by_another_process_empties_a_running_dashboard(
    sealed: EventLog, settings: ConnectionSettings, key_file: Path
) -> None:
    async with running(settings, key_file=key_file) as workspace:
        await until(lambda: stored_at(workspace, 4))
        workspace.follower.want(1, 4)
        await until(lambda: (r := workspace.follower.get(2)) and SECRET.encode() in r.payload)
        _, verdicts = await erase_account(sealed, A, PROJECTIONS, "eraser")
        assert all(verdict.good for verdict in verdicts)
        await until(lambda: workspace.accounts.get(A) and not workspace.accounts[A].bound_context)
        workspace.follower.want(1, 4)
        await until(lambda: (r := workspace.follower.get(2)) and r.payload == b"")
        await append(sealed, [bound(A, context("github|new"))])
        await until(lambda: stored_at(workspace, 5))
        assert workspace.projectors[ACCOUNTS.name].status.parked.count == 1
        work = workspace.rebuild(WholeProjections((ACCOUNTS,)))
        assert not (await work.prepare())[0].diff


async def test_a_rotation_by_another_process_disturbs_nothing(
    sealed: EventLog, settings: ConnectionSettings, key_file: Path
) -> None:
    async with running(settings, key_file=key_file) as workspace:
        await until(lambda: stored_at(workspace, 4))
        log = workspace.log
        await rotate(keyring_of(sealed))
        await append(sealed, [initialized("CC", "Cyd"), shared("CC", A, "new")])
        await until(lambda: stored_at(workspace, 6))
        assert workspace.log is log, "the connection stayed"
        assert workspace.accounts["CC"].account_name == "Cyd"


async def test_what_is_wrong_with_the_keys_is_told_once(
    sealed: EventLog, settings: ConnectionSettings, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace_module, "INFO_EVERY_S", 0.02)
    problems = ("one thing is wrong", "another thing is wrong")
    monkeypatch.setattr(type(sealed.sealing), "problems", problems)
    async with running(settings, key_file=key_file) as workspace:
        looks = 0
        refresh = EventLog.refresh

        async def counted(log: EventLog) -> LogInfo:
            nonlocal looks
            looks += 1
            return await refresh(log)

        monkeypatch.setattr(EventLog, "refresh", counted)
        await until(lambda: looks > 10)
        sentences = [problem.sentence for problem in workspace.problems]
        assert [sentences.count(sentence) for sentence in problems] == [1, 1]
