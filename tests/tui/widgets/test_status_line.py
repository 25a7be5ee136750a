"""The line at the top says the state at every width."""

from __future__ import annotations

import pytest

from natster_tui.engine.projecting.status import Phase
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.widgets.status_line import StatusLine
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


@pytest.mark.parametrize("phase", [Phase.OFFLINE, Phase.LOADING])
async def test_what_is_stored_is_not_called_in_sync_before_it_was_loaded(
    settings: ConnectionSettings, phase: Phase
) -> None:
    await projected(settings)
    async with dashboard(settings, size=(140, 40)) as (app, _pilot):
        await until(lambda: "in sync" in text_of(app))
        app.workspace.projectors["catalog"].status.phase = phase
        app.refresher.at_once()
        await until(lambda: "in sync" not in text_of(app))


async def test_what_one_projector_has_folded_the_other_one_lacks_and_is_behind(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings, size=(140, 40)) as (app, _pilot):
        await until(lambda: "in sync" in text_of(app))
        # A long batch came in, and the timeline has not shown it yet: it rests while keys come.
        status = app.workspace.projectors["account"].status
        status.position = status.stored = 2_400
        app.refresher.at_once()
        assert app.workspace.follower.head == 400
        await until(lambda: "head 2,400" in text_of(app))
        assert "2,000 behind" in text_of(app)
        assert "in sync" not in text_of(app)
        assert "lag 2,000" in text_of(app)


async def test_the_header_and_the_projectors_pane_never_disagree(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings, size=(140, 40)) as (app, _pilot):
        await until(lambda: "in sync" in text_of(app))
        pane, header = app.panes.projectors, app.query_one(StatusLine)
        timeline, bars, *_ = app.screen_updates.updates
        app.workspace.follower.head += 2_000
        timeline()
        # The focus comes, so the pane is painted although it was not updated.
        assert "lag" not in pane.render_line(0).text
        bars()
        assert "2,000 behind" in str(header.content)
        assert "lag 2,000" in pane.render_line(0).text


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
