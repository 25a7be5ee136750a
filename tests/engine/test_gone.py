"""Stored data that is gone: documents in a bucket that loses entries, and the log itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from natster_tui.engine.headless import project_until_caught_up
from natster_tui.engine.workspace import Connection
from natster_tui.errors import RefusedError
from natster_tui.events.natster import NATSTER
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.program import Program
from tests.conftest import until
from tests.engine.running import running
from tests.jetstream import ask_jetstream
from tests.making_logs import append, initialized

EVENTS = [initialized(account) for account in ("AA", "BB", "CC", "DD")]


async def test_documents_that_a_bucket_forgot_are_counted_when_projecting_ends(
    log: EventLog,
) -> None:
    await append(log, EVENTS)
    await project_until_caught_up(log, PROJECTIONS, "before")
    stream = "KV_PROJ_ACCOUNT"
    config = (await ask_jetstream(log.link, f"STREAM.INFO.{stream}"))["config"]
    config.pop("first_seq", None)
    limits = {"max_msgs": 3, "discard": "old", "metadata": {}}
    await ask_jetstream(log.link, f"STREAM.UPDATE.{stream}", config | limits)
    with pytest.raises(RefusedError) as refused:
        await project_until_caught_up(log, PROJECTIONS, "after")
    assert "account: 2 documents are gone from what is stored" in refused.value.sentence
    assert "PROJ_ACCOUNT forgets documents (max_msgs 3" in refused.value.sentence
    assert refused.value.exit_code == 1


async def test_a_log_that_is_gone_is_told_apart_from_one_that_never_was(
    log: EventLog, settings: ConnectionSettings, tmp_path: Path
) -> None:
    natster = Program(tmp_path).on(settings)
    await append(log, EVENTS)
    await project_until_caught_up(log, PROJECTIONS, "before")
    await ask_jetstream(log.link, f"STREAM.DELETE.{NATSTER.stream}")
    gone = await natster.fail(3, "status")
    assert f"the log {NATSTER.stream} is gone" in gone
    assert "PROJ_ACCOUNT at 4, PROJ_CATALOG at 4" in gone
    async with running(settings) as workspace:
        await until(lambda: workspace.connection is Connection.NO_LOG)
        assert f"the log {NATSTER.stream} is gone" in workspace.sentence

    # Made again, it is another log: nothing is projected over what is stored.
    again = await EventLog.create(log.link, NATSTER, LogSettings())
    await append(again, EVENTS[:1])
    status = (await natster.succeed("status", "--json")).json
    assert all(
        "shrunken, restored or replaced" in each["problem"] for each in status["projections"]
    )
    assert [each["position"] for each in status["projections"]] == [4, 4]
