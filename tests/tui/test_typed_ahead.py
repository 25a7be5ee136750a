"""Keys that come faster than they are answered mean what they would mean one by one."""

from __future__ import annotations

import asyncio
import gc
import warnings

import pytest
from textual import events

from natster_tui.events.natster import NATSTER
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.settings.connection import ConnectionSettings
from tests import making_logs
from tests.conftest import until
from tests.making_logs import initialized, shared
from tests.tui.keyboard import type_at_once
from tests.tui.running import dashboard
from tests.tui.scenes import projected, text_of

SHARES = 450


@pytest.mark.parametrize("size", [(140, 40), (80, 24)])
async def test_a_filter_typed_in_one_piece_is_set_and_what_follows_is_a_command(
    settings: ConnectionSettings, size: tuple[int, int]
) -> None:
    await projected(settings)
    async with dashboard(settings, size=size) as (app, pilot):
        for _ in range(2):
            # The second time over what the filter is already.
            type_at_once(app, "/type:shared from:farid\rz")
            await until(lambda: app.default_screen.has_class("zoomed"))
            await until(lambda: "type:shared from:farid (" in text_of(app))
            assert app.focused is app.panes.timeline
            await pilot.press("z")
        await pilot.press("escape")
        await until(lambda: "Timeline (400)" in text_of(app))
        type_at_once(app, ":300\rt")
        await until(lambda: "AS OF 300" in text_of(app))


async def test_why_is_narrowed_to_a_field_however_fast_it_is_typed_and_long_the_history(
    settings: ConnectionSettings,
) -> None:
    link = await Link.open(settings)
    log = await EventLog.create(link, NATSTER, LogSettings())
    shares = [shared("HUB", f"M{number:03}", "hub") for number in range(SHARES)]
    await making_logs.append(log, [initialized("HUB", "Hub"), *shares])
    await link.close()
    async with dashboard(settings) as (app, pilot):
        await pilot.press("2")
        app.panes.accounts.select("HUB")
        type_at_once(app, "w/out_shares[hub m00\r")
        await until(lambda: "Why account Hub: 10 of 451 events" in text_of(app))
        assert "+ out_shares[hub M009]" in text_of(app)
        await pilot.press("escape")
        await until(lambda: "Why account Hub: 451 events" in text_of(app))
        await pilot.press(*"/nothing")
        await until(lambda: "none of 451 events changed a field like this" in text_of(app))
        await pilot.press("escape", "escape")
        assert app.panes.accounts.has_focus


async def test_travelling_and_returning_at_once_leaves_nothing_behind(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            type_at_once(app, "tt")
            await pilot.pause()
            type_at_once(app, "tttt[[")
            await until(lambda: app.traveller.is_travelling)
            gc.collect()
            await asyncio.sleep(0)
        assert [str(each.message) for each in warned] == []
        await until(lambda: "AS OF" in text_of(app))
        await pilot.press("t")
        await until(lambda: "AS OF" not in text_of(app))


async def test_tab_completes_a_name_and_stays_in_the_filter(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        prompt = app._prompt
        await pilot.press("slash", *"account:hiro")
        await pilot.press("tab")
        assert prompt.is_open
        assert prompt.value == 'account:"Hiro Matsukage"'
        await pilot.press("tab", "enter")
        await until(lambda: 'account:"Hiro Matsukage" (' in text_of(app))
        await until(lambda: 0 < app.panes.timeline.row_count < 400)


async def test_escape_leaves_zoom_and_search_before_the_past(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("k", "t")
        await until(lambda: app.traveller.is_travelling)
        await pilot.press("2", "slash", *"hiro", "enter", "z")
        await pilot.press("escape")
        assert not app.default_screen.has_class("zoomed")
        assert app.panes.accounts.search
        await pilot.press("escape")
        assert not app.panes.accounts.search
        assert app.traveller.is_travelling
        await pilot.press("escape")
        assert not app.traveller.is_travelling


async def test_what_is_pasted_is_there_before_the_enter_behind_it(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("slash")
        app.post_message(events.Paste("type:shared\nand no second line"))
        app.post_message(events.Key("enter", "\r"))
        await until(lambda: "Timeline type:shared (" in text_of(app))


@pytest.mark.parametrize("again", ["\r", "\x1b"])
async def test_why_is_left_once_however_fast_it_is_answered(
    settings: ConnectionSettings, again: str
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("w")
        await until(lambda: "enter goes to the event" in text_of(app))
        type_at_once(app, f"\r{again}")
        await until(lambda: app.screen is app.default_screen)
        await pilot.press("z")
        assert app.default_screen.has_class("zoomed")
