"""When the panes are updated, and in which order.

The workspace rings a bell when anything has changed, and the panes are updated a limited number of
times a second. Panes that are updated together are painted together, and meanwhile no key is
answered and nothing is committed. So while events stream in, the panes take turns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from math import inf
from typing import Protocol

from textual.timer import Timer

from natster_tui.engine.workspace import Workspace

STREAMING_PER_SECOND = 20
"""From this many events a second on, the panes are updated in turn, not all at once."""
OTHERS_PER_SECOND = 2
"""How often everything but the timeline is updated while events stream in."""
TURN_S = 1 / 60
"""Seconds between the turns of two panes. Textual paints as often."""
UNREADABLE_PER_SECOND = 1_000
"""From this many events a second on, rows pass too fast to read, and fewer paints are enough."""
CALM_REFRESH_PER_SECOND = 4
AT_LEAST_EVERY_S = 1.0
"""Seconds between two refreshes at most: ages and rates change by themselves."""

Update = Callable[[], None]


class _SetInterval(Protocol):
    def __call__(self, interval: float, callback: Update, *, pause: bool = False) -> Timer: ...


class Refresher:
    """Runs `updates`, the most urgent first, when the workspace rings.

    It refreshes at most `per_second` times a second, less often while many events arrive, and not
    while something interactive has priority.
    """

    def __init__(self, updates: Sequence[Update], workspace: Workspace, per_second: float) -> None:
        self._per_second = per_second
        self._updates = updates
        self._workspace = workspace
        self._rung = True
        self._updated = 0.0
        self._updated_others = -inf
        self._every = 0.0
        self._waiting: list[Update] = []
        self._ticks: Timer | None = None
        self._turns: Timer | None = None

    def start(self, set_interval: _SetInterval) -> None:
        """Begin. `set_interval` is the application's, so the timers end with it."""
        self._ticks = set_interval(1 / self._per_second, self._refresh_if_rung)
        set_interval(AT_LEAST_EVERY_S, self.ring)
        self._turns = set_interval(TURN_S, self._take_turn, pause=True)
        self.at_once()

    def ring(self) -> None:
        """Something changed."""
        self._rung = True
        if self._ticks is not None:
            self._ticks.resume()

    def soon(self) -> None:
        """Update all panes at the next refresh, because the user is waiting."""
        self._updated_others = -inf
        self.ring()

    def at_once(self) -> None:
        """Update everything now."""
        for update in self._updates:
            update()

    def _refresh_if_rung(self) -> None:
        now = time.monotonic()
        if not self._rung:
            # There is nothing to do until `ring` resumes the timer.
            assert self._ticks is not None
            self._ticks.pause()
            return
        if now - self._updated < self._every:
            return
        if self._waiting or self._workspace.interactive_priority.is_claimed:
            return
        rate = self._workspace.follower.meter.per_second
        floods = rate > UNREADABLE_PER_SECOND
        self._every = 1 / CALM_REFRESH_PER_SECOND if floods else 0.0
        self._rung, self._updated = False, now
        if rate < STREAMING_PER_SECOND:
            self.at_once()
            return
        first, *others = self._updates
        first()
        if now - self._updated_others < 1 / OTHERS_PER_SECOND:
            # The others follow at a later tick, even if nothing rings until then.
            self._rung = True
            return
        self._updated_others, self._waiting = now, others
        if self._turns is not None:
            self._turns.reset()

    def _take_turn(self) -> None:
        update = self._waiting.pop(0) if self._waiting else None
        if not self._waiting and self._turns is not None:
            self._turns.pause()
        if update is not None:
            update()
