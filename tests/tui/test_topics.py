"""The documentation's topics behind the help page."""

from __future__ import annotations

from collections.abc import Sequence

from natster_tui import docs
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.tui.running import dashboard
from tests.tui.scenes import text_of


def lists(topics: Sequence[docs.Topic], text: str) -> bool:
    return all(f"{each.name} " in text for each in topics)


async def test_each_topic_is_listed_and_opens_from_the_help_page(
    settings: ConnectionSettings,
) -> None:
    topics = docs.topics()
    async with dashboard(settings, size=(120, 40)) as (app, pilot):
        await pilot.press("question_mark")
        await until(lambda: "In this pane" in text_of(app))
        await pilot.press("ctrl+t")
        await until(lambda: lists(topics, text_of(app)))
        await pilot.press("j", "j", "k", "enter")
        await until(lambda: topics[1].summary in text_of(app) and "Topics" not in text_of(app))
        await pilot.press("escape", "escape")
        await until(lambda: "In this pane" in text_of(app))
