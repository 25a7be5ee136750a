"""What the server denies over one connection, by subject.

The server does not answer a request that it denies; it reports an error for the whole connection.
So a caller that waits for the effect of a request also waits for the denial of its subject. The
sentence of a denial is made in `error_sentences`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from natster_tui.errors import (
    ConnectionLostError,
    DeniedError,
    MalformedAnswerError,
    ServerError,
)

_KEPT = 1_000
_Answer = TypeVar("_Answer")


class Denials:
    """The denials of one connection. `inboxes` is the prefix of the subjects it gets answers on."""

    def __init__(self, inboxes: str) -> None:
        self.of_answers: DeniedError | None = None
        """Set if this connection can receive no answers at all."""
        self.optional: set[str] = set()
        """Subjects of optional requests; their denial is not reported."""
        self._inboxes = inboxes
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        self._known: dict[str, DeniedError] = {}

    def of(self, subject: str) -> DeniedError | None:
        """The denial of a subject; None if there was none on this connection."""
        return self._known.get(subject)

    async def if_permitted(
        self, subject: str, ask: Callable[[], Awaitable[_Answer]]
    ) -> _Answer | None:
        """The result of an optional request; None if we are not permitted to make it.

        A denial is not reported. After one the request is not sent again: a dashboard asks often,
        and the server logs each denied request.
        """
        if subject in self._known:
            return None
        self.optional.add(subject)
        try:
            return await ask()
        except (ConnectionLostError, MalformedAnswerError):
            raise
        except ServerError:
            # Denied, or not exported to this account.
            return None

    def listen(self, subject: str) -> asyncio.Future[None]:
        """A future that fails with DeniedError as soon as the server denies a subject.

        Get it before the request is published, and end with `stop_listening`.
        """
        denied: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(subject, []).append(denied)
        return denied

    def stop_listening(self, subject: str, denied: asyncio.Future[None]) -> None:
        """See `listen`."""
        if not denied.cancel() and not denied.cancelled():
            denied.exception()  # mark the exception as retrieved
        waiting = self._waiting[subject]
        waiting.remove(denied)
        if not waiting:
            del self._waiting[subject]

    def record(self, subject: str, denial: DeniedError) -> bool:
        """Record a denial, and fail the futures that wait for it; returns whether to report it."""
        if subject.startswith(f"{self._inboxes}."):
            self.of_answers = denial
        for each, futures in self._waiting.items():
            if self.of_answers or each == subject:
                for future in futures:
                    if not future.done():
                        future.set_exception(DeniedError(denial.sentence))
        if len(self._known) < _KEPT:
            self._known[subject] = denial
        return subject not in self.optional
