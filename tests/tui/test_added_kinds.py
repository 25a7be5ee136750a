"""A kind of event that is added to the table alone is shown and understood everywhere."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

import click
import pytest
from textual.widgets import Select

from natster_tui.cli.line_format import event_line, naming
from natster_tui.cli.writing.log_commands import publish
from natster_tui.events.event import MESSAGE_ID, Record
from natster_tui.events.event_kind import Direction, EventKind
from natster_tui.events.filter.completion import completions
from natster_tui.events.filter.filter_field import Candidate, FilterField
from natster_tui.events.filter.language import filter_language
from natster_tui.events.natster import NATSTER
from natster_tui.store.connection.link import Link
from natster_tui.store.log import Append, EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.keys.keymap import AS_DECLARED
from natster_tui.tui.screens.help import PaneKeys, help_sections
from natster_tui.tui.theme import UNICODE
from tests.conftest import until
from tests.docs_tables import kind_lines
from tests.tui.running import dashboard
from tests.tui.scenes import projected, text_of

A, B = "A" * 56, "A" + "B" * 55


class MoreTypes(StrEnum):
    PRAISED = "catalog_praised"


PRAISED = EventKind(
    MoreTypes.PRAISED,
    word="praised",
    glyph="♥",
    plain_glyph="h",
    style="good",
    meaning="a recipient liked what it heard",
    origin="recipient",
    target="owner",
    direction=Direction.FROM_TARGET,
    has_catalog=True,
)
MORE = replace(NATSTER, kinds=(*NATSTER.kinds, PRAISED))


async def append_praise(settings: ConnectionSettings) -> int:
    link = await Link.open(settings)
    log = await EventLog.open(link, MORE)
    subject = MORE.subject_of(MoreTypes.PRAISED, A, B, "kevbuzz")
    await log.append_all([Append(subject, b"", ((MESSAGE_ID, "praise"),))], expected_last=None)
    seq = (await log.refresh()).last_seq
    await link.close()
    return seq


async def test_it_is_in_the_timeline_the_filter_and_the_publish_form(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    seq = await append_praise(settings)
    async with dashboard(settings, system=MORE, size=(200, 60)) as (app, keyboard):
        await until(lambda: app.workspace.follower.head == seq)
        await until(lambda: "♥ praised" in text_of(app))
        await keyboard.press("1", "slash")
        await keyboard.type("type:praised\r")
        await until(lambda: app.workspace.timeline_filter.shown is not None)
        filtered = app.workspace.timeline_filter.shown
        assert filtered is not None
        await until(lambda: filtered.is_complete(seq))
        assert list(filtered.seqs) == [seq]
        await keyboard.press("escape", "3", "p")
        choices = app.screen.query_one(Select)._options
        assert ("praised (catalog_praised)", MoreTypes.PRAISED) in choices


def _is_even(_value: str, candidate: Candidate) -> bool:
    return not candidate.record.seq % 2


def test_it_is_completed_and_so_is_a_field_that_is_added() -> None:
    field = FilterField("even", "even", "even sequences", matches=_is_even, is_flag=True)
    filters = filter_language(MORE, [field])
    assert [each.text for each in completions(filters, "type:pr", lambda _: [])] == ["type:praised"]
    assert [each.text for each in completions(filters, "ev", lambda _: [])] == ["even"]
    assert filters.summary.endswith(" even")


def test_it_is_in_the_help() -> None:
    pane = PaneKeys("Timeline", [], [])
    sections = help_sections(UNICODE, filter_language(MORE), pane, AS_DECLARED)
    assert ("♥ praised", PRAISED.meaning) in [row for each in sections for row in each.rows]


def test_it_is_in_the_table_of_the_documentation() -> None:
    assert kind_lines(MORE)[-1] == (
        "| `catalog_praised` | praised | recipient | owner | name | empty |"
    )


def test_it_is_printed_by_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("natster_tui.cli.line_format.NATSTER", MORE)
    record = Record(1, 10**18, MORE.subject_of(MoreTypes.PRAISED, A, B, "kevbuzz"))
    line = event_line(record, naming({A: "Ada", B: "Ben"}, whole_keys=False))
    assert "praised" in line
    assert "Ada" in line
    assert "kevbuzz" in line


def test_the_publish_command_takes_every_kind_by_its_name_and_its_word() -> None:
    (choice,) = (each.type for each in publish.params if each.name == "event")
    assert isinstance(choice, click.Choice)
    taken = {name for kind in NATSTER.kinds for name in (kind.name, kind.word)}
    assert set(choice.choices) == taken
