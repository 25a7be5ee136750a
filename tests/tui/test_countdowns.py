"""What lasts for a while says for how long, and Esc leaves what a key switched on."""

from __future__ import annotations

import re
from dataclasses import replace

from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.tui.running import dashboard
from tests.tui.scenes import projected, text_of


async def test_secrets_are_counted_down_while_they_are_shown(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, keyboard):
        await keyboard.press("x")
        await until(lambda: "secrets are shown for 10 s" in text_of(app))
        await until(lambda: "secrets are shown for 9 s" in text_of(app))
        await keyboard.press("x")
        await until(lambda: "secrets are shown" not in text_of(app))


async def test_without_a_server_the_next_try_is_announced(settings: ConnectionSettings) -> None:
    nowhere = replace(settings, servers=("nats://127.0.0.1:1",))
    async with dashboard(nowhere) as (app, _keyboard):
        # An early count may pass between two paints, and during a try there is no countdown.
        said = r"tried [1-9]\d* times?, the next try is in 1 s"
        await until(lambda: re.search(said, text_of(app)))


async def test_escape_leaves_the_change_and_then_the_inspector(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, keyboard):
        await keyboard.press("c", "5")
        assert app.panes.inspector.shows_change
        await keyboard.press("escape")
        assert not app.panes.inspector.shows_change
        assert app.panes.inspector.has_focus
        await keyboard.press("escape")
        assert app.panes.timeline.has_focus


async def test_dialogs_use_the_room_of_a_large_terminal(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings, size=(200, 60)) as (app, keyboard):
        await keyboard.press("question_mark")
        await until(lambda: app.screen.query_one(".dialog").region.width == 160)
        assert app.screen.query_one(".dialog").region.height > 50
