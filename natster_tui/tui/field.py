"""A text field that shows what is in it, also what would not show or would do something."""

from __future__ import annotations

from typing import Any

from rich.highlighter import Highlighter
from rich.text import Text
from textual.widgets import Input

from natster_tui.domain.safe_text import safe_in_place


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
