"""Finding out, before the first write, which streams would store it.

A probe is a message that expects a stream name which no stream has. Every stream that would store
it refuses it, and names itself in the error. So a probe stores nothing, and finds all listeners.
"""

from __future__ import annotations

import asyncio

from natster_tui.errors import MalformedAnswerError
from natster_tui.store.connection.answers.reading import ErrorBody, Part, read_part
from natster_tui.store.connection.answers.streams import StreamInfoAnswer
from natster_tui.store.connection.delivery_parser import Delivery
from natster_tui.store.connection.link import REQUEST_TIMEOUT, Link
from natster_tui.store.connection.streams import stream_info
from natster_tui.store.connection.wire import parse_status
from natster_tui.store.connection.write_target import (
    Destination,
    accepts,
    destination_of,
    probe_subject,
)

EXPECTED_STREAM = "Nats-Expected-Stream"
PROBE = "natster-tui-probe"
"""A stream and a kind of event that do not exist."""

FIRST_ANSWER_S = 1.5
"""How long to wait for the first stream that answers a probe."""
SECOND_ANSWER_S = 1.0
"""How long after the first a second one may answer."""

_NO_RESPONDERS = 503


async def who_stores(link: Link, stream: str, subject: str) -> tuple[Destination, tuple[str, ...]]:
    """Which streams would store a message published under a plain `subject`, and their names.

    Takes a second after the first answer. Raises ApiError if JetStream shows no such stream,
    ServerError, DeniedError, ConnectionLostError.
    """
    shown = await stream_info(link, stream)
    subject = probe_subject(subject, PROBE)
    answers = _Answers(link)
    inbox = await link.subscribe_raw(answers.add)
    try:
        await link.publish(
            link.target.stored(subject), b"", {EXPECTED_STREAM: PROBE}, f"{inbox.prefix}.1"
        )
        await answers.wait_for(1, _first_answer_s(shown), subject)
        if answers.names:
            await answers.wait_for(2, SECOND_ANSWER_S, subject)
        destination = destination_of(stream, answers.names)
        if destination is Destination.THE_STREAM and not accepts(
            shown.config.subjects or (), subject
        ):
            destination = Destination.NAMESAKE
        return destination, answers.names
    finally:
        await inbox.close()


def _first_answer_s(shown: StreamInfoAnswer) -> float:
    """How long to wait for the stream's answer; longer while its cluster elects a leader."""
    has_leader = shown.cluster is None or shown.cluster.leader
    return FIRST_ANSWER_S if has_leader else REQUEST_TIMEOUT


class _ProbeAnswer(Part):
    stream: str = ""
    error: ErrorBody


def _read(link: Link, data: bytes) -> _ProbeAnswer:
    return read_part(data, _ProbeAnswer, request="a probe", where=link.settings.described)


class _Answers:
    """The names of the streams that answered a probe."""

    def __init__(self, link: Link) -> None:
        self.names: tuple[str, ...] = ()
        self._link = link
        self._is_unanswered = False
        self._arrived = asyncio.Event()

    def add(self, deliveries: list[Delivery]) -> None:
        for _subject, _reply, payload, headers in deliveries:
            if headers is not None and parse_status(headers)[0] == _NO_RESPONDERS:
                self._is_unanswered = True
            else:
                self.names = (*self.names, self._name(payload))
        self._arrived.set()

    def _name(self, payload: bytes) -> str:
        try:
            return _read(self._link, payload).stream or "a stream"
        except MalformedAnswerError:
            return "what is no stream"

    async def wait_for(self, count: int, seconds: float, subject: str) -> None:
        """Wait until so many answered, nothing listens, or the time is over."""
        published = self._link.target.stored(subject)
        try:
            async with asyncio.timeout(seconds):
                while len(self.names) < count and not self._is_unanswered:
                    self._arrived.clear()
                    await self._link.guarded(self._arrived.wait(), published)
        except TimeoutError:
            return
