"""What a piece of work has to say while it runs: what it waits for, and what it changed unasked.

The work names what it waits for with `waiting_for`, and tells with `notice` what it did on the
server that nobody asked for. Whoever started the work listens with a `Reporter`; without one
nothing is said.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

What = str | Callable[[], str]
"""The sentence that says what is waited for; a function where that changes meanwhile.

An empty one says that nothing is waited for at the moment.
"""

_reporter: ContextVar[Reporter | None] = ContextVar("reporter", default=None)


class Reporter:
    """Hears what the work in its context waits for; `on_notice` takes the notices."""

    def __init__(self, on_notice: Callable[[str], None]) -> None:
        self.notice = on_notice
        self._waits: dict[object, tuple[What, float]] = {}

    def waits(self, seconds: float) -> list[str]:
        """What has been waited for at least so long, the longest wait first.

        A wait that changes is asked at each look: it begins when it is first found to be one.
        """
        now, found = time.monotonic(), []
        for token, (what, since) in self._waits.items():
            text = what if isinstance(what, str) else what()
            if not text:
                self._waits[token] = (what, now)
            elif since <= now - seconds:
                found.append((since, text))
        return list(dict.fromkeys(text for _since, text in sorted(found)))

    @contextmanager
    def waiting_for(self, what: What) -> Iterator[None]:
        """See the function of that name."""
        token = object()
        self._waits[token] = (what, time.monotonic())
        try:
            yield
        finally:
            del self._waits[token]


@contextmanager
def reporting_to(reporter: Reporter) -> Iterator[None]:
    """Everything started inside reports to this reporter."""
    token = _reporter.set(reporter)
    try:
        yield
    finally:
        _reporter.reset(token)


@contextmanager
def waiting_for(what: What) -> Iterator[None]:
    """Around a wait that others end; `what` says what for."""
    reporter = _reporter.get()
    if reporter is None:
        yield
        return
    with reporter.waiting_for(what):
        yield


def notice(sentence: str) -> None:
    """Tell what was done on the server although nobody asked for it."""
    reporter = _reporter.get()
    if reporter is not None:
        reporter.notice(sentence)
