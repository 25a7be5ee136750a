"""The line at the top says the state at every width."""

from __future__ import annotations

import pytest

from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.tui.running import dashboard
from tests.tui.scenes import projected, text_of


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (80, " head 400 0/s  ● projecting  ✓ in sync  ⚠ 1 "),
        (58, " local  head 400  ● projecting  ✓ in sync  ⚠ 1 "),
        (40, " local  ● projecting  ⚠ 1 "),
        (30, " natster  ● projecting  ⚠ 1 "),
    ],
)
async def test_the_rate_is_left_out_first_then_the_head_and_never_the_state(
    settings: ConnectionSettings, columns: int, said: str
) -> None:
    await projected(settings)
    async with dashboard(settings, size=(columns, 16)) as (app, _pilot):
        app.workspace.server_shown = "local"
        await until(lambda: said in text_of(app).splitlines()[0])


async def test_a_low_terminal_shows_the_timeline_from_the_beginning(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings, size=(40, 10)) as (app, pilot):
        await until(lambda: "1 Timeline (400)" in text_of(app))
        assert app.focused is app.panes.timeline
        await pilot.press("2")
        await until(lambda: "2 Accounts (40)" in text_of(app))
        assert "Timeline" not in text_of(app)
