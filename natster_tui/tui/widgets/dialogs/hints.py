"""The line of hints in a dialog; each hint can be clicked."""

from __future__ import annotations

from dataclasses import dataclass

from rich.style import Style
from rich.text import Text
from textual.widgets import Static

from natster_tui.tui.theme import plain
from natster_tui.tui.view import View


@dataclass(frozen=True, slots=True)
class Hint:
    """A hint: the command whose key is shown, its words, and the action that a click runs.

    A hint without a command is a remark, and a click does nothing.
    """

    command: str
    words: str
    action: str = ""


def at_the_edge(view: View, *hints: Hint) -> Text:
    """Hints for the lower edge of a frame. As Text, because a string is taken for markup there."""
    shown = (f"{view.keymap.hint(hint.command)} {hint.words}" for hint in hints)
    return Text(plain(" · ".join(shown), view.glyphs))


class Hints(Static):
    """Shows hints."""

    def __init__(self, view: View) -> None:
        super().__init__(classes="hints")
        self._view = view

    def show(self, *hints: Hint) -> None:
        """Show these."""
        text = Text()
        for hint in hints:
            if text:
                text.append(" · ", "dim")
            meta = Style(meta={"@click": hint.action}) if hint.action else Style.null()
            if hint.command:
                text.append(f"{self._view.keymap.hint(hint.command)} ", meta + Style(bold=True))
            text.append(hint.words, meta + Style(dim=True))
        text.plain = plain(text.plain, self._view.glyphs)
        self.update(text)
