"""A text field that shows what is in it, also what would not show or would do something."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.highlighter import Highlighter
from rich.text import Text
from textual import events
from textual.widgets import Input

from natster_tui.text.safe_text import safe_in_place


class _Visible(Highlighter):
    """Symbols for characters that a terminal must not get; Textual lets all of them through."""

    def __call__(self, text: str | Text) -> Text:
        """The text as it may be shown, position by position."""
        if isinstance(text, str):
            return Text(safe_in_place(text))
        text.plain = safe_in_place(text.plain)
        return text

    def highlight(self, text: Text) -> None:
        """Nothing stands out."""


class Field(Input):
    """An `Input` for text that somebody may have pasted. `value` is that text, unchanged."""

    def __init__(self, value: str | None = None, **options: Any) -> None:
        super().__init__(value, highlighter=_Visible(), **options)

    def take(self, event: events.Key | events.Paste) -> bool:
        """Put in at once what is typed or pasted; False for a key that is not printable."""
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
    """A field whose text is answered before the next key: `answered` on Enter.

    Messages would come after the keys that were typed ahead.
    """

    def __init__(
        self, typed: Callable[[str], None], answered: Callable[[str], None], **options: Any
    ) -> None:
        self._typed = typed
        self._answered = answered
        # The focus is told of after keys were typed ahead: selecting them would replace them.
        super().__init__(select_on_focus=False, **options)

    def watch_value(self, value: str) -> None:
        """Textual calls this when `value` is another."""
        if self.display:
            self._typed(value)

    async def action_submit(self) -> None:
        """Enter."""
        self._answered(self.value)
