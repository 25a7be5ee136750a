"""The publish form, while others write to the same log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from textual.pilot import Pilot

from natster_tui.engine.log.publish import publish
from natster_tui.events.account_keys import encode_account_key
from natster_tui.events.natster import NATSTER, EventType
from natster_tui.projections.append_rules import Proposal
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.app import Dashboard
from natster_tui.tui.screens.publish import PublishScreen
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
