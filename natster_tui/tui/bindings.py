"""Every key of the dashboard, in one table per pane and dialog.

Footer, help and palette are made from these tables. Each key has an id, by which Textual's keymap
can remap it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from textual.binding import Binding


class Need(Enum):
    """What a key needs to do anything. The footer leaves out keys whose needs are not met."""

    CONNECTION = auto()
    EVENTS = auto()
    """The log holds events."""
    ROW = auto()
    """The pane that was used last has a row under its cursor."""
    NOT_FOLLOWING = auto()
    NOW = auto()
    """What is shown is not the past."""
    PAST = auto()
    NARROWED = auto()
    """A pane shows only what belongs to another pane's row."""
    FILTERED = auto()
    """The log was filtered before."""
    BEEN_ELSEWHERE = auto()
    """There is a place to go back to."""
    WENT_BACK = auto()
    """There is a place to go forward to."""
    WRITING = auto()
    """The dashboard may write."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key: its id, the keys themselves (the first is shown), what it does and is called.

    `label` is for the footer, `help` for help and palette; without a label it is not in the footer,
    without a help text in neither of the others. `shown` is how people read the key.
    """

    id: str
    keys: str
    action: str
    label: str = ""
    help: str = ""
    shown: str = ""
    needs: tuple[Need, ...] = ()
    in_footer: bool = True
    in_palette: bool = True

    @property
    def key_shown(self) -> str:
        """The key as people read it."""
        return self.shown or self.keys.split(",")[0]

    @property
    def binding(self) -> Binding:
        """The key for Textual."""
        show = bool(self.label) and self.in_footer
        return Binding(
            self.keys, self.action, self.label, show=show, key_display=self.key_shown, id=self.id
        )


def bindings(*tables: Iterable[Key]) -> list[Binding]:
    """The bindings of a widget, a screen or the application."""
    return [key.binding for table in tables for key in table]


# -- keys that are in more than one table --------------------------------------------------

_FILTER = Key(
    "timeline.filter", "slash", "find", "filter", "Filter the timeline", "/", (Need.CONNECTION,)
)
_SEARCH = Key(
    "documents.search",
    "slash",
    "app.find",
    "search",
    "Find a row of this pane by name",
    "/",
    (Need.CONNECTION,),
    in_palette=False,
)
_GO_TO = Key(
    "app.go_to",
    "colon,ctrl+g",
    "go_to",
    "go to",
    "Go to anything: a name, a key, a sequence, a moment such as yesterday",
    ":",
    (Need.EVENTS,),
)
_WHY = Key(
    "app.why",
    "w",
    "dialog('why')",
    "why",
    "Why is it so: the events that made the row",
    needs=(Need.ROW,),
)
_CHANGE = Key(
    "timeline.change",
    "c",
    "change",
    "change",
    "What the event changed, before and after",
    needs=(Need.EVENTS,),
)
_TRAVEL = Key(
    "timeline.travel",
    "t",
    "travel",
    "travel",
    "Show everything as of the event; again: now",
    needs=(Need.EVENTS,),
)
_BACK_IN_TIME = Key(
    "timeline.step_back",
    "left_square_bracket",
    "step(-1)",
    "step back",
    "Travelling: one event back",
    "[",
    (Need.PAST,),
)
_ON_IN_TIME = Key(
    "timeline.step_on",
    "right_square_bracket",
    "step(1)",
    "step on",
    "Travelling: one event forward",
    "]",
    (Need.PAST,),
)
_FOLLOW = Key(
    "timeline.follow",
    "f",
    "follow",
    "follow",
    "Follow the head of the log",
    needs=(Need.EVENTS, Need.NOT_FOLLOWING),
)
_PARKED = Key(
    "timeline.parked",
    "exclamation_mark",
    "parked",
    "parked",
    "Only parked events; again: all of them",
    "!",
    (Need.EVENTS,),
)
_NEXT = Key(
    "timeline.next_match",
    "n",
    "match(1)",
    "next",
    "Next event that passes the last filter",
    needs=(Need.FILTERED,),
)
_PREVIOUS = Key(
    "timeline.previous_match",
    "N",
    "match(-1)",
    "previous",
    "Previous event that passes the last filter",
    needs=(Need.FILTERED,),
)
_EXPORT = Key(
    "timeline.export",
    "o",
    "ask('EXPORT')",
    "export",
    "Export what the timeline shows as JSON lines, masked",
    needs=(Need.EVENTS,),
)
_WHERE_I_WAS = Key(
    "app.go_back",
    "b",
    "go_back",
    "go back",
    "Go back to where you were before",
    needs=(Need.BEEN_ELSEWHERE,),
)
_WHERE_I_CAME_FROM = Key(
    "app.go_forward",
    "B",
    "go_forward",
    "go forward",
    "Go forward again, after going back",
    needs=(Need.WENT_BACK,),
)
_PUBLISH = Key(
    "app.publish",
    "p",
    "dialog('publish')",
    "publish",
    "Publish an event: a form that shows what it would change",
    needs=(Need.CONNECTION, Need.WRITING, Need.NOW),
)
_COPY = Key(
    "app.copy",
    "y",
    "copy",
    "copy",
    "Copy the row: event or document, as JSON, secrets masked",
    needs=(Need.ROW,),
)
_REVEAL = Key(
    "inspector.reveal", "x", "reveal", "reveal", "Show secrets for 10 seconds", needs=(Need.ROW,)
)
_SORT = Key(
    "documents.sort",
    "s",
    "sort",
    "sort",
    "Sort accounts, catalogs or other documents differently",
    needs=(Need.ROW,),
)
_ALL = Key(
    "documents.all",
    "a",
    "all_catalogs",
    "all",
    "Show the catalogs of all accounts",
    needs=(Need.NARROWED,),
)
_REBUILD = Key(
    "projectors.rebuild",
    "r",
    "dialog('rebuild')",
    "rebuild",
    "Rebuild projections from the log: dry run first",
    needs=(Need.CONNECTION,),
)
_VERIFY = Key(
    "projectors.verify",
    "v",
    "dialog('verify')",
    "verify",
    "Compare what is stored with the log",
    needs=(Need.CONNECTION,),
)
_ZOOM = Key(
    "app.zoom", "z", "zoom", "zoom", "Let the focused pane fill the screen, or give it back"
)

# -- one table for each pane ---------------------------------------------------------------

TIMELINE = (
    _FILTER,
    _FOLLOW,
    _BACK_IN_TIME,
    _ON_IN_TIME,
    _TRAVEL,
    _CHANGE,
    _WHY,
    _PARKED,
    _REVEAL,
    _NEXT,
    _PREVIOUS,
    _COPY,
    _PUBLISH,
    _EXPORT,
)
DOCUMENTS = (
    _SEARCH,
    _SORT,
    _WHY,
    _ALL,
    _BACK_IN_TIME,
    _ON_IN_TIME,
    _REVEAL,
    _COPY,
    _REBUILD,
    _PUBLISH,
)
PROJECTORS = (_REBUILD, _VERIFY, _ZOOM)
INSPECTOR = (_REVEAL, _CHANGE, _WHY, _BACK_IN_TIME, _ON_IN_TIME, _COPY, _ZOOM)

ALWAYS = (
    Key("app.quit", "q,ctrl+q", "quit", "quit", "Leave the dashboard"),
    Key(
        "app.help",
        "question_mark,f1",
        "dialog('help')",
        "help",
        "All keys, and what the marks mean",
        "?",
    ),
)
"""What every footer begins with."""
ANYWHERE = (
    _GO_TO,
    _WHERE_I_WAS,
    _WHERE_I_CAME_FROM,
    _REBUILD,
    _VERIFY,
    Key(
        "app.problems",
        "e",
        "dialog('problems')",
        "problems",
        "Who projects, what is parked and why, hazards, and what went wrong",
    ),
    Key(
        "app.keys",
        "K",
        "dialog('keys')",
        "keys",
        "What is sealed, and with which key",
        needs=(Need.CONNECTION,),
    ),
    Key(
        "app.community",
        "m",
        "dialog('community')",
        "community",
        "Figures of the community, and its activity",
        needs=(Need.CONNECTION,),
    ),
    Key(
        "app.palette",
        "ctrl+p",
        "command_palette",
        "palette",
        "All commands, by name",
        in_palette=False,
    ),
    _ZOOM,
    Key(
        "app.suspend",
        "ctrl+z",
        "suspend_process",
        "suspend",
        "Suspend: back to the shell, whose fg returns here",
        in_footer=False,
    ),
    Key("app.theme", "D", "theme", "theme", "Switch between the dark and the light theme"),
    Key("app.timeline", "1", "pane(1)", "timeline", "Go to the timeline", in_footer=False),
    Key("app.accounts", "2", "pane(2)", "accounts", "Go to the accounts", in_footer=False),
    Key("app.catalogs", "3", "pane(3)", "catalogs", "Go to the known catalogs", in_footer=False),
    Key("app.projectors", "4", "pane(4)", "projectors", "Go to the projectors", in_footer=False),
    Key("app.inspector", "5,i", "pane(5)", "inspector", "Go to the inspector", in_footer=False),
    Key(
        "app.back",
        "escape",
        "back",
        "back",
        "Back: leave zoom, a search, the past, this pane",
        in_footer=False,
    ),
)
"""What a footer ends with, behind the keys of the focused pane."""

# -- keys that only the widget itself takes ------------------------------------------------

LIST = (
    Key("list.up", "up,k", "cursor(-1)"),
    Key("list.down", "down,j", "cursor(1)"),
    Key("list.page_up", "pageup,ctrl+b", "page(-1)"),
    Key("list.page_down", "pagedown,ctrl+f", "page(1)"),
    Key("list.first", "home,g", "first"),
    Key("list.last", "end,G", "last"),
    Key("list.open", "enter", "choose"),
)
SEARCHED = (_SEARCH,)
"""What a documents pane takes before the application does."""
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

# -- one table for each dialog -------------------------------------------------------------


def _scrolling(dialog: str) -> tuple[Key, ...]:
    return (
        Key(f"{dialog}.down", "j,down", "scroll(1)"),
        Key(f"{dialog}.up", "k,up", "scroll(-1)"),
    )


GO_TO_FIELD = (
    Key("go_to.open", "enter", "screen.open", "open", shown="Enter"),
    Key("go_to.travel", "ctrl+t", "screen.travel", "travel there", shown="^t"),
    Key("go_to.close", "escape", "screen.dismiss", "close", shown="Esc"),
)
GO_TO_BOX = (
    Key("go_to.down", "down", "move(1)"),
    Key("go_to.up", "up", "move(-1)"),
    Key("go_to.page_down", "pagedown", "page(1)"),
    Key("go_to.page_up", "pageup", "page(-1)"),
)
TEXT_PAGE = (
    Key("text.close", "escape,q,question_mark,enter", "dismiss", "close", shown="Esc"),
    *_scrolling("text"),
)
HELP_PAGE = (*TEXT_PAGE, Key("help.topics", "t", "topics", "topics"))
TOPICS = (
    Key("topics.close", "escape,q,question_mark", "dismiss", "close", shown="Esc"),
    Key("topics.open", "enter", "choose", "read", shown="Enter"),
    Key("topics.down", "j,down", "move(1)"),
    Key("topics.up", "k,up", "move(-1)"),
)
TOPIC = (
    Key("topic.close", "escape,q,enter", "dismiss", "close", shown="Esc"),
    *_scrolling("topic"),
    Key("topic.page_down", "pagedown,space", "scroll(20)"),
    Key("topic.page_up", "pageup", "scroll(-20)"),
)
COMMUNITY = (
    Key("community.close", "escape,q,m", "dismiss", "close", shown="Esc"),
    Key("community.copy", "y", "copy", "copy the candidates"),
    *_scrolling("community"),
)
PUBLISH = (
    Key("publish.publish", "ctrl+s", "publish", "publish"),
    Key("publish.cancel", "escape", "dismiss(None)", "cancel", shown="Esc"),
)
WHY = (
    Key("why.field", "slash", "field", "one field", shown="/"),
    Key("why.close", "escape", "leave", "close", shown="Esc"),
    Key("why.close_at_once", "q,w", "dismiss(None)"),
)
REASONS = (Key("why.open", "enter", "choose", "go to the event", shown="Enter"),)
REPLAY = (
    Key("replay.leave", "escape", "leave", "close", shown="Esc"),
    *_scrolling("replay"),
    Key("replay.page_down", "pagedown", "scroll(10)"),
    Key("replay.page_up", "pageup", "scroll(-10)"),
)
REBUILD = (
    Key("rebuild.compare", "enter", "replay", "replay and compare", shown="Enter"),
    Key("rebuild.choose", "space", "choose", "choose what", shown="Space"),
    Key("rebuild.purge", "P", "purge", "purge first"),
    Key("rebuild.write", "w", "write", "write the changes"),
    Key("rebuild.delete_consumers", "D", "delete_consumers", "delete what is left"),
)


def commands() -> dict[str, Key]:
    """The keys that work whatever pane has the focus, by id; all of them call the application."""
    tables = (ALWAYS, TIMELINE, DOCUMENTS, PROJECTORS, INSPECTOR, ANYWHERE)
    found = {key.id: key for table in tables for key in table}
    del found[_SEARCH.id]
    return found
