"""The pages of documents on screen: what they answer, their links, their JSON, comparisons."""

from __future__ import annotations

from natster_tui.projections.account import AccountState
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.projections.wording import Names
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.app import Dashboard
from natster_tui.tui.places.place import DocumentPlace
from tests.conftest import until
from tests.tui.running import append, dashboard
from tests.tui.scenes import projected, text_of


def page(app: Dashboard) -> str:
    """All of what the inspector shows, also what one has to scroll to."""
    sheet = app.panes.inspector.sheet
    return "" if sheet is None else sheet.text


def an_account_that_shares(app: Dashboard) -> tuple[str, AccountState]:
    return next(
        (key, state) for key, state in app.view.accounts.items() if len(state.out_shares) > 2
    )


async def test_a_catalog_tells_who_shared_it_with_whom_and_when(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("colon", *"overdubs")
        await until(lambda: "found" in text_of(app))
        await pilot.press("enter")
        await until(lambda: "shared at" in text_of(app) and "reading …" not in page(app))
        state = app.view.catalogs["overdubs"]
        names = Names(app.view.accounts)
        for account in state.shared_with:
            row = next(line for line in page(app).split("\n") if names.of(account) in line)
            assert "11-" in row or ":" in row, "the time at which it was shared"
        assert "?" not in page(app)


async def test_a_row_of_an_account_s_catalogs_names_the_share_it_stands_for(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        key, state = an_account_that_shares(app)
        await pilot.press("2")
        app.panes.accounts.select(key)
        await until(lambda: app.panes.catalogs.of == key)
        await pilot.press("3")
        app.panes.catalogs.move_cursor(1)
        await until(lambda: "this share" in page(app) and "reading …" not in page(app))
        share = app.panes.catalogs.selected_share
        assert share is not None
        assert share.origin == key
        assert (share.catalog, share.target) in state.out_shares


async def test_each_name_in_a_row_of_a_page_can_be_followed(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        key, _state = an_account_that_shares(app)
        app.opener.open(DocumentPlace(ACCOUNTS.name, key))
        await until(lambda: "shared with it" in page(app) and "reading …" not in page(app))
        await pilot.press("5")
        while app.panes.inspector.chosen_place is None or not isinstance(
            app.panes.inspector.chosen_place, DocumentPlace
        ):
            await pilot.press("j")
        first = app.panes.inspector.chosen_place
        assert first.projection == CATALOGS.name
        await pilot.press("l")
        second = app.panes.inspector.chosen_place
        assert isinstance(second, DocumentPlace)
        assert second.projection == ACCOUNTS.name
        await pilot.press("enter")
        await until(lambda: app.panes.accounts.selected_key == second.key)
        await pilot.press("b")
        await until(lambda: app.panes.accounts.selected_key == key)


async def test_a_page_keeps_up_with_live_events(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("2", "g")
        await until(lambda: "changes" in page(app) and "reading …" not in page(app))
        await append(settings, 400, 200)
        await until(lambda: app.view.fold("account").seq == 600)
        await until(lambda: f"{len(app.view.accounts)}" in text_of(app))
        state = app.view.accounts[app.panes.accounts.selected_key or ""]
        await until(lambda: f"{len(state.out_shares):,} shared by it" in page(app))
        await until(lambda: "reading …" not in page(app) and "?" not in page(app))


async def test_the_json_of_a_document_folds_and_escape_returns_to_its_page(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("3", "j", "J")
        await until(lambda: '"shared_with": [' in text_of(app))
        await pilot.press("5", "j", "h")
        await until(lambda: '"shared_with": [' not in text_of(app) and "▸ {" in text_of(app))
        await pilot.press("l")
        await until(lambda: '"shared_with": [' in text_of(app))
        await pilot.press("escape")
        await until(lambda: "owner" in page(app) and "shared_with" not in page(app))


async def test_yesterday_is_compared_with_now_in_two_keys(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        last = app.panes.timeline.selected_event
        assert last is not None
        app.opener.open(DocumentPlace(ACCOUNTS.name, last.origin))
        await pilot.press("equals_sign", "enter")
        await until(lambda: "then and now" in text_of(app) and "changed" in page(app))
        assert f"+ out_shares[{last.catalog}" in page(app)
        await pilot.press("equals_sign", *"never", "enter")
        assert "never is not a sequence (4711)" in text_of(app), "and what was typed stays"
        await pilot.press("escape", "escape")
        await until(lambda: "shared with it" in page(app))
