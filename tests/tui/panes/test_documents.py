"""Every registered projection has a pane of its documents."""

from __future__ import annotations

from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.projections.wording import Names
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.tui.panes.activity import ActivityProjection
from tests.tui.running import dashboard
from tests.tui.scenes import projected, text_of

ACTIVITY = ActivityProjection()


async def test_a_further_projection_is_shown_searched_explained_and_travelled(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    projections = (*PROJECTIONS, ACTIVITY)
    async with dashboard(settings, projections=projections, size=(160, 50)) as (app, pilot):
        pane = app.panes.documents["activity"]
        await until(lambda: pane.row_count == len(app.workspace.projectors["activity"].fold.states))
        await pilot.press("6", "j")
        assert pane.has_focus
        key = pane.selected_key
        assert key is not None
        await until(lambda: "6 Activity documents (" in text_of(app))
        await until(lambda: f"Account {Names(app.view.accounts).of(key)}" in text_of(app))
        await until(lambda: "first seen" in text_of(app) and " changes " in text_of(app))
        await pilot.press("slash", *key[:8], "enter")
        assert pane.row_count == 1
        await pilot.press("w")
        await until(lambda: "events, newest first" in text_of(app))
        await pilot.press("escape", "escape")
        await pilot.press("1", "k", "c")
        await until(lambda: "~ events" in text_of(app))
        await pilot.press("t")
        await until(lambda: app.view.moment is not None)
        await until(lambda: pane.row_count == len(app.view.fold("activity").states))
        await until(lambda: "●  activity" in text_of(app) or "✓  activity" in text_of(app))


async def test_a_further_projection_leaves_a_narrow_screen_to_the_pane_that_is_used(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    projections = (*PROJECTIONS, ACTIVITY)
    async with dashboard(settings, projections=projections, size=(80, 24)) as (app, pilot):
        pane = app.panes.documents["activity"]
        assert not pane.is_on_screen
        await pilot.press("6")
        await until(lambda: pane.has_focus and pane.size.height >= 3)
        await pilot.press("1")
        await until(lambda: app.panes.timeline.has_focus and not pane.is_on_screen)
