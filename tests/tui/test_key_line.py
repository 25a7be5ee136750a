"""The footer shows whole keys only, and each can be clicked."""

from __future__ import annotations

import pytest
from rich.style import Style

from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.app import Dashboard
from natster_tui.tui.commands import COMMANDS
from natster_tui.tui.screens.text import TextScreen
from natster_tui.tui.widgets.key_line import KeyLine
from tests.tui.running import dashboard
from tests.tui.scenes import text_of

SHOWN = [f"{each.key_shown} {each.label}" for each in COMMANDS if each.in_footer]


def last_line(text: str) -> str:
    return text.split("\n")[-1].rstrip()


@pytest.mark.parametrize("width", [200, len(" ".join(SHOWN)), len(" ".join(SHOWN)) - 1, 80, 40])
async def test_no_key_is_cut(settings: ConnectionSettings, width: int) -> None:
    async with dashboard(settings, size=(width, 24)) as (app, _pilot):
        line = last_line(text_of(app))
    assert len(line) <= width
    if width >= len(" ".join(SHOWN)):
        assert line == " ".join(SHOWN)
    else:
        shown = line.removesuffix(" …")
        fitting = [number for number in range(len(SHOWN)) if shown == " ".join(SHOWN[:number])]
        # One more, and the mark that says that there are more, would not have fitted.
        assert len(" ".join(SHOWN[: fitting[0] + 1])) + 2 > width


async def test_a_click_presses_the_key(settings: ConnectionSettings) -> None:
    async with dashboard(settings) as (app, pilot):
        at = last_line(text_of(app)).index("? help")
        await pilot.click(KeyLine, offset=(at - 1, 0))
        assert not isinstance(app.screen, TextScreen), "between two keys there is nothing"
        await pilot.click(KeyLine, offset=(at + 4, 0))
        assert isinstance(app.screen, TextScreen)


async def test_where_text_is_typed_only_the_keys_of_the_field_are_shown(
    settings: ConnectionSettings,
) -> None:
    async with dashboard(settings) as (app, pilot):
        await pilot.press("slash")
        assert last_line(text_of(app)) == "Enter apply Tab complete Esc leave"
        assert stands_out(app, "Tab")
        app.app_focus = False
        await pilot.pause()
        assert last_line(text_of(app)).startswith("Enter"), "as it was, until the window is back"
        app.app_focus = True
        await pilot.press("ctrl+g")
        assert not stands_out(app, "Tab"), "there is nothing to complete"
        await pilot.press("escape")
        assert last_line(text_of(app)).startswith("q quit ? help")


def stands_out(app: Dashboard, shown: str) -> bool:
    text = app.query_one(KeyLine).render()
    start = text.plain.index(shown)
    return any(
        isinstance(span.style, Style) and span.style.bold is True
        for span in text.spans
        if span.start <= start < span.end
    )
