"""Which widgets are rendered when a part of the screen changes."""

from __future__ import annotations

from textual.geometry import Region
from textual.widget import Widget

from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.terminal.compositor import FrontCompositor, frontmost
from tests.tui.running import dashboard
from tests.tui.scenes import projected

SCREEN, LEFT, RIGHT = Region(0, 0, 80, 24), Region(0, 0, 40, 24), Region(40, 0, 40, 24)


def test_a_widget_behind_one_that_covers_the_change_is_not_rendered() -> None:
    left, right, screen = Widget(), Widget(), Widget()
    places = {left: (LEFT, SCREEN), right: (RIGHT, SCREEN), screen: (SCREEN, SCREEN)}
    assert [*frontmost([Region(2, 3, 10, 1)], places)] == [left]


def test_overlapping_widgets_are_rendered_in_order() -> None:
    bar, left, screen = Widget(), Widget(), Widget()
    places = {
        bar: (Region(39, 0, 1, 24), SCREEN),
        left: (LEFT, SCREEN),
        screen: (SCREEN, SCREEN),
    }
    assert [*frontmost([Region(30, 3, 10, 1)], places)] == [bar, left]
    assert [*frontmost([Region(30, 3, 20, 1)], places)] == [bar, left, screen]


def test_what_is_clipped_away_covers_nothing() -> None:
    clipped, screen = Widget(), Widget()
    places = {clipped: (LEFT, Region(0, 0, 40, 2)), screen: (SCREEN, SCREEN)}
    assert [*frontmost([Region(2, 3, 10, 1)], places)] == [screen]


async def test_a_partial_update_paints_what_a_full_one_would(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("2", "j")
        await pilot.pause()
        compositor = app.screen._compositor
        assert isinstance(compositor, FrontCompositor)
        places = compositor.visible_widgets
        whole = [{**line} for line in compositor._render_chops(SCREEN.grow((0, 60, 16, 0)), _any)]
        for region, clip in list(places.values()):
            compositor._dirty_regions = {region.intersection(clip)}
            update = compositor.render_partial_update()
            assert update is not None
            for y, x1, x2 in update.spans:
                ends = dict(zip(update.chops[y], update.chop_ends[y], strict=True))
                for x, strip in update.chops[y].items():
                    if x1 <= x and ends[x] <= x2:
                        assert strip is not None
                        assert strip.text == whole[y][x].text


def _any(_line: int) -> bool:
    return True
