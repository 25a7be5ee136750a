"""Reports of what work is waiting for."""

from __future__ import annotations

import asyncio

from natster_tui.store.connection.reporting import Reporter, notice, reporting_to, waiting_for


def test_a_wait_is_told_while_it_lasts() -> None:
    reporter = Reporter(lambda _sentence: None)
    with reporting_to(reporter):
        with waiting_for("waiting for one"), waiting_for("waiting for two"):
            assert reporter.waits(0) == ["waiting for one", "waiting for two"]
            assert reporter.waits(60) == []
        assert reporter.waits(0) == []


def test_a_wait_that_changes_begins_when_it_is_one() -> None:
    reporter = Reporter(lambda _sentence: None)
    now = ""
    with reporting_to(reporter), waiting_for(lambda: now):
        assert reporter.waits(0) == []
        now = "waiting for the lease"
        assert reporter.waits(0) == ["waiting for the lease"]


async def test_tasks_report_to_who_started_them() -> None:
    notices: list[str] = []

    async def work() -> None:
        notice("done")

    with reporting_to(Reporter(notices.append)):
        task = asyncio.create_task(work())
    await task
    assert notices == ["done"]
    notice("without a reporter nothing is said")
    assert notices == ["done"]
