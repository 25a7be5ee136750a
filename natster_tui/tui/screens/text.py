"""A page of text over the dashboard: help, and what went wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from natster_tui.events.filter.language import FilterLanguage
from natster_tui.events.natster import BOUND, IMPORTED
from natster_tui.tui.keys.commands import ALWAYS, ANYWHERE, commands
from natster_tui.tui.keys.dialogs import TEXT_PAGE
from natster_tui.tui.keys.key import Key, bindings
from natster_tui.tui.keys.keymap import Keymap
from natster_tui.tui.theme import Glyphs
from natster_tui.tui.widgets.key_line import KeyLine

_KEY_COLUMN = 14


class TextScreen(ModalScreen[None]):
    """One scrolling text; any of the usual keys leaves it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(TEXT_PAGE)]

    def __init__(self, title: str, text: Text, glyphs: Glyphs) -> None:
        super().__init__(classes="page")
        self._glyphs = glyphs
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        """The text in a frame."""
        with VerticalScroll(classes="dialog") as frame:
            frame.border_title = self._title
            frame.border_subtitle = "esc closes"
            yield Static(self._text)
        yield KeyLine(self._glyphs)

    def action_scroll(self, lines: int) -> None:
        """Scroll the text."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def help_text(
    glyphs: Glyphs,
    filters: FilterLanguage,
    pane: str,
    own: Sequence[Key],
    moving: Sequence[Key],
    keymap: Keymap,
) -> Text:
    """All keys, and what the marks mean; those of the pane in use first."""
    text = Text()
    text.append(
        "natster-tui watches an event log, shows the projections that are derived from it, and "
        "rebuilds them. Events are facts and never change; accounts and catalogs are what follows "
        "from them, and can be made again from the log at any time. t lists the topics of the "
        "documentation.\n\n"
    )
    _append_section(text, f"In this pane: {pane}", _in_words(own, keymap))
    _append_section(text, "Moving", (*_in_words(moving, keymap), ("Tab", "Next pane")))
    others = {key.id: key for key in (*ALWAYS, *ANYWHERE, *commands().values()) if key not in own}
    _append_section(text, "Anywhere", _in_words(others.values(), keymap))
    _append_section(
        text,
        "Filters (/ in the timeline); all words must hold",
        (
            *((field.example, field.meaning) for field in filters.fields),
            ("any text", "a part of the subject, or of a name"),
            ("-word", "must not hold: -type:shared"),
            ("a or b", "one of them must hold: type:bound or type:shared from:Ada"),
            ('"two words"', 'one word with its blanks: from:"Natster Hub"'),
            ("ABCD…XYZ", "a key, shortened as rows print it"),
        ),
    )
    _append_section(
        text,
        "Marks in the timeline",
        (
            *((f"{glyphs.of(kind)} {kind.word}", kind.meaning) for kind in filters.system.kinds),
            (
                f"{glyphs.parked} parked",
                "no rule could use it; it is counted, and nothing waits for it",
            ),
        ),
    )
    _append_section(
        text,
        "Marks beside accounts and catalogs",
        (
            (glyphs.out, "how often it shares, or with whom"),
            (glyphs.into, "how often something is shared with it, or by whom"),
            (glyphs.of(IMPORTED), "how many of those it imported, or when"),
            (glyphs.of(BOUND), "tied to a web login; a wide pane says which"),
            (
                glyphs.warn,
                "a name that others use, too, or that differs from one in letter case only",
            ),
            (glyphs.on, "travelling: changed by this very event"),
        ),
    )
    text.right_crop()
    return text


def _in_words(keys: Iterable[Key], keymap: Keymap) -> Iterator[tuple[str, str]]:
    return ((keymap.all_shown(key), key.help) for key in keys if key.help)


def _append_section(text: Text, heading: str, rows: Iterable[tuple[str, str]]) -> None:
    text.append(f"{heading}\n", "bold")
    for what, meaning in rows:
        text.append(f"  {what:<{_KEY_COLUMN}}", "bold")
        text.append(f"{meaning}\n")
    text.append("\n")
