"""The publish form, while others write to the same log."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from textual.pilot import Pilot

from natster_tui.engine.log.publish import publish
from natster_tui.events.account_keys import encode_account_key
from natster_tui.events.natster import NATSTER, EventType
from natster_tui.events.payloads import payload_problem
from natster_tui.projections.append_rules import Proposal
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.app import Dashboard
from natster_tui.tui.screens.publishing.form import PublishScreen
from natster_tui.tui.screens.publishing.payload_fields import payload_fields, payload_of
from tests.conftest import until
from tests.tui.running import dashboard
from tests.tui.scenes import projected, text_of

NEWCOMER = encode_account_key(bytes(range(32)))


@asynccontextmanager
async def form(
    settings: ConnectionSettings,
) -> AsyncIterator[tuple[Dashboard, Pilot[None], PublishScreen]]:
    """The form, filled in with a catalog and its owner; who it is shared with is to be said."""
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        owner, catalog = next(
            (state.owner, name)
            for name, state in app.workspace.catalogs.items()
            if state.shared_with and not state.contested_by
        )
        await pilot.press("3", "p")
        screen = app.screen
        assert isinstance(screen, PublishScreen)
        screen._origin.value, screen._catalog.value = owner, catalog
        yield app, pilot, screen


async def elsewhere(settings: ConnectionSettings, screen: PublishScreen) -> int:
    """Another writer publishes what the form holds."""
    link = await Link.open(settings)
    asked = Proposal(
        EventType.SHARED, screen._origin.value, screen._target.value, screen._catalog.value, b""
    )
    seq = await publish(await EventLog.open(link, NATSTER), asked, "elsewhere")
    await link.close()
    return seq


async def test_publishing_shows_what_it_would_change_and_then_appends(
    settings: ConnectionSettings,
) -> None:
    async with form(settings) as (app, pilot, screen):
        screen._target.value = "nonsense"
        await until(lambda: "cannot be published: the target is not" in text_of(app))
        await pilot.press("ctrl+s")
        assert app.screen is screen
        screen._target.value = NEWCOMER
        await until(lambda: "would change" in text_of(app))
        assert f"+ out_shares[{screen._catalog.value}" in text_of(app)
        await pilot.press("ctrl+s")
        await until(lambda: app.workspace.follower.head == 401)
        await until(lambda: NEWCOMER in app.workspace.accounts)
        await until(lambda: app.panes.timeline.selected_seq == 401)


async def test_an_account_may_be_called_by_its_name(settings: ConnectionSettings) -> None:
    async with form(settings) as (app, _pilot, screen):
        accounts, owner = app.workspace.accounts, screen._origin.value
        screen._catalog.value = "brand-new"
        key, name = next(
            (key, state.account_name)
            for key, state in accounts.items()
            if state.account_name and key != owner
        )
        screen._origin.value = str(accounts[owner].account_name).upper()
        screen._target.value = name
        await until(lambda: "would change" in text_of(app))
        proposal = screen._proposal
        assert (proposal.origin, proposal.target) == (owner, key)
        assert f"account {name}" in text_of(app)


async def test_the_form_follows_the_log(settings: ConnectionSettings) -> None:
    async with form(settings) as (app, _pilot, screen):
        screen._target.value = NEWCOMER
        await until(lambda: "would change" in text_of(app))
        await elsewhere(settings, screen)
        await until(lambda: "is shared with this account already" in text_of(app))
        assert "would change" not in text_of(app)


async def test_a_conflict_is_shown_and_nothing_is_overwritten(settings: ConnectionSettings) -> None:
    async with form(settings) as (app, pilot, screen), AsyncExitStack() as held:
        screen._target.value = NEWCOMER
        await until(lambda: "would change" in text_of(app))
        for projection in PROJECTIONS:
            # What the form is judged by stands still: the log is ahead of what it knows.
            await held.enter_async_context(app.workspace.pause(projection))
        assert await elsewhere(settings, screen) == 401
        await pilot.press("ctrl+s")
        await until(lambda: "not published: " in text_of(app))
        await held.aclose()
        await until(lambda: "cannot be published" in text_of(app))
        # The refusal stays until something else is typed.
        assert "not published: " in text_of(app)
        await pilot.press("x")
        await until(lambda: "not published: " not in text_of(app))
        assert app.workspace.follower.head == 401


async def test_a_binding_is_typed_field_by_field_with_its_secrets_masked(
    settings: ConnectionSettings,
) -> None:
    async with form(settings) as (app, pilot, screen):
        screen._kind.value = EventType.CONTEXT_BOUND
        await until(lambda: not screen._target_row.display)
        screen.set_focus(screen._payload[EventType.CONTEXT_BOUND][("oauth_id",)])
        await pilot.press(*"github|ada", "enter", *"team", *["enter"] * 5, *"hush")
        await until(lambda: "••••" in text_of(app) and "would change" in text_of(app))
        assert "hush" not in text_of(app)
        await pilot.press("f2")
        await until(lambda: app.workspace.follower.head == 401)
        await until(lambda: app.screen is app.default_screen)
        record = app.workspace.follower.get(401)
        assert record is not None
        assert json.loads(record.payload) == {
            "oauth_id": "github|ada",
            "bound_context": {"team_id": "team", "access_token": "hush"},
        }


async def test_a_part_of_a_name_is_enough_and_the_list_says_who_is_meant(
    settings: ConnectionSettings,
) -> None:
    async with form(settings) as (app, pilot, screen):
        screen._catalog.value = "brand-new"
        screen.set_focus(screen._origin)
        screen._origin.value = ""
        await pilot.press(*"tettenu", "enter", *"in")
        await until(lambda: "could be any of" in text_of(app))
        await pilot.press("backspace", "backspace", *"ingr", "down", "enter")
        assert screen._target.value == "Ingrid Solbakken"
        await until(lambda: "would change" in text_of(app))
        accounts = app.workspace.accounts
        proposal = screen._proposal
        assert accounts[proposal.origin].account_name == "Kwabena Tettenu"
        assert accounts[proposal.target].account_name == "Ingrid Solbakken"
        assert not screen.ends_outside


async def test_the_form_starts_with_the_selected_row(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("2")
        key = app.panes.accounts.selected_key
        await pilot.press("p")
        screen = app.screen
        assert isinstance(screen, PublishScreen)
        assert screen._proposal.origin == key
        assert screen.focused is screen._target
        await pilot.press("escape")
        assert app.screen is app.default_screen


def test_each_model_makes_its_fields_and_their_values_its_payload() -> None:
    bound, shared = NATSTER.kind_of(EventType.CONTEXT_BOUND), NATSTER.kind_of(EventType.SHARED)
    fields = payload_fields(bound)
    assert [field.name for field in fields if field.is_required] == ["oauth_id"]
    assert {field.name for field in fields if field.is_secret} == {"access_token", "creds"}
    values = {field.path: field.name for field in fields}
    assert payload_problem(bound, payload_of(values)) is None
    assert payload_of(dict.fromkeys(values, "")) == b""
    assert payload_of({(): ' {"a": 1}'}) == b'{"a": 1}'
    assert [field.path for field in payload_fields(shared)] == [()]
