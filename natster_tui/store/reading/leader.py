"""Asking a stream's leader whether messages that were not delivered were deleted."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence

from natster_tui.errors import ApiError, LogChangedError
from natster_tui.events.event import StoredMessage
from natster_tui.store.connection.api_codes import STREAM_NOT_FOUND
from natster_tui.store.connection.link import REQUEST_TIMEOUT, Link
from natster_tui.store.connection.streams import (
    message_at,
    next_message,
    stream_info,
    stream_with_deleted,
)
from natster_tui.store.reading.completeness import (
    EndsEarlier,
    Extent,
    Gap,
    HistoryLost,
    NotListed,
    StillHeld,
    first_finding,
)
from natster_tui.text.safe_text import safe_text

LISTED_BYTES = 32 * 1024 * 1024
"""The longest list of deleted sequences to ask for: about four million of them. A server sends the
list in one answer, and closes a connection once 64 MB wait to be sent on it. If the list would be
longer, the sequences are asked about one by one."""
LEAST_BYTES_PER_S = 256 * 1024
"""The slowest rate that is accepted for such a list."""

_UNREADABLE = "\ufffd"
OTHERS_ASKED = 20
"""How many messages with a subject that the stream does not take are checked with the leader."""


class StreamLeader:
    """A stream's leader, and the sequences that it reported as deleted.

    They are kept for as long as the link lasts: deleted messages stay deleted, so the leader is
    asked only once about the gaps of a log. `created` is the stream's creation time, if given: a
    stream that was deleted and made again is refused. `subjects` are those that the stream takes.
    """

    def __init__(
        self, link: Link, stream: str, created: str = "", subjects: Sequence[str] = ()
    ) -> None:
        self.stream = stream
        self.created = created
        self.link = link
        self._known = Extent(0, 0)
        self._prefixes = tuple(map(_literal_prefix, subjects)) or (b"",)
        self._others_confirmed = 0

    async def first_held(self, gaps: Sequence[Gap], known_from: int | None) -> int | None:
        """The first sequence in the gaps at which the stream holds a message, None if none.

        Raises LogChangedError if messages from `known_from` on were removed from the beginning of
        the stream during the read, if the stream ends before the gaps do, or if it was made again.
        """
        if first_finding(gaps, self._known, known_from) is None:
            return None
        extent = await self._ask()
        while (finding := first_finding(gaps, extent, known_from)) is not None:
            match finding:
                case StillHeld(seq):
                    return seq
                case HistoryLost(first_seq, missing):
                    raise LogChangedError(
                        f"history was lost while {self.stream} was read: it begins at "
                        f"{first_seq:,} now, and {missing:,} messages that were there before are "
                        "gone: try again"
                    )
                case EndsEarlier(last_seq):
                    raise LogChangedError(
                        f"{self.stream} ends at {last_seq:,}, and {gaps[-1][1]:,} was asked for: "
                        "the log was cut short during the read"
                    )
                case NotListed((begin, end)):
                    held = await self.next_held(begin)
                    if held is not None and held <= end:
                        return held
                    gaps = [gap for gap in gaps if gap[0] > end]
        return None

    async def confirm_subjects(self, messages: Sequence[StoredMessage]) -> None:
        """Raise MalformedAnswerError if a message was delivered with another subject than it has.

        Only messages with a subject that the stream does not take are checked. A stream that took
        such subjects earlier may hold many of them, so the checks end after `OTHERS_ASKED`.
        """
        if self._others_confirmed >= OTHERS_ASKED:
            return
        taken = self._prefixes
        others = [message for message in messages if not message[2].startswith(taken)]
        for seq, _time, subject, _payload, _headers in others[:OTHERS_ASKED]:
            held = await message_at(self.link, self.stream, seq)
            delivered = str(subject, "utf-8", "replace")
            if held is None or _UNREADABLE in delivered:
                # It was deleted since, or its subject is not UTF-8.
                continue
            if held.subject != delivered:
                raise self.link.malformed(
                    f"a request for messages of {self.stream}",
                    f"it sent {safe_text(delivered, 100)} as event {seq:,}, and holds "
                    f"{safe_text(held.subject, 100)} there",
                )
            self._others_confirmed += 1

    async def next_held(self, first: int) -> int | None:
        """The first sequence from `first` on at which the stream holds a message, None if none."""
        try:
            found = await next_message(self.link, self.stream, first, ">")
        except ApiError as error:
            if error.code == STREAM_NOT_FOUND:
                return None
            raise
        return None if found is None else found.seq

    async def confirm(self) -> None:
        """Raise LogChangedError if the stream was deleted and made again."""
        if self.created:
            self._confirm((await stream_info(self.link, self.stream)).created)

    def _confirm(self, created: str) -> None:
        if self.created and created != self.created:
            raise LogChangedError(
                f"{self.stream} was deleted and made again at {created}: "
                "this is not the log that was being read"
            )

    async def _ask(self) -> Extent:
        """What the stream holds now."""
        answer = await stream_info(self.link, self.stream)
        self._confirm(answer.created)
        state = answer.state
        size = state.num_deleted * len(f"{state.last_seq},")
        if size > LISTED_BYTES:
            return Extent(state.first_seq, state.last_seq, None)
        if size:
            seconds = REQUEST_TIMEOUT + size / LEAST_BYTES_PER_S
            answer = await stream_with_deleted(self.link, self.stream, seconds)
            self._confirm(answer.created)
            state = answer.state
        self._known = Extent(state.first_seq, state.last_seq, array("Q", state.deleted or ()))
        return self._known


def _literal_prefix(subject_filter: str) -> bytes:
    """What all subjects that match a filter begin with."""
    return re.split(r"[*>]", subject_filter, maxsplit=1)[0].encode()
