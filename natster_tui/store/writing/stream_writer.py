"""Publishing messages for a stream to store. All writes go through this module.

A write goes to the stream that is shown, or nowhere. It is published below the JetStream domain
or API prefix of the connection (`write_target`). It names its stream, so any other stream refuses
it, and its acknowledgement must name that stream and its domain. If the connection uses a domain
or a prefix, a probe comes before the first write (`probe`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from natster_tui.errors import ApiError, MisplacedWriteError, UnheardError
from natster_tui.events.event import MESSAGE_ID, Record
from natster_tui.events.headers import Headers, first_value
from natster_tui.store.connection.answers.messages import PublishAck
from natster_tui.store.connection.answers.reading import Part, read_answer, read_part
from natster_tui.store.connection.api_codes import STREAM_NOT_FOUND, STREAM_NOT_MATCHED
from natster_tui.store.connection.frames import Outgoing
from natster_tui.store.connection.link import REQUEST_TIMEOUT, Link
from natster_tui.store.connection.reporting import waiting_for
from natster_tui.store.connection.streams import message_at, stream_info
from natster_tui.store.connection.wire import RepeatableHeaders
from natster_tui.store.connection.write_target import (
    Destination,
    misplaced_write,
    refused_write,
    renamed_event,
    stored_by_namesake,
)
from natster_tui.store.writing.probe import EXPECTED_STREAM, who_stores


class _Refusal(Part):
    """The field that a stream adds to the error when it refuses a message: its name."""

    stream: str = ""


class StreamWriter:
    """Writes to one stream over a link."""

    def __init__(self, link: Link, stream: str) -> None:
        self.link = link
        self.stream = stream
        self._confirmation = link.confirmations[stream]

    async def confirm(self, subject: str) -> None:
        """Check, once per connection, that only this stream stores what is published.

        Does nothing without a domain or a prefix, because it takes a second. `store` and `queue`
        call it; call it early, beside other work, to make the first write faster. Raises
        MisplacedWriteError, and what `Link.request` raises.
        """
        known = self._confirmation
        if known.misplaced:
            raise MisplacedWriteError(known.misplaced)
        if known.given or (self.link.target.is_plain and not self.link.domain):
            return
        async with known.lock:
            if known.given:
                return
            if refusal := known.refusal:
                raise refusal
            with waiting_for(f"waiting to see which streams would store a write to {self.stream}"):
                destination, names = await who_stores(self.link, self.stream, subject)
            if destination is not Destination.THE_STREAM:
                refused = self._refused(destination, subject, *names)
                known.refuse(refused)
                raise refused
            known.given = True

    async def store(
        self,
        subject: str,
        payload: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        what: str,
        timeout: float = REQUEST_TIMEOUT,  # noqa: ASYNC109 - handed to nats-py, which takes one
    ) -> PublishAck:
        """Publish a message, or the last one of a batch, and wait until it is stored.

        `what` names the write in sentences. Raises MisplacedWriteError if another stream would
        have stored it, or did, ApiError if the server refuses it, and what `Link.request` raises:
        then it may be stored or not.
        """
        await self.confirm(subject)
        link = self.link
        # First: of repeated headers the server takes the first.
        pairs = ((EXPECTED_STREAM, self.stream), *(headers.items() if headers else ()))
        try:
            answer = await link.request(
                link.target.stored(subject), payload, RepeatableHeaders(pairs), timeout
            )
        except UnheardError as error:
            raise self._refused(Destination.NONE, subject) from error
        where = link.settings.described
        try:
            ack = read_answer(answer, PublishAck, request=what, where=where)
        except ApiError as error:
            if error.code != STREAM_NOT_MATCHED:
                raise
            other = read_part(answer, _Refusal, request=what, where=where).stream
            raise self._refused(Destination.ANOTHER, subject, other) from error
        self._check(what, ack)
        if self._confirmation.given and not (self._confirmation.seen or ack.duplicate):
            await self._verify_landing(what, subject, payload, pairs, ack)
        return ack

    async def queue(self, messages: Sequence[Outgoing]) -> None:
        """Queue the messages of a batch before its last one; `store` sends them with that."""
        if messages:
            await self.confirm(messages[0].subject)
            target = self.link.target
            await self.link.queue(
                messages
                if target.is_plain
                else [each._replace(subject=target.stored(each.subject)) for each in messages]
            )

    def _check(self, what: str, ack: PublishAck) -> None:
        """Raise MisplacedWriteError if another stream or domain acknowledged the message."""
        domain = self.link.domain
        if ack.stream != self.stream or (ack.domain and domain and ack.domain != domain):
            raise misplaced_write(
                what, self.link.target, (self.stream, domain), (ack.stream, ack.domain)
            )

    async def _verify_landing(
        self, what: str, subject: str, payload: bytes, headers: Headers, ack: PublishAck
    ) -> None:
        """Check that the first write is in the stream that is shown; other writes wait for this.

        Another account may have a stream of the same name, and an import may lead to it. The
        message's expectations fail there only if the two streams differ. An event that a subject
        mapping renamed is in the right stream, and is no reason to refuse later writes.
        """
        known = self._confirmation
        async with known.lock:
            if known.misplaced:
                raise MisplacedWriteError(known.misplaced)
            if known.seen:
                return
            stored = await message_at(self.link, self.stream, ack.seq)
            if stored is None:
                # It was not stored there, or was removed or replaced since.
                info = await stream_info(self.link, self.stream)
                found = info.state.last_seq >= ack.seq
            else:
                found = (stored.subject, stored.payload) == (subject, payload)
                if not found and _is_renamed(stored, subject, payload, headers):
                    raise renamed_event(ack.seq, subject, stored.subject)
            if not found:
                error = stored_by_namesake(what, self.link.target, self.stream)
                known.misplaced = error.sentence
                raise error
            known.seen = True

    def _refused(
        self, destination: Destination, subject: str, *answered: str
    ) -> MisplacedWriteError:
        link = self.link
        return refused_write(
            destination, link.target, self.stream, subject, answered, link.info.domain
        )


def _is_renamed(stored: Record, subject: str, payload: bytes, headers: Headers) -> bool:
    """Whether a stored message is the event that was published, on another subject."""
    message_id = first_value(headers, MESSAGE_ID)
    return (
        # Payloads alone say little: many are empty.
        bool(message_id)
        and stored.header(MESSAGE_ID) == message_id
        and stored.payload == payload
        and stored.subject != subject
    )


async def confirm_early(link: Link, stream: str, subject: str) -> None:
    """Call `StreamWriter.confirm`; a missing stream is confirmed later, once it exists."""
    try:
        await StreamWriter(link, stream).confirm(subject)
    except ApiError as error:
        if error.code != STREAM_NOT_FOUND:
            raise
