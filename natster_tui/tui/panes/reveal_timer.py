"""The timer that hides revealed secrets again, with its countdown."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from math import ceil

from textual.timer import Timer
from textual.widget import Widget

REVEAL_S = 10.0
"""Seconds for which secrets are shown."""
_JUST_BEHIND_S = 0.01
"""Added to each timer, so that the second has surely passed when it fires."""


class RevealTimer:
    """Calls `changed` each second while secrets are shown, and once when they are hidden."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._until = 0.0
        self._timer: Timer | None = None

    @property
    def is_on(self) -> bool:
        """Whether secrets are shown just now."""
        return time.monotonic() < self._until

    @property
    def countdown(self) -> str:
        """How much longer secrets are shown, in words; empty if they are hidden."""
        left = ceil(self._until - time.monotonic())
        return f"secrets are shown for {left} s" if self.is_on else ""

    def toggle(self, owner: Widget) -> None:
        """Show secrets for a while, or hide them again; the timer ends with `owner`."""
        self._until = 0.0 if self.is_on else time.monotonic() + REVEAL_S
        if self._timer is not None:
            self._timer.stop()
        self._tick(owner)

    def _tick(self, owner: Widget) -> None:
        # The last tick comes exactly when they must be hidden, not up to a second later.
        left = self._until - time.monotonic()
        self._timer = None
        if left > 0:
            next_in = left % 1.0 or 1.0
            self._timer = owner.set_timer(next_in + _JUST_BEHIND_S, partial(self._tick, owner))
        self._changed()
