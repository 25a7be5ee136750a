"""Every command of the dashboard, declared once: footer, palette, help and keys come from here."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its keys (the first is shown), what the footer says, and what help says."""

    keys: str
    action: str
    label: str
    help: str
    in_footer: bool = False
    in_palette: bool = True
    shown_key: str = ""

    @property
    def key_shown(self) -> str:
        """The key as people read it."""
        return self.shown_key or self.keys.split(",")[0]


COMMANDS = (
    Command("q,ctrl+q", "quit", "quit", "Leave the dashboard", in_footer=True),
    Command(
        "question_mark,f1", "help", "help", "All keys, and what the marks mean", in_footer=True,
        shown_key="?",
    ),
    Command(
        "slash", "find", "filter", "Filter the timeline; in a list, find by name", in_footer=True,
        shown_key="/",
    ),
    Command(
        "colon,ctrl+g", "jump", "go to", "Go to a sequence or a time", in_footer=True,
        shown_key=":",
    ),
    Command("w", "why", "why", "Why is it so: the events that made the row", in_footer=True),
    Command("c", "change", "change", "What the event changed, before and after", in_footer=True),
    Command("t", "travel", "travel", "Show everything as of the event; again: now", in_footer=True),
    Command(
        "r", "rebuild", "rebuild", "Rebuild projections from the log: dry run first", in_footer=True
    ),
    Command("v", "verify", "verify", "Compare what is stored with the log", in_footer=True),
    Command("f", "follow", "follow", "Follow the head of the log", in_footer=True),
    Command("x", "reveal", "reveal", "Show secrets for 10 seconds", in_footer=True),
    Command("s", "sort", "sort", "Sort accounts or catalogs differently", in_footer=True),
    Command("a", "all_catalogs", "all", "Show the catalogs of all accounts", in_footer=True),
    Command("left_square_bracket", "step(-1)", "step back", "Travelling: one event back",
            shown_key="["),
    Command("right_square_bracket", "step(1)", "step on", "Travelling: one event forward",
            shown_key="]"),
    Command("exclamation_mark", "parked", "parked", "Only parked events; again: all of them",
            shown_key="!"),
    Command("p", "publish", "publish", "Publish an event: a form that shows what it would change"),
    Command("y", "copy", "copy", "Copy the row: event or document, as JSON, secrets masked"),
    Command("m", "community", "community", "Figures of the community, and its activity"),
    Command("n", "match(1)", "next", "Next event that passes the last filter"),
    Command("N", "match(-1)", "previous", "Previous event that passes the last filter"),
    Command("o", "export", "export", "Export what the timeline shows as JSON lines, masked"),
    Command("b", "return", "jump back", "Go back to where the last jump began"),
    Command("e", "problems", "problems", "What went wrong so far, and the log's hazards"),
    Command("ctrl+p", "command_palette", "palette", "All commands, by name", in_palette=False),
    Command("1", "pane(1)", "timeline", "Go to the timeline"),
    Command("2", "pane(2)", "accounts", "Go to the accounts"),
    Command("3", "pane(3)", "catalogs", "Go to the known catalogs"),
    Command("4", "pane(4)", "projectors", "Go to the projectors"),
    Command("5,i", "pane(5)", "inspector", "Go to the inspector"),
    Command("z", "zoom", "zoom", "Let the focused pane fill the screen, or give it back"),
    Command("escape", "back", "back", "Back: leave zoom, a search, the past, this pane"),
    Command("D", "theme", "theme", "Switch between the dark and the light theme"),
)  # fmt: skip

MOVING = (
    ("j k ↑ ↓", "one row down, up"),
    ("PgUp PgDn", "one page up, down"),
    ("g G Home End", "first row, last row; in the timeline G follows the head again"),
    ("Enter", "open the row in the inspector; on an account: its catalogs"),
    ("Tab", "next pane"),
)
"""Keys that the panes themselves know, for the help page."""


def bindings() -> list[Binding]:
    """The application's key bindings."""
    return [
        Binding(
            command.keys,
            command.action,
            command.label,
            show=command.in_footer,
            key_display=command.key_shown,
            priority=False,
        )
        for command in COMMANDS
    ]
