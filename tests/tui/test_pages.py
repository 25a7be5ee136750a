"""Dialogs that are a page: what they name is followed, searched, and left by the mouse, too."""

from __future__ import annotations

import os
import socket

from natster_tui.engine.rebuilding.replay import ReplayProgress
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.app import Dashboard
from natster_tui.tui.clock import full_time
from natster_tui.tui.screens.pages.page_dialog import PageDialog
from natster_tui.tui.screens.replay import ReplayScreen
from tests.conftest import until
from tests.tui.keyboard import Keyboard
from tests.tui.running import dashboard
from tests.tui.scenes import projected, tampered, text_of


async def click_on(app: Dashboard, pilot: Keyboard, shown: str) -> None:
    """Click where a text stands on the screen, once it does not move any more."""
    before = ""
    while (now := text_of(app)) != before:
        before = now
        await pilot.pause()
    lines = now.split("\n")
    y = next(at for at, line in enumerate(lines) if shown in line)
    await pilot.click(offset=(lines[y].index(shown) + 1, y))


async def test_contested_names_are_followed_and_b_comes_back(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        at = app.panes.timeline.selected_seq
        await pilot.type("m/night\r\r")
        await until(lambda: app.screen is app.default_screen)
        await until(lambda: app.panes.catalogs.selected_key == "night-walks")
        await until(lambda: app.panes.catalogs.has_focus)
        await pilot.press("b")
        await until(lambda: app.panes.timeline.has_focus)
        assert app.panes.timeline.selected_seq == at
        await pilot.press("m")
        await until(lambda: "belongs to Hiro Matsukage" in text_of(app))
        assert isinstance(app.screen, PageDialog)
        page = app.screen.page
        heading = [row.plain for row in page._rows].index(
            "Duplicate names, and names that differ in letter case only"
        )
        first, *_ = page.render_line(heading)
        assert first.style is not None
        assert first.style.bold
        await click_on(app, pilot, "belongs to Hiro Matsukage")
        await until(lambda: app.screen is app.default_screen)
        state = app.workspace.catalogs["night-walks"]
        await until(lambda: app.panes.accounts.selected_key == state.owner)


async def test_parked_events_and_projectors_are_followed_from_the_problems(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.type("e/event 81\r\r")
        await until(lambda: app.panes.timeline.selected_seq == 81)
        assert app.screen is app.default_screen
        await pilot.type("e\r\r")
        await until(lambda: app.panes.projectors.has_focus)


async def test_the_process_that_holds_a_lease_is_named_with_since_when_also_if_it_is_this_one(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        held = f"held by this dashboard ({socket.gethostname()}, process {os.getpid()})"
        await until(lambda: all(lease.held for lease in app.workspace.leases.values()))
        since = full_time(app.workspace.leases["catalog"].me.since)
        await pilot.press("e")
        await until(lambda: text_of(app).count(f"lease {held}, since 2") == 2)
        assert since in text_of(app)
        await pilot.press("escape", "4", "down", "down")
        await until(lambda: f"lease       {held}" in text_of(app))
        assert f"since       {since}" in text_of(app)


async def test_a_page_can_be_searched(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings, size=(80, 24)) as (app, pilot):
        await pilot.type("m/hiro")
        await until(lambda: "1 of " in text_of(app))
        found = text_of(app).split("1 of ")[1].split()[0]
        assert int(found) > 1
        await pilot.press("enter", "N")
        await until(lambda: f"{found} of {found}" in text_of(app))
        await pilot.press("n")
        await until(lambda: f"1 of {found}" in text_of(app))
        await pilot.press("escape")
        assert "find " not in text_of(app).replace("/ find", "")
        await pilot.press("escape")
        assert app.screen is app.default_screen


async def test_a_dialog_is_left_by_a_click_outside_or_on_what_closes_it(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("e")
        await until(lambda: "Parked events" in text_of(app))
        await click_on(app, pilot, "Parked events")
        assert isinstance(app.screen, PageDialog)
        await click_on(app, pilot, "esc closes")
        assert app.screen is app.default_screen
        await pilot.press("e")
        await pilot.pause()
        await pilot.click(offset=(1, 1))
        assert app.screen is app.default_screen


async def verified(app: Dashboard, pilot: Keyboard) -> ReplayScreen:
    """The dialog of a verify that has ended."""
    await pilot.press("v")
    await until(lambda: "esc closes" in text_of(app) and text_of(app).count("match") == 2)
    assert isinstance(app.screen, ReplayScreen)
    return app.screen


async def test_a_dialog_has_room_for_its_page_below_a_long_progress_line(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        screen = await verified(app, pilot)
        assert text_of(app).count("esc ") == 1, "how it is closed is said once"
        done = ReplayProgress(1, 12_345_678, 0.0, 12_345_678, 12_345_678, finished=100.0)
        done.blocked = ["account: " + "it must not be passed, " * 5]
        screen.say("a wide line " * 9)
        screen.show_progress(done)
        await pilot.pause()
        screen.clear()
        screen.say("one\ntwo\nthree")
        await until(lambda: "three" in text_of(app) and screen.page.max_scroll_y == 0)
        assert " 12,345,678 of 12,345,678, 123,457/s " in text_of(app)


async def test_a_dialog_adapts_to_the_height_around_its_page(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        screen = await verified(app, pilot)
        page, around = screen.page, screen._progress
        rows = page.size.height
        around.update("\n".join(["high"] * 9))
        await until(lambda: around.size.height == 9 and page.size.height == rows)
        around.update("low")
        await until(lambda: around.size.height == 1 and page.size.height == rows)


async def test_verify_goes_on_to_the_rebuild_of_what_differs(settings: ConnectionSettings) -> None:
    await tampered(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("v")
        await until(lambda: "r rebuilds these: catalog" in text_of(app))
        await click_on(app, pilot, "night-walks differs")
        await until(lambda: app.panes.catalogs.selected_key == "night-walks")
        await pilot.press("b", "v")
        await until(lambda: "r rebuilds these: catalog" in text_of(app))
        await click_on(app, pilot, "rebuilds these")
        await until(lambda: "Rebuild catalog" in text_of(app) and "takes" in text_of(app))
        assert "[ ] account" in text_of(app)
        assert "[x] catalog" in text_of(app)
        await click_on(app, pilot, "] account")
        await until(
            lambda: "Rebuild account and catalog" in text_of(app) and "takes" in text_of(app)
        )
        await click_on(app, pilot, "replay the log and compare")
        await until(lambda: "w writes these changes" in text_of(app))
        await click_on(app, pilot, "writes these changes")
        await until(lambda: text_of(app).count("rebuilt and verified") == 2)
