"""Panes can be resized by keys and by dragging the lines between them."""

from __future__ import annotations

from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.app import Dashboard
from natster_tui.tui.panes.sizes import LEAST_COLUMNS, LEAST_ROWS
from tests.tui.keyboard import Keyboard
from tests.tui.running import dashboard
from tests.tui.scenes import projected


def widths(app: Dashboard) -> tuple[int, int]:
    return app.query_one("#left").region.width, app.query_one("#right").region.width


def heights(app: Dashboard) -> tuple[int, int]:
    return app.panes.timeline.region.height, app.panes.inspector.region.height


async def drag(
    app: Dashboard, keyboard: Keyboard, start: tuple[int, int], end: tuple[int, int]
) -> None:
    await keyboard.mouse_down(offset=start)
    await keyboard.hover(offset=end)
    await keyboard.mouse_up(offset=end)
    await keyboard.pause()


async def test_keys_make_the_pane_and_its_column_larger_and_smaller(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, keyboard):
        usual, usual_heights = widths(app), heights(app)
        await keyboard.press("greater_than_sign", "plus")
        await keyboard.pause()
        assert widths(app) == (usual[0] + 4, usual[1] - 4)
        assert heights(app) == (usual_heights[0] + 2, usual_heights[1] - 2)
        await keyboard.press("2", "greater_than_sign", "greater_than_sign", "5", "plus")
        await keyboard.pause()
        assert widths(app) == (usual[0] - 4, usual[1] + 4)
        assert heights(app) == usual_heights
        await keyboard.press("minus", *["less_than_sign"] * 16, *["minus"] * 10)
        await keyboard.pause()
        assert widths(app)[0] >= LEAST_COLUMNS
        assert heights(app)[1] >= LEAST_ROWS
        await keyboard.press("0")
        await keyboard.pause()
        assert (widths(app), heights(app)) == (usual, usual_heights)


async def test_the_lines_between_panes_can_be_dragged(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, keyboard):
        left, right = widths(app)
        await drag(app, keyboard, (left, 5), (left - 10, 5))
        assert widths(app) == (left - 10, right + 10)
        upper, lower = heights(app)
        top = app.panes.inspector.region.y
        await drag(app, keyboard, (5, top), (5, top - 3))
        assert heights(app) == (upper - 3, lower + 3)
        await drag(app, keyboard, (5, 5), (15, 9))
        assert heights(app) == (upper - 3, lower + 3), "there is no line"


async def test_zoom_and_a_narrow_terminal_are_as_they_were(settings: ConnectionSettings) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, keyboard):
        await keyboard.press("plus", "greater_than_sign")
        set_by_user = widths(app), heights(app)
        await keyboard.press("z")
        await keyboard.pause()
        assert app.panes.timeline.region.width == app.size.width
        await keyboard.press("z")
        await keyboard.pause()
        assert (widths(app), heights(app)) == set_by_user
        await keyboard.resize_terminal(80, 24)
        await keyboard.pause()
        assert app.panes.timeline.region.width == 80
        await keyboard.press("plus")
        await keyboard.resize_terminal(140, 40)
        await keyboard.pause()
        assert (widths(app), heights(app)) == set_by_user
