"""A click runs no action that an event asks for, and what is copied or exported holds no secret."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from natster_tui.engine.headless import project_until_caught_up
from natster_tui.events.natster import NATSTER
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.app import Dashboard
from tests.conftest import until
from tests.hostile import SECRETS, secrets_in, write_foreign_entries, write_hostile_log
from tests.tui.running import dashboard
from tests.tui.scenes import text_of

MARKUP = "[@click="
CLICKS = 6
"""In each view: a cell of so many places where markup stands."""


async def hostile(settings: ConnectionSettings) -> int:
    link = await Link.open(settings)
    log = await EventLog.create(link, NATSTER, LogSettings())
    head = await write_hostile_log(settings)
    await project_until_caught_up(log, PROJECTIONS, "test")
    await link.close()
    return head


async def click_on_markup(app: Dashboard, pilot: Pilot[None]) -> int:
    """Click on cells where markup is shown; returns on how many."""
    cells = [
        (cell_len(line[:at]) + len(MARKUP) + 1, y)
        for y, line in enumerate(text_of(app).split("\n"))
        for at in range(len(line))
        if line.startswith(MARKUP, at)
    ]
    for cell in cells[:CLICKS]:
        await pilot.click(offset=cell)
    return min(len(cells), CLICKS)


def actions_in_styles(app: Dashboard) -> list[object]:
    """What a click would run, anywhere on the screen."""
    return [
        segment.style.meta
        for strip in app.screen._compositor.render_strips()
        for segment in strip
        if segment.style is not None and "@click" in segment.style.meta
    ]


@pytest.mark.full
async def test_no_action_runs_on_a_click(
    settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = await hostile(settings)
    ran: list[object] = []
    run_action = Dashboard.run_action

    async def noted(self: Dashboard, action: object, *rest: object) -> bool:
        ran.append(action)
        return await run_action(self, action, *rest)  # type: ignore[arg-type]

    async with dashboard(settings) as (app, pilot):

        async def check(*keys: str, shown: str) -> None:
            await pilot.press(*keys)
            await until(lambda: shown in text_of(app))
            assert MARKUP in text_of(app), f"nothing to click on in {shown}"
            with monkeypatch.context() as patch:
                patch.setattr(Dashboard, "run_action", noted)
                assert await click_on_markup(app, pilot) > 0
            assert ran == []
            assert actions_in_styles(app) == []
            assert app.is_running

        await check(shown=f" Event {head} ")  # markup at the end of its subject
        await check("colon", *"32", "enter", shown=" Event 32 ")
        await check("colon", *"32", "enter", "w", shown="Why account")
        await pilot.press("escape")
        await check("2", "slash", *MARKUP, "enter", shown="of 2")
        await pilot.press("escape")
        await write_foreign_entries(settings, "PROJ_ACCOUNT", "PROJ_CATALOG")
        await check("v", shown="drift at")
        await pilot.press("escape")
        await pilot.press("r")
        await until(lambda: "reading them takes" in text_of(app))
        await check("enter", shown="w writes")


@pytest.mark.full
async def test_what_is_copied_or_exported_holds_no_secret(
    settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda _name: str(tmp_path / "a" / "cache"))
    head = await hostile(settings)
    kept = tmp_path / "a" / "cache" / "copied.json"
    async with dashboard(settings) as (app, pilot):

        async def copied(*keys: str) -> str:
            app._clipboard = ""
            await pilot.press(*keys, "y")
            await until(lambda: app.clipboard)
            assert kept.read_text() == app.clipboard + "\n"
            assert app.clipboard.isascii()
            assert app.clipboard.isprintable()
            return app.clipboard

        worst = (head - 11, head - 10, head - 9)
        texts = [await copied("colon", *str(seq), "enter") for seq in worst]
        texts.append(await copied("2"))
        texts.append(await copied("j"))
        texts.append(await copied("3", "a"))
        assert secrets_in("".join(texts)) == []
        event = json.loads(texts[0])
        assert event["headers"]["Authorization"] == "••••"
        assert event["headers"]["X-Api-Key"] == "••••"

        monkeypatch.chdir(tmp_path)
        exported = tmp_path / "natster-events.jsonl"
        await pilot.press("1", "o", "enter")
        await until(lambda: f"exported {head} events" in text_of(app))
        assert len(exported.read_text().splitlines()) == head
        assert secrets_in(exported.read_text()) == []
    for path in (kept, exported):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.full
async def test_secrets_show_when_asked_for_and_go_again(
    settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("natster_tui.tui.panes.reveal_timer.REVEAL_S", 1.0)
    head = await hostile(settings)
    async with dashboard(settings, size=(140, 120)) as (app, pilot):
        await pilot.press("colon", *str(head - 10), "enter")
        await until(lambda: f" Event {head - 10} " in text_of(app))
        assert secrets_in(text_of(app)) == []
        await pilot.press("x")
        await until(lambda: SECRETS["a header"] in text_of(app))
        assert "a JWT" in secrets_in(text_of(app))
        await until(lambda: secrets_in(text_of(app)) == [])
