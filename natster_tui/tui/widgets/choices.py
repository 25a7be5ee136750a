"""A few lines to choose from below a field: the keyboard stays in the field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget

from natster_tui.text.masking import screen_text
from natster_tui.tui.theme import Glyphs, plain
from natster_tui.tui.widgets.cells import fit

_WIDEST = 40
"""Cells that the first column has at most."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice: `text` replaces the field's text, and `shown` and `meaning` are displayed.

    With `applies`, choosing it also presses Enter. `name` is the name of a kept filter, or empty.
    """

    text: str
    shown: str
    meaning: str = ""
    applies: bool = False
    name: str = ""


class Choices(Widget):
    """Shows choices, as many as fit around the chosen one; a click picks one."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"choices--chosen", "choices--meaning"}
    DEFAULT_CSS = """
    Choices {
        padding: 0 1;
        & > .choices--chosen { background: $primary-muted; text-style: bold; }
        & > .choices--meaning { color: $foreground-muted; }
    }
    """

    class Picked(Message):
        """A line was clicked."""

        def __init__(self, choice: Choice) -> None:
            super().__init__()
            self.choice = choice

    def __init__(self, glyphs: Glyphs, nothing: str = "") -> None:
        super().__init__()
        self._glyphs = glyphs
        self._nothing = nothing
        """The text that is shown if there is nothing to choose."""
        self._choices: Sequence[Choice] = ()
        self._at: int | None = None

    def show(self, choices: Sequence[Choice]) -> None:
        """Show these; none of them is chosen yet."""
        if (list(choices), self._at) != (list(self._choices), None):
            self._choices, self._at = choices, None
            self.refresh()

    def __len__(self) -> int:
        return len(self._choices)

    @property
    def chosen(self) -> Choice | None:
        """The one that is chosen."""
        return None if self._at is None else self._choices[self._at]

    @property
    def likeliest(self) -> Choice | None:
        """The chosen one, else the first one."""
        return self.chosen or next(iter(self._choices), None)

    def move(self, step: int) -> None:
        """Choose the next or the previous one; before the first none is chosen."""
        at = step - 1 if self._at is None else self._at + step
        self._at = None if at < 0 or not self._choices else min(at, len(self._choices) - 1)
        self.refresh()

    @property
    def _first(self) -> int:
        """The first one that is shown."""
        return max(0, (self._at or 0) - max(1, self.size.height) + 1)

    def render(self) -> Text:
        """The lines."""
        width, first = self.size.width, self._first
        shown = self._choices[first : first + max(1, self.size.height)]
        meaning_style = self.get_component_rich_style("choices--meaning")
        if not shown:
            return Text(fit(plain(self._nothing, self._glyphs), width), meaning_style, end="")
        names = [plain(screen_text(each.shown, 100), self._glyphs) for each in shown]
        column = min(_WIDEST, max(map(cell_len, names)), width)
        text = Text(no_wrap=True, end="")
        for number, (each, name) in enumerate(zip(shown, names, strict=True)):
            if number:
                text.append("\n")
            start = len(text)
            text.append(fit(name, column, self._glyphs.ellipsis))
            meaning = plain(screen_text(each.meaning, 200), self._glyphs)
            text.append(fit(f"  {meaning}", width - column, self._glyphs.ellipsis), meaning_style)
            if first + number == self._at:
                text.stylize(self.get_component_rich_style("choices--chosen"), start)
        return text

    def on_click(self, event: events.Click) -> None:
        """Pick the line."""
        offset = event.get_content_offset(self)
        if offset is not None and (at := self._first + offset.y) < len(self._choices):
            self.post_message(self.Picked(self._choices[at]))
