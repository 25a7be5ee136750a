"""Reading a stream without a consumer, for streams that refuse ours.

A work queue accepts only consumers that acknowledge. A stream may also have reached its
`max_consumers`, or limit how long a consumer is kept. Then messages are requested by sequence, many
at a time, and the stream's leader answers. This is slower than a consumer, and changes nothing on
the stream.
"""

from __future__ import annotations

from natster_tui.events.event import Record, StoredMessage
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.streams import message_at, next_message, stream_info
from natster_tui.store.connection.together import together

AT_A_TIME = 100
"""Requests in flight."""
POLL_S = 0.5
"""Seconds between two checks for new messages."""


async def get_messages(
    link: Link, stream: str, first: int, subject_filter: str
) -> tuple[list[StoredMessage], int, int]:
    """Some of a stream's messages from the sequence `first` on.

    Returns those that match the filter (empty: all), the sequence to continue from (`first` if
    there is nothing more), and an upper bound of how many are left.
    """
    state = (await stream_info(link, stream)).state
    start = max(first, state.first_seq)
    if start > state.last_seq:
        return [], first, 0
    found = await _window(link, stream, start, min(start + AT_A_TIME, state.last_seq + 1))
    if not found:
        following = await next_message(link, stream, start, ">")
        if following is None:
            return [], first, 0
        found = [following]
    end = found[-1].seq + 1
    wanted = [record for record in found if _matches(record.subject, subject_filter)]
    return [_message(record) for record in wanted], end, max(0, state.last_seq + 1 - end)


async def _window(link: Link, stream: str, start: int, end: int) -> list[Record]:
    found = await together(*(message_at(link, stream, seq) for seq in range(start, end)))
    return [record for record in found if record is not None]


def _message(record: Record) -> StoredMessage:
    headers = record.stored_headers
    assert isinstance(headers, bytes), "an answer's headers are as they are stored"
    return (record.seq, record.time_ns, record.subject.encode(), record.payload, headers)


def _matches(subject: str, subject_filter: str) -> bool:
    """Whether a subject matches a wildcard filter; an empty filter matches all."""
    if not subject_filter:
        return True
    wanted, tokens = subject_filter.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted = wanted[:-1]
        tokens, longer = tokens[: len(wanted)], len(tokens) > len(wanted)
        if not longer:
            return False
    return len(wanted) == len(tokens) and all(
        want in ("*", token) for want, token in zip(wanted, tokens, strict=True)
    )
