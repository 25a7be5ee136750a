"""The timeline's columns are straight, and say in words what happened."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from natster_tui.events.natster import NATSTER
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.tui.running import dashboard
from tests.tui.scenes import projected, text_of

_WORDS = {"parked", *(kind.word for kind in NATSTER.kinds)}


def _start_of_last(widths: list[int]) -> int:
    return sum(width + 1 for width in widths[:-1])


@pytest.mark.parametrize("size", [(80, 24), (140, 40), (200, 60)])
async def test_each_row_says_in_a_word_what_happened_and_catalogs_begin_in_one_column(
    settings: ConnectionSettings, size: tuple[int, int]
) -> None:
    await projected(settings)
    async with dashboard(settings, size=size) as (app, pilot):
        await until(lambda: "winter-swims" in text_of(app))
        for key in ("1", "pageup", "g"):
            await pilot.press(key)
            timeline = app.panes.timeline
            await until(lambda: "  …" not in text_of(app))
            width = timeline.scrollable_content_region.width
            top = round(timeline.scroll_y)
            seen = range(top, top + timeline.rows_height)
            for row in seen:
                timeline.row_cells(row)  # widths are those of the rows that were seen
            rows = [timeline.row_cells(row) for row in seen]
            assert all(any(cell.text in _WORDS for cell in cells) for cells in rows)
            named = [cells for cells in rows if cells[-1].style == "strong"]
            headings = timeline.headings()
            assert {_start_of_last([cell.width for cell in cells]) for cells in named} == {
                _start_of_last([each.cell.width for each in headings])
            }
            assert sum(each.cell.width + 1 for each in headings) - 1 == width


async def test_below_that_its_mark_says_what_happened_and_names_are_cut_alike(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings, size=(56, 24)) as (app, _pilot):
        await until(lambda: "⇄" in text_of(app))
        timeline = app.panes.timeline
        cells = timeline.row_cells(timeline.row_count - 1)
        assert [cell.text for cell in cells[1:]] == [
            "10:22",
            "⇄",
            "Old Dairy … → Moss & Mur…",
            "impulse-responses",
        ]
        assert cell_len(text_of(app).splitlines()[3]) == 56


async def test_a_column_gives_the_reason_if_all_events_are_parked(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings) as (app, pilot):
        await pilot.press("exclamation_mark")
        await until(lambda: "none is no catalog" in text_of(app))
        await until(lambda: "unknown: " in text_of(app))
        lines = text_of(app).splitlines()
        heading, *rows = lines[2:7]
        whys = "unknown: catalog_renamed", "unreadable web", "bad$name is no", "none is no catalog"
        assert {row.index(why) for row, why in zip(rows, whys, strict=True)} == {
            heading.index("why")
        }
