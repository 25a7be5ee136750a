"""While events stream in the panes are looked at in turn, and all of them in the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from textual import events
from textual.drivers.headless_driver import HeadlessDriver
from textual.message import Message
from textual.pilot import Pilot

from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.actions import refresh as refreshing
from natster_tui.tui.app import Dashboard
from natster_tui.tui.terminal.driver import terminal_driver
from tests.conftest import until
from tests.tui.running import append, dashboard
from tests.tui.scenes import projected, text_of


def _is_up_to_date(pane: Any) -> bool:
    return bool(pane._drawn_from == (pane.sources(), pane.size))


@pytest.fixture
async def streaming(
    settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Dashboard, Pilot[None]]]:
    """A dashboard that takes any rate of events for a stream of them."""
    await projected(settings)
    monkeypatch.setattr(refreshing, "STREAMING_PER_SECOND", 0)
    async with dashboard(settings) as shown:
        yield shown


async def test_panes_are_updated_in_turn_and_none_is_forgotten(
    settings: ConnectionSettings, streaming: tuple[Dashboard, Pilot[None]]
) -> None:
    app, _pilot = streaming
    looks: list[tuple[int, str]] = []
    turn = 0

    def next_turn() -> None:
        nonlocal turn
        turn += 1
        asyncio.get_running_loop().call_soon(next_turn)

    def watch(pane: Any) -> None:
        look = pane.update_if_changed

        def noted() -> None:
            looks.append((turn, pane.id))
            look()

        pane.update_if_changed = noted

    large = (app.panes.timeline, app.panes.accounts, app.panes.catalogs)
    for pane in large:
        watch(pane)
    next_turn()
    await append(settings, 400, 300)
    await until(lambda: all(p.status.stored == 700 for p in app.workspace.projectors.values()))
    await until(lambda: all(_is_up_to_date(pane) for pane in app.panes.lists))
    turns = {pane: {turn for turn, name in looks if name == pane} for _turn, pane in looks}
    assert turns.keys() == {"timeline", "accounts", "catalogs"}
    assert not turns["accounts"] & turns["catalogs"]
    assert not turns["accounts"] & turns["timeline"]


async def test_what_a_key_asks_for_is_shown_while_events_stream_in(
    streaming: tuple[Dashboard, Pilot[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, pilot = streaming
    accounts = app.panes.accounts
    # With no key pressed nothing beside the timeline would be shown from now on.
    await until(lambda: accounts.selected_key is not None)
    first = accounts.selected_key
    monkeypatch.setattr(refreshing, "OTHERS_PER_SECOND", 1e-9)
    await pilot.press("2", "j")
    await until(lambda: accounts.selected_key != first)
    chosen = accounts.selected_key
    assert chosen is not None
    await until(lambda: app.panes.catalogs.narrowed_to == chosen)
    await until(lambda: chosen in text_of(app))


def test_the_driver_tells_of_a_key_before_the_application_hears_of_it() -> None:
    told: list[str] = []

    class Telling(HeadlessDriver):
        def __init__(self) -> None:
            pass

        def send_message(self, message: Message) -> None:
            told.append(type(message).__name__)

    driver = terminal_driver(Telling, lambda: told.append("pressed"))
    shown: Any = driver()  # type: ignore[call-arg] # Telling takes nothing
    shown.send_message(events.Key("j", "j"))
    shown.send_message(events.AppFocus())
    assert told == ["pressed", "Key", "AppFocus"]
