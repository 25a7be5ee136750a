"""The help page can be searched by typing."""

from __future__ import annotations

from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.screens.help import Section, narrowed
from tests.conftest import until
from tests.tui.running import dashboard
from tests.tui.scenes import text_of

SECTIONS = [
    Section("Moving", (("j", "One row down"), ("k", "One row up"))),
    Section("Marks", (("⇄ shared", "a catalog was shared"),)),
]


def test_rows_with_all_the_words_stay_and_empty_sections_go() -> None:
    assert list(narrowed(SECTIONS, "")) == SECTIONS
    assert list(narrowed(SECTIONS, "ROW up")) == [Section("Moving", (("k", "One row up"),))]
    assert list(narrowed(SECTIONS, "⇄")) == SECTIONS[1:]
    assert list(narrowed(SECTIONS, "moving")) == SECTIONS[:1]
    assert list(narrowed(SECTIONS, "nothing")) == []


async def test_what_is_typed_narrows_the_page_and_the_key_that_opened_it_closes_it(
    settings: ConnectionSettings,
) -> None:
    async with dashboard(settings) as (app, pilot):
        await pilot.type("?travel")
        await until(lambda: "Travelling: one event back" in text_of(app))
        assert "Leave the dashboard" not in text_of(app)
        await pilot.type(" xyz[/]")
        await until(lambda: "nothing here says travel xyz[/]" in text_of(app))
        await pilot.press("escape")
        await until(lambda: "In this pane: Timeline" in text_of(app))
        await pilot.press("pagedown")
        await until(lambda: "In this pane: Timeline" not in text_of(app))
        await pilot.type("?")
        assert app.focused is app.panes.timeline
