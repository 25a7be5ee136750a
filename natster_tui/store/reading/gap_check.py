"""Making sure that a reader leaves out no message that its stream holds."""

from __future__ import annotations

from time import monotonic

from natster_tui.errors import ServerError
from natster_tui.events.event import StoredMessage
from natster_tui.store.reading.completeness import gaps_between
from natster_tui.store.reading.leader import StreamLeader

UNDELIVERED_S = 5.0
"""How long to wait for a message that the stream holds. A replica that is behind catches up in
that time, and a new consumer may run on another replica."""


class GapCheck:
    """Asks a stream's leader about sequences that a reader did not get.

    `checks_all` says whether every gap is to be checked: filtered reads, and streams that
    overwrite, always have gaps. Messages from `known_from` on existed when the read began; if one
    of them is missing, history was lost. None if nothing is known.
    """

    def __init__(
        self, leader: StreamLeader, *, checks_all: bool, known_from: int | None = None
    ) -> None:
        self.leader = leader
        self.checks_all = checks_all
        self._known_from = known_from
        self._waiting_for: int | None = None
        """The sequence that the stream holds and that was not delivered yet."""
        self._waiting_since = 0.0

    async def first_missing(self, before: int, messages: list[StoredMessage]) -> int | None:
        """The first sequence that the stream holds and that is not among messages in order.

        None if they are complete. `before` is the sequence that they should begin with. Raises
        LogChangedError (see `StreamLeader.first_held`), and ServerError as `undelivered` does.
        """
        held = None
        if messages[-1][0] - before >= len(messages):
            gaps = gaps_between(before, [message[0] for message in messages])
            held = await self.leader.first_held(gaps, self._known_from)
            if held is not None:
                self._wait_for(held)
        if self._known_from is None and (held is None or messages[0][0] < held):
            self._known_from = messages[0][0]
        return held

    async def undelivered(self, next_seq: int, last: int | None) -> tuple[int | None, bool]:
        """The first sequence from `next_seq` to `last` (None: the end) that the stream holds.

        Also returns whether it was the same the last time. Raises ServerError if that message is
        not delivered within UNDELIVERED_S.
        """
        if last is None:
            held = await self.leader.next_held(next_seq)
        elif next_seq > last:
            held = None
        else:
            held = await self.leader.first_held([(next_seq, last)], self._known_from)
        if held is None:
            self._waiting_for = None
            return None, False
        again = held == self._waiting_for
        self._wait_for(held)
        return held, again

    def _wait_for(self, seq: int) -> None:
        now = monotonic()
        if seq != self._waiting_for:
            self._waiting_for, self._waiting_since = seq, now
        elif now - self._waiting_since > UNDELIVERED_S:
            raise not_delivered(self.leader, seq)


def not_delivered(leader: StreamLeader, seq: int) -> ServerError:
    """The error for a message that the stream holds and the server does not deliver."""
    return ServerError(
        f"{leader.stream} holds a message at {seq:,} that the server does not deliver: the read "
        "is not complete; look at the server's log, then try again"
    )
