"""The prompt at the bottom: search a list, filter the timeline, name a filter, name a file.

It stays open, with its text and the reason for a failure, until the request has succeeded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Label, Static

from natster_tui.errors import NatsterError
from natster_tui.events.filter.completion import completions
from natster_tui.events.filter.filter_field import BadFilterError
from natster_tui.text.masking import screen_text
from natster_tui.tui.background import notice
from natster_tui.tui.kept_filters import KeptFilters
from natster_tui.tui.keys.key import bindings
from natster_tui.tui.keys.moving import PROMPT, PROMPT_FIELD
from natster_tui.tui.theme import plain
from natster_tui.tui.view import View
from natster_tui.tui.widgets.choices import Choice, Choices
from natster_tui.tui.widgets.text_field import AskingField


class Purpose(Enum):
    """What the prompt asks for; the value is the label before its text."""

    FIND = "find"
    FILTER = "filter"
    NAME = "name for this filter"
    EXPORT = "export to"
    COMPARE = "compare with"


_HINTS = {
    Purpose.FIND: "a part of a name or key",
    Purpose.NAME: "a name of your own; the filter is listed under it from now on",
    Purpose.EXPORT: "a file that does not exist yet",
    Purpose.COMPARE: "yesterday, 2d, 09:30, 2026-11-22, or a sequence",
}
_PROPOSED = {Purpose.EXPORT: "natster-events.jsonl", Purpose.COMPARE: "yesterday"}
_OF_FILTERS = {"complete", "move", "keep", "forget"}


def proposed(purpose: Purpose, *, travelling: bool) -> str:
    """The prompt's suggestion; the past is compared with now."""
    if travelling and purpose is Purpose.COMPARE:
        return "now"
    return _PROPOSED.get(purpose, "")


class PromptField(AskingField):
    """The input. If a completion is chosen, Enter first puts it into the field."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(PROMPT_FIELD)]

    def __init__(self, take: Callable[[], bool]) -> None:
        super().__init__(compact=True)
        self._take = take
        """Takes the chosen completion; returns whether Enter then answers."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """See `DOMNode.check_action`: the arrows, too, are a matter of what the prompt is for."""
        if action == "move":
            return self.query_ancestor(Prompt).check_action(action, parameters)
        return super().check_action(action, parameters)

    def action_move(self, step: int) -> None:
        """See `Prompt.move`. Bound here, because a field scrolls with the arrows otherwise."""
        self.query_ancestor(Prompt).move(step)

    async def action_submit(self) -> None:
        """Enter."""
        if self._take():
            await super().action_submit()


class Prompt(Vertical):
    """Hidden until opened; `purpose` says what its text means."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(PROMPT)]

    def __init__(self, view: View, kept: KeptFilters) -> None:
        super().__init__(id="prompt")
        self.display = False
        self.purpose = Purpose.FILTER
        self._view = view
        self._kept = kept
        self._label = Label(id="prompt-label")
        self.field = PromptField(self._take_chosen)
        self._problem = Static(id="prompt-problem")
        up, help_key = view.keymap.hint("prompt.up"), view.keymap.hint("app.help")
        self._choices = Choices(
            view.glyphs,
            f"{up} earlier filters · - before a word negates it · or between words · "
            f"{help_key} explains",
        )
        self._earlier = -1
        """Which of the recent filters is in the field; -1 for what was typed."""
        self._typed = ""
        self._text_put: str | None = None
        """The text that was put into the field by us, until the user changes it."""
        self._listed_for: str | None = None
        self._keeping = asyncio.Lock()
        self._to_name = ""
        """The filter for which a name is asked."""

    def compose(self) -> ComposeResult:
        """Label and field; below them the problem and the completions."""
        with Horizontal(id="prompt-line"):
            yield self._label
            yield self.field
        yield self._problem
        yield self._choices

    @property
    def is_open(self) -> bool:
        """Whether it is on screen."""
        return bool(self.display)

    def is_asking(self, purpose: Purpose) -> bool:
        """Whether it is open for this."""
        return self.is_open and self.purpose is purpose

    @property
    def value(self) -> str:
        """The text in the field."""
        return self.field.value

    def open(self, purpose: Purpose, value: str = "", *, hint: str = "") -> None:
        """Show it and take the keyboard; `hint` replaces the purpose's own text."""
        self.purpose = purpose
        filters = purpose is Purpose.FILTER
        self._label.update(purpose.value)
        own = self._view.filters.summary if filters else _HINTS[purpose]
        self.field.placeholder = hint or own
        self._choices.display = filters
        self._put(value)
        self._earlier = -1
        # The user can append to the selected text, or replace it by typing.
        self.field.select_all()
        self.say("")
        self.display = True
        self._list_again()
        self.screen.set_focus(self.field)
        # If it was open for another purpose, the focus has not changed, but the keys have.
        self.screen.refresh_bindings()

    def close(self) -> None:
        """Hide it."""
        self.display = False

    def say(self, sentence: str, *, is_problem: bool = False) -> None:
        """Show a sentence below the field, until its text changes; the text stays."""
        text = plain(screen_text(sentence, 400), self._view.glyphs)
        self._problem.update(
            Text(text, self.app.theme_variables["text-error"] if is_problem else "")
        )
        self._problem.display = bool(sentence)

    def on_input_changed(self) -> None:
        """The text changed: remove the problem of the previous one."""
        if self.value != self._text_put:
            self._text_put, self._earlier = None, -1
            self.say("")
        self._list_ways()

    def _put(self, text: str) -> None:
        self._text_put = text
        self.field.value = text
        self.field.action_end()

    # -- completions -----------------------------------------------------------------------

    def _list_ways(self) -> None:
        """List the completions. A key may come before Textual reports the changed text."""
        if self.is_asking(Purpose.FILTER) and self._listed_for != self.value:
            self._listed_for = self.value
            self._choices.show([*self._named_ways(), *self._ways()])

    def _list_again(self) -> None:
        self._listed_for = None
        self._list_ways()

    def _named_ways(self) -> list[Choice]:
        typed = self.value.strip().lower()
        return [
            Choice(text, name, text, applies=True, name=name)
            for name, text in sorted(self._kept.named.items())
            if typed in name.lower() and text != self.value
        ]

    def _ways(self) -> list[Choice]:
        return [
            Choice(each.text, each.word, each.meaning)
            for each in completions(self._view.filters, self.value, self._view.named)
        ]

    def _take_chosen(self) -> bool:
        """Take the completion, if one is chosen; returns whether Enter is an answer."""
        chosen = self._choices.chosen if self.purpose is Purpose.FILTER else None
        if chosen is None:
            return True
        self._put(chosen.text)
        return chosen.applies

    async def on_choices_picked(self, message: Choices.Picked) -> None:
        """A click: take it; a kept filter is applied at once."""
        self._put(message.choice.text)
        self.screen.set_focus(self.field)
        if message.choice.applies:
            self._choices.show(())
            await self.field.action_submit()

    # -- keys ------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """See `DOMNode.check_action`: Tab and the arrows stay ours even if they do nothing."""
        if action in _OF_FILTERS and self.purpose is not Purpose.FILTER:
            return None
        if action == "forget" and not self._kept.named:
            return None
        return super().check_action(action, parameters)

    def action_complete(self) -> None:
        """Take the chosen completion, else the first."""
        self._list_ways()
        if (likeliest := self._choices.likeliest) is not None:
            self._put(likeliest.text)

    def move(self, step: int) -> None:
        """Move down into the completions and up again; above the field are the recent filters."""
        self._list_ways()
        if self._earlier < 0 and (step > 0 or self._choices.chosen is not None):
            self._choices.move(step)
            return
        if self._earlier < 0:
            self._typed = self.value
        recent = [each for each in self._kept.recent if each != self._typed]
        self._earlier = min(self._earlier - step, len(recent) - 1)
        self._put(self._typed if self._earlier < 0 else recent[self._earlier])

    def action_keep(self) -> None:
        """Ask for a name for the filter in the field."""
        self._to_name = self.value.strip()
        if not self._to_name:
            self.say("type a filter first, then name it", is_problem=True)
            return
        try:
            self._view.filters.parse(self._to_name, self._view.now())
        except BadFilterError as error:
            self.say(str(error), is_problem=True)
            return
        has = (name for name, text in self._kept.named.items() if text == self._to_name)
        self.open(Purpose.NAME, next(has, ""))

    def action_forget(self) -> None:
        """Forget the kept filter that is chosen in the list."""
        chosen = self._choices.chosen
        if chosen is None or not chosen.name:
            down = self._view.keymap.hint("prompt.down")
            self.say(f"choose a filter that has a name first, with {down}", is_problem=True)
            return
        self._change(partial(self._kept.forget, chosen.name))

    # -- keeping filters -------------------------------------------------------------------

    def name_filter(self, name: str) -> None:
        """Keep the filter under a name, and go on with it."""
        if not name.strip():
            leave = self._view.keymap.hint("prompt.leave")
            self.say(f"type a name, or press {leave}", is_problem=True)
            return
        self._change(partial(self._kept.name, name.strip(), self._to_name))
        self.open(Purpose.FILTER, self._to_name)
        self.say(f"kept as {name.strip()}: it is listed here")

    def back_to_filter(self) -> None:
        """Leave the name, and go on with the filter."""
        self.open(Purpose.FILTER, self._to_name)

    def use(self, text: str) -> None:
        """Remember that a filter was used."""
        self._change(partial(self._kept.use, text))

    def _change(self, change: Callable[[], None]) -> None:
        async def keep() -> None:
            try:
                async with self._keeping:
                    await asyncio.to_thread(change)
            except NatsterError as error:
                notice(self, error.sentence)
            self._list_again()
            self.refresh_bindings()

        self.run_worker(keep(), group="keep")
