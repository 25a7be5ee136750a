"""One connection to a NATS server, which never reconnects.

After a loss the log must be compared with the checkpoint before work goes on. So the owner of the
work opens a new link, and continues from its own state. Everything that waits on a lost link fails
at once with ConnectionLostError. A denied permission, which nats-py turns into a timeout, fails at
once with DeniedError.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

import nats.errors

from natster_tui.errors import (
    ConnectionLostError,
    DeniedError,
    MalformedAnswerError,
    ServerError,
    UnheardError,
)
from natster_tui.store.connection.answers.reading import AnswerT, malformed, read_answer
from natster_tui.store.connection.answers.servers import AccountInfoAnswer, ServerInfo
from natster_tui.store.connection.answers.streams import StreamInfoAnswer
from natster_tui.store.connection.confirmation import Confirmation
from natster_tui.store.connection.delivery_parser import Sink
from natster_tui.store.connection.denied_subjects import Denials
from natster_tui.store.connection.error_sentences import denial, reason_of
from natster_tui.store.connection.frames import Outgoing
from natster_tui.store.connection.inbox import RawInbox
from natster_tui.store.connection.opening import attempt
from natster_tui.store.connection.opening.client import NatsClient, Stage, silence_nats_logging
from natster_tui.store.connection.opening.failure import ConnectFailure, connect_error
from natster_tui.store.connection.opening.login import inbox_prefix
from natster_tui.store.connection.opening.servers import ServerPool
from natster_tui.store.connection.opening.tls import (
    check_transport,
    context_when_needed,
    protection_of,
)
from natster_tui.store.connection.reporting import waiting_for
from natster_tui.store.connection.server_errors import ServerReportedError
from natster_tui.store.connection.together import first_answer
from natster_tui.store.connection.write_target import (
    PublishedSubject,
    WriteTarget,
    unreachable_jetstream,
)
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.tasks import end_all
from natster_tui.text.masking import screen_text

CLOSE_TIMEOUT = 1.0
"""Seconds for closing. Writes are acknowledged before that."""

REQUEST_TIMEOUT = 5.0
ASK_AGAIN_S = 1.0
"""Seconds until a request that changes nothing is repeated; see `Link.ask`."""

SLOW_S = 0.05
"""From this round trip on, in seconds, a link is slow."""

_READ_ONLY = ("STREAM.INFO.", "STREAM.MSG.GET.", "STREAM.NAMES", "CONSUMER.INFO.", "CONSUMER.LIST.")
_Result = TypeVar("_Result")


class Link:
    """An open connection. Make one with `Link.open`; close it with `close`."""

    def __init__(
        self, settings: ConnectionSettings, client: NatsClient, pool: ServerPool | None = None
    ) -> None:
        self.settings = settings
        self.client = client
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Done as soon as the connection has ended; its result is the reason."""
        self.on_problem: Callable[[str], None] = lambda _sentence: None
        """Called with every asynchronous error, as a sentence."""
        self.consumers: set[tuple[str, str]] = set()
        """(stream, name) of each consumer that was made over this link and not deleted yet."""
        self.denials = Denials(inbox_prefix(settings))
        """The subjects that the server did not let us publish to."""
        self.confirmations: defaultdict[str, Confirmation] = defaultdict(Confirmation)
        """For each stream that is written to over this link: whether it would store the write."""
        self._closing = False
        self._cleanups: set[asyncio.Task[None]] = set()
        self._last_error = ""
        self.target = WriteTarget.of(settings)
        self._domain = ""
        self._pool = pool
        client.on_info = self._on_info

    # -- opening and closing ---------------------------------------------------------------

    @classmethod
    async def open(
        cls,
        settings: ConnectionSettings,
        *,
        name: str = "natster-tui",
        pool: ServerPool | None = None,
    ) -> Link:
        """Connect to the first server of the list that can be used.

        Each gets `attempt.CONNECT_TIMEOUT` seconds. A `pool` keeps the servers that the cluster
        advertised, and which one is next, from one connection to the next. `name` is shown to the
        server's operators.

        Raises UnreachableError if no server answers, ServerError if one refuses us or the
        transport, and UsageError if the files of the settings cannot be used.
        """
        silence_nats_logging()
        check_transport(settings)
        protection, context = protection_of(settings), context_when_needed(settings)
        pool = pool or ServerPool(settings.servers)
        failures: list[ConnectFailure] = []
        for address in pool.in_turn():
            pool.tried(address)
            client = NatsClient(address, protection, context, settings.socks_proxy)
            link = cls(settings.at(address.named), client, pool)
            if (failure := await attempt.connect(client, link.settings, name, link)) is None:
                return link
            failures.append(failure)
        raise connect_error(failures, settings, protection, attempt.CONNECT_TIMEOUT)

    async def close(self) -> None:
        """End the connection; waiting requests fail with ConnectionLostError."""
        self._end("closed")
        self._closing = True
        # The requests are sent, and `end` flushes them. Do not wait for their answers.
        try:
            await end_all(self._cleanups)
        finally:
            await self.client.end(CLOSE_TIMEOUT)

    def _end(self, reason: str) -> None:
        if not self.lost.done():
            self.lost.set_result(reason)

    def _on_info(self, info: ServerInfo) -> None:
        address = self.client.address
        places = info.ws_connect_urls if address.is_websocket else info.connect_urls
        if self._pool is not None and places is not None:
            self._pool.advertise(places, address, protected=self.client.is_secure)

    async def on_closed(self) -> None:
        """See `attempt.Listener`."""
        # No callback reports the server's last error before it closes (an expired JWT).
        last = self.client.last_error
        self._end(
            (reason_of(last) if last else self._last_error) or "the server closed the connection"
        )

    async def on_error(self, error: Exception) -> None:
        """See `attempt.Listener`."""
        self._last_error = reason_of(error)
        if self._closing or self.client.stage is not Stage.OPEN:
            return
        if isinstance(error, ServerReportedError) and error.subject:
            self._on_denial(error)
        elif not isinstance(error, nats.errors.UnexpectedEOF):
            self.on_problem(f"the connection to {self.described} reports: {self._last_error}")

    def _on_denial(self, error: ServerReportedError) -> None:
        refusal = denial(self.described, self.settings.user_described, error)
        if self.denials.record(error.subject, refusal):
            self.on_problem(refusal.sentence)

    # -- what is known about the server ----------------------------------------------------

    @property
    def described(self) -> str:
        """The address of the connected server, to show."""
        return screen_text(self.client.address.url, 300)

    @property
    def info(self) -> ServerInfo:
        """The server's INFO."""
        assert self.client.info is not None, "there is no link before the server's INFO"
        return self.client.info

    @property
    def is_lost(self) -> bool:
        """Whether the connection has ended."""
        return self.lost.done()

    @property
    def round_trip_s(self) -> float:
        """The round trip time in seconds, measured with the first answer."""
        return self.client.round_trip_s

    @property
    def is_slow(self) -> bool:
        """Whether a round trip is worth saving."""
        return self.round_trip_s >= SLOW_S

    @property
    def domain(self) -> str:
        """The JetStream domain that answers here; empty if there is none or it is unknown."""
        return (
            self._domain or self.target.domain or (self.info.domain if self.target.is_plain else "")
        )

    # -- requests --------------------------------------------------------------------------

    async def guarded(self, work: Awaitable[_Result], subject: str = "") -> _Result:
        """Wait for some work, until the link is lost or the server denies `subject`."""
        refusal = self.denials.of_answers
        if self.lost.done() or refusal is not None:
            if asyncio.iscoroutine(work):
                work.close()
            if refusal is None or self.lost.done():
                raise ConnectionLostError(self.lost_sentence())
            raise DeniedError(refusal.sentence)
        denied = self.denials.listen(subject)
        task = asyncio.ensure_future(work)
        try:
            either: set[asyncio.Future[Any]] = {task, denied, self.lost}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            if denied.done():
                denied.result()
            raise ConnectionLostError(self.lost_sentence())
        finally:
            if not task.done():
                task.cancel()
            self.denials.stop_listening(subject, denied)

    def lost_sentence(self) -> str:
        """The error for a connection that has ended, with the reason."""
        return f"lost the connection to {self.described} ({self.lost.result()})"

    async def request(
        self,
        subject: PublishedSubject,
        payload: bytes = b"",
        headers: dict[str, str] | None = None,
        timeout: float = REQUEST_TIMEOUT,  # noqa: ASYNC109 - handed to nats-py, which takes one
    ) -> bytes:
        """Send a request, and return the reply's payload.

        Raises ServerError if no answer comes, UnheardError if nothing listens,
        ConnectionLostError, DeniedError.
        """
        work = self.client.request(subject, payload, timeout=timeout, headers=headers)
        try:
            with waiting_for(f"waiting for {self.described} to answer {subject}"):
                reply = await self.guarded(work, subject)
        except nats.errors.NoRespondersError as error:
            raise UnheardError(
                f"at {self.described} nothing listens on {screen_text(subject, 200)}"
            ) from error
        except nats.errors.TimeoutError as error:
            raise ServerError(
                f"{self.described} did not answer {subject} within {timeout:g} s"
            ) from error
        except (nats.errors.Error, OSError) as error:
            raise self.failure(error) from error
        return bytes(reply.data)

    def failure(self, error: Exception) -> ServerError:
        """Convert an error of nats-py to ours."""
        if self.lost.done() or isinstance(error, nats.errors.ConnectionClosedError):
            self._end(self._last_error or str(error))
            return ConnectionLostError(self.lost_sentence())
        if isinstance(error, nats.errors.MaxPayloadError):
            return ServerError(
                f"{self.described} takes messages of {self.info.max_payload:,} bytes at most: "
                "raise max_payload on the server"
            )
        return ServerError(f"{self.described}: {screen_text(str(error))}")

    async def ask(
        self,
        verb: str,
        model: type[AnswerT],
        body: Mapping[str, object] | None = None,
        timeout: float = REQUEST_TIMEOUT,  # noqa: ASYNC109 - handed to nats-py, which takes one
    ) -> AnswerT:
        """Send a request to JetStream (`STREAM.INFO.X`, …), and parse the answer as a `model`.

        In a cluster only a stream's leader answers; a request sent while there was none is never
        answered. So a request that changes nothing is repeated every second. Raises ApiError if
        the answer is an error, MalformedAnswerError if it cannot be read, and what `request`
        raises.
        """
        data = await self._asked(verb, body, timeout)
        answer = read_answer(data, model, request=verb, where=self.described)
        if isinstance(answer, StreamInfoAnswer | AccountInfoAnswer) and answer.domain:
            self._domain = answer.domain
        return answer

    async def clean_up(self, work: Coroutine[Any, Any, None]) -> None:
        """Run cleanup that nothing depends on; on a slow link this does not wait for its answer.

        `work` must not raise a ServerError. The link owns it from now on, and ends it on close.
        """
        if not self.is_slow:
            await work
            return
        task = asyncio.create_task(work)
        self._cleanups.add(task)
        task.add_done_callback(self._cleanups.discard)
        # Let it send its request; it waits only after that.
        for _turn in range(3):
            await asyncio.sleep(0)

    async def _asked(self, verb: str, body: Mapping[str, object] | None, seconds: float) -> bytes:
        payload = b"" if body is None else json.dumps(body).encode()
        subject = self.target.request(verb)
        try:
            if not verb.startswith(_READ_ONLY):
                return await self.request(subject, payload, timeout=seconds)

            def ask() -> Coroutine[Any, Any, bytes]:
                # All have the timeout of the first one, so the first one gives up first.
                return self.request(subject, payload, timeout=seconds)

            return await first_answer(ask, again_s=ASK_AGAIN_S, seconds=seconds)
        except UnheardError as error:
            user = self.settings.user_described
            raise ServerError(unreachable_jetstream(self.target, self.described, user)) from error

    def malformed(self, request: str, problem: str) -> MalformedAnswerError:
        """The error for an invalid answer of this server; `problem` says what is wrong with it."""
        return malformed(self.described, request, problem)

    async def publish(
        self,
        subject: PublishedSubject,
        payload: bytes,
        headers: dict[str, str] | None = None,
        reply: str = "",
    ) -> None:
        """Publish without waiting for an answer."""
        if self.lost.done():
            raise ConnectionLostError(self.lost_sentence())
        try:
            await self.client.publish(subject, payload, reply, headers)
        except (nats.errors.Error, OSError) as error:
            raise self.failure(error) from error

    async def queue(self, messages: Sequence[Outgoing]) -> None:
        """Queue messages; the next publish or request sends them before its own, in one write."""
        if self.lost.done():
            raise ConnectionLostError(self.lost_sentence())
        try:
            await self.client.queue(messages)
        except (nats.errors.Error, OSError) as error:
            raise self.failure(error) from error

    async def subscribe_raw(self, sink: Sink) -> RawInbox:
        """A new inbox (`RawInbox.prefix` and everything below) whose messages go to `sink`."""
        prefix = self.client.new_inbox()
        try:
            subscription = await self.client.subscribe(f"{prefix}.*")
        except (nats.errors.Error, OSError) as error:
            raise self.failure(error) from error
        inbox = RawInbox(self, prefix, subscription)
        self.client.attach(subscription._id, sink)
        return inbox
