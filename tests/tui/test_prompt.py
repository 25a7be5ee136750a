"""The prompt: it keeps its text until what was asked for worked, and filters are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from natster_tui.errors import RefusedError
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.kept_filters import KeptFilters
from tests.conftest import until
from tests.tui.running import dashboard
from tests.tui.scenes import projected, text_of


async def test_an_export_that_fails_keeps_the_path_and_says_why(
    settings: ConnectionSettings, tmp_path: Path
) -> None:
    await projected(settings)
    there = tmp_path / "there.jsonl"
    there.write_text("mine")
    async with dashboard(settings) as (app, pilot):
        await pilot.press("o")
        await pilot.type(f"{there}\rqq")
        field = app._prompt.field
        await until(lambda: field.value == f"{there}qq" and not field.is_answering)
        await pilot.press("backspace", "backspace", "enter")
        await until(lambda: "is there already" in text_of(app))
        assert app._prompt.value == str(there)
        assert there.read_text() == "mine"
        await pilot.press("2", "enter")
        await until(lambda: not app._prompt.is_open)
        assert len(Path(f"{there}2").read_text().splitlines()) == 400


async def test_a_filters_problem_is_shown_below_it_until_it_is_corrected(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("slash", *"type:eaten", "enter")
        await until(lambda: "type:eaten is none of" in text_of(app))
        assert app._prompt.is_open
        await pilot.press("backspace")
        await until(lambda: "is none of" not in text_of(app))


async def test_earlier_filters_come_back_also_in_the_next_run(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.type("/type:shared\r")
        await pilot.type("/type:bound\r")
        used = ["type:bound", "type:shared"]
        await until(lambda: KeptFilters.of_user().recent == used)
    async with dashboard(settings) as (app, pilot):
        prompt = app._prompt
        await pilot.press("slash", *"par", "up")
        assert prompt.value == "type:bound"
        await pilot.press("up")
        assert prompt.value == "type:shared"
        await pilot.press("up", "down", "down")
        assert prompt.value == "par"
        await pilot.press("down")
        assert prompt._choices.chosen is not None
        await pilot.press("enter")
        assert prompt.value == "parked"


async def test_a_filter_is_named_chosen_by_its_name_and_forgotten(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        prompt = app._prompt
        await pilot.press("slash", *"type:bound", "ctrl+n", *"logins", "escape")
        assert prompt.value == "type:bound"
        await pilot.press("ctrl+n", *"logins", "enter")
        await until(lambda: "logins" in prompt._kept.named)
        await pilot.press("escape")
        await pilot.press("slash", *"log", "down", "enter")
        await until(lambda: "Timeline type:bound (" in text_of(app))
        await pilot.press("slash", "delete", "down", "ctrl+r")
        await until(lambda: not prompt._kept.named)


async def test_completions_can_be_clicked(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("slash", *"type:")
        await pilot.click("Choices", offset=(3, 1))
        await until(lambda: app._prompt.value == "type:bound")
        assert app.focused is app._prompt.field


def test_filters_of_two_dashboards_are_both_kept(tmp_path: Path) -> None:
    file = tmp_path / "of" / "filters.json"
    one, other = KeptFilters(file), KeptFilters(file)
    one.name("shares", "type:shared")
    other.name("logins", "type:bound")
    other.use("parked")
    one.use("type:imported")
    one.use("type:imported")
    assert KeptFilters(file).named == {"shares": "type:shared", "logins": "type:bound"}
    assert KeptFilters(file).recent == ["type:imported", "parked"]
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["{", '{"named": 7}', "\xff"])
def test_a_file_that_cannot_be_read_is_left_as_it_is(tmp_path: Path, content: str) -> None:
    file = tmp_path / "filters.json"
    file.write_text(content, "latin-1")
    kept = KeptFilters(file)
    with pytest.raises(RefusedError, match="left as it is"):
        kept.name("mine", "parked")
    assert kept.named == {"mine": "parked"}
    assert file.read_text("latin-1") == content
