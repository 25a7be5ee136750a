"""Theme, order, sizes and the last filter come back in the next run."""

from __future__ import annotations

from pathlib import Path

from natster_tui.preferences.memory import Memory
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.preferences import Preferences
from tests.conftest import until
from tests.tui.running import dashboard
from tests.tui.scenes import projected, text_of


async def test_what_was_set_up_comes_back_and_the_filter_is_offered(
    settings: ConnectionSettings, tmp_path: Path
) -> None:
    await projected(settings)
    path = tmp_path / "place.json"
    async with dashboard(settings, memory=Memory(path)) as (app, keyboard):
        await keyboard.type("/type:shared\r")
        await until(lambda: app.workspace.timeline_filter.shown is not None)
        await keyboard.press("D", "greater_than_sign", "2", "s")
        theme, order = app.theme, app.panes.accounts.order
        width = app.panes.timeline.region.width
    async with dashboard(settings, memory=Memory(path)) as (app, keyboard):
        await keyboard.pause()
        assert (app.theme, app.panes.accounts.order) == (theme, order)
        assert app.panes.timeline.region.width == width
        assert app.workspace.timeline_filter.shown is None
        await keyboard.press("slash")
        await keyboard.press("enter")
        await until(lambda: app.panes.timeline.filter_text == "type:shared")


async def test_a_theme_named_later_in_the_settings_counts(
    settings: ConnectionSettings, tmp_path: Path
) -> None:
    path = tmp_path / "place.json"
    async with dashboard(settings, memory=Memory(path)) as (app, _keyboard):
        app.theme = "nord"
    for preferences, theme in (
        (Preferences(), "nord"),
        (Preferences(theme="gruvbox"), "gruvbox"),
    ):
        async with dashboard(settings, memory=Memory(path), preferences=preferences) as (app, _):
            assert app.theme == theme


async def test_a_note_says_that_the_memory_is_damaged(
    settings: ConnectionSettings, tmp_path: Path
) -> None:
    path = tmp_path / "place.json"
    path.write_text("{")
    async with dashboard(settings, memory=Memory(path), size=(200, 60)) as (app, keyboard):
        await until(lambda: "is damaged, or not ours" in text_of(app))
        await keyboard.press("2")
        assert any("is damaged" in note.message for note in app._notifications), "no key asked"
