"""What a person does in the dashboard, key by key, on a real server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from natster_tui.demo.community import DemoCommunity
from natster_tui.engine.workspace import Connection
from natster_tui.events.event import MESSAGE_ID, OCCURRED_AT, Record
from natster_tui.events.times import age, format_timestamp
from natster_tui.projections.registering.registry import ACCOUNTS, PROJECTIONS
from natster_tui.store.log import Append, EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.panes.inspector import Inspector
from natster_tui.tui.screens.rebuild import RebuildScreen
from tests.conftest import until
from tests.folding import fold_all
from tests.reading_buckets import put_value
from tests.tui.running import append, dashboard
from tests.tui.scenes import NOW, community, page_of, projected, tampered, text_of


async def test_live_events_appear_and_are_projected(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, _pilot):
        await append(settings, 400, 30)
        await until(lambda: "head 430" in text_of(app))
        await until(lambda: all(p.status.stored == 430 for p in app.workspace.projectors.values()))
        await until(lambda: app.panes.timeline.selected_seq == 430)


async def test_scrolling_up_stops_following_and_counts_what_is_new(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        timeline = app.panes.timeline
        await pilot.press("k", "k")
        assert timeline.selected_seq == 398
        await append(settings, 400, 25)
        await until(lambda: "25 new" in text_of(app))
        assert timeline.selected_seq == 398
        await pilot.press("G")
        await until(lambda: timeline.selected_seq == 425)
        assert timeline.following


async def test_a_filter_gives_the_event_back_that_it_was_begun_from(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        timeline = app.panes.timeline
        await pilot.press("colon", *"300", "enter")
        assert timeline.selected_seq == 300
        # Nothing has been found yet when the first letters are in, and never anything at the end.
        await pilot.press("slash", *"account:hiro", "enter")
        await until(lambda: "account:hiro (" in text_of(app))
        await until(lambda: (timeline.selected_seq or 0) >= 300)
        await pilot.press("slash", *"nobody-says-this", "enter")
        await until(lambda: "no event passes the filter" in text_of(app))
        await pilot.press("escape")
        await until(lambda: timeline.selected_seq == 300)


async def test_any_event_of_the_log_can_be_reached(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("g")
        assert app.panes.timeline.selected_seq == 1
        await until(lambda: "natster_initialized" in text_of(app))


async def test_choosing_an_account_narrows_the_catalogs(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        catalogs = app.panes.catalogs
        assert catalogs.narrowed_to is None
        assert catalogs.row_count == len(app.workspace.catalogs) > 0
        await pilot.press("2", "j")
        key = app.panes.accounts.selected_key
        assert key is not None
        assert catalogs.narrowed_to == key
        state = app.workspace.accounts[key]
        assert catalogs.row_count == len(state.out_shares) + len(state.in_shares)
        await pilot.press("a")
        assert catalogs.narrowed_to is None


async def test_search_narrows_as_it_is_typed_and_single_keys_are_inert_meanwhile(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        accounts = app.panes.accounts
        everyone = accounts.row_count
        await pilot.press("2", "slash", *"quartet")
        assert app.is_running  # the q of quartet did not quit
        assert 0 < accounts.row_count < everyone
        await pilot.press("enter")
        assert accounts.has_focus
        await pilot.press("escape")
        assert accounts.row_count == everyone


async def test_secrets_are_masked_and_revealed_only_when_asked(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings, size=(140, 60)) as (app, pilot):
        key, state = next(
            (key, state) for key, state in app.workspace.accounts.items() if state.bound_context
        )
        assert state.bound_context is not None
        secret = dict(state.bound_context.as_document()["bound_context"])["access_token"]
        await pilot.press("2")
        app.panes.accounts.select(key)
        await until(lambda: "access_token: ••••" in page_of(app))
        assert secret not in page_of(app)
        await pilot.press("x")
        await until(lambda: secret[:20] in text_of(app))
        await pilot.press("x")
        await until(lambda: secret[:20] not in text_of(app))


async def test_rebuild_puts_right_what_was_tampered_with_while_events_arrive(
    settings: ConnectionSettings,
) -> None:
    await tampered(settings)
    async with dashboard(settings) as (app, pilot):
        traffic = asyncio.create_task(append(settings, 400, 200))
        await pilot.press("r")
        await until(lambda: "enter replay" in text_of(app))
        await pilot.press("enter")
        await until(lambda: "w writes" in text_of(app))
        assert isinstance(app.screen, RebuildScreen)
        assert "never-shared removed" in app.screen.shown_text
        await pilot.press("w")
        await until(lambda: text_of(app).count("rebuilt and verified") == 2)
        await traffic
        await pilot.press("escape")
        await until(lambda: all(p.status.stored == 600 for p in app.workspace.projectors.values()))


async def test_one_document_is_rebuilt_and_no_other(settings: ConnectionSettings) -> None:
    await tampered(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("3", "a")
        await until(lambda: app.panes.catalogs.row_count)
        await pilot.type("/night-walks\r")
        await until(lambda: app.panes.catalogs.selected_key == "night-walks")
        await pilot.press("r", "k", "k", "k", "k", "space")
        await until(lambda: "Rebuild catalog from" in text_of(app) and "enter" in text_of(app))
        assert "[ ] account" in text_of(app)
        assert "[x] catalog" in text_of(app)
        # All before the preflight is through; a purge would want the name typed instead.
        await pilot.press("j", "j", "enter", "P", "j", "enter")
        await until(lambda: "w writes" in text_of(app))
        assert isinstance(app.screen, RebuildScreen)
        assert "catalog at 400: 0 added, 1 changed, 0 removed (1 key)" in app.screen.shown_text
        assert "never-shared" not in app.screen.shown_text
        await pilot.press("w")
        await until(lambda: "rebuilt and verified: catalog: 1 key matches" in text_of(app))
        await pilot.press("escape")
        # Of the others nothing was said.
        assert app.view.verdicts == {}
        await pilot.press("v")
        await until(lambda: "drift at 400: 2 of 40 keys" in text_of(app))


async def test_enter_alone_never_writes(settings: ConnectionSettings) -> None:
    await tampered(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("r")
        await until(lambda: "enter replay" in text_of(app))
        await pilot.press("enter")
        await until(lambda: "w writes" in text_of(app))
        assert "Replaying the log" not in text_of(app), "it has ended"
        await pilot.press("enter", "enter", "enter")
        assert "rebuilt" not in text_of(app)
        await pilot.press("escape")
        await pilot.press("v")
        await until(lambda: "drift at 400: 3 of 40 keys" in text_of(app))


async def test_purging_wants_the_names_typed(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("r")
        await until(lambda: "enter replay" in text_of(app))
        await pilot.press("P")
        await until(lambda: "purge: remove" in text_of(app) and "enter replay" in text_of(app))
        await pilot.press("enter")
        await until(lambda: "type account catalog" in text_of(app))
        await pilot.press(*"account", "enter")
        await until(lambda: "nothing was written" in text_of(app))
        await pilot.press("space", *"catalog", "enter")
        await until(lambda: text_of(app).count("rebuilt and verified") == 2)


async def test_a_projection_that_is_only_folded_here_is_not_shown_as_in_sync(
    settings: ConnectionSettings,
) -> None:
    await community(settings)
    async with dashboard(settings, read_only=True) as (app, _pilot):
        await until(lambda: "in memory" in text_of(app))
        assert "in sync" not in text_of(app)


async def test_read_only_offers_no_writing(settings: ConnectionSettings) -> None:
    await tampered(settings)
    async with dashboard(settings, read_only=True) as (app, pilot):
        await pilot.press("r")
        await until(lambda: "enter replay" in text_of(app))
        await pilot.press("enter")
        await until(lambda: "read-only: nothing can be written" in text_of(app))
        await pilot.press("w")
        assert "rebuilt" not in text_of(app)


async def test_what_stops_a_projector_is_on_screen(settings: ConnectionSettings) -> None:
    await projected(settings)
    await put_value(settings, "PROJ_ACCOUNT", "_checkpoint", b"nonsense")
    async with dashboard(settings) as (app, _pilot):
        await until(lambda: "checkpoint in PROJ_ACCOUNT is unreadable" in text_of(app))


async def test_outside_text_is_never_markup_and_never_an_escape(
    settings: ConnectionSettings, log: EventLog
) -> None:
    hostile = '{"account_name":"[@click=app.quit]x[/]\\u001b]52;c;aGk=\\u0007 \\u202eevil[/bold]"}'
    await log.append_all(
        [
            Append(
                "natster.events.AHOSTILE.none.none.natster_initialized",
                hostile.encode(),
                ((MESSAGE_ID, "[red]\x1b[31m"),),
            )
        ],
        expected_last=None,
    )
    async with dashboard(settings) as (app, pilot):
        await until(lambda: "[@click=app.quit]x[/]␛]52" in text_of(app))
        shown = text_of(app)
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        await pilot.press("2", "k", "j")
        # The chosen account's name stands in the catalogs' title, which Textual takes for markup.
        await until(lambda: "3 Known catalogs of [@click=app.quit]x[/]" in text_of(app))
        await pilot.click(app.panes.catalogs, offset=(28, 0))
        await pilot.press("5")
        await pilot.click(Inspector)
        assert app.is_running


async def test_a_server_that_comes_back_is_found_again(settings: ConnectionSettings) -> None:
    await community(settings, 50)
    async with dashboard(settings) as (app, _pilot):
        assert app.workspace.log is not None
        first = app.workspace.log.link
        await first.close()
        await until(
            lambda: (
                app.workspace.connection is Connection.CONNECTED
                and app.workspace.log is not None
                and app.workspace.log.link is not first
            )
        )
        await append(settings, 50, 10)
        await until(lambda: "head 60" in text_of(app))


async def test_a_filter_shows_what_passes_and_live_events_respect_it(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("slash", *"type:initialized", "enter")
        await until(lambda: "41 of 400" in text_of(app))
        await append(settings, 400, 60)
        expected = sum(
            event.subject.endswith(".natster_initialized")
            for event in DemoCommunity(7).history(460, NOW)
        )
        await until(lambda: f"{expected} of 460" in text_of(app))
        await pilot.press("escape")
        await until(lambda: "1 Timeline (460)" in text_of(app))


async def test_a_bad_filter_is_reported_in_the_prompt(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("slash", *"type:eaten", "enter")
        await until(lambda: "type:eaten is none of" in text_of(app))


async def test_zoom_keeps_the_status_line_and_follows_the_focus(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("5", "z")
        await until(lambda: app.panes.inspector.size.height > 30)
        assert "NATSTER_EVENTS" in text_of(app)
        await pilot.press("2")
        await until(lambda: app.panes.accounts.has_focus and app.panes.accounts.size.height > 30)
        await pilot.press("z")
        await until(lambda: app.panes.timeline.size.height > 5)


async def test_drift_that_was_found_does_not_look_like_in_sync(
    settings: ConnectionSettings,
) -> None:
    await tampered(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("v")
        await until(lambda: "drift at 400: 3 of 40 keys" in text_of(app))
        assert "- never-shared is stored, but not in the log" in text_of(app)
        assert "+ voice-memos is not stored" in text_of(app)
        assert 'stored   owner "mallory"' in text_of(app)
        assert 'the log  owner "Hiro Matsukage"' in text_of(app)
        await pilot.press("escape")
        await until(lambda: "in sync" not in text_of(app) and "drift" in text_of(app))


async def test_a_time_as_the_timeline_shows_it_can_be_jumped_to(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("colon", *"11-22 10:12", "enter")
        await until(lambda: app.panes.timeline.selected_seq == 381)


async def test_jumping_and_coming_back(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("colon", *"17", "enter")
        assert app.panes.timeline.selected_seq == 17
        await pilot.press("b")
        assert app.panes.timeline.selected_seq == 400
        await pilot.press("colon", *"2026-11-10", "enter")
        await until(lambda: 17 < (app.panes.timeline.selected_seq or 0) < 300)


async def test_why_leads_to_the_event_and_a_key_leads_back(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("2", "j", "j", "w")
        await until(lambda: "events, newest first" in text_of(app))
        await pilot.press("j", "j", "enter")
        await until(lambda: app.panes.timeline.has_focus and app.panes.timeline.selected_seq != 400)
        jumped = app.panes.timeline.selected_seq
        assert jumped is not None
        key = app.panes.accounts.selected_key
        assert key is not None
        await until(lambda: app.workspace.follower.get(jumped) is not None)
        record = app.workspace.follower.get(jumped)
        assert record is not None
        assert key in record.subject
        await pilot.press("b")
        assert app.panes.accounts.has_focus
        assert app.panes.accounts.selected_key == key
        await pilot.press("B")
        assert app.panes.timeline.has_focus
        assert app.panes.timeline.selected_seq == jumped


async def test_change_shows_before_and_after_of_what_the_event_touched(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("colon", *"1", "enter", "c")
        await until(lambda: "(made by this event)" in text_of(app))
        await until(lambda: 'account_name "Natster Hub"' in text_of(app))
        await pilot.press("c")
        await until(lambda: "5 Event 1" in text_of(app))


async def test_travelling_shows_every_pane_as_of_then_and_one_key_returns(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await until(lambda: app.panes.accounts.row_count)
        everyone = app.panes.accounts.row_count
        await pilot.press("colon", *"100", "enter", "t")
        await until(lambda: "AS OF 100" in text_of(app))
        then = {
            projection.name: fold_all(projection, records_of(100)).documents()
            for projection in PROJECTIONS
        }
        for name, documents in then.items():
            assert app.view.fold(name).documents() == documents
        await until(lambda: app.panes.accounts.row_count == len(then["account"]))
        assert app.panes.accounts.row_count < everyone
        await append(settings, 400, 5)
        await until(lambda: "5 new events since you left" in text_of(app))
        await pilot.press("left_square_bracket")
        await until(lambda: "AS OF 99" in text_of(app))
        await pilot.press("right_square_bracket")
        await until(lambda: "AS OF 100" in text_of(app))
        await pilot.press("t")
        await until(lambda: "AS OF" not in text_of(app))
        await until(lambda: app.panes.accounts.row_count >= everyone)
        assert len(app.workspace.accounts) >= everyone


async def test_ages_count_back_from_the_moment_travelled_to(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("colon", *"100", "enter", "t")
        await until(lambda: "AS OF 100" in text_of(app))
        assert app.view.moment is not None
        key, state = next(iter(app.view.accounts.items()))
        then = age(app.view.moment.time - state.initialized_at)
        assert then != age(NOW - state.initialized_at)
        name = app.view.names.of(key)
        await until(lambda: any(name in each and then in each for each in text_of(app).split("\n")))


async def test_travelling_to_a_time_before_all_is_empty(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await until(lambda: app.panes.accounts.row_count)
        await pilot.press("t")
        await until(lambda: "AS OF 400" in text_of(app))
        await pilot.type(":2001-01-01 10:00\r")
        await until(lambda: "AS OF 0, before everything" in text_of(app))
        await until(lambda: app.panes.accounts.row_count == 0)
        await pilot.press("right_square_bracket")
        await until(lambda: "AS OF 1," in text_of(app))


def records_of(count: int) -> list[Record]:
    """The community's first events, as a log holds them."""
    return [
        Record(
            seq,
            NOW * 1_000_000_000,
            event.subject,
            event.payload,
            ((OCCURRED_AT, format_timestamp((event.time or NOW) * 1_000_000_000)),),
        )
        for seq, event in enumerate(DemoCommunity(7).history(400, NOW - 12)[:count], 1)
    ]


async def test_parked_events_can_be_seen_alone_with_what_would_be_needed(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("exclamation_mark")
        await until(lambda: "(4 of 400)" in text_of(app))
        await until(lambda: "needed" in text_of(app))
        await pilot.press("exclamation_mark")
        await until(lambda: "1 Timeline (400)" in text_of(app))


async def test_copying_masks_and_keeps_a_private_file(
    settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda _name: str(tmp_path / "cache"))
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("colon", *"5", "enter")
        await until(lambda: app.panes.timeline.selected_event is not None)
        await pilot.press("y")
        copied = tmp_path / "cache" / "copied.json"
        await until(copied.exists)
        line = json.loads(copied.read_text())
        assert line["seq"] == 5
        assert "••••" in json.loads(line["payload"])["bound_context"]["access_token"]
        assert copied.stat().st_mode & 0o777 == 0o600
        assert app.clipboard.strip() == copied.read_text().strip()


async def test_after_a_dialog_commands_are_about_the_row_that_they_were_about(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("2", "j", "w")
        await until(lambda: "events, newest first" in text_of(app))
        why = app.screen
        await pilot.press("escape")
        chosen = app.panes.chosen_document
        assert chosen is not None
        assert (chosen.projection, chosen.key) == (ACCOUNTS, app.panes.accounts.selected_key)
        await pilot.press("z")
        await until(lambda: app.panes.accounts.size.height > 30)
        await pilot.press("z", "w")
        assert type(app.screen) is type(why)
