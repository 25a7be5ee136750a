"""The keys that only the widget with the focus takes: in lists, in the inspector, in the prompt."""

from __future__ import annotations

from natster_tui.tui.keys.key import Key

LIST = (
    Key("list.up", "up,k", "cursor(-1)", help="One row up"),
    Key("list.down", "down,j", "cursor(1)", help="One row down"),
    Key("list.page_up", "pageup,ctrl+b", "page(-1)", help="One page up"),
    Key("list.page_down", "pagedown,ctrl+f", "page(1)", help="One page down"),
    Key("list.first", "home,g", "first", help="First row"),
    Key("list.last", "end,G", "last", help="Last row; in the timeline it follows the head again"),
    Key(
        "list.open",
        "enter",
        "choose",
        help="Open the row in the inspector; on an account: its catalogs",
    ),
)
SCROLLED = (
    Key("inspector.down", "j,down", "next_link(1)", help="Next line that can be followed"),
    Key("inspector.up", "k,up", "next_link(-1)", help="Previous line that can be followed"),
    Key("inspector.left", "h,left", "beside(-1)", help="Previous name on the line; in JSON: fold"),
    Key("inspector.right", "l,right", "beside(1)", help="Next name on the line; in JSON: unfold"),
    Key("inspector.page_up", "pageup,ctrl+b", "page(-1)", help="One page up"),
    Key("inspector.page_down", "pagedown,ctrl+f,space", "page(1)", help="One page down"),
    Key(
        "inspector.follow",
        "enter",
        "follow_link",
        help="Go to what is chosen; in JSON: fold or unfold it",
    ),
    Key("inspector.next_found", "n", "next_found(1)", help="Next line with the text searched for"),
    Key("inspector.previous_found", "N", "next_found(-1)", help="Previous line with that text"),
    Key("inspector.first", "g,home", "scroll_home", help="Scroll to the top"),
    Key("inspector.last", "G,end", "scroll_end", help="Scroll to the end"),
)
PROMPT_FIELD = (
    Key("prompt.apply", "enter", "submit", "apply", shown="Enter"),
    Key("prompt.down", "down", "move(1)", "choose", shown="↓"),
    Key("prompt.up", "up", "move(-1)", "earlier", shown="↑"),
)
PROMPT = (
    Key("prompt.complete", "tab", "complete", "complete", shown="Tab"),
    Key("prompt.keep", "ctrl+n", "keep", "name it", shown="^n"),
    Key("prompt.forget", "ctrl+r", "forget", "forget a name", shown="^r"),
    Key("prompt.leave", "escape", "app.back", "leave", shown="Esc"),
)
