"""How many messages one pull request asks for.

A pull request is bounded in messages and in bytes. A reader that folds a whole log asks for as much
as it processes in a quarter of a second.
"""

from __future__ import annotations

from time import monotonic

WINDOW_MESSAGES = 8_000
"""The most messages that one request asks for."""

FOLLOWING_MESSAGES = 4_000
"""The bound for readers that follow a log. They work in short steps, and more messages arrive in
between than during the steps of a replay. Fewer of them should be held in memory."""

GATHERS_S = 0.002
"""How long readers that follow a log gather what comes in with a first message. Events often come
a few at a time, and to wake up, fold and commit costs the same for one as for five."""

WINDOW_BYTES = 4 * 1024 * 1024

FIRST_WINDOW, LEAST_WINDOW = 2_000, 250
WINDOW_S = 0.25
"""A window that fits holds about as much as the caller processes in so many seconds. Other answers
of the server, such as a lease's renewal, wait behind the messages asked for."""


class Window:
    """The bounds of one pull request; two requests are outstanding at most.

    With `fits`, a request asks for as much as the caller processes in WINDOW_S; otherwise always
    for `widest` messages. `gathers_s` is how many seconds the first message waits for others.
    """

    def __init__(
        self, widest: int = WINDOW_MESSAGES, *, fits: bool = False, gathers_s: float = 0.0
    ) -> None:
        self.gathers_s = gathers_s
        self.messages = min(FIRST_WINDOW, widest) if fits else widest
        self.bytes = WINDOW_BYTES
        self._widest = widest
        self._fits = fits
        self._asked_at = 0.0

    def begin(self) -> None:
        """Forget when the last request was sent."""
        self._asked_at = 0.0

    def fit(self) -> None:
        """Set the size by how long the caller took for the last window."""
        if not self._fits:
            return
        before, self._asked_at = self._asked_at, monotonic()
        if before:
            took = max(self._asked_at - before, WINDOW_S / 2)
            wanted = int(self.messages * WINDOW_S / took)
            self.messages = min(max(LEAST_WINDOW, wanted), self._widest)
