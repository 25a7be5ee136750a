"""The palette shows the keys of commands, and all themes."""

from __future__ import annotations

from textual.command import CommandPalette
from textual.theme import BUILTIN_THEMES

from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.keys.keymap import read_keymap
from natster_tui.tui.preferences import Preferences
from tests.conftest import until
from tests.tui.running import dashboard
from tests.tui.scenes import text_of


async def test_a_command_is_found_with_the_keys_that_the_user_gave_it(
    settings: ConnectionSettings,
) -> None:
    preferences = Preferences(read_keymap({"projectors.verify": ["f7"]}))
    async with dashboard(settings, preferences=preferences) as (app, pilot):
        await pilot.press("ctrl+p")
        await until(lambda: "w        Why is it so" in text_of(app))
        await pilot.press(*"verify")
        await until(lambda: "f7       verify: Compare what is stored" in text_of(app))


async def test_every_theme_of_textual_is_there_and_can_be_chosen(
    settings: ConnectionSettings,
) -> None:
    async with dashboard(settings) as (app, pilot):
        assert set(BUILTIN_THEMES) < set(app.available_themes)
        await pilot.press("ctrl+p", *"theme gruvbox")
        await until(lambda: "theme    gruvbox" in text_of(app))
        await pilot.press("enter")
        await until(lambda: not isinstance(app.screen, CommandPalette))
        await until(lambda: app.theme == "gruvbox")


async def test_every_theme_can_draw_the_dashboard(settings: ConnectionSettings) -> None:
    async with dashboard(settings) as (app, pilot):
        for name in app.available_themes:
            app.theme = name
            await pilot.pause()
            assert "NATSTER_EVENTS" in text_of(app)
        assert app.failure is None
