"""The help page: keys and marks, those of the pane in use first, narrowed to what is typed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Input, Static

from natster_tui.docs import topics
from natster_tui.events.filter.language import FilterLanguage
from natster_tui.events.natster import BOUND, IMPORTED
from natster_tui.text.masking import screen_text
from natster_tui.tui.keys.dialogs import HELP_FIELD
from natster_tui.tui.keys.key import Key, bindings
from natster_tui.tui.keys.keymap import Keymap
from natster_tui.tui.keys.main_screen import ALWAYS, ANYWHERE, commands
from natster_tui.tui.screens.dialog import Dialog
from natster_tui.tui.screens.topics import TopicsScreen
from natster_tui.tui.theme import Glyphs
from natster_tui.tui.view import View
from natster_tui.tui.widgets.dialogs.hints import Hint, at_the_edge
from natster_tui.tui.widgets.key_line import KeyLine
from natster_tui.tui.widgets.text_field import Field

_KEY_COLUMN = 15
_PAGE = 15
_WHAT_IT_IS = (
    "natster-tui watches an event log, shows the projections that are derived from it, and "
    "rebuilds them. Events are facts and never change; accounts and catalogs are what follows "
    "from them, and can be made again from the log at any time."
)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the help page: keys, words or marks, each with what it means."""

    heading: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PaneKeys:
    """The pane in use, its own keys, and those for moving in it."""

    name: str
    own: Sequence[Key]
    moving: Sequence[Key]
    columns: Sequence[tuple[str, str]] = ()
    """The headings of its columns, each with what it means."""


def help_sections(
    glyphs: Glyphs, filters: FilterLanguage, pane: PaneKeys, keymap: Keymap
) -> list[Section]:
    """All that the page has, in its order."""
    known = {key.id: key for key in (*ALWAYS, *ANYWHERE, *commands().values())}
    others = [key for key in known.values() if key not in pane.own]
    return [
        Section(f"In this pane: {pane.name}", tuple(_in_words(pane.own, keymap))),
        *([Section("Columns of this pane", tuple(pane.columns))] if pane.columns else []),
        Section("Moving", (*_in_words(pane.moving, keymap), ("Tab", "Next pane"))),
        Section("Anywhere", tuple(_in_words(others, keymap))),
        Section(
            f"Filters ({keymap.hint('timeline.filter')} in the timeline); all words must hold",
            tuple(_filters(filters)),
        ),
        Section("Marks in the timeline", tuple(_event_marks(glyphs, filters))),
        Section("Marks beside accounts and catalogs", tuple(_document_marks(glyphs))),
        Section(
            "Topics of the documentation", tuple((each.name, each.summary) for each in topics())
        ),
    ]


def narrowed(sections: Iterable[Section], wanted: str) -> Iterator[Section]:
    """The sections with the rows that have all the words; a heading stands for all its rows."""
    words = wanted.lower().split()
    for section in sections:
        rows = tuple(
            (what, meaning)
            for what, meaning in section.rows
            if all(word in f"{section.heading} {what} {meaning}".lower() for word in words)
        )
        if rows:
            yield replace(section, rows=rows)


def help_page(sections: Iterable[Section]) -> Table:
    """The sections as a table, in which long texts are wrapped within their column."""
    page = Table.grid(expand=True)
    for section in sections:
        page.add_row(Text(section.heading, "bold"))
        table = Table.grid(padding=(0, 1))
        table.add_column(width=_KEY_COLUMN)
        table.add_column(ratio=1)
        for what, meaning in section.rows:
            table.add_row(Text(f"  {what}", "bold"), Text(meaning))
        page.add_row(table)
        page.add_row()
    return page


class HelpField(Field):
    """The field for the text that narrows the page.

    The keys that open the page close it again: those that can be typed only while the field is
    empty, and letters and digits never.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(HELP_FIELD)]

    def __init__(self, keymap: Keymap) -> None:
        super().__init__(placeholder="type to narrow: a key, a word, a mark", compact=True)
        opening = keymap.of(commands()["app.help"]).keys.split(",")
        self._opens_and_closes = frozenset(
            key for key in opening if not (len(key) == 1 and key.isalnum())
        )

    def take(self, event: events.Key | events.Paste) -> bool:
        """See `Field.take`."""
        if (
            isinstance(event, events.Key)
            and event.key in self._opens_and_closes
            and not (self.value and event.is_printable)
        ):
            self.screen.dismiss()
            return True
        return super().take(event)


class HelpScreen(Dialog[None]):
    """The page, and above it a field for a text to search for."""

    def __init__(self, sections: Sequence[Section], view: View) -> None:
        super().__init__()
        self._sections = sections
        self._view = view
        self._page = Static(self._whole())
        self.field = HelpField(view.keymap)

    def compose(self) -> ComposeResult:
        """The field and the page in a frame."""
        with Vertical(classes="dialog help") as frame:
            frame.border_title = "Help"
            frame.border_subtitle = at_the_edge(self._view, Hint("help.leave", "closes"))
            yield self.field
            with VerticalScroll(can_focus=False):
                yield self._page
        yield KeyLine(self._view.glyphs)

    def _whole(self) -> Group:
        return Group(Text(f"{_WHAT_IT_IS}\n"), help_page(self._sections))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the page while the user types."""
        event.stop()
        wanted = event.value.strip()
        if not wanted:
            self._page.update(self._whole())
        elif found := list(narrowed(self._sections, wanted)):
            self._page.update(help_page(found))
        else:
            self._page.update(Text(f"nothing here says {screen_text(wanted, 40)}"))
        self.query_one(VerticalScroll).scroll_home(animate=False)

    def action_leave(self) -> None:
        """Empty the field, or close the page."""
        if self.field.value:
            self.field.value = ""
        else:
            self.dismiss()

    def action_topics(self) -> None:
        """List the topics."""
        self.app.push_screen(TopicsScreen(self._view))

    def action_scroll(self, lines: int) -> None:
        """Scroll the page."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_page(self, pages: int) -> None:
        """Scroll the page by pages."""
        self.action_scroll(pages * _PAGE)


def _in_words(keys: Iterable[Key], keymap: Keymap) -> Iterator[tuple[str, str]]:
    return ((keymap.all_shown(key), key.help) for key in keys if key.help)


def _filters(filters: FilterLanguage) -> Iterator[tuple[str, str]]:
    yield from ((field.example, field.meaning) for field in filters.fields)
    yield ("any text", "a part of the subject, or of a name")
    yield ("-word", "must not hold: -type:shared")
    yield ("a or b", "one of them must hold: type:bound or type:shared from:Ada")
    yield ('"two words"', 'one word with its blanks: from:"Natster Hub"')
    yield ("ABCD…XYZ", "a key, shortened as rows print it")


def _event_marks(glyphs: Glyphs, filters: FilterLanguage) -> Iterator[tuple[str, str]]:
    yield from ((f"{glyphs.of(kind)} {kind.word}", kind.meaning) for kind in filters.system.kinds)
    yield (
        f"{glyphs.parked} parked",
        "no rule could use it; it is counted, and nothing waits for it",
    )


def _document_marks(glyphs: Glyphs) -> Iterator[tuple[str, str]]:
    yield (glyphs.out, "how often it shares, or with whom")
    yield (glyphs.into, "how often something is shared with it, or by whom")
    yield (glyphs.of(IMPORTED), "how many of those it imported, or when")
    yield (glyphs.of(BOUND), "tied to a web login; a wide pane says which")
    yield (
        glyphs.warn,
        "a name that others use, too, or that differs from one in letter case only",
    )
    yield (glyphs.on, "travelling: changed by this very event")
