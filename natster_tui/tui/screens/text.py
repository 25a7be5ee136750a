"""A page of text over the dashboard, such as what went wrong."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from natster_tui.tui.keys.dialogs import TEXT_PAGE
from natster_tui.tui.keys.key import bindings
from natster_tui.tui.theme import Glyphs
from natster_tui.tui.widgets.key_line import KeyLine


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
