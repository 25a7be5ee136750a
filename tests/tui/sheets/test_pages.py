"""The pages of documents on screen: what they answer, their links, their JSON, comparisons."""

from __future__ import annotations

from natster_tui.events.event import MESSAGE_ID
from natster_tui.events.natster import NATSTER, EventType
from natster_tui.projections.account import AccountState
from natster_tui.projections.projection_sentences import Names
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import Append, EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.app import Dashboard
from natster_tui.tui.places.place import DocumentPlace
from tests.conftest import until
from tests.tui.running import append, dashboard
from tests.tui.scenes import page_of, projected, text_of


def an_account_that_shares(app: Dashboard) -> tuple[str, AccountState]:
    return next(
        (key, state) for key, state in app.view.accounts.items() if len(state.out_shares) > 2
    )


async def test_a_catalog_says_who_shared_it_with_whom_and_when(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("colon", *"overdubs")
        await until(lambda: "found" in text_of(app))
        await pilot.press("enter")
        await until(lambda: "shared at" in text_of(app) and "reading …" not in page_of(app))
        state = app.view.catalogs["overdubs"]
        names = Names(app.view.accounts)
        for account in state.shared_with:
            row = next(line for line in page_of(app).split("\n") if names.of(account) in line)
            assert "11-" in row or ":" in row, "the time at which it was shared"
        assert "?" not in page_of(app)


async def test_a_row_of_an_accounts_catalogs_names_its_share(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        key, state = an_account_that_shares(app)
        await pilot.press("2")
        app.panes.accounts.select(key)
        await until(lambda: app.panes.catalogs.narrowed_to == key)
        await pilot.press("3")
        app.panes.catalogs.move_cursor(1)
        await until(lambda: "this share" in page_of(app) and "reading …" not in page_of(app))
        share = app.panes.catalogs.selected_share
        assert share is not None
        assert share.origin == key
        assert (share.catalog, share.target) in state.out_shares


async def test_each_name_in_a_row_of_a_page_can_be_followed(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        key, _state = an_account_that_shares(app)
        app.navigator.open(DocumentPlace(ACCOUNTS.name, key))
        await until(lambda: "shared with it" in page_of(app) and "reading …" not in page_of(app))
        inspector = app.panes.inspector
        await pilot.press("5")
        second = None
        while not (isinstance(second, DocumentPlace) and second.projection == ACCOUNTS.name):
            # A row of contested names has no account beside them.
            await pilot.press("j")
            first = inspector.chosen_target
            if isinstance(first, DocumentPlace):
                assert first.projection == CATALOGS.name
                await pilot.press("l")
                second = inspector.chosen_target
        await pilot.press("enter")
        await until(lambda: app.panes.accounts.selected_key == second.key)
        await pilot.press("b")
        await until(lambda: app.panes.accounts.selected_key == key)


async def test_a_page_keeps_up_with_live_events(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("2", "g")
        await until(lambda: "changes" in page_of(app) and "reading …" not in page_of(app))
        await append(settings, 400, 200)
        await until(lambda: app.view.fold("account").seq == 600)
        await until(lambda: f"{len(app.view.accounts)}" in text_of(app))
        state = app.view.accounts[app.panes.accounts.selected_key or ""]
        await until(lambda: f"{len(state.out_shares):,} shared by it" in page_of(app))
        await until(lambda: "reading …" not in page_of(app) and "?" not in page_of(app))


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
        await until(lambda: "owner" in page_of(app) and "shared_with" not in page_of(app))


async def test_yesterday_is_compared_with_now_in_two_keys(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        last = app.panes.timeline.selected_event
        assert last is not None
        app.navigator.open(DocumentPlace(ACCOUNTS.name, last.origin))
        await pilot.press("equals_sign", "enter")
        await until(lambda: "then and now" in text_of(app) and "changed" in page_of(app))
        assert f"+ out_shares[{last.catalog}" in page_of(app)
        await pilot.press("equals_sign", *"never", "enter")
        assert "never is not a sequence (4711)" in text_of(app), "and what was typed stays"
        await pilot.press("escape", "escape")
        await until(lambda: "shared with it" in page_of(app))


async def test_two_past_moments_are_not_called_then_and_now(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.type(":300")
        await pilot.press("ctrl+t")
        await until(lambda: "AS OF 300" in text_of(app))
        app.navigator.open(DocumentPlace(CATALOGS.name, "night-walks"))
        await pilot.press("equals_sign", "ctrl+u", *"100", "enter")
        await until(
            lambda: "night-walks: two moments" in text_of(app) and "changed" in page_of(app)
        )
        assert "then and now" not in text_of(app)


async def test_the_past_is_compared_with_now_in_two_keys(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        last = app.panes.timeline.selected_event
        assert last is not None
        app.navigator.open(DocumentPlace(ACCOUNTS.name, last.origin))
        await pilot.press("colon", *"399", "ctrl+t")
        await until(lambda: "AS OF 399" in text_of(app))
        await pilot.press("equals_sign", "enter")
        await until(lambda: "1 field changed" in page_of(app))
        assert "shown: 399" in page_of(app)
        assert "later: 400" in page_of(app)
        assert f"+ out_shares[{last.catalog}" in page_of(app)


async def test_returning_to_now_keeps_the_selected_projector(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("colon", *"200", "ctrl+t")
        await until(lambda: "AS OF 200" in text_of(app))
        await pilot.press("4", "t")
        await until(lambda: "AS OF" not in text_of(app))
        await pilot.pause()
        assert "Projector account" in text_of(app)


async def test_a_document_is_seen_as_of_a_moment_without_leaving_it(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        key, state = an_account_that_shares(app)
        app.navigator.open(DocumentPlace(ACCOUNTS.name, key))
        await until(lambda: "shared by it" in page_of(app))
        await pilot.press("colon", *"200", "ctrl+t")
        await until(lambda: app.view.moment is not None and app.view.moment.seq == 200)
        before = app.view.accounts.get(key)
        assert before is None or before.out_shares.keys() != state.out_shares.keys()
        count = 0 if before is None else len(before.out_shares)
        shares = f"{count:,} shared by it" if count else "nothing is shared by it"
        await until(lambda: shares in page_of(app))
        assert app.panes.accounts.selected_key == key
        await pilot.press("t")
        await until(lambda: f"{len(state.out_shares):,} shared by it" in page_of(app))


async def test_a_text_is_found_in_what_the_inspector_shows(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("2", "j", "J")
        await until(lambda: '"out_shares": [' in text_of(app))
        inspector = app.panes.inspector
        await pilot.press("5", "slash", *"oauth_id", "enter")
        assert inspector.has_focus
        await until(lambda: "/oauth_id · 1 line" in text_of(app) and '"oauth_id"' in text_of(app))
        await pilot.press("slash", *"catalog", "enter", "g")
        top = inspector.scroll_offset.y
        await pilot.press("n", "n")
        assert inspector.scroll_offset.y > top
        await pilot.press("escape")
        await until(lambda: "/catalog" not in text_of(app))


async def test_accounts_of_one_name_are_shown_with_their_keys(settings: ConnectionSettings) -> None:
    link = await Link.open(settings)
    log = await EventLog.create(link, NATSTER, LogSettings())
    for account in ("A" + "B" * 55, "A" + "C" * 55):
        subject = NATSTER.subject_of(EventType.INITIALIZED, account)
        payload = b'{"account_name":"Anna"}'
        await log.append_all(
            [Append(subject, payload, ((MESSAGE_ID, account),))], expected_last=None
        )
    await link.close()
    async with dashboard(settings) as (app, pilot):
        await until(lambda: "Anna ABBB…BBB" in text_of(app) and "Anna ACCC…CCC" in text_of(app))
        await pilot.press("1", "slash")
        await pilot.type('account:"Anna ACCC"\r')
        await until(lambda: app.workspace.timeline_filter.shown is not None)
        filtered = app.workspace.timeline_filter.shown
        assert filtered is not None
        await until(lambda: filtered.is_complete(2))
        assert list(filtered.seqs) == [2]


async def test_parked_rows_say_who_whom_and_why(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("exclamation_mark")
        await until(lambda: "(4 of 400)" in text_of(app))
        await until(lambda: "none is no catalog" in text_of(app) and "unknown: " in text_of(app))
        assert "unreadable web context" in text_of(app)
        assert "natster.events." not in text_of(app).split("5 Event")[0]


async def test_hazards_are_in_the_header_at_80_columns(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings, size=(80, 24)) as (app, _pilot):
        # The hazards may be known before the projectors are.
        await until(lambda: all(w in text_of(app).split("\n")[0] for w in ("⚠ 1", "in sync")))
