"""The go-to box, and the way back and forward, on a real server."""

from __future__ import annotations

import pytest

from natster_tui.projections.registering.registry import ACCOUNTS
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.places.place import DocumentPlace
from tests.conftest import until
from tests.tui.keyboard import type_at_once
from tests.tui.running import dashboard
from tests.tui.scenes import projected, text_of


async def test_an_account_a_catalog_and_an_event_are_opened_by_what_they_are_called(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        # Typed in one piece, before the box or its names are there.
        type_at_once(app, ":farid\r")
        await until(lambda: app.panes.accounts.has_focus)
        key = app.panes.accounts.selected_key or ""
        assert app.view.accounts[key].account_name == "Farid Nazhand"
        await pilot.type(":night-walks\r")
        await until(lambda: app.panes.catalogs.has_focus)
        assert app.panes.catalogs.selected_key == "night-walks"
        await pilot.type(":17\r")
        await until(lambda: app.panes.timeline.has_focus)
        assert app.panes.timeline.selected_seq == 17
        await pilot.type(f":{key}\r")
        await until(lambda: app.panes.accounts.selected_key == key)
        await pilot.press("b", "b", "b", "B")
        await until(lambda: app.panes.catalogs.has_focus)
        assert app.panes.catalogs.selected_key == "night-walks"


@pytest.mark.parametrize("zoomed", [False, True])
async def test_the_box_opens_the_page_if_one_pane_is_shown_at_a_time(
    settings: ConnectionSettings, *, zoomed: bool
) -> None:
    await projected(settings)
    async with dashboard(settings, size=(140, 40) if zoomed else (80, 24)) as (app, pilot):
        if zoomed:
            await pilot.press("z")
        inspector = app.panes.inspector
        # Typed in one piece, before the box or its names are there.
        type_at_once(app, ":farid naz\r")
        await until(lambda: inspector.has_focus and inspector.is_open)
        await until(lambda: "5 Account Farid Nazhand" in text_of(app))
        await until(lambda: "shared with it" in text_of(app))
        assert app.panes.catalogs.narrowed_to == app.panes.accounts.selected_key
        await pilot.type(":night-walks\r")
        await until(lambda: "5 Catalog night-walks" in text_of(app))
        await until(lambda: "Hiro Matsukage" in text_of(app))
        await until(lambda: inspector.has_focus and inspector.is_open)
        await pilot.type(":17\r")
        await until(lambda: app.panes.timeline.has_focus)
        await pilot.press("b")
        await until(lambda: app.panes.last_used is app.panes.catalogs)
        assert app.panes.catalogs.selected_key == "night-walks"


async def test_the_box_reports_a_missing_sequence_and_stays_open(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.type(":401")
        await until(lambda: "401 is not in the log: it holds 1 to 400" in text_of(app))
        await pilot.press("enter", "escape")
        assert app.panes.timeline.selected_seq == 400
        await pilot.type(":2001-01-01")
        await pilot.press("enter")
        await until(lambda: "no event had happened by 2001-01-01" in text_of(app))
        await pilot.press("escape")
        await pilot.type(":2199-01-01")
        await until(lambda: "that is in the future" in text_of(app))
        await pilot.press("escape")
        await pilot.type(":nobody is called this")
        await until(lambda: "nothing is called nobody is called this" in text_of(app))


async def test_a_moment_can_be_travelled_to_at_once(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.type(":11-22 10:12")
        await pilot.press("ctrl+t")
        await until(lambda: "AS OF 381" in text_of(app))
        await pilot.press("t")
        await pilot.type(":300")
        await pilot.press("ctrl+t")
        await until(lambda: "AS OF 300" in text_of(app))


async def test_the_word_of_a_moment_is_listed_from_its_beginning_on(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.type(":yest")
        await until(lambda: "moment    2026-11-22 00:00:00" in text_of(app))
        await pilot.press("ctrl+t")
        await until(lambda: "AS OF" in text_of(app))
        assert app.view.moment is not None
        before = app.view.moment.seq
        await pilot.press("t", "colon", *"to")
        await until(lambda: " found" in text_of(app))
        first = next(line for line in text_of(app).splitlines() if "account   T" in line)
        assert "moment" not in first, "a name comes before a moment that only begins so"
        assert before < 400


async def test_a_document_that_a_narrowing_or_a_search_hides_is_shown(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("2", "enter")
        await until(lambda: app.panes.catalogs.narrowed_to is not None)
        await pilot.press("slash", *"no-such-catalog", "enter")
        await pilot.type(":night-walks\r")
        await until(lambda: app.panes.catalogs.has_focus)
        assert app.panes.catalogs.selected_key == "night-walks"


async def test_what_the_inspector_names_can_be_followed_and_come_back_from(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        event = app.panes.timeline.selected_event
        assert event is not None
        await until(lambda: "5 Event 400" in text_of(app) and "happened" in text_of(app))
        await pilot.press("5", "j", "j", "j", "enter")
        await until(lambda: app.panes.catalogs.selected_key == event.catalog)
        assert app.panes.inspector.has_focus
        await until(lambda: f"5 Catalog {event.catalog}" in text_of(app))
        await pilot.press("enter", "enter")
        await until(lambda: app.panes.accounts.selected_key == event.origin)
        await until(lambda: f"event 400 > {event.catalog} > " in text_of(app))
        await pilot.press("b", "b")
        await until(lambda: "5 Event 400" in text_of(app))


async def test_an_events_change_is_shown_even_if_the_inspector_was_hidden(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings, size=(80, 24)) as (app, pilot):
        await pilot.press("c")
        await until(lambda: "Change by event 400" in text_of(app))


async def test_a_click_follows_the_line_it_is_on_below_lines_that_wrap(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        inspector, event = app.panes.inspector, app.panes.timeline.selected_event
        assert event is not None
        await until(lambda: "5 Event 400" in text_of(app) and "happened" in text_of(app))
        screen = text_of(app).splitlines()
        top = next(y for y, line in enumerate(screen) if "5 Event 400" in line)
        y = next(y for y, line in enumerate(screen) if y > top and "catalog  " in line[:16])
        await pilot.click(inspector, offset=(20, y - top))
        await until(lambda: app.panes.catalogs.selected_key == event.catalog)


async def test_the_path_names_a_place_once_when_one_walks_back_to_it(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("colon", *"300", "enter")
        event = app.panes.timeline.selected_event
        assert event is not None
        app.navigator.open(DocumentPlace(ACCOUNTS.name, event.origin))
        await until(lambda: " > event 300 > " in text_of(app))
        await pilot.press("1")
        await until(lambda: app.navigator.path.endswith("> event 300"))
        assert app.navigator.path.count("event 300") == 1
