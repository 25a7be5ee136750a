"""A version beside the stored one in the dashboard: shown, compared, promoted, dropped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from natster_tui.engine.versions.finding import versions_stored
from natster_tui.projections.registering.registry import CATALOGS
from natster_tui.projections.versions.naming import placed_beside
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.app import Dashboard
from natster_tui.tui.screens.confirm import ConfirmScreen
from natster_tui.tui.screens.versions import VersionsScreen
from tests.conftest import until
from tests.engine.running import assert_stored_is_the_fold
from tests.engine.versions.activities import project_all
from tests.jetstream import ask_jetstream
from tests.making_logs import append, initialized, shared, unshared
from tests.tui.keyboard import Keyboard
from tests.tui.running import dashboard
from tests.tui.scenes import NEXT_CATALOGS, text_of

EVENTS = [initialized("AA"), shared("AA", "BB"), unshared("AA", "BB"), shared("AA", "CC", "x")]


@pytest.fixture(autouse=True)
async def two_versions(log: EventLog) -> None:
    await append(log, EVENTS)
    await project_all(log, CATALOGS, placed_beside(NEXT_CATALOGS))


@asynccontextmanager
async def versions_shown(
    settings: ConnectionSettings, *, read_only: bool = False
) -> AsyncIterator[tuple[Dashboard, Keyboard, VersionsScreen]]:
    """The dialog, once it has compared; the row of the projector says that there are versions."""
    async with dashboard(settings, versions=[NEXT_CATALOGS], read_only=read_only) as (app, keys):
        await until(lambda: app.workspace.versions.has_any)
        app.panes.projectors.wake()
        await keys.press("V")
        screen = app.screen
        assert isinstance(screen, VersionsScreen)
        await until(lambda: "1 equal, 1 changed" in screen.shown_text)
        yield app, keys, screen


async def test_both_are_shown_side_by_side_and_compared_again(
    settings: ConnectionSettings, log: EventLog
) -> None:
    async with versions_shown(settings, read_only=True) as (app, keys, screen):
        assert f"version {CATALOGS.version} in PROJ_CATALOG: at 4, lag 0" in screen.shown_text
        place = placed_beside(NEXT_CATALOGS).bucket
        assert f"version {NEXT_CATALOGS.version} in {place}: at 4, lag 0" in screen.shown_text
        assert "~ kevbuzz changed" in screen.shown_text
        # Nothing can be written here.
        await keys.press("p", "x")
        assert app.screen is screen
        await append(log, [shared("AA", "DD", "y")])
        await project_all(log, CATALOGS, placed_beside(NEXT_CATALOGS))
        await until(lambda: "at 5: 2 equal, 1 changed" in screen.shown_text)
        await keys.press("escape", "4", "j", "j")
        row = "\n".join(app.panes.projectors.render_line(line).text for line in range(4))
        assert f"v{NEXT_CATALOGS.version} beside" in row
        await until(lambda: f"version {NEXT_CATALOGS.version} beside, in {place}" in text_of(app))


async def test_the_documents_that_differ_are_shown_whole(settings: ConnectionSettings) -> None:
    async with versions_shown(settings) as (_app, keys, screen):
        assert '"catalog_name": "kevbuzz"' not in screen.shown_text
        await keys.press("J")
        stored, _, other = screen.shown_text.partition(f"version {NEXT_CATALOGS.version}, in ")
        assert f"version {CATALOGS.version}, in PROJ_CATALOG\n    {{" in stored
        assert '"catalog_name": "kevbuzz"' in stored
        assert '"catalog_name": "kevbuzz"' in other
        await keys.press("J")
        assert '"catalog_name": "kevbuzz"' not in screen.shown_text


async def test_it_is_promoted_by_a_key_of_its_own(
    settings: ConnectionSettings, log: EventLog
) -> None:
    async with versions_shown(settings) as (app, keys, screen):
        await until(lambda: app.workspace.projectors["catalog"].status.stored == 4)
        await keys.press("p")
        await until(lambda: screen._stage == "confirm")
        assert (
            "PROJ_CATALOG at 4 would change: version 3 becomes 4; 0 added, 1 changed, 0 removed"
            in screen.shown_text
        )
        await keys.press("enter")
        assert screen._stage == "confirm"
        await until(lambda: not screen.working)
        await keys.press("w")
        await until(lambda: "promoted and verified: catalog: 2 keys match" in screen.shown_text)
        await assert_stored_is_the_fold(log, settings, NEXT_CATALOGS)
        # The dashboard's own projector is of the older version, and steps back.
        status = app.workspace.projectors["catalog"].status
        await until(lambda: f"holds version {NEXT_CATALOGS.version}" in status.problem)
        # That is how a new version is rolled out, and no fault of what is stored.
        await until(lambda: "newer version stored" in text_of(app).split("\n")[0])


async def test_it_is_dropped_after_a_question_that_enter_does_not_answer(
    settings: ConnectionSettings, link: Link
) -> None:
    async with versions_shown(settings) as (app, keys, screen):
        await keys.press("x")
        assert isinstance(app.screen, ConfirmScreen)
        await keys.press("enter")
        assert isinstance(app.screen, ConfirmScreen)
        assert await versions_stored(link, [CATALOGS]) == (NEXT_CATALOGS.version,)
        await keys.press("y")
        await until(lambda: f"deleted {placed_beside(NEXT_CATALOGS).bucket}" in screen.shown_text)
        assert await versions_stored(link, [CATALOGS]) == ()
        await until(lambda: not app.workspace.versions.has_any)


async def test_without_a_version_beside_the_key_says_how_one_is_begun(
    settings: ConnectionSettings, link: Link
) -> None:
    await ask_jetstream(link, f"STREAM.DELETE.KV_{placed_beside(NEXT_CATALOGS).bucket}")
    async with dashboard(settings) as (app, keys):
        await keys.press("V")
        assert not isinstance(app.screen, VersionsScreen)
