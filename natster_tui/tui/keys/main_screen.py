"""The keys of the main screen: those of each pane, and those that work anywhere."""

from __future__ import annotations

from natster_tui.tui.keys.key import Key, Need
from natster_tui.tui.keys.sizes import SIZES

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
_FIND_TEXT = Key(
    "inspector.search",
    "slash",
    "app.find",
    "search",
    "Find a text in what the inspector shows",
    "/",
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
    "Copy what the focused pane shows: a row as JSON, a page as text, secrets masked",
    needs=(Need.ROW,),
)
_REVEAL = Key(
    "inspector.reveal", "x", "reveal", "reveal", "Show secrets for 10 seconds", needs=(Need.ROW,)
)
_JSON = Key(
    "inspector.json",
    "J",
    "json",
    "JSON",
    "The document as JSON, parts of which fold; again: its page",
    needs=(Need.DOCUMENT,),
)
_COMPARE = Key(
    "documents.compare",
    "equals_sign",
    "ask('COMPARE')",
    "compare",
    "Compare the document with what it was at a moment, such as yesterday",
    "=",
    (Need.DOCUMENT, Need.CONNECTION),
)
_SORT = Key(
    "documents.sort",
    "s",
    "sort",
    "sort",
    "Sort accounts, catalogs or other documents differently",
    needs=(Need.ROW,),
)
_REVERSE = Key(
    "documents.reverse",
    "S",
    "reverse_sort",
    "reverse",
    "Sort the other way round",
    needs=(Need.ROW,),
)
_ALL = Key(
    "documents.all",
    "a",
    "all_catalogs",
    "all or one",
    "Show the catalogs of all accounts; again: of the one before",
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
_VERSIONS = Key(
    "projectors.versions",
    "V",
    "dialog('versions')",
    "versions",
    "Compare the stored version with the one beside it, promote that one or drop it",
    needs=(Need.CONNECTION, Need.VERSIONS),
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
    _REVERSE,
    _WHY,
    _ALL,
    _COMPARE,
    _JSON,
    _BACK_IN_TIME,
    _ON_IN_TIME,
    _REVEAL,
    _COPY,
    _REBUILD,
    _PUBLISH,
)
PROJECTORS = (_SEARCH, _REBUILD, _VERIFY, _VERSIONS, _ZOOM)
INSPECTOR = (
    _FIND_TEXT,
    _JSON,
    _COMPARE,
    _WHY,
    _CHANGE,
    _REVEAL,
    _COPY,
    _BACK_IN_TIME,
    _ON_IN_TIME,
    _ZOOM,
)

ALWAYS = (
    Key("app.quit", "q,ctrl+q", "quit", "quit", "Leave the dashboard"),
    Key(
        "app.help",
        "question_mark,f1",
        "help",
        "help",
        "All keys, and what the marks mean",
        "?",
    ),
)
"""The keys at the beginning of every footer."""
ANYWHERE = (
    _GO_TO,
    _WHERE_I_WAS,
    _WHERE_I_CAME_FROM,
    _REBUILD,
    _VERIFY,
    _VERSIONS,
    Key(
        "app.problems",
        "e",
        "dialog('problems')",
        "problems",
        "Who projects, what is parked or stuck and why, hazards, and what went wrong",
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
        "Figures of the community: duplicate (contested) names, prize candidates, activity",
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
    *SIZES,
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
"""The keys at the end of a footer, after those of the focused pane."""
SEARCHED = (_SEARCH,)
SEARCHED_TEXT = (_FIND_TEXT,)
"""The search keys that a documents pane and the inspector handle before the application."""


def commands() -> dict[str, Key]:
    """The keys that work whatever pane has the focus, by id; all of them call the application."""
    tables = (ALWAYS, TIMELINE, DOCUMENTS, PROJECTORS, INSPECTOR, ANYWHERE)
    found = {key.id: key for table in tables for key in table}
    del found[_SEARCH.id], found[_FIND_TEXT.id]
    return found
