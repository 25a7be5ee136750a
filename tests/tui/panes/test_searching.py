"""Searching in the panes: each key that asks for it searches the pane in use."""

from __future__ import annotations

from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.tui.running import dashboard
from tests.tui.scenes import projected, text_of


async def test_a_search_says_that_others_match_and_a_goes_there_and_back(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        catalogs = app.panes.catalogs
        await pilot.type("2/lemon crate\r\r")
        await until(
            lambda: catalogs.narrowed_to == app.panes.accounts.selected_key and catalogs.has_focus
        )
        lemon = catalogs.narrowed_to
        await pilot.type("/acoustic\r")
        await until(lambda: catalogs.row_count == 0)
        await until(lambda: "matches, but 1 elsewhere: a" in text_of(app))
        assert "Known catalogs of Lemon Crate Records (0 of" in text_of(app)
        await pilot.press("a")
        assert catalogs.narrowed_to is None
        assert catalogs.selected_key == "acoustic-set"
        await until(lambda: "Known catalogs of all accounts (1 of" in text_of(app))
        await pilot.press("a")
        assert catalogs.narrowed_to == lemon


async def test_a_key_as_rows_shorten_it_is_found(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        key = next(key for key, state in app.workspace.accounts.items() if state.account_name)
        await pilot.press("2", "slash")
        app._prompt.field.value = f"{key[:4]}…{key[-3:]}"
        await until(lambda: app.panes.accounts.shown_keys == [key])


async def test_a_search_also_finds_what_rows_are_marked_as(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        catalogs, accounts = app.panes.catalogs, app.panes.accounts
        contested = {key for key, state in app.view.catalogs.items() if state.contested_by}
        marked = contested | set(app.view.collisions)
        assert contested
        assert len(marked) < len(catalogs.shown_keys)
        await pilot.press("3", "slash")
        for text, found in (
            ("contested", contested),
            ("Duplicate", contested),
            ("\N{WARNING SIGN}", marked),
            ("conteste", set()),
        ):
            app._prompt.field.value = text
            await until(lambda: set(catalogs.shown_keys) == found)  # noqa: B023 - used at once
        await pilot.press("escape")
        await until(lambda: bool(app.view.hubs))
        await pilot.press("2", "slash")
        app._prompt.field.value = "(hub)"
        await until(lambda: set(accounts.shown_keys) == set(app.view.hubs))


async def test_a_search_in_the_projectors_pane_finds_projectors_and_leaves_the_timeline_alone(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        projectors = app.panes.projectors
        await pilot.type("4/catal\r")
        await until(lambda: "4 Projectors (1 of 2)" in text_of(app))
        assert app.focused is projectors
        assert projectors.selected is app.workspace.projectors["catalog"]
        assert app.workspace.timeline_filter.shown is None
        await pilot.press("escape")
        await until(lambda: projectors.row_count == 4)
        await pilot.type("/parked 4\r")
        await until(lambda: projectors.row_count == 2)
        assert projectors.selected is app.workspace.projectors["account"]
        await pilot.type("/nothing\r")
        await until(lambda: "no projector matches" in text_of(app))
        assert projectors.row_count == 0
        await pilot.press("escape")
        assert projectors.row_count == 4
