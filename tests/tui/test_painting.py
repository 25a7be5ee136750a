"""What is painted, and when: a line costs more than all that is behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from textual.screen import Screen

from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.widgets.scroll_view import QuietScrollBar
from natster_tui.tui.widgets.virtual_list import VirtualList
from tests.conftest import until
from tests.tui.running import append, dashboard
from tests.tui.scenes import projected, text_of


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """How many lines of each pane are painted, and how often the screen is laid out."""
    counts: Counter[str] = Counter()
    paint, lay_out = VirtualList.render_line, Screen._refresh_layout

    def painting(pane: VirtualList, y: int) -> object:
        counts[str(pane.id)] += 1
        return paint(pane, y)

    def laying_out(screen: Screen[object], *arguments: object, **named: object) -> None:
        counts["layouts"] += 1
        lay_out(screen, *arguments, **named)  # type: ignore[arg-type] # whatever Textual passes

    with (
        patch.object(VirtualList, "render_line", painting),
        patch.object(Screen, "_refresh_layout", laying_out),
    ):
        yield counts


async def test_the_cursor_s_old_and_new_line_are_painted_and_no_other(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (_app, pilot):
        await pilot.press("2")
        await pilot.pause()
        with counted() as counts:
            await pilot.press("j")
            await pilot.pause()
        assert counts["accounts"] == 2


async def test_events_that_come_in_seldom_lay_anything_out_and_leave_the_other_panes_lines_alone(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.pause()
        arrivals = range(400, 430, 3)
        with counted() as counts:
            for first in arrivals:
                await append(settings, first, 3)
                await until(lambda: f"Event {first + 3}" in text_of(app))  # noqa: B023 - used at once
        assert counts["timeline"] > 0
        # 14 accounts and 14 catalogs are in view, and looked at many times meanwhile.
        assert counts["accounts"] + counts["catalogs"] < 3 * (14 + 14)
        # The inspector's scroll bar may come and go once or twice; nothing else asks for a layout.
        assert counts["layouts"] < len(arrivals) / 2


async def test_the_scroll_bar_follows_the_cursor(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        timeline = app.panes.timeline
        bar = timeline.vertical_scrollbar
        assert isinstance(bar, QuietScrollBar)

        def thumb() -> list[int]:
            """The lines of the bar that the thumb is on; the rest scrolls up or down."""
            where = bar.region
            clicks = [
                app.screen.get_style_at(where.x, where.y + y).meta.get("@mouse.down")
                for y in range(where.height)
            ]
            return [y for y, click in enumerate(clicks) if click == "grab"]

        await until(lambda: thumb()[-1] == bar.size.height - 1)
        await pilot.press("g")
        await until(lambda: thumb()[0] == 0)


async def test_a_scroll_bar_that_comes_back_has_the_lists_position(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        accounts = app.panes.accounts
        await pilot.press("2", "G", "slash", *"farid")
        await until(lambda: not accounts.show_vertical_scrollbar)
        await pilot.press("escape")
        await until(lambda: accounts.show_vertical_scrollbar)
        assert accounts.vertical_scrollbar.position == accounts.scroll_y
