"""The base of dialogs with a page of lines, whose links can be followed and that `/` searches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Input, Label

from natster_tui.engine.rebuilding.scope import Scope
from natster_tui.tui.keys.dialogs import PAGE_SCREEN, PAGE_SEARCH
from natster_tui.tui.keys.key import bindings
from natster_tui.tui.places.place import Place
from natster_tui.tui.screens.dialog import Dialog
from natster_tui.tui.view import View
from natster_tui.tui.widgets.dialogs.hints import Hint, at_the_edge
from natster_tui.tui.widgets.dialogs.page import Page, PageLine
from natster_tui.tui.widgets.key_line import KeyLine
from natster_tui.tui.widgets.text_field import Field

_SMALL = 100
"""Below this width a dialog may have the whole screen."""
_SHARE = 90
"""Percent of a larger screen that a dialog may have."""
_LEAST_WIDTH = 64
_FRAME_WIDTH, _FRAME_HEIGHT = 5, 2
"""Cells that border, padding and a scroll bar take."""


class SearchField(Field):
    """The field for the text to search."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(PAGE_SEARCH)]


Result = Place | Scope | None
"""The result of a page: a place to go to, or what to rebuild."""


class PageDialog(Dialog[Result]):
    """A page, and the line to search it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(PAGE_SCREEN)]

    def __init__(self, view: View, title: str, lines: Iterable[PageLine] = ()) -> None:
        super().__init__()
        self.view = view
        self.page = Page(view.glyphs, lines)
        self._search = SearchField(placeholder="a text on this page", compact=True)
        self._found = Label()
        self._frame = Vertical(classes="dialog fitting")
        self._frame.border_title = Text(title)
        self.hint_closing("closes")
        self._line = Horizontal(Label("find"), self._search, self._found, classes="search hidden")

    def compose(self) -> ComposeResult:
        """The page in a frame."""
        with self._frame:
            yield from self.compose_around(self.page)
            yield self._line
        yield KeyLine(self.view.glyphs)

    def compose_around(self, page: Page) -> ComposeResult:
        """The content of the frame, apart from the search."""
        yield page

    def on_mount(self) -> None:
        """Take the keyboard to the page, unless a dialog of this kind took it elsewhere."""
        if self.focused is None:
            self.set_focus(self.page)
        # The height around the page is known only after a layout.
        self.screen_layout_refresh_signal.subscribe(self, self._fit, immediate=True)

    def hint_closing(self, what: str) -> None:
        """Say what closing it means now, at the edge of the frame."""
        self._frame.border_subtitle = at_the_edge(
            self.view, Hint("page.search", "find"), Hint("page.close", what)
        )

    # -- room ------------------------------------------------------------------------------

    @property
    def widest(self) -> int:
        """Cells of the longest line in the frame."""
        return self.page.widest

    def _fit(self, _screen: Screen[Any]) -> None:
        """Give the frame the room that the page needs, if the screen has it."""
        frame, screen = self._frame, self.app.size
        is_small = screen.width < _SMALL
        most = screen.width if is_small else screen.width * _SHARE // 100
        width = min(max(self.widest + _FRAME_WIDTH, _LEAST_WIDTH), most)
        around = _FRAME_HEIGHT + sum(
            each.outer_size.height
            for each in frame.children
            if each.display and each is not self.page
        )
        tallest = screen.height - 1 if is_small else screen.height * _SHARE // 100
        rows = self.page.rows_at(width - _FRAME_WIDTH)
        # Another size is another layout, after which this is called again.
        frame.styles.width, frame.styles.height = width, min(max(rows, 1) + around, tallest)

    # -- searching -------------------------------------------------------------------------

    def action_search(self) -> None:
        """Ask for a text."""
        self._line.remove_class("hidden")
        self._search.select_all()
        self.set_focus(self._search)
        self.refresh_bindings()

    def on_input_changed(self, message: Input.Changed) -> None:
        """Look for the text as it is typed."""
        if message.input is self._search:
            self._look_for()

    def _look_for(self) -> None:
        self.page.look_for(self._search.value)
        self._found.update(self.page.found)
        self.refresh_bindings()

    @property
    def is_searching(self) -> bool:
        """Whether the search is open."""
        return not self._line.has_class("hidden")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """See `DOMNode.check_action`: nothing is next until something was found."""
        if action == "match" and not self.page.has_matches:
            return False
        return super().check_action(action, parameters)

    def action_searched(self) -> None:
        """Enter: back to the page, at what was found."""
        # The text may have been typed ahead, and not been looked for yet.
        self._look_for()
        self.set_focus(self.page)

    def action_match(self, step: int) -> None:
        """The next or the previous place of the text."""
        self.page.next_match(step)
        self._found.update(self.page.found)

    def action_leave(self) -> None:
        """End the search, or close."""
        if not self.is_searching:
            self.action_close()
            return
        self._search.value = ""
        self._line.add_class("hidden")
        self.page.look_for("")
        self.set_focus(self.page)
        self.refresh_bindings()

    def action_close(self) -> None:
        """Close it without a result."""
        self.dismiss(None)

    # -- following -------------------------------------------------------------------------

    def on_page_followed(self, message: Page.Followed) -> None:
        """A line that names something was chosen."""
        if self.is_current:
            self.follow(message.place)

    def follow(self, place: Place) -> None:
        """Go to what a line names."""
        self.dismiss(place)

    def action_enter(self) -> None:
        """Handle Enter on a page without links: close it."""
        self.action_close()
