"""Every view in every look: what the text of the screen is, and that it can be read.

One dashboard for each look is walked through all views. What it shows is kept as plain text in
`tests/tui/looks/` (of a view only the lines that differ from the one before; dark, light and
NO_COLOR must show the same), made anew by `python -m tests.tui.looks`. Colours are not kept but
held to rules: enough contrast, and none at all under NO_COLOR. `screenshots/` has the pictures of
some.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from rich.color import Color
from textual.pilot import Pilot

from natster_tui.tui.app import Dashboard
from tests.real_server import RealServer
from tests.tui.scenes import NARROW, WIDE, Scene, press, projected, staged_scene, text_of

KEPT = Path(__file__).parent / "looks"
LOOKED_AROUND_S = 1.5
SAME = "⋮ "
"""Before the number of lines that are as in the view before."""


@dataclass(frozen=True)
class View:
    """How to come from one view to the next, and what says that one is there."""

    name: str
    keys: tuple[str, ...]
    leave: tuple[str, ...] = ()
    has_dialog: bool = False


VIEWS = (
    View("timeline", ()),
    View("event", ("g", *"jjjj", "5"), ("1",)),
    View("change", ("G", "k", "c"), ("c", "1", "G")),
    View("account", ("2", *"jjj")),
    View("search", ("slash", *"ab"), ("escape",)),
    View("why", ("w", "wait:newest first"), ("escape",), has_dialog=True),
    View("catalog", ("3", "j")),
    View("all catalogs", ("a",)),
    View("projector", ("4",), ("1",)),
    View("filter", ("slash", *"type:shared", "space", *"catalog:over", "enter")),
    View("completion", ("slash", *"end"), ("escape", "escape")),
    View("parked", ("exclamation_mark",), ("exclamation_mark",)),
    View("go to", ("colon",), ("escape",)),
    View("time travel", ("colon", *"300", "enter", "t", "wait:AS OF 300"), ("t", "G")),
    View("zoomed", ("z",), ("z",)),
    View("publish", ("p", "tab"), ("escape",), has_dialog=True),
    View("community", ("m",), ("escape",), has_dialog=True),
    View("rebuild", ("r", "wait:enter replay"), has_dialog=True),
    View("dry run", ("enter",), ("escape",), has_dialog=True),
    View("verify", ("v", "wait:esc closes"), ("escape",), has_dialog=True),
    View("problems", ("e",), ("escape",), has_dialog=True),
    View("help", ("question_mark",), ("escape",), has_dialog=True),
    View("palette", ("ctrl+p",), ("escape",), has_dialog=True),
)


@dataclass(frozen=True)
class Look:
    """How the terminal is. `kept` names the file of its text."""

    kept: str
    size: tuple[int, int] = WIDE
    keys: tuple[str, ...] = ()
    ascii_only: bool = False
    environ: dict[str, str] = field(default_factory=dict)


LOOKS = {
    "dark": Look("wide"),
    "light": Look("wide", keys=("D",)),
    "NO_COLOR": Look("wide", environ={"NO_COLOR": "1"}),
    "ASCII": Look("ascii", ascii_only=True),
    "80x24": Look("80x24", NARROW),
    "200x60": Look("200x60", (200, 60)),
}

Meet = Callable[[View, Dashboard], Awaitable[None]]


async def walk(look: Look, server: RealServer, meet: Meet) -> None:
    """Come by all views in turn."""
    scene = Scene(projected, look.keys, look.size, ascii_only=look.ascii_only, environ=look.environ)
    async with staged_scene(scene, server.new_account()) as app:
        pilot = Pilot(app)
        for view in VIEWS:
            await press(app, pilot, view.keys)
            await meet(view, app)
            await press(app, pilot, view.leave)


async def refreshed(app: Dashboard) -> str:
    """The text of the screen, a moment later; blanks at the ends of lines do not count."""
    await asyncio.sleep(0.05)  # the shortest wait that lets a refresh through
    app.refresher.at_once()
    app.panes.inspector.inspect(app.panes.selection)
    text = re.sub(r"\bu\d{3}\b", "alic", text_of(app))
    return "\n".join(line.rstrip() for line in text.split("\n"))


def kept_texts(look: Look) -> dict[str, str]:
    """What is kept of a look, by view."""
    texts: dict[str, str] = {}
    before: list[str] = []
    for part in (KEPT / f"{look.kept}.txt").read_text().split("\n=== ")[1:]:
        name, kept = part.split(" ===\n", 1)
        lines: list[str] = []
        for line in kept.split("\n"):
            same = int(line.removeprefix(SAME)) if line.startswith(SAME) else 0
            lines += before[len(lines) : len(lines) + same] if same else [line]
        texts[name] = "\n".join(lines)
        before = lines
    return texts


def differing(before: list[str], lines: list[str]) -> list[str]:
    """Lines, where those that are as in the view before are counted only."""
    kept: list[str] = []
    same = 0
    for number, line in enumerate(lines):
        if number < len(before) and before[number] == line:
            same += 1
            continue
        kept += [f"{SAME}{same}", line] if same else [line]
        same = 0
    return [*kept, f"{SAME}{same}"] if same else kept


# -- reading the colours -----------------------------------------------------------------------


def colours_of(app: Dashboard) -> list[tuple[str, Color, Color]]:
    """Each piece of text on the screen with its two colours; frames and bars are no text."""
    found = []
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            style = segment.style
            if style is None or style.color is None or style.bgcolor is None:
                continue
            if any(character.isalnum() for character in segment.text):
                found.append((segment.text, style.color, style.bgcolor))
    return found


def contrast(one: Color, other: Color) -> float:
    """The contrast of two colours as WCAG 2 reckons it, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Color) -> float:
    parts = [part / 255 for part in colour.get_truecolor()]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


# -- making the texts anew ---------------------------------------------------------------------


async def draw(look: Look, server: RealServer) -> str:
    """All views of a look as one text."""
    parts: list[str] = [""]
    before: list[str] = []

    async def keep(view: View, app: Dashboard) -> None:
        text, again = "", await refreshed(app)
        while text != again:
            text = again
            await asyncio.sleep(LOOKED_AROUND_S)
            again = await refreshed(app)
        nonlocal before
        lines = text.split("\n")
        parts.append("\n".join([f"{view.name} ===", *differing(before, lines)]))
        before = lines

    await walk(look, server, keep)
    return "\n=== ".join(parts)


def main() -> None:
    KEPT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        server = RealServer(Path(directory))
        server.start()
        try:
            for name in sys.argv[1:] or ("dark", "ASCII", "80x24", "200x60"):
                look = LOOKS[name]
                (KEPT / f"{look.kept}.txt").write_text(asyncio.run(draw(look, server)))
                print(look.kept)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
