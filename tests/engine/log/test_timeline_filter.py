"""The filter of a running workspace."""

from __future__ import annotations

import asyncio

import pytest

from natster_tui.engine.projecting.session import Session
from natster_tui.events.filter.language import filter_language
from natster_tui.events.natster import NATSTER
from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.engine.running import running
from tests.making_logs import A, B, C, append, initialized, shared

FILTERS = filter_language(NATSTER)


async def test_a_filter_by_name_finds_what_it_looked_at_before_the_names_were_known(
    log: EventLog, settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = await append(log, [initialized(A, "Ada"), shared(A, B), shared(C, B), shared(C, A)])
    begin, may_begin = Session.begin, asyncio.Event()

    async def later(session: Session) -> None:
        await may_begin.wait()
        await begin(session)

    monkeypatch.setattr(Session, "begin", later)
    async with running(settings) as workspace:
        await until(lambda: workspace.follower.head == head)
        workspace.timeline_filter.set(FILTERS.parse("from:ada", 0))
        early = workspace.timeline_filter.shown
        assert early is not None
        await until(lambda: early.is_complete(head))
        assert list(early.seqs) == []
        may_begin.set()
        await until(lambda: workspace.timeline_filter.shown is not early)
        await until(
            lambda: (
                workspace.timeline_filter.shown
                and workspace.timeline_filter.shown.is_complete(head)
            )
        )
        assert workspace.timeline_filter.shown is not None
        assert list(workspace.timeline_filter.shown.seqs) == [1, 2]
