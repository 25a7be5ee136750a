"""Every registered projection has a pane of its documents."""

from __future__ import annotations

import re

import pytest
from pydantic import BaseModel, ConfigDict, Field

from natster_tui.events.event import Event
from natster_tui.events.natster import EventType
from natster_tui.projections.keyed import KeyedProjection
from natster_tui.projections.projection_sentences import Names
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.tui.panes.activity import ActivityProjection
from tests.tui.running import dashboard
from tests.tui.scenes import page_of, projected, text_of

ACTIVITY = ActivityProjection()


class Seen(BaseModel):
    model_config = ConfigDict(frozen=True)
    events: int = Field(title="Events", description="what it did so far")
    last_seen: int


class SeenProjection(KeyedProjection[Seen]):
    name = "seen"
    bucket = "PROJ_SEEN"
    version = 1
    key_noun = "account"
    uses = frozenset(EventType)
    model = Seen

    def rule(self, document: Seen | None, event: Event, key: str) -> Seen:
        events = 1 if document is None else document.events + 1
        return Seen(events=events, last_seen=event.time)


SEEN = SeenProjection()


async def test_a_further_projection_is_shown_searched_explained_and_travelled(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    projections = (*PROJECTIONS, ACTIVITY)
    async with dashboard(settings, projections=projections, size=(160, 50)) as (app, pilot):
        pane = app.panes.documents["activity"]
        await until(lambda: pane.row_count == len(app.workspace.projectors["activity"].fold.states))
        await pilot.press("6", "j")
        assert pane.has_focus
        key = pane.selected_key
        assert key is not None
        await until(lambda: "6 Activity documents (" in text_of(app))
        await until(lambda: f"Account {Names(app.view.accounts).of(key)}" in text_of(app))
        await until(lambda: "first seen" in text_of(app) and " changes " in text_of(app))
        await pilot.press("slash", *key[:8], "enter")
        assert pane.row_count == 1
        await pilot.press("w")
        await until(lambda: "events, newest first" in text_of(app))
        await pilot.press("escape", "escape")
        await pilot.press("1", "k", "c")
        await until(lambda: "~ events" in text_of(app))
        await pilot.press("t")
        await until(lambda: app.view.moment is not None)
        await until(lambda: pane.row_count == len(app.view.fold("activity").states))
        await until(lambda: "●  activity" in text_of(app) or "✓  activity" in text_of(app))


async def test_a_further_projection_leaves_a_narrow_screen_to_the_pane_that_is_used(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    projections = (*PROJECTIONS, ACTIVITY)
    async with dashboard(settings, projections=projections, size=(80, 24)) as (app, pilot):
        pane = app.panes.documents["activity"]
        assert pane.outer_size.height == 1, "its title stands there"
        await pilot.press("6")
        await until(lambda: pane.has_focus and pane.size.height >= 10)
        await pilot.press("1")
        await until(lambda: app.panes.timeline.has_focus and pane.outer_size.height == 1)


@pytest.mark.parametrize("number", range(1, 6))
async def test_at_80_by_24_the_pane_in_use_grows_and_the_others_are_a_line_each(
    number: int, settings: ConnectionSettings
) -> None:
    await projected(settings)
    async with dashboard(settings, size=(80, 24)) as (app, pilot):
        await pilot.press(str(number))
        panes = (*app.panes.lists, app.panes.inspector)
        await until(lambda: sorted(pane.outer_size.height for pane in panes) == [1, 1, 1, 1, 18])
        largest = max(panes, key=lambda pane: pane.outer_size.height)
        assert largest.has_focus
        for title in ("1 Timeline", "2 Accounts", "3 Known catalogs", "4 Projectors"):
            assert title in text_of(app)


async def test_headings_sort_both_ways_by_click_and_by_key(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        pane = app.panes.accounts
        assert [heading.cell.text for heading in pane.headings()][-3:] == ["out", "in", "imp"]
        name = pane.headings()[0]
        assert name.meaning == "the name it gave itself, or its key"

        def first_shares() -> int:
            return len(app.view.accounts[pane.shown_keys[0]].out_shares)

        most = max(len(state.out_shares) for state in app.view.accounts.values())
        out = sum(each.cell.width + 1 for each in pane.headings()[:-3])
        await pilot.click(pane, offset=(2 + out + 1, 1))
        assert first_shares() == most
        assert "out↓" in text_of(app)
        await pilot.click(pane, offset=(2 + out + 1, 1))
        assert first_shares() == 0
        await pilot.press("2", "S")
        assert first_shares() == most


async def test_a_fields_column_is_made_for_each_field_of_a_model(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    projections = (*PROJECTIONS, SEEN)
    async with dashboard(settings, projections=projections, size=(160, 50)) as (app, pilot):
        pane = app.panes.documents["seen"]
        await until(lambda: pane.row_count > 0)
        assert [sort.name for sort in pane.declared.sorts] == ["account", "Events", "last seen"]
        names = [app.view.names.of(key).lower() for key in pane.shown_keys]
        assert names == sorted(names)
        await pilot.press("6", "s")
        await until(lambda: "Events↑" in text_of(app))
        states = app.view.fold("seen").states
        assert states[pane.shown_keys[0]].events == min(each.events for each in states.values())
        await until(lambda: "Events " in page_of(app) and "UTC (" in page_of(app))


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_the_catalogs_of_an_account_say_when_each_was_shared(
    settings: ConnectionSettings, size: tuple[int, int]
) -> None:
    await projected(settings)
    async with dashboard(settings, size=size) as (app, pilot):
        await pilot.type("2/lemon crate\r\r")
        await pilot.press("3")
        await until(lambda: re.search("Harbour Moths +11-09 11:33 ⇣ 11-12 11:31", text_of(app)))
        assert "shared      imported" in text_of(app)


async def test_the_catalogs_beside_an_account_take_the_times_that_its_page_has_read(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings, size=(200, 60)) as (app, pilot):
        await pilot.type("2/lemon crate\r")
        await until(lambda: app.focused is app.panes.accounts)
        await until(lambda: re.search("Harbour Moths +11-09 11:33 ⇣ 11-12 11:31", text_of(app)))
