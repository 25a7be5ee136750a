"""Questions before an action, answered with a key of their own or by typing a name."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Static

from natster_tui.tui.keys.dialogs import CONFIRM, CONFIRM_NAME
from natster_tui.tui.keys.key import bindings
from natster_tui.tui.screens.dialog import Dialog
from natster_tui.tui.theme import Glyphs
from natster_tui.tui.widgets.key_line import KeyLine
from natster_tui.tui.widgets.text_field import Field


class ConfirmScreen(Dialog[bool]):
    """Asks whether to go on. Enter alone never says yes."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(CONFIRM)]

    def __init__(self, question: str, glyphs: Glyphs) -> None:
        super().__init__()
        self._question = question
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        """The question in a frame."""
        with Vertical(classes="dialog question") as frame:
            frame.border_title = "Really?"
            yield Static(self._question, markup=False)
        yield KeyLine(self._glyphs)


class _NameField(Field):
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(CONFIRM_NAME)]


class ConfirmNameScreen(Dialog[bool]):
    """Asks for a name to be typed before the action goes on."""

    def __init__(self, question: str, name: str, glyphs: Glyphs) -> None:
        super().__init__()
        self._question = question
        self._name_wanted = name
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        """The question and the field in a frame."""
        with Vertical(classes="dialog question guarded") as frame:
            frame.border_title = "Really?"
            yield Static(f"{self._question}\nType {self._name_wanted} to go on.\n", markup=False)
            yield _NameField(placeholder=self._name_wanted, compact=True)
        yield KeyLine(self._glyphs)

    def action_compare(self) -> None:
        """Enter: go on if it is the name."""
        field = self.query_one(_NameField)
        if field.value.strip() == self._name_wanted:
            self.dismiss(True)
        else:
            field.select_all()
            self.query_one(Vertical).border_subtitle = Text(f"that is not {self._name_wanted}")
