"""What is copied and exported: through the terminal's clipboard, a file beside it, masked."""

from __future__ import annotations

import base64
import errno
import json
import re
from pathlib import Path

import pytest
from textual.drivers.headless_driver import HeadlessDriver

from natster_tui.engine.log import masked_export
from natster_tui.errors import UsageError
from natster_tui.events.event import Record
from natster_tui.events.log.lines import BadLineError, decode_line
from natster_tui.events.natster import NATSTER
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.app import Dashboard
from natster_tui.tui.screens.pages.community import CommunityScreen
from natster_tui.tui.widgets.text_field import Field
from tests.conftest import until
from tests.making_logs import A, B, C, append, shared
from tests.tui.keyboard import Keyboard, type_at_once
from tests.tui.running import dashboard
from tests.tui.scenes import Scene, projected, staged_scene, text_of
from tests.tui.test_sealed_dashboard import one_account

MASK = "••••"
OSC_52 = re.compile("\x1b\\]52;c;([A-Za-z0-9+/=]*)\x07")


class Clipboard:
    """What the program put on the terminal's clipboard, and the file that it wrote as well."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
        self.copies: list[str] = []
        self.file = cache / "copied.json"
        monkeypatch.setattr("platformdirs.user_cache_dir", lambda _name: str(cache))
        monkeypatch.setattr(HeadlessDriver, "write", lambda _driver, data: self._see(data))

    def _see(self, data: str) -> None:
        self.copies += [base64.b64decode(each).decode() for each in OSC_52.findall(data)]

    async def after(self, pilot: Keyboard, *keys: str) -> str:
        """What the keys put there."""
        before = len(self.copies)
        await pilot.press(*keys)
        await until(lambda: len(self.copies) > before)
        return self.copies[-1]


@pytest.fixture
def clipboard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Clipboard:
    return Clipboard(monkeypatch, tmp_path / "cache")


async def at_the_first_login(app: Dashboard, pilot: Keyboard) -> tuple[str, str]:
    """Put the cursor on an event that binds a web login; its account, and a secret in it."""
    key, state = next((k, s) for k, s in app.workspace.accounts.items() if s.bound_context)
    assert state.bound_context is not None
    secret = state.bound_context.as_document()["bound_context"]["access_token"]
    await pilot.type(f"/type:bound from:{key}\r")

    def is_there() -> bool:
        event = app.panes.timeline.selected_event
        return event is not None and (event.origin, event.type) == (key, "context_bound")

    await until(is_there)
    return key, secret


async def test_a_row_is_copied_masked_unless_its_secrets_are_revealed(
    settings: ConnectionSettings, clipboard: Clipboard
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        key, secret = await at_the_first_login(app, pilot)
        event = await clipboard.after(pilot, "y")
        assert json.loads(json.loads(event)["payload"])["bound_context"]["access_token"] == MASK
        assert secret not in event
        await until(lambda: clipboard.file.exists() and clipboard.file.read_text() == f"{event}\n")
        assert clipboard.file.stat().st_mode & 0o777 == 0o600

        await pilot.press("2")
        app.panes.accounts.select(key)
        document = await clipboard.after(pilot, "y")
        copied = json.loads(document)
        assert list(copied) == list(json.loads(app.view.fold("account").document(key) or b""))
        assert copied["bound_context"]["bound_context"]["access_token"] == MASK
        await until(lambda: clipboard.file.read_text() == f"{document}\n")

        # Revealed they go to the clipboard, and to no file.
        await pilot.press("x")
        open_document = await clipboard.after(pilot, "y")
        assert open_document.encode() == app.view.fold("account").document(key)
        assert secret in open_document
        assert secret in await clipboard.after(pilot, "1", "y")
        await until(lambda: "with its secrets" in text_of(app))
        assert clipboard.file.read_text() == f"{document}\n"


async def test_what_the_focused_pane_shows_is_what_is_copied(
    settings: ConnectionSettings, clipboard: Clipboard
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("4")
        await until(lambda: "Projector account" in text_of(app))
        copied = await clipboard.after(pilot, "y")
        assert copied.startswith("Projector account\nstate       projecting")
        await pilot.press("2")
        await until(lambda: "shared with it" in text_of(app) or "shared by it" in text_of(app))
        assert await clipboard.after(pilot, "y") == await clipboard.after(pilot, "y")
        assert json.loads(clipboard.copies[-1])["account_name"] == "Natster Hub"
        await pilot.press("5")
        copied = await clipboard.after(pilot, "y")
        assert copied.startswith("Account Natster Hub\nkey         A")
        await pilot.press("J")
        assert json.loads(await clipboard.after(pilot, "y"))["account_name"] == "Natster Hub"


async def test_a_copy_has_the_row_that_was_just_selected(
    settings: ConnectionSettings, clipboard: Clipboard
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, _pilot):
        await until(lambda: "5 Event 400" in text_of(app))
        # Typed in one piece, before the inspector shows the projector.
        type_at_once(app, "4y")
        await until(lambda: clipboard.copies != [])
        assert clipboard.copies[-1].startswith("Projector account\n")


async def test_a_row_is_copied_to_the_clipboard_even_if_no_file_can_be_written(
    settings: ConnectionSettings, clipboard: Clipboard
) -> None:
    await projected(settings)
    clipboard.file.parent.write_text("a file where the directory should be")
    async with dashboard(settings) as (app, pilot):
        await pilot.press("3", "a")
        name = app.panes.catalogs.selected_key
        assert json.loads(await clipboard.after(pilot, "y"))["catalog_name"] == name
        await until(lambda: "copied the catalog" in text_of(app))
        assert "no file either" in text_of(app)


async def test_prize_candidates_are_copied_even_if_no_file_can_be_written(
    settings: ConnectionSettings, clipboard: Clipboard
) -> None:
    await projected(settings)
    clipboard.file.parent.write_text("a file where the directory should be")
    async with dashboard(settings) as (app, pilot):
        await pilot.press("m")
        await until(lambda: isinstance(app.screen, CommunityScreen))
        assert "\tA" in await clipboard.after(pilot, "y")
        await until(lambda: "no file either" in text_of(app))


async def test_what_is_too_large_for_a_clipboard_is_copied_to_a_file_that_a_note_names(
    settings: ConnectionSettings, clipboard: Clipboard
) -> None:
    link = await Link.open(settings)
    log = await EventLog.create(link, NATSTER, LogSettings())
    await append(log, [shared(A, B, payload=json.dumps("x" * 120_000).encode())])
    await link.close()
    async with dashboard(settings) as (app, pilot):
        await until(lambda: app.panes.record is not None)
        await pilot.press("y")
        # A note is broken into lines.
        await until(lambda: "copied.json" in text_of(app))
        assert "is too large" in text_of(app)
        assert len(json.loads(clipboard.file.read_text())["payload"]) > 120_000
        assert clipboard.file.stat().st_mode & 0o777 == 0o600
        await pilot.press("x", "y")
        await until(lambda: "--reveal" in text_of(app))
    assert clipboard.copies == []


async def test_what_a_filter_shows_is_exported_masked_and_overwrites_nothing(
    settings: ConnectionSettings, clipboard: Clipboard, tmp_path: Path
) -> None:
    await projected(settings)
    path = tmp_path / "some.jsonl"
    async with dashboard(settings) as (app, pilot):
        await pilot.type("/type:bound seq:1..200\r")
        await until(
            lambda: (
                app.workspace.timeline_filter.shown is not None
                and app.workspace.timeline_filter.shown.seqs
            )
        )
        filtered = app.workspace.timeline_filter.shown
        assert filtered is not None
        await until(lambda: f"({len(filtered.seqs)} of 400)" in text_of(app))
        await pilot.type(f"o{path}\r")
        await until(lambda: f"exported {len(filtered.seqs)} events" in text_of(app))
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        assert [line["seq"] for line in lines] == list(filtered.seqs)
        for line in lines:
            assert line["subject"].endswith(".context_bound")
            if '"bound_context"' in line["payload"]:
                assert json.loads(line["payload"])["bound_context"]["access_token"] == MASK
        assert path.stat().st_mode & 0o777 == 0o600
        before = path.read_text()
        # Masks must never get into a log, from which nothing can be removed.
        with pytest.raises(BadLineError, match="its secrets were masked"):
            decode_line(before.splitlines()[0])
        await pilot.type(f"o{path}\r")
        await until(lambda: "is there already" in text_of(app))
        assert path.read_text() == before
    assert clipboard.copies == []


async def test_a_sealed_event_is_copied_as_what_it_says_when_revealed(
    settings: ConnectionSettings, clipboard: Clipboard
) -> None:
    scene = Scene(one_account, ("colon", "2", "enter"), sealed=True)
    async with staged_scene(scene, settings) as app:
        pilot = Keyboard(app)
        await until(lambda: app.panes.record is not None)
        masked = json.loads(await clipboard.after(pilot, "y"))
        assert masked["masked"] is True
        await pilot.press("x")
        revealed = json.loads(await clipboard.after(pilot, "y"))
        assert json.loads(revealed["payload"])["oauth_id"] == "zebra|aaa"


@pytest.mark.parametrize(
    ("name", "problem"),
    [("~nobody-is-called-so/x", "no such home directory"), ("/proc/x", "cannot be written")],
)
async def test_the_prompt_says_why_a_file_cannot_be_written(
    settings: ConnectionSettings, name: str, problem: str
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("o")
        app.screen.query_one(Field).value = name
        await pilot.press("enter")
        await until(lambda: problem in text_of(app))


async def test_an_export_that_fails_midway_leaves_nothing(
    log: EventLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append(log, [shared(A, B), shared(A, C)])
    path = tmp_path / "some.jsonl"
    lines = []

    def full(record: Record) -> str:
        lines.append(record)
        if len(lines) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return "{}"

    monkeypatch.setattr(masked_export, "masked_line", full)
    with pytest.raises(UsageError, match="no space left on device"):
        await masked_export.export_file(log, path, None, "t")
    assert not path.exists()
