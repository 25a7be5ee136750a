"""The banner of time travel: which moment is shown, and the keys that change it."""

from __future__ import annotations

from functools import partial
from typing import Any

from rich.text import Text
from textual.message import Message
from textual.widgets import Static

from natster_tui.engine.history.time_travel import Moment, TimeTravel
from natster_tui.errors import NatsterError
from natster_tui.projections.api import Projection
from natster_tui.text.counting import counted
from natster_tui.tui.background import notice, start
from natster_tui.tui.clock import full_time
from natster_tui.tui.theme import plain
from natster_tui.tui.view import View


class TravelBanner(Static):
    """Sets the moment that the view shows, and is hidden while that is now.

    A worker reads a moment, so keys keep working; another journey cancels it.
    """

    class Arrived(Message):
        """The screen shows another moment; None is now."""

        def __init__(self, moment: Moment | None) -> None:
            super().__init__()
            self.moment = moment

    def __init__(self, view: View) -> None:
        super().__init__(id="banner", classes="hidden")
        self._view = view
        self._travel: TimeTravel | None = None
        self._rules: tuple[type[Projection[Any]], ...] = ()
        """The classes of the projections that it was made of."""
        self._going_to: int | None = None
        self._done = 0.0
        self._head_at_departure = 0
        self._shown = ""

    @property
    def is_travelling(self) -> bool:
        """Whether the screen shows another time than now, or is on its way there."""
        return self._view.moment is not None or self._going_to is not None

    def go(self, seq: int) -> None:
        """Travel to the moment after an event."""
        self._going_to = seq
        self._done = 0.0
        start(self, partial(self._journey, seq), "travel")

    def toggle(self, seq: int | None) -> None:
        """Return to now, or travel to an event if the screen shows now."""
        if self.is_travelling:
            self.return_to_now()
        elif seq is not None:
            self.go(seq)

    def step(self, step: int) -> None:
        """One event forward or back, once arrived."""
        if self._view.moment is not None and self._going_to is None:
            self.go(self._view.moment.seq + step)

    def return_to_now(self) -> None:
        """Return to now."""
        self.workers.cancel_group(self, "travel")
        self._arrive(None)

    def forget(self) -> None:
        """Return to now, and drop what was read, because it does not match the log any more."""
        self._travel = None
        if self.is_travelling:
            self.return_to_now()

    async def _journey(self, seq: int) -> None:
        workspace = self._view.workspace
        try:
            log = workspace.opened_log
            # The class of a tried projection is another one after each save of its file.
            rules = tuple(map(type, self._view.projections))
            if self._travel is None or rules != self._rules:
                self._rules = rules
                self._travel = TimeTravel(
                    log, workspace.options.instance, self._on_progress, self._view.projections
                )
            self._travel.log = log
            self._arrive(await self._travel.at(seq))
        except NatsterError as error:
            self._arrive(self._view.moment)
            notice(self, error.sentence)

    def _on_progress(self, done: int, total: int) -> None:
        self._done = done / max(1, total)

    def _arrive(self, moment: Moment | None) -> None:
        self._going_to = None
        self._view.moment = moment
        if moment is None:
            self._head_at_departure = 0
        elif self._head_at_departure == 0:
            self._head_at_departure = self._view.workspace.follower.head
        self.post_message(self.Arrived(moment))

    def show(self) -> None:
        """Update the text, and hide the banner if the screen shows now."""
        sentence = self._sentence
        if sentence != self._shown:
            self._shown = sentence
            self.set_class(not sentence, "hidden")
            self.update(Text(sentence), layout=False)

    @property
    def _sentence(self) -> str:
        """The text that says which moment is shown; empty when it is now."""
        key = self._view.keymap.hint
        if self._going_to is not None and self._view.moment is None:
            cancels = f"{key('timeline.travel')} cancels"
            return f"travelling to {self._going_to:,}: {self._done:.0%} · {cancels}"
        moment = self._view.moment
        if moment is None:
            return ""
        new = self._view.workspace.follower.head - self._head_at_departure
        when = "before everything" if moment.seq == 0 else full_time(moment.time)
        live = f" · {counted(new, 'new event')} since you left" if new > 0 else ""
        # Not `[ ] step`, which looks like a box to tick.
        steps = f"step with {key('timeline.step_back')} or {key('timeline.step_on')}"
        back = f"{key('timeline.travel')} returns to now"
        line = f"AS OF {moment.seq:,}, {when} · {steps} · {back}{live}"
        return plain(line, self._view.glyphs)
