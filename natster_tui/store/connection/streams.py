"""Requests for a stream and its messages, answered by the stream's leader.

An answer must fit its request: information must name the requested stream, and a message must have
the requested sequence and subject. Anything else is a MalformedAnswerError.
"""

from __future__ import annotations

import json

from natster_tui.errors import ApiError
from natster_tui.events.event import Record
from natster_tui.store.connection.answers.messages import MessageAnswer
from natster_tui.store.connection.answers.reading import read_answer
from natster_tui.store.connection.answers.streams import StreamInfoAnswer, StreamNamesAnswer
from natster_tui.store.connection.api_codes import NO_MESSAGE_FOUND, STREAM_NOT_FOUND
from natster_tui.store.connection.link import REQUEST_TIMEOUT, Link

NAMES_VERB = "STREAM.NAMES"
_WILDCARDS = {"*", ">"}


async def stream_info(link: Link, stream: str) -> StreamInfoAnswer:
    """A stream's configuration and state; raises ApiError if there is none."""
    verb = f"STREAM.INFO.{stream}"
    return _of_stream(link, stream, await link.ask(verb, StreamInfoAnswer))


async def find_stream(link: Link, stream: str) -> StreamInfoAnswer | None:
    """The same; None if there is no such stream."""
    try:
        return await stream_info(link, stream)
    except ApiError as error:
        if error.code == STREAM_NOT_FOUND:
            return None
        raise


async def stream_with_deleted(link: Link, stream: str, seconds: float) -> StreamInfoAnswer:
    """As `stream_info`, with the deleted sequences between its first and last.

    The server lists all of them in one answer, which may be large. So the request is not repeated,
    and its answer may take `seconds`.
    """
    verb = f"STREAM.INFO.{stream}"
    body = json.dumps({"deleted_details": True}).encode()
    data = await link.request(link.target.request(verb), body, timeout=seconds)
    where = link.settings.described
    answer = read_answer(data, StreamInfoAnswer, request=verb, where=where)
    return _of_stream(link, stream, answer)


def _of_stream(link: Link, stream: str, answer: StreamInfoAnswer) -> StreamInfoAnswer:
    if answer.config.name != stream:
        raise link.malformed(f"STREAM.INFO.{stream}", "it describes another stream")
    return answer


async def stream_names(link: Link, subject: str) -> tuple[str, ...]:
    """The names of all streams that take subjects which match a filter."""
    names: list[str] = []
    while True:
        wanted = {"subject": subject, "offset": len(names)}
        answer = await link.ask(NAMES_VERB, StreamNamesAnswer, wanted)
        page = answer.streams or ()
        names += page
        if not page or len(names) >= answer.total:
            return tuple(names)


async def message_at(link: Link, stream: str, seq: int) -> Record | None:
    """The message at a sequence; None if there is none or it was deleted."""
    record = await _message(link, stream, {"seq": seq})
    if record is not None and record.seq != seq:
        raise link.malformed(f"STREAM.MSG.GET.{stream}", f"asked for {seq}, it sent {record.seq}")
    return record


async def next_message(link: Link, stream: str, first: int, subject_filter: str) -> Record | None:
    """The first message from the sequence `first` on that matches a filter; None if none does."""
    record = await _message(link, stream, {"seq": first, "next_by_subj": subject_filter})
    if record is not None and record.seq < first:
        raise link.malformed(
            f"STREAM.MSG.GET.{stream}", f"asked for {first} or later, it sent {record.seq}"
        )
    return record


async def last_message(
    link: Link,
    stream: str,
    subject_filter: str,
    timeout: float = REQUEST_TIMEOUT,  # noqa: ASYNC109 - handed to nats-py, which takes one
) -> Record | None:
    """The newest message whose subject matches a filter; None if none does."""
    record = await _message(link, stream, {"last_by_subj": subject_filter}, timeout)
    literal = _WILDCARDS.isdisjoint(subject_filter.split("."))
    if record is not None and literal and record.subject != subject_filter:
        raise link.malformed(f"STREAM.MSG.GET.{stream}", "it sent a message of another subject")
    return record


async def _message(
    link: Link,
    stream: str,
    wanted: dict[str, object],
    seconds: float = REQUEST_TIMEOUT,
) -> Record | None:
    try:
        answer = await link.ask(f"STREAM.MSG.GET.{stream}", MessageAnswer, wanted, seconds)
    except ApiError as error:
        if error.code == NO_MESSAGE_FOUND:
            return None
        raise
    return answer.message.record()
