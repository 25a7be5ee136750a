"""Reports of running work: what it waits for, and what it changed on its own.

The work names what it waits for with `waiting_for`, and reports changes on the server that the
user did not ask for with `notice`. The caller listens with a `Reporter`; without one, nothing is
reported.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Wait = str | Callable[[], str]
"""The sentence that says what is waited for, or a function if it changes.

An empty sentence means that nothing is waited for at the moment.
"""

_reporter: ContextVar[Reporter | None] = ContextVar("reporter", default=None)


class Reporter:
    """Receives what the work in its context waits for; `on_notice` is called with notices."""

    def __init__(self, on_notice: Callable[[str], None]) -> None:
        self.notice = on_notice
        self._noticed: set[str] = set()
        self._waits: dict[object, tuple[Wait, float]] = {}

    def waits(self, seconds: float) -> list[str]:
        """The waits that have lasted at least so long, the longest first.

        A wait given as a function is called each time; it begins at its first sentence.
        """
        now, found = time.monotonic(), []
        for token, (what, since) in self._waits.items():
            text = what if isinstance(what, str) else what()
            if not text:
                self._waits[token] = (what, now)
            elif since <= now - seconds:
                found.append((since, text))
        return list(dict.fromkeys(text for _since, text in sorted(found)))

    def notice_once(self, sentence: str) -> None:
        """See the function of that name."""
        if sentence not in self._noticed:
            self._noticed.add(sentence)
            self.notice(sentence)

    @contextmanager
    def waiting_for(self, what: Wait) -> Iterator[None]:
        """See the function of that name."""
        token = object()
        self._waits[token] = (what, time.monotonic())
        try:
            yield
        finally:
            del self._waits[token]


@contextmanager
def reporting_to(reporter: Reporter) -> Iterator[None]:
    """Within the block, and in tasks started there, report to this reporter."""
    token = _reporter.set(reporter)
    try:
        yield
    finally:
        _reporter.reset(token)


@contextmanager
def waiting_for(what: Wait) -> Iterator[None]:
    """Mark a wait for something outside the program; `what` names it."""
    reporter = _reporter.get()
    if reporter is None:
        yield
        return
    with reporter.waiting_for(what):
        yield


def notice(sentence: str) -> None:
    """Report a change on the server that the user did not ask for."""
    reporter = _reporter.get()
    if reporter is not None:
        reporter.notice(sentence)


def notice_once(sentence: str) -> None:
    """Report a change or a fact once, not again at the next connection."""
    reporter = _reporter.get()
    if reporter is not None:
        reporter.notice_once(sentence)
