"""Travelling in time: where the screen is, where it is going, and what says so.

Owns the moment that the view shows. The work is done in a worker of the application's, so that
no key waits for it and a second journey ends the first.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from natster_tui.engine.history.time_travel import Moment, TimeTravel
from natster_tui.errors import ConnectionLostError, NatsterError
from natster_tui.tui.background import Work
from natster_tui.tui.clock import full_time
from natster_tui.tui.theme import plain
from natster_tui.tui.view import View


class Traveller:
    """`start` runs a journey, `arrived` is told of every arrival, `say` of what went wrong."""

    def __init__(
        self,
        view: View,
        start: Callable[[Work, str], object],
        arrived: Callable[[Moment | None], None],
        say: Callable[[str], None],
    ) -> None:
        self._view = view
        self._start = start
        self._arrived = arrived
        self._say = say
        self._travel: TimeTravel | None = None
        self._going_to: int | None = None
        self._done = 0.0
        self._head_at_departure = 0

    @property
    def is_away(self) -> bool:
        """Whether the screen shows another time than now, or is on its way there."""
        return self._view.moment is not None or self._going_to is not None

    def go(self, seq: int) -> None:
        """Travel to the moment after an event."""
        self._going_to = seq
        self._done = 0.0
        self._start(partial(self._journey, seq), "travel")

    def step(self, step: int) -> None:
        """One event forward or back, once arrived."""
        if self._view.moment is not None and self._going_to is None:
            self.go(self._view.moment.seq + step)

    def come_back(self) -> None:
        """Return to now."""
        self._arrive(None)

    def forget(self) -> None:
        """Return to now, and keep nothing of what was read: it is not, or no longer, true."""
        self._travel = None
        if self.is_away:
            self.come_back()

    async def _journey(self, seq: int) -> None:
        workspace = self._view.workspace
        try:
            log = workspace.log
            if log is None:
                raise ConnectionLostError("not connected: wait for the connection, then try again")
            if self._travel is None:
                self._travel = TimeTravel(
                    log, workspace.options.instance, self._on_progress, self._view.projections
                )
            self._travel.log = log
            self._arrive(await self._travel.at(seq))
        except NatsterError as error:
            self._arrive(self._view.moment)
            self._say(error.sentence)

    def _on_progress(self, done: int, total: int) -> None:
        self._done = done / max(1, total)

    def _arrive(self, moment: Moment | None) -> None:
        self._going_to = None
        self._view.moment = moment
        if moment is None:
            self._head_at_departure = 0
        elif self._head_at_departure == 0:
            self._head_at_departure = self._view.workspace.follower.head
        self._arrived(moment)

    @property
    def banner(self) -> str:
        """What says unmistakably that this is not now; empty when it is."""
        if self._going_to is not None and self._view.moment is None:
            return f"travelling to {self._going_to:,}: {self._done:.0%} · t cancels"
        moment = self._view.moment
        if moment is None:
            return ""
        new = self._view.workspace.follower.head - self._head_at_departure
        when = "before everything" if moment.seq == 0 else full_time(moment.time)
        live = f" · {new:,} new event{'' if new == 1 else 's'} since you left" if new > 0 else ""
        line = f"AS OF {moment.seq:,}, {when} · [ ] step · t returns to now{live}"
        return plain(line, self._view.glyphs)
