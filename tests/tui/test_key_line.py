"""The footer shows whole keys only, and each can be clicked."""

from __future__ import annotations

from dataclasses import replace

from rich.style import Style

from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.app import Dashboard
from natster_tui.tui.keys import dialogs, main_screen, moving
from natster_tui.tui.keys.key import Key
from natster_tui.tui.screens.help import HelpScreen
from natster_tui.tui.screens.pages.page_dialog import PageDialog
from natster_tui.tui.widgets.key_line import KeyLine, PaneKeyLine
from tests.conftest import until
from tests.tui.running import dashboard
from tests.tui.scenes import projected, text_of


def shown_keys(line: str) -> list[str]:
    """The keys of a footer, each with its label."""
    labels = {key.label for key in main_screen.commands().values()}
    words, keys = line.split(" "), [""]
    for word in words:
        keys[-1] = f"{keys[-1]} {word}".strip()
        if any(keys[-1].split(" ", 1)[1:] == [label] for label in labels):
            keys.append("")
    return [key for key in keys if key]


def last_line(text: str) -> str:
    return text.split("\n")[-1].rstrip()


async def test_no_key_is_cut(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings, size=(250, 24)) as (app, _pilot):
        whole = last_line(text_of(app))
    keys = shown_keys(whole)
    assert " ".join(keys) == whole
    for width in (len(whole), len(whole) - 1, 80, 40):
        async with dashboard(settings, size=(width, 24)) as (app, _pilot):
            line = last_line(text_of(app))
        assert len(line) <= width
        if width == len(whole):
            assert line == whole
        else:
            shown = line.removesuffix(" …")
            count = next(n for n in range(len(keys)) if shown == " ".join(keys[:n]))
            # One more, and the mark that says that there are more, would not have fitted.
            assert len(" ".join(keys[: count + 1])) + 2 > width


async def test_each_pane_has_its_own_keys_first_and_none_that_do_nothing(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings, size=(250, 40)) as (app, pilot):
        line = last_line(text_of(app))
        assert line.startswith("q quit ? help / filter t travel c change w why")
        assert "f follow" not in line, "it follows already"
        assert "[ step" not in line, "this is not the past"
        await pilot.press("k", "t")
        await until(lambda: "[ step back ] step on" in last_line(text_of(app)))
        assert "f follow" in last_line(text_of(app))
        assert "p publish" not in last_line(text_of(app)), "the past cannot be changed"
        await pilot.press("t", "2")
        await until(
            lambda: last_line(text_of(app)).startswith("q quit ? help / search s sort S reverse w")
        )
        await pilot.press("a")
        await until(lambda: app.panes.catalogs.narrowed_to is None)
        assert "a all or one" in last_line(text_of(app)), "it goes back as well"
        await pilot.press("4")
        assert last_line(text_of(app)).startswith(
            "q quit ? help / search r rebuild v verify z zoom : go to"
        )
        assert last_line(text_of(app)).count("r rebuild") == 1


async def test_a_dashboard_without_a_server_offers_nothing_that_needs_one(
    settings: ConnectionSettings,
) -> None:
    nowhere = replace(settings, servers=("nats://127.0.0.1:1",))
    async with dashboard(nowhere, size=(250, 24)) as (app, _pilot):
        line = "q quit ? help e problems ctrl+p palette z zoom D theme"
        await until(lambda: last_line(text_of(app)) == line)


async def test_an_update_while_the_dashboard_ends_finds_no_footer(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, _pilot):
        await app.query_one(PaneKeyLine).remove()
        app.action_pane(2)  # whose documents have keys that the timeline has not
        app.refresher.at_once()


async def test_a_dialog_shows_its_own_keys(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings, size=(140, 40)) as (app, pilot):
        await pilot.press("question_mark")
        await until(lambda: last_line(text_of(app)) == "^t topics Esc close")
        await pilot.press("escape", "r")
        await until(lambda: "enter replay" in text_of(app))
        early = "Enter choose / find P purge first Esc close"
        await until(lambda: last_line(text_of(app)) == early)
        await until(lambda: "enter replay" in text_of(app))
        await pilot.press("enter")
        await until(lambda: last_line(text_of(app)) == "/ find w write the changes Esc close")


async def test_help_begins_with_the_pane_in_use(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings, size=(140, 60)) as (app, pilot):
        for number, name, first in (
            ("1", "Timeline", "/             Filter the timeline"),
            ("2", "Accounts", "/             Find a row of this pane by name"),
            ("4", "Projectors", "r             Rebuild projections"),
            ("5", "Inspector", "x             Show secrets"),
        ):
            await pilot.press(number, "question_mark")
            await until(lambda: f"In this pane: {name}" in text_of(app))  # noqa: B023 - used at once
            own, anywhere = text_of(app).split("Moving")
            assert first in own
            assert "Leave the dashboard" in anywhere
            await pilot.press("escape")


def test_every_key_has_an_id_of_its_own_and_says_what_it_does() -> None:
    names = {**vars(main_screen), **vars(dialogs), **vars(moving)}
    tables = [table for table in names.values() if is_table(table)]
    keys = {id(key): key for table in tables for key in table}.values()
    ids = [key.id for key in keys]
    assert sorted(set(ids)) == sorted(ids)
    for key in main_screen.commands().values():
        assert key.label
        assert key.help


def is_table(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and isinstance(value[0], Key)


async def test_a_key_can_be_mapped_to_another_by_its_id(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings, size=(250, 24)) as (app, pilot):
        app.set_keymap({"app.help": "f9", "list.down": "ctrl+n"})
        await pilot.press("g", "ctrl+n")
        assert app.panes.timeline.selected_seq == 2
        await pilot.press("f9")
        assert isinstance(app.screen, HelpScreen)


async def test_a_click_presses_the_key(settings: ConnectionSettings) -> None:
    async with dashboard(settings) as (app, pilot):
        at = last_line(text_of(app)).index("e problems")
        await pilot.click(KeyLine, offset=(at - 1, 0))
        assert not isinstance(app.screen, PageDialog), "between two keys there is nothing"
        await pilot.click(KeyLine, offset=(at + 4, 0))
        assert isinstance(app.screen, PageDialog)


async def test_a_text_field_shows_only_its_own_keys(
    settings: ConnectionSettings,
) -> None:
    async with dashboard(settings) as (app, pilot):
        await pilot.press("slash")
        assert last_line(text_of(app)) == (
            "Enter apply ↑ earlier ↓ choose Tab complete ^n name it Esc leave"
        )
        assert stands_out(app, "Tab")
        app.app_focus = False
        await pilot.pause()
        assert last_line(text_of(app)).startswith("Enter"), "as it was, until the window is back"
        app.app_focus = True
        await pilot.press("escape", "o")
        assert last_line(text_of(app)) == "Enter apply Esc leave", "there is nothing to complete"
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
