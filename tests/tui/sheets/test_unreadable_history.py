"""A page whose events cannot all be read says so, and does not read them again and again."""

from __future__ import annotations

import pytest

from natster_tui.errors import ServerError
from natster_tui.projections.registering.registry import ACCOUNTS
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.places.place import DocumentPlace
from natster_tui.tui.sheets import stories
from tests.conftest import until
from tests.tui.running import append, dashboard
from tests.tui.scenes import page_of, projected


async def test_a_history_that_cannot_be_read_is_asked_for_once(
    settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await projected(settings)
    reads = 0

    async def refused(*_: object) -> None:
        nonlocal reads
        reads += 1
        raise ServerError("the server refused to make a consumer")

    monkeypatch.setattr(stories, "read_story", refused)
    async with dashboard(settings, size=(140, 60)) as (app, _pilot):
        key = next(iter(app.view.accounts))
        app.navigator.open(DocumentPlace(ACCOUNTS.name, key))
        await until(lambda: "history: the server refused to make a consumer" in page_of(app))
        await append(settings, 400, 20)
        await until(lambda: app.view.fold("account").seq == 420)
        app.refresher.at_once()
        assert reads == 1
