"""The line that says what can be done now: each part of it can be clicked."""

from __future__ import annotations

from dataclasses import dataclass

from rich.style import Style
from rich.text import Text
from textual.widgets import Static

from natster_tui.tui.theme import Glyphs, plain


@dataclass(frozen=True, slots=True)
class Hint:
    """A key as people read it, what it does, and the action that a click runs.

    Without a key it is a remark, and a click does nothing.
    """

    key: str
    words: str
    action: str = ""


CLOSES = Hint("esc", "closes", "screen.leave")
CANCELS = Hint("esc", "cancels", "screen.leave")


class Hints(Static):
    """Shows hints."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(classes="hints")
        self._glyphs = glyphs

    def show(self, *hints: Hint) -> None:
        """Show these."""
        text = Text()
        for hint in hints:
            if text:
                text.append(" · ", "dim")
            meta = Style(meta={"@click": hint.action}) if hint.action else Style.null()
            if hint.key:
                text.append(f"{hint.key} ", meta + Style(bold=True))
            text.append(hint.words, meta + Style(dim=True))
        text.plain = plain(text.plain, self._glyphs)
        self.update(text)
