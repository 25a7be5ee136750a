"""Every view, in dark and light, without colours, in ASCII, small and large."""

from __future__ import annotations

import time

import pytest
from rich.color import Color

from natster_tui.tui.app import Dashboard
from tests.real_server import RealServer
from tests.tui.looks import LOOKS, VIEWS, View, colours_of, contrast, kept_texts, refreshed, walk
from tests.tui.scenes import text_of

SETTLE_S = 12.0
READABLE = 4.0
"""WCAG 2 asks for 4.5 of ordinary text and 3 of large; this is what the dimmest here has."""


def first_difference(kept: str, now: str) -> str:
    for number, (one, other) in enumerate(zip(kept.split("\n"), now.split("\n"), strict=False), 1):
        if one != other:
            return f"line {number}:\n  kept {one!r}\n  now  {other!r}"
    return "another number of lines" if kept != now else ""


# Long walks, for the full run; `test_scenes` looks at single views in all of these looks.
@pytest.mark.full
@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.timeout(300)
async def test_every_view_looks_as_it_did_and_can_be_read(name: str, server: RealServer) -> None:
    look = LOOKS[name]
    kept = kept_texts(look)
    assert list(kept) == [view.name for view in VIEWS]

    async def compare(view: View, app: Dashboard) -> None:
        deadline = time.monotonic() + SETTLE_S
        now = await refreshed(app)
        while now != kept[view.name] and time.monotonic() < deadline:
            now = await refreshed(app)
        # A few words, not a diff of two screens.
        if difference := first_difference(kept[view.name], now):
            pytest.fail(f"{view.name} in {name} differs in {difference}", pytrace=False)
        check_colours(view, app)

    def check_colours(view: View, app: Dashboard) -> None:
        for text, colour, ground in colours_of(app):
            if name == "NO_COLOR":
                assert is_grey(colour), f"{view.name}: {text!r} is coloured"
                assert is_grey(ground), f"{view.name}: {text!r} stands on a colour"
            elif not view.has_dialog:
                # What lies behind a dialog is meant to fade.
                assert contrast(colour, ground) >= READABLE, (
                    f"{view.name}: {text!r} is hard to read"
                )
        if look.ascii_only:
            assert text_of(app).isascii(), f"{view.name} has other characters than ASCII"

    await walk(look, server, compare)


def is_grey(colour: Color) -> bool:
    red, green, blue = colour.get_truecolor()
    return red == green == blue
