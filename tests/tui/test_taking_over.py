"""Taking over in the dashboard: what is explained is counted, and what is left can be deleted."""

from __future__ import annotations

import json
import time

import nats
import pytest

from natster_tui.engine.foreign import takeover
from natster_tui.engine.log.import_events import import_records
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.events.natster import NATSTER
from natster_tui.projections.registering.registry import CATALOGS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.secrets import revealed
from natster_tui.tui.screens.rebuild import RebuildScreen
from natster_tui.tui.screens.verify import VerifyScreen
from tests.cli.program import busy
from tests.cli.reference_service import recorded_documents, start_consumer
from tests.conftest import recording, until
from tests.engine.running import consumers_of, create_reference_stream
from tests.reading_buckets import put_value
from tests.tui.running import dashboard
from tests.tui.scenes import tampered, text_of

BUCKETS = ("PROJ_ACCOUNT", "PROJ_CATALOG")
QUIET_S = 0.05


async def deployed(link: Link, settings: ConnectionSettings, *, consumers: bool) -> None:
    """The standard recording with the other program's documents; it has ended."""
    log = await EventLog.create(link, NATSTER, LogSettings())
    await import_records(log, recording("01"), "test")
    client = await nats.connect(
        list(settings.servers), user=settings.user, password=revealed(settings.password)
    )
    for bucket in BUCKETS:
        await create_reference_stream(link, f"KV_{bucket}")
        for key, document in recorded_documents("01")[bucket].items():
            await put_value(settings, bucket, key, json.dumps(document).encode())
        if consumers:
            await start_consumer(client, bucket)
    await client.close()


async def test_what_is_left_after_a_takeover_is_deleted_by_a_key_of_its_own(
    link: Link, settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takeover, "QUIET_S", QUIET_S)
    await deployed(link, settings, consumers=True)
    async with dashboard(settings) as (app, pilot):
        await until(lambda: all(p.status.drift for p in app.workspace.projectors.values()))
        await pilot.press("e")
        await until(lambda: "another program's consumer PROJ_CATALOG: lag" in text_of(app))
        assert "what it stored: 3 keys differ only as the reference" in text_of(app)
        await pilot.press("escape", "r")
        await until(lambda: "enter replay" in text_of(app))
        await pilot.press("enter")
        await until(lambda: "type account catalog" in text_of(app))
        screen = app.screen
        assert isinstance(screen, RebuildScreen)
        assert "3 keys differ only as the reference service's rules explain" in screen.shown_text
        await pilot.type("account catalog\r")
        await until(lambda: "D deletes the consumer PROJ_ACCOUNT and PROJ_CAT" in text_of(app))
        assert screen.shown_text.count("rebuilt and verified") == 2
        await pilot.press("enter")
        assert set(BUCKETS) <= await consumers_of(link)
        await pilot.press("D")
        await until(lambda: screen.shown_text.count("deleted the consumer") == 2)
        assert not set(BUCKETS) & await consumers_of(link)


async def test_drift_that_was_put_right_elsewhere_leaves_the_dashboard(
    link: Link, settings: ConnectionSettings
) -> None:
    await tampered(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("v")
        await until(lambda: "drift at 400: 3 of 40 keys" in text_of(app))
        await pilot.press("escape", "4")
        await until(lambda: any(map(app.view.has_drift, app.workspace.projectors.values())))
        log = await EventLog.open(link, NATSTER)
        elsewhere = Rebuild(log, WholeProjections((CATALOGS,)), "elsewhere")
        await elsewhere.prepare()
        await elsewhere.commit()
        began = time.monotonic()
        await until(
            lambda: (
                not any(map(app.view.has_drift, app.workspace.projectors.values()))
                and "DRIFT" not in text_of(app)
            )
        )
        assert time.monotonic() - began < 2 * busy()


async def test_explained_differences_are_no_alarm_and_corrected_drift_disappears(
    link: Link, settings: ConnectionSettings
) -> None:
    await deployed(link, settings, consumers=False)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("4")
        await until(lambda: "4 explained" in text_of(app))
        assert not any(map(app.view.has_drift, app.workspace.projectors.values()))
        right = json.dumps(recorded_documents("01")["PROJ_CATALOG"]["kevbuzz"]).encode()
        await put_value(settings, "PROJ_CATALOG", "kevbuzz", b"{}")
        await until(lambda: "1 key differs, unexplained" in text_of(app))
        # All projections, and not only the one under the cursor.
        await pilot.press("1", "v")
        await until(
            lambda: (
                isinstance(app.screen, VerifyScreen)
                and "1 key differs, unexplained; 1 key differs only" in app.screen.shown_text
            )
        )
        await pilot.press("escape")
        await put_value(settings, "PROJ_CATALOG", "kevbuzz", right)
        began = time.monotonic()
        await until(lambda: "unexplained" not in text_of(app) and "DRIFT" not in text_of(app))
        assert time.monotonic() - began < 2 * busy()
