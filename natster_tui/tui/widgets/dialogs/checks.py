"""A list of checkboxes, with lines that run an action."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.widget import Widget

from natster_tui.tui.keys.dialogs import CHECKS
from natster_tui.tui.keys.key import bindings
from natster_tui.tui.theme import Glyphs, plain


@dataclass(frozen=True, slots=True)
class Check:
    """A checkbox; if `checked` is None, a line that runs an action."""

    id: str
    label: str
    checked: bool | None = None


class Checks(Widget, can_focus=True):
    """Shows boxes. Space or Enter toggles the one under the cursor, and so does a click."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(CHECKS)]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"checks--cursor"}
    DEFAULT_CSS = """
    Checks {
        height: auto;
        & > .checks--cursor { background: $panel; }
        &:focus > .checks--cursor { background: $primary-muted; text-style: bold; }
    }
    """

    class Pressed(Message):
        """A box or a line was chosen."""

        def __init__(self, check: Check) -> None:
            super().__init__()
            self.check = check

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs
        self._checks: Sequence[Check] = ()
        self._at = 0

    def show(self, checks: Sequence[Check]) -> None:
        """Show these; the cursor stays on the same one, at first on the last."""
        here = self._checks[self._at].id if self._checks else ""
        others = [number for number, check in enumerate(checks) if check.id == here]
        self._checks, self._at = checks, others[0] if others else len(checks) - 1
        self.refresh(layout=True)

    def render(self) -> Text:
        """A line for each."""
        text = Text(no_wrap=True, end="")
        for number, check in enumerate(self._checks):
            if number:
                text.append("\n")
            start = len(text)
            mark = {True: "[x]", False: "[ ]", None: f" {self._glyphs.out} "}[check.checked]
            text.append(plain(f"{mark} {check.label}", self._glyphs))
            if number == self._at:
                text.stylize(self.get_component_rich_style("checks--cursor"), start)
        return text

    def action_move(self, step: int) -> None:
        """Up or down."""
        self._at = max(0, min(self._at + step, len(self._checks) - 1))
        self.refresh()

    def action_press(self) -> None:
        """Toggle the box, or do what the line says."""
        if self._checks:
            self.post_message(self.Pressed(self._checks[self._at]))

    def on_click(self, event: events.Click) -> None:
        """Press the line that was clicked."""
        offset = event.get_content_offset(self)
        if offset is not None and offset.y < len(self._checks):
            self._at = offset.y
            self.refresh()
            self.action_press()
