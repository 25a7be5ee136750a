"""The dashboard's themes, and its glyphs with ASCII replacements.

Colour is never the only signal: every state has a word or a glyph of its own as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.theme import Theme

from natster_tui.events.event_kind import EventKind

DARK = Theme(
    name="natster-dark",
    primary="#27b4a5",
    secondary="#7aa2f7",
    accent="#e0af68",
    warning="#e0af68",
    error="#f7768e",
    success="#9ece6a",
    foreground="#d5d9e6",
    background="#11131a",
    surface="#161923",
    panel="#1f2432",
    boost="#262c3d",
    dark=True,
)
LIGHT = Theme(
    name="natster-light",
    primary="#0b7a70",
    secondary="#2d55b8",
    accent="#8a5a00",
    warning="#8a5a00",
    error="#b3203a",
    success="#3b7a1d",
    foreground="#1c2130",
    background="#f4f5f8",
    surface="#ffffff",
    panel="#e7eaf1",
    boost="#dde2ec",
    dark=False,
)


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The marks used beside words."""

    parked: str = "!"
    good: str = "✓"
    bad: str = "✗"
    on: str = "●"
    off: str = "○"
    out: str = "▸"
    into: str = "◂"
    to: str = "→"
    ellipsis: str = "…"
    bars: str = " ▁▂▃▄▅▆▇█"
    full: str = "━"
    empty: str = "─"
    warn: str = "⚠"
    new: str = "↓"
    rises: str = "↑"
    falls: str = "↓"

    def of(self, kind: EventKind) -> str:
        """The mark of a kind of event."""
        return kind.plain_glyph if self is ASCII else kind.glyph


UNICODE = Glyphs()
ASCII = Glyphs(
    parked="!",
    good="ok",
    bad="XX",
    on="*",
    off="o",
    out=">",
    into="<",
    to="->",
    ellipsis="~",
    bars=" .:-=+*#@",
    full="#",
    empty="-",
    warn="!",
    new="v",
    rises="^",
    falls="v",
)


_PLAIN = str.maketrans(
    {
        "…": "~",
        "·": "-",
        "→": "->",
        "←": "<-",
        "•": "*",
        "▸": ">",
        "◂": "<",
        "⇣": "v",
        "↑": "^",
        "↓": "v",
        "▾": "v",
    }
)


def plain(text: str, glyphs: Glyphs) -> str:
    """The text as `glyphs` can show it; names that are not ASCII stay what they are."""
    return text.translate(_PLAIN) if glyphs is ASCII else text


def sparkline(counts: list[int], glyphs: Glyphs) -> str:
    """Counts as bars, the highest one full."""
    top = max(counts, default=0)
    if top == 0:
        return glyphs.bars[1] * len(counts)
    steps = len(glyphs.bars) - 1
    return "".join(glyphs.bars[max(1, round(count / top * steps))] for count in counts)


def progress_bar(fraction: float, width: int, glyphs: Glyphs) -> str:
    """A bar of `width` cells, `fraction` of it full."""
    done = round(max(0.0, min(1.0, fraction)) * width)
    return glyphs.full * done + glyphs.empty * (width - done)
