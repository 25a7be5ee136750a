"""What was read before an erasure, or of another log, does not stay on screen."""

from __future__ import annotations

import pytest

from natster_tui.engine.erasure import erase_account
from natster_tui.engine.projecting.status import Phase
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import OneKey, WholeProjections
from natster_tui.events.natster import NATSTER
from natster_tui.projections.registering.registry import CATALOGS, PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.screens.why import WhyScreen
from tests.conftest import until
from tests.faults.checker import ask, plain_client
from tests.making_logs import A
from tests.reading_buckets import put_value
from tests.tui.running import append, dashboard
from tests.tui.scenes import Scene, projected, staged_scene, text_of
from tests.tui.test_sealed_dashboard import one_account, others_community


async def test_a_moment_that_was_travelled_to_goes_with_the_keys(
    settings: ConnectionSettings,
) -> None:
    scene = Scene(one_account, ("colon", "2", "enter", "t", "wait:AS OF 2", "2"), sealed=True)
    async with staged_scene(scene, settings) as app:
        await until(lambda: "zebra" in text_of(app))
        async with others_community(settings) as log:
            await erase_account(log, A, PROJECTIONS, "eraser")
        await until(lambda: "AS OF" not in text_of(app))
        await until(lambda: "zebra" not in text_of(app))


async def test_reasons_that_are_being_read_go_with_the_keys(settings: ConnectionSettings) -> None:
    scene = Scene(one_account, ("2", "w", "wait:zebra"), sealed=True)
    async with staged_scene(scene, settings) as app:
        assert isinstance(app.screen, WhyScreen)
        async with others_community(settings) as log:
            await erase_account(log, A, PROJECTIONS, "eraser")
        await until(lambda: not isinstance(app.screen, WhyScreen))
        await until(lambda: "zebra" not in text_of(app))


async def test_what_a_filter_found_goes_with_the_log(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.type("/type:initialized\r")
        workspace = app.workspace
        await until(
            lambda: (
                workspace.timeline_filter.shown and workspace.timeline_filter.shown.is_complete(400)
            )
        )
        before = workspace.timeline_filter.shown
        assert before is not None
        assert before.seqs[-1] > 20
        async with plain_client(settings) as client:
            config = (await ask(client, f"STREAM.INFO.{NATSTER.stream}"))["config"]
            config["metadata"] = {}
            await ask(client, f"STREAM.DELETE.{NATSTER.stream}")
            assert "error" not in await ask(client, f"STREAM.CREATE.{NATSTER.stream}", config)
        await append(settings, 0, 20)
        await until(lambda: workspace.timeline_filter.shown not in (None, before))
        await until(
            lambda: (
                workspace.timeline_filter.shown and workspace.timeline_filter.shown.is_complete(20)
            )
        )
        assert workspace.timeline_filter.shown is not None
        assert 0 < workspace.timeline_filter.shown.seqs[-1] <= 20


@pytest.mark.parametrize("read_only", [False, True])
async def test_drift_that_another_process_corrected_is_no_longer_shown(
    settings: ConnectionSettings, read_only: bool
) -> None:
    await projected(settings)
    await put_value(settings, "PROJ_CATALOG", "voice-memos", None)
    false = b'{"catalog_name":"night-walks","owner":"mallory","shared_with":[]}'
    await put_value(settings, "PROJ_CATALOG", "night-walks", false)
    async with dashboard(settings, read_only=read_only) as (app, pilot):
        projector = app.workspace.projectors["catalog"]
        await pilot.press("v")
        await until(lambda: "drift at 400: 2 of 39 keys" in text_of(app))
        await pilot.press("escape")
        await until(lambda: "✗ drift" in text_of(app))
        link = await Link.open(settings)
        log = await EventLog.open(link, NATSTER)
        if not read_only:
            # Neither projecting on nor one document that was put right makes it whole.
            await append(settings, 400, 5)
            await until(lambda: projector.status.stored == 405)
            assert app.view.has_drift(projector)
            one = Rebuild(log, OneKey(CATALOGS, "night-walks"), "elsewhere")
            await one.prepare()
            revision = projector._writer.revision
            await one.commit()
            # Found out by a conflict, or by the lease that the rebuild holds: both begin again.
            await until(lambda: projector._writer.revision > revision)
            await until(lambda: projector.status.phase is Phase.PROJECTING)
            assert app.view.has_drift(projector)
        work = Rebuild(log, WholeProjections(PROJECTIONS), "elsewhere")
        await work.prepare()
        assert all(verdict.good for verdict in await work.commit())
        await link.close()
        await until(lambda: "drift" not in text_of(app).splitlines()[0])
