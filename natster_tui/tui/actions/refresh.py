"""When the panes look at what is new, and in which order.

The workspace rings a doorbell when anything changed; what is shown is looked at a bounded number
of times a second. What is looked at together is painted together, and meanwhile neither a key nor
a commit gets on: so while events stream in, the panes take turns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from math import inf
from typing import Protocol

from textual.timer import Timer

STREAMING_PER_SECOND = 20
"""Events a second from which on the panes are looked at one after the other, not all at once."""
BESIDE_PER_SECOND = 5
"""While events stream in, so often what stands beside the timeline: the sums of them."""
TURN_S = 1 / 60
"""Between two of them: Textual paints as often."""
UNREADABLE_PER_SECOND = 1_000
"""From this many events a second on, rows pass too fast to read, and fewer paints are enough."""
CALM_REFRESH_PER_SECOND = 4
CALM_BESIDE_PER_SECOND = 2
AT_LEAST_EVERY_S = 1.0
"""Ages and rates change by themselves."""

Look = Callable[[], None]


class _SetInterval(Protocol):
    def __call__(self, interval: float, callback: Look, *, pause: bool = False) -> Timer: ...


class Refreshing:
    """`looks` are what a refresh consists of, the most urgent first.

    `rate` is how many events a second come in, `is_asked_to_wait` whether something else goes
    first just now, `per_second` how often it is looked at most.
    """

    def __init__(
        self,
        looks: Sequence[Look],
        rate: Callable[[], float],
        is_asked_to_wait: Callable[[], bool],
        per_second: float,
    ) -> None:
        self._per_second = per_second
        self._looks = looks
        self._rate = rate
        self._is_asked_to_wait = is_asked_to_wait
        self._rung = True
        self._looked = 0.0
        self._looked_beside = -inf
        self._every = 0.0
        self._waiting: list[Look] = []
        self._ticks: Timer | None = None
        self._turns: Timer | None = None

    def start(self, set_interval: _SetInterval) -> None:
        """Begin; the timers end with whom they are set for."""
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
        """Somebody at the keyboard waits for it: everything, with the next refresh."""
        self._looked_beside = -inf
        self.ring()

    def at_once(self) -> None:
        """Look at everything now."""
        for look in self._looks:
            look()

    def _refresh_if_rung(self) -> None:
        now = time.monotonic()
        if not self._rung:
            # Nobody has to wake up for nothing; who rings next is heard at once.
            assert self._ticks is not None
            self._ticks.pause()
            return
        if now - self._looked < self._every:
            return
        if self._waiting or self._is_asked_to_wait():
            return
        rate = self._rate()
        floods = rate > UNREADABLE_PER_SECOND
        self._every = 1 / CALM_REFRESH_PER_SECOND if floods else 0.0
        self._rung, self._looked = False, now
        if rate < STREAMING_PER_SECOND:
            self.at_once()
            return
        first, *others = self._looks
        first()
        beside = CALM_BESIDE_PER_SECOND if floods else BESIDE_PER_SECOND
        if now - self._looked_beside < 1 / beside:
            # Whatever comes next, or nothing more: they get their turn.
            self._rung = True
            return
        self._looked_beside, self._waiting = now, others
        if self._turns is not None:
            self._turns.reset()

    def _take_turn(self) -> None:
        look = self._waiting.pop(0) if self._waiting else None
        if not self._waiting and self._turns is not None:
            self._turns.pause()
        if look is not None:
            look()
