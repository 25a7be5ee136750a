"""A text field that shows control characters and invisible characters as symbols."""

from __future__ import annotations

from typing import Any

from rich.highlighter import Highlighter
from rich.text import Text
from textual import events
from textual.message import Message
from textual.widgets import Input

from natster_tui.text.safe_text import safe_in_place


class _Visible(Highlighter):
    """Shows symbols for characters that a terminal must not get. Textual would send them."""

    def __call__(self, text: str | Text) -> Text:
        """The text as it may be shown, position by position."""
        if isinstance(text, str):
            return Text(safe_in_place(text))
        text.plain = safe_in_place(text.plain)
        return text

    def highlight(self, text: Text) -> None:
        """Highlight nothing."""


class Field(Input):
    """An `Input` for text that may have been pasted. `value` is that text, unchanged."""

    def __init__(self, value: str | None = None, **options: Any) -> None:
        super().__init__(value, highlighter=_Visible(), **options)

    def take(self, event: events.Key | events.Paste) -> bool:
        """Insert a key or a paste at once; returns False for a key that is not printable."""
        if isinstance(event, events.Paste):
            text = next(iter(event.text.splitlines()), "")
        elif event.is_printable and event.character is not None:
            text = event.character
        else:
            return False
        if self.selection.is_empty:
            self.insert_text_at_cursor(text)
        else:
            self.replace(text, *self.selection)
        return True


class AskingField(Field):
    """A field that asks for one text, and posts `Answered` on Enter."""

    class Answered(Message):
        """Enter was pressed. Keys typed after it wait until the application has handled this."""

        def __init__(self, field: AskingField, text: str) -> None:
            super().__init__()
            self.field = field
            self.text = text

        @property
        def control(self) -> AskingField:
            """The field, for `on`."""
            return self.field

    def __init__(self, **options: Any) -> None:
        self.is_answering = False
        """Whether `Answered` was posted, and is not handled yet."""
        # The focus event comes after keys typed ahead, which would replace a selected text.
        super().__init__(select_on_focus=False, **options)

    async def action_submit(self) -> None:
        """Enter."""
        self.is_answering = True
        self.post_message(self.Answered(self, self.value))
