"""What the settings file changes on screen."""

from __future__ import annotations

import re
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from natster_tui.errors import UsageError
from natster_tui.preferences.model import Settings
from natster_tui.preferences.place import Place
from natster_tui.preferences.settings_file import SettingsFile
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.app import Dashboard
from natster_tui.tui.preferences import check_preferences
from natster_tui.tui.screens.confirm import ConfirmNameScreen, ConfirmScreen
from natster_tui.tui.screens.help import HelpScreen
from natster_tui.tui.screens.publishing.form import PublishScreen
from tests.conftest import until
from tests.tui.keyboard import Keyboard, type_at_once
from tests.tui.running import dashboard
from tests.tui.scenes import projected, tampered, text_of

PROD = Place(("prod",))


def file(text: str) -> SettingsFile:
    return SettingsFile(Settings.model_validate(tomllib.loads(text)), text=text)


@asynccontextmanager
async def preferring(
    settings: ConnectionSettings, text: str, size: tuple[int, int] = (250, 40)
) -> AsyncIterator[tuple[Dashboard, Keyboard]]:
    preferences = check_preferences(file(text), PROD, PROJECTIONS)
    async with dashboard(settings, size=size, preferences=preferences) as running:
        yield running


def remapped(keys: dict[str, str]) -> str:
    """The settings that give commands these keys."""
    return "\n".join(f"keymap.{command} = '{key}'" for command, key in keys.items())


async def test_theme_and_keys_are_those_of_the_settings(settings: ConnectionSettings) -> None:
    await projected(settings)
    text = 'theme = "nord"\nkeymap.app.help = "f9"\nkeymap.timeline.filter = ["&", "f8"]'
    async with preferring(settings, text) as (app, pilot):
        assert app.current_theme.name == "nord"
        footer = text_of(app).split("\n")[-1]
        assert footer.startswith("q quit f9 help & filter")
        await pilot.press("question_mark")
        assert not isinstance(app.screen, HelpScreen), "it was replaced"
        await pilot.press("f9")
        assert isinstance(app.screen, HelpScreen)
        await until(lambda: "& f8" in text_of(app))
        await pilot.type("filters")
        await until(lambda: "Filters (& in the timeline)" in text_of(app))
        await pilot.press("f9")
        assert app.screen is app.default_screen
        await pilot.press("&")
        assert app.focused is not app.panes.timeline


async def test_hints_on_screen_name_the_keys_of_the_settings(settings: ConnectionSettings) -> None:
    await projected(settings)
    text = "[keymap]\ntimeline.travel = 'f5'\nprojectors.rebuild = 'f6'\nlist.last = 'ctrl+e'"
    async with preferring(settings, text, (140, 40)) as (app, pilot):
        await until(lambda: "f6 rebuild · v verify" in text_of(app))
        await pilot.press("k", "f5")
        await until(lambda: "step with [ or ] · f5 returns to now" in text_of(app))
        assert "^e follows" in text_of(app)


async def test_sheets_and_prompts_name_the_keys_of_the_settings(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    keys = {
        "timeline.change": "f3",
        "inspector.json": "f4",
        "inspector.follow": "f5",
        "inspector.next_found": "f6",
        "prompt.leave": "f7",
        "go_to.travel": "f8",
    }
    async with preferring(settings, remapped(keys), (140, 40)) as (app, pilot):
        await pilot.press("f3")
        await until(lambda: "f3 shows the event" in text_of(app))
        await pilot.press("2", "j", "f4")
        await until(lambda: "f5 folds · f4 shows the page" in text_of(app))
        await pilot.press("5", "slash")
        await until(lambda: "f6 and N go on" in text_of(app))
        await pilot.press("f7", "o", "ctrl+u", "enter")
        await until(lambda: "type the name of a file, or press f7" in text_of(app))
        await pilot.press("f7", "colon", *"2001-01-01", "enter")
        await until(lambda: "f8 travels to before everything" in text_of(app))


async def test_dialogs_name_the_keys_of_the_settings(settings: ConnectionSettings) -> None:
    await projected(settings)
    keys = {
        "page.search": "[",
        "page.close": "]",
        "help.leave": "f5",
        "topics.close": "f6",
        "topic.close": "f7",
        "publish.cancel_typed": "f8",
        "why.open": "f9",
        "why.field": "f10",
        "why.close": "f11",
    }
    async with preferring(settings, remapped(keys), (140, 40)) as (app, pilot):
        await pilot.press("e")
        await until(lambda: "[ find · ] closes" in text_of(app))
        await pilot.press("right_square_bracket", "question_mark")
        await until(lambda: "f5 closes" in text_of(app))
        await pilot.press("ctrl+t")
        await until(lambda: "f6 closes" in text_of(app))
        await pilot.press("enter")
        await until(lambda: "f7 closes" in text_of(app))
        await pilot.press("f7", "f6", "f5")
        await until(lambda: app.screen is app.default_screen)
        await pilot.press("2", "w")
        await until(lambda: "f9 goes to the event · f10 one field · f11 closes" in text_of(app))
        await pilot.press("f11", "p")
        await until(lambda: "f8 closes" in text_of(app))
        assert "cancels" not in text_of(app)


async def test_notes_and_the_rebuild_name_the_keys_of_the_settings(
    settings: ConnectionSettings,
) -> None:
    await tampered(settings)
    keys = {
        "checks.toggle": "f3",
        "rebuild.go_on": "f4",
        "prompt.leave": "f5",
        "prompt.up": "f6",
        "prompt.down": "f7",
        "app.help": "f8",
        "inspector.follow": "f9",
        "inspector.json": "f10",
    }
    async with preferring(settings, remapped(keys), (140, 40)) as (app, pilot):
        await pilot.press("2", "f10")
        await until(lambda: "f9 folds · f10 shows the page" in text_of(app))
        await pilot.press("1", *"/zz")
        await until(lambda: "f6 earlier filters" in text_of(app))
        assert "f8 explains" in text_of(app)
        await pilot.press("ctrl+r")
        await pilot.press("f5", "o", "delete", "enter")
        await until(lambda: "type the name of a file, or press f5" in text_of(app))
        await pilot.press("f5", "r")
        await until(lambda: "f3 checks a box" in text_of(app))
        await pilot.press("up", "f3")
        await until(lambda: "[x] purge" in text_of(app))
        await pilot.press("down", "enter")
        await until(lambda: "and press f4 to go on" in text_of(app))
        await pilot.type("account catalog")
        await pilot.press("f4")
        await until(lambda: text_of(app).count("rebuilt and verified") == 2)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('\ntheme = "norde"', "line 2: there is no theme norde, did you mean nord?"),
        ('[contexts.a]\ncolor = "rouge"', "line 2: rouge is not a colour"),
        (
            'columns.acount = ["key"]',
            "line 1: there is no projection acount here",
        ),
        (
            'columns.account = ["key", "luck"]',
            "line 1: account has no column luck: it has",
        ),
        ('[keymap]\napp.help = "w"', "line 2: w is the key of app.why already"),
        ('[keymap]\napp.halp = "f9"', "line 2: no command is called app.halp, did you mean app.h"),
    ],
)
def test_unknown_themes_colours_and_keys_are_reported_with_their_line(text: str, told: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_preferences(file(text), PROD, PROJECTIONS)
    assert told in refused.value.sentence


async def test_the_columns_of_a_pane_are_those_of_the_settings_in_their_order(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with preferring(settings, 'columns.account = ["in", "out"]', (140, 40)) as (app, _):
        headings = [heading for heading, _meaning in app.panes.accounts.columns_explained]
        assert headings == ["account", "in", "out"]
        await until(lambda: re.search(r"account +in +out ", text_of(app)))


async def test_production_is_always_on_screen_and_asks_for_its_name_first(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with preferring(settings, "contexts.prod.production = true", (80, 24)) as (app, pilot):
        assert "PRODUCTION" in text_of(app).split("\n")[0]
        await pilot.press("p")
        assert isinstance(app.screen, ConfirmNameScreen)
        await until(lambda: "Type prod to go on" in text_of(app))
        await pilot.press("enter")
        assert isinstance(app.screen, ConfirmNameScreen), "Enter alone confirms nothing"
        await pilot.press(*"prod", "enter")
        assert isinstance(app.screen, PublishScreen)
        await pilot.press("escape", "r", "escape")
        assert app.screen is app.default_screen


async def test_an_action_asks_for_confirmation_if_the_settings_say_so(
    settings: ConnectionSettings,
) -> None:
    async with preferring(settings, 'confirm = ["quit"]') as (app, pilot):
        await pilot.press("q")
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("enter", "n")
        assert app.screen is app.default_screen
        type_at_once(app, "qy")
        await until(lambda: app._exit)
