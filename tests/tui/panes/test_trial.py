"""A projection that is tried in the dashboard: shown, never stored, folded again at each save."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.projections.registering.tried import TriedFile
from natster_tui.store.connection.link import Link
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.jetstream import ask_jetstream
from tests.projections import activity
from tests.projections.activity import ActivityProjection
from tests.tui.running import append, dashboard
from tests.tui.scenes import projected, text_of

HISTORY = 400


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "activity.py"
    file.write_text(Path(activity.__file__).read_text())
    return file


async def test_it_is_shown_in_the_panes_and_follows_its_file(
    settings: ConnectionSettings, file: Path
) -> None:
    await projected(settings)
    async with dashboard(settings, tried=TriedFile(file)) as (app, pilot):
        projector = app.workspace.projectors["activity.try"]
        await until(lambda: projector.fold.seq == HISTORY)
        await until(lambda: "Activity documents, tried: not stored" in text_of(app))
        await until(lambda: "tried, not stored" in text_of(app))
        key = next(iter(projector.fold.states))

        def events() -> int:
            state = projector.fold.states.get(key)
            return 0 if state is None else int(state.events)

        before = events()

        text = file.read_text()
        file.write_text(text.replace("document.events + 1", "document.events + 2"))
        await until(lambda: events() == 2 * before - 1)
        await until(lambda: projector.fold.seq == HISTORY)
        file.write_text("class Broken(:\n")
        await until(lambda: "line 1 does not load: SyntaxError" in text_of(app))
        assert events() == 2 * before - 1
        # A field that is new has its column, as it would have after a start.
        file.write_text(text.replace("last_seen: int\n", "last_seen: int\n    size: int = 7\n"))
        pane = app.panes.documents["activity.try"]
        await until(lambda: "size" in pane.declared.headings)
        file.write_text(text)
        await until(lambda: events() == before and "size" not in pane.declared.headings)

        # It is in every pane's answers, and lives on with the log.
        await append(settings, HISTORY, 3)
        await until(lambda: projector.fold.seq == HISTORY + 3)
        await until(lambda: app.view.behind(projector) == 0)
        await pilot.press("6")
        assert app.panes.documents["activity.try"].has_focus
        await pilot.press("v")
        await until(lambda: "nothing is stored in PROJ_ACTIVITY yet" in text_of(app))
        await until(lambda: "clock) gives the same" in text_of(app))


async def test_it_is_shown_next_to_the_version_in_use_and_never_written(
    settings: ConnectionSettings, link: Link, file: Path
) -> None:
    await projected(settings)
    projections = (*PROJECTIONS, ActivityProjection())
    file.write_text(file.read_text().replace("document.events + 1", "document.events + 2"))
    async with dashboard(settings, projections=projections, tried=TriedFile(file)) as (app, pilot):
        ours, tried = (app.workspace.projectors[name] for name in ("activity", "activity.try"))
        await until(lambda: ours.fold.seq == tried.fold.seq == HISTORY)
        assert ours.fold.states != tried.fold.states
        await until(lambda: ours.status.stored == HISTORY)
        assert tried.status.commits == 0
        # What is stored is as far as it is, and that is no lag of what is only tried.
        tried.status.stored = HISTORY - 100
        assert app.view.behind(tried) == 0
        # Its difference is one key away.
        await pilot.press("7", "v")
        await until(lambda: "~ events in" in text_of(app) and "gives the same" in text_of(app))
        await pilot.press("escape", "r")
        await until(lambda: "activity.try is only tried" in text_of(app))
        # A rebuild of everything leaves it out.
        await pilot.press("1", "r")
        await until(lambda: "account and catalog and activity from the log" in text_of(app))
        await pilot.press("escape")
    stored = await ask_jetstream(link, "STREAM.NAMES")
    assert "KV_PROJ_ACTIVITY" in str(stored)
    assert "try" not in str(stored)


async def test_a_document_that_cannot_be_stored_is_said_and_ends_nothing(
    settings: ConnectionSettings, file: Path
) -> None:
    file.write_text(file.read_text().replace("first_seen=event.time", "first_seen=10**40"))
    await projected(settings)
    async with dashboard(settings, tried=TriedFile(file)) as (app, keys):
        await until(lambda: "cannot be stored" in text_of(app))
        await keys.press("6", "j", "J", "y", "j", "w")
        assert app.is_running


async def test_its_row_and_the_problems_page_say_that_no_process_writes_it(
    settings: ConnectionSettings, file: Path
) -> None:
    await projected(settings)
    async with dashboard(settings, tried=TriedFile(file)) as (app, pilot):
        await until(lambda: app.workspace.projectors["activity.try"].fold.seq == HISTORY)
        await pilot.press("4", "end")
        await until(lambda: "Projector activity.try" in text_of(app))
        await until(lambda: "not asked for: only tried" in text_of(app))
        await pilot.press("e")
        await until(lambda: "lease not asked for: only tried" in text_of(app))


async def test_after_a_save_time_travel_shows_the_saved_rule(
    settings: ConnectionSettings, file: Path
) -> None:
    await projected(settings)
    async with dashboard(settings, tried=TriedFile(file)) as (app, pilot):
        projector = app.workspace.projectors["activity.try"]
        await until(lambda: projector.fold.seq == HISTORY)
        key = next(iter(projector.fold.states))

        def events(states: Mapping[str, Any]) -> int:
            return int(states[key].events) if key in states else 0

        def shown() -> int:
            moment = app.view.moment
            return 0 if moment is None else events(moment.pasts["activity.try"].states)

        before = events(projector.fold.states)
        await pilot.press("t")
        await until(lambda: shown() == before)
        await pilot.press("t")
        await until(lambda: app.view.moment is None)
        text = file.read_text()
        file.write_text(text.replace("document.events + 1", "document.events + 2"))
        await until(lambda: events(projector.fold.states) == 2 * before - 1)
        await until(lambda: projector.fold.seq == HISTORY)
        await pilot.press("t")
        await until(lambda: shown() == 2 * before - 1)
