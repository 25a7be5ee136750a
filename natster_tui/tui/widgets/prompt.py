"""The one-line prompt at the bottom: find in a list, filter the timeline, name a file."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from textual.binding import BindingType
from textual.suggester import Suggester

from natster_tui.events.filter.completion import Named, completions
from natster_tui.events.filter.language import FilterLanguage
from natster_tui.tui.keys.key import bindings
from natster_tui.tui.keys.moving import PROMPT
from natster_tui.tui.widgets.text_field import AskingField


class Purpose(Enum):
    """What the prompt is for just now; the value is what it says while empty."""

    FIND = "find by name or key"
    FILTER = "filter"
    EXPORT = "export to: a file that does not exist yet"


class FilterSuggester(Suggester):
    """Completes a filter's fields, types and names; Tab or the right arrow takes the suggestion."""

    def __init__(self, filters: FilterLanguage, named: Named) -> None:
        self._filters = filters
        super().__init__(use_cache=False, case_sensitive=True)
        self._named = named

    async def get_suggestion(self, value: str) -> str | None:
        """The first way to go on, if any."""
        ways = completions(self._filters, value, self._named) if value else []
        return next((way.text for way in ways if way.text.startswith(value)), None)


class Prompt(AskingField):
    """Hidden until opened; `purpose` says what its text means."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(PROMPT)]

    def __init__(self, filters: FilterLanguage, named: Named) -> None:
        super().__init__(id="prompt", compact=True)
        self.display = False
        self.purpose = Purpose.FILTER
        self._suggester = FilterSuggester(filters, named)
        self._filter_hint = f"filter: {filters.summary}, or any text"

    @property
    def is_open(self) -> bool:
        """Whether it is on screen."""
        return bool(self.display)

    def open(self, purpose: Purpose, value: str = "", *, hint: str = "") -> None:
        """Show it and take the keyboard; `hint` replaces the purpose's own text."""
        self.purpose = purpose
        own = self._filter_hint if purpose is Purpose.FILTER else purpose.value
        self.placeholder = hint or own
        self.suggester = self._suggester if purpose is Purpose.FILTER else None
        self.value = value
        # What stood there is gone on with from its end, or replaced by what is typed.
        self.select_all()
        self.display = True
        self.screen.set_focus(self)
        # It may have been open before, for something else, and nothing has lost the focus.
        self.screen.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """See `DOMNode.check_action`: Tab stays ours, also where nothing can be completed."""
        if action == "complete" and self.suggester is None:
            return None
        return super().check_action(action, parameters)

    def action_complete(self) -> None:
        """Take the suggestion; where there is none the keyboard stays here all the same."""
        self.action_end()
        self.action_cursor_right()

    def close(self) -> None:
        """Hide it."""
        self.display = False
