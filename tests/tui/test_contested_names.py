"""A notice comes when a catalog name becomes contested."""

from __future__ import annotations

import pytest

from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.actions import contested_names
from natster_tui.tui.app import Dashboard
from tests.conftest import until
from tests.making_logs import append, initialized, shared
from tests.tui.running import dashboard
from tests.tui.scenes import text_of


def notices(app: Dashboard) -> list[str]:
    return [note.message for note in app._notifications]


async def test_a_name_that_becomes_contested_is_noticed_once_and_old_ones_are_not(
    log: EventLog, settings: ConnectionSettings
) -> None:
    people = [initialized("ANN", "Ann"), initialized("BOB", "Bob"), initialized("CYD", "Cyd")]
    old = [shared("ANN", "BOB", "jazz"), shared("BOB", "ANN", "jazz"), shared("ANN", "BOB", "rock")]
    await append(log, [*people, *old])
    async with dashboard(settings) as (app, pilot):
        await until(lambda: app.screen_updates.contested._known == {"jazz"})
        assert notices(app) == []
        await append(log, [shared("BOB", "CYD", "rock"), shared("CYD", "ANN", "jazz")])
        await until(lambda: notices(app) != [])
        (sentence,) = notices(app)
        assert sentence.startswith("rock is contested: Bob shared a catalog of that name too")
        assert "it belongs to Ann" in sentence
        # No key asked for it, so no key ends it; what answers a key goes with the next one.
        await pilot.press("j")
        assert notices(app) == [sentence]
        app.clear_notifications()
        await pilot.press("n")
        assert notices(app) == ["nothing was filtered for yet: press / in the timeline first"]
        await pilot.press("j")
        await until(lambda: "nothing was filtered" not in text_of(app))
        assert notices(app) == []


async def test_names_that_become_contested_soon_after_a_notice_wait_for_the_next_one(
    log: EventLog, settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contested_names, "PAUSE_S", 3_600.0)
    people = [initialized("ANN", "Ann"), initialized("BOB", "Bob"), initialized("CYD", "Cyd")]
    await append(log, [*people, shared("ANN", "BOB", "rock"), shared("ANN", "BOB", "jazz")])
    async with dashboard(settings) as (app, _pilot):
        contested = app.screen_updates.contested
        await until(lambda: contested._known == set())
        await append(log, [shared("BOB", "CYD", "rock")])
        await until(lambda: len(notices(app)) == 1)
        await append(log, [shared("BOB", "CYD", "jazz")])
        await until(lambda: [*contested._waiting] == ["jazz"])
        assert len(notices(app)) == 1
        contested._pauses_until = 0.0
        await until(lambda: len(notices(app)) == 2)
        assert notices(app)[-1].startswith("jazz is contested")
