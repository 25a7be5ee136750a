"""The keys that only the widget with the focus takes: in lists, in the inspector, in the prompt."""

from __future__ import annotations

from natster_tui.tui.keys.key import Key

LIST = (
    Key("list.up", "up,k", "cursor(-1)"),
    Key("list.down", "down,j", "cursor(1)"),
    Key("list.page_up", "pageup,ctrl+b", "page(-1)"),
    Key("list.page_down", "pagedown,ctrl+f", "page(1)"),
    Key("list.first", "home,g", "first"),
    Key("list.last", "end,G", "last"),
    Key("list.open", "enter", "choose"),
)
SCROLLED = (
    Key("inspector.down", "j,down", "next_link(1)"),
    Key("inspector.up", "k,up", "next_link(-1)"),
    Key("inspector.follow", "enter", "follow_link"),
    Key("inspector.first", "g", "scroll_home"),
    Key("inspector.last", "G", "scroll_end"),
)
MOVING = (
    ("j k ↑ ↓", "one row down, up"),
    ("PgUp PgDn", "one page up, down"),
    ("g G Home End", "first row, last row; in the timeline G follows the head again"),
    ("Enter", "open the row in the inspector; on an account: its catalogs"),
    ("Tab", "next pane"),
)
"""The keys of `LIST` and `SCROLLED` in words, for the help page."""
PROMPT = (
    Key("prompt.apply", "enter", "submit", "apply", shown="Enter"),
    Key("prompt.complete", "tab", "complete", "complete", shown="Tab"),
    Key("prompt.leave", "escape", "app.back", "leave", shown="Esc"),
)
