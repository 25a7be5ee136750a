"""One connection to a NATS server, for exactly as long as it lasts.

A `Link` never reconnects by itself: after a loss the log must be compared with the checkpoint
before anything goes on (DESIGN section 4), so whoever owns the work opens a new link and starts
from what it knows. Everything waiting on a lost link fails at once with ConnectionLostError,
and a denied permission, which nats-py turns into a timeout, fails at once with DeniedError.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import nats.errors

from natster_tui.errors import (
    ConnectionLostError,
    DeniedError,
    MalformedAnswerError,
    ServerError,
    UnheardError,
    UnreachableError,
)
from natster_tui.store.connection.answers.reading import AnswerT, malformed, read_answer
from natster_tui.store.connection.answers.servers import AccountInfoAnswer
from natster_tui.store.connection.answers.streams import StreamInfoAnswer
from natster_tui.store.connection.delivery_parser import Sink
from natster_tui.store.connection.failures import api_error, connect_failure, denial, told_by
from natster_tui.store.connection.inbox import RawInbox
from natster_tui.store.connection.login import login
from natster_tui.store.connection.tls import tls_context
from natster_tui.store.connection.wire import WireClient
from natster_tui.store.connection.write_target import (
    PublishedSubject,
    WriteTarget,
    unreachable_jetstream,
)
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.text.masking import screen_text

CONNECT_TIMEOUT = 3.0
REQUEST_TIMEOUT = 5.0
ASK_AGAIN_S = 1.0
"""A question that changes nothing is put again so often; see `Link.api`."""

PING_INTERVAL = 1
PINGS_UNANSWERED = 3
"""Seconds between pings, and how many may stay unanswered before the link is given up.

Generous, because a busy machine is no lost server; that nothing is heard is shown long before,
by the heartbeats of whoever reads (`LogFollower.silent_s`)."""

DEFAULT_INBOX = "_INBOX"
"""Where answers come in unless the settings name another prefix."""

_DENIED = re.compile(r'permissions violation for (publish|subscription) to "([^"]*)"')
_LOOKING = ("STREAM.INFO.", "STREAM.MSG.GET.", "STREAM.NAMES", "CONSUMER.INFO.", "CONSUMER.LIST.")
_Result = TypeVar("_Result")


class Link:
    """An open connection. Make one with `Link.open`; close it with `close`."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self.settings = settings
        self.client = WireClient()
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Done with a reason as soon as the connection has ended."""
        self.on_problem: Callable[[str], None] = lambda _sentence: None
        """Told of every asynchronous error, as a sentence."""
        self.consumers: set[tuple[str, str]] = set()
        """Streams and names of the consumers that were made over this link and not deleted yet."""
        self._closing = False
        self._last_error = ""
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        self._deaf: DeniedError | None = None
        self.target = WriteTarget.of(settings)
        self._domain = ""

    # -- opening and closing ---------------------------------------------------------------

    @classmethod
    async def open(cls, settings: ConnectionSettings, *, name: str = "natster-tui") -> Link:
        """Connect.

        Raises UnreachableError when nobody answers within CONNECT_TIMEOUT seconds, and
        ServerError when the server refuses the credentials or the transport.
        """
        _quieten_nats_logging()
        link = cls(settings)
        try:
            # Not wait_for: in Python 3.11 that can swallow a cancellation.
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await link._connect(name)
        except TimeoutError as error:
            await link._abandon()
            raise UnreachableError(
                f"{settings.described} does not answer"
                f"{f' ({link._last_error})' if link._last_error else ''}: "
                "is the server running, and is --server right?"
            ) from error
        except (nats.errors.Error, OSError, ValueError) as error:
            await link._abandon()
            raise connect_failure(settings, error, link._last_error) from error
        except (AttributeError, LookupError, TypeError) as error:
            # nats-py takes what the other side says about itself for what a server says.
            await link._abandon()
            raise ServerError(
                f"{settings.described} does not speak as a NATS server does: is --server right?"
            ) from error
        return link

    async def _connect(self, name: str) -> None:
        settings = self.settings
        await self.client.connect(
            servers=list(settings.servers),
            name=name,
            error_cb=self._on_error,
            closed_cb=self._on_closed,
            disconnected_cb=self._on_closed,
            # Owning the reconnect is the point of this class; see the module's docstring.
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=3,
            ping_interval=PING_INTERVAL,
            max_outstanding_pings=PINGS_UNANSWERED,
            flusher_queue_size=4096,
            pending_size=64 * 1024 * 1024,
            **login(settings),
            tls=tls_context(settings),
            tls_handshake_first=settings.tls_first,
            inbox_prefix=settings.inbox_prefix or DEFAULT_INBOX,
        )

    async def _abandon(self) -> None:
        self._closing = True
        try:
            await self.client.close()
        except (nats.errors.Error, OSError) as error:
            self.on_problem(screen_text(str(error)))

    async def close(self) -> None:
        """End the connection; waiting requests fail with ConnectionLostError."""
        self._end("closed")
        await self._abandon()

    def _end(self, reason: str) -> None:
        if not self.lost.done():
            self.lost.set_result(reason)

    async def _on_closed(self) -> None:
        # What the server says before it closes (an expired JWT) comes to no callback.
        last = self.client.last_error
        self._end(
            (told_by(last) if last else self._last_error) or "the server closed the connection"
        )

    async def _on_error(self, error: Exception) -> None:
        told = told_by(error)
        self._last_error = told
        if denied := _DENIED.search(told):
            # nats-py lower-cases what the server said.
            refusal = denial(self.settings, denied[1], denied[2])
            inbox = (self.settings.inbox_prefix or DEFAULT_INBOX).lower()
            if denied[1] == "subscription" and denied[2].startswith(f"{inbox}."):
                # No answer will ever be heard on this connection, whatever is asked.
                self._deaf = refusal
            for subject, futures in self._waiting.items():
                if self._deaf or subject.lower() == denied[2]:
                    for future in futures:
                        if not future.done():
                            future.set_exception(denial(self.settings, denied[1], denied[2]))
            if not self._closing:
                self.on_problem(refusal.sentence)
        elif not self._closing and not isinstance(error, nats.errors.UnexpectedEOF):
            self.on_problem(f"the connection to {self.settings.described} reports: {told}")

    # -- what is known about the server ----------------------------------------------------

    @property
    def is_lost(self) -> bool:
        """Whether the connection has ended."""
        return self.lost.done()

    @property
    def max_payload(self) -> int:
        """The largest message the server takes, in bytes, headers included."""
        return int(self.client.max_payload)

    @property
    def server_version(self) -> tuple[int, int, int]:
        """The server's version: major, minor, patch."""
        version = self.client.connected_server_version
        return version.major, version.minor, version.patch

    @property
    def server_domain(self) -> str:
        """The JetStream domain of the server that we are connected to, or empty."""
        domain = self.client._server_info.get("domain")
        return domain if isinstance(domain, str) else ""

    @property
    def domain(self) -> str:
        """The JetStream domain that answers here, as far as it is known, or empty."""
        return (
            self._domain
            or self.target.domain
            or (self.server_domain if self.target.is_plain else "")
        )

    # -- talking ---------------------------------------------------------------------------

    async def guarded(self, work: Awaitable[_Result], subject: str = "") -> _Result:
        """Wait for some work, but not longer than the link lives or is allowed `subject`."""
        if self.lost.done():
            if asyncio.iscoroutine(work):
                work.close()
            raise ConnectionLostError(self.lost_sentence())
        if self._deaf is not None:
            if asyncio.iscoroutine(work):
                work.close()
            raise DeniedError(self._deaf.sentence)
        denied: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(subject, []).append(denied)
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
            denied.cancel()
            waiting = self._waiting[subject]
            waiting.remove(denied)
            if not waiting:
                del self._waiting[subject]

    def lost_sentence(self) -> str:
        """That the connection has ended, and why."""
        return f"lost the connection to {self.settings.described} ({self.lost.result()})"

    async def request(
        self,
        subject: PublishedSubject,
        payload: bytes = b"",
        headers: dict[str, str] | None = None,
        timeout: float = REQUEST_TIMEOUT,  # noqa: ASYNC109 - handed to nats-py, which takes one
    ) -> bytes:
        """Ask, and return the reply's payload.

        Raises ServerError when no answer comes, UnheardError when nothing listens,
        ConnectionLostError, DeniedError.
        """
        try:
            reply = await self.guarded(
                self.client.request(subject, payload, timeout=timeout, headers=headers), subject
            )
        except nats.errors.NoRespondersError as error:
            raise UnheardError(
                f"at {self.settings.described} nothing listens on {screen_text(subject, 200)}"
            ) from error
        except nats.errors.TimeoutError as error:
            raise ServerError(
                f"{self.settings.described} did not answer {subject} within {timeout:g} s"
            ) from error
        except (nats.errors.Error, OSError) as error:
            raise self.failure(error) from error
        return bytes(reply.data)

    def failure(self, error: Exception) -> ServerError:
        """An error of nats-py as one of ours."""
        if self.lost.done() or isinstance(error, nats.errors.ConnectionClosedError):
            self._end(self._last_error or str(error))
            return ConnectionLostError(self.lost_sentence())
        return ServerError(f"{self.settings.described}: {screen_text(str(error))}")

    async def ask(
        self,
        verb: str,
        model: type[AnswerT],
        body: Mapping[str, object] | None = None,
        timeout: float = REQUEST_TIMEOUT,  # noqa: ASYNC109 - handed to nats-py, which takes one
    ) -> AnswerT:
        """Ask JetStream (`STREAM.INFO.X`, …), and read the answer as a `model`.

        In a cluster only a stream's leader answers, and what was asked while there was none is
        never answered. What only looks is therefore asked again every second. Raises ApiError
        when the answer is an error, MalformedAnswerError when it cannot be read, and what
        `request` raises.
        """
        data = await self._asked(verb, body, timeout)
        answer = read_answer(data, model, request=verb, where=self.settings.described)
        if isinstance(answer, StreamInfoAnswer | AccountInfoAnswer) and answer.domain:
            self._domain = answer.domain
        return answer

    async def _asked(self, verb: str, body: Mapping[str, object] | None, seconds: float) -> bytes:
        payload = b"" if body is None else json.dumps(body).encode()
        subject = self.target.request(verb)
        try:
            if verb.startswith(_LOOKING):
                return await self._first_answer(subject, payload, seconds)
            return await self.request(subject, payload, timeout=seconds)
        except UnheardError as error:
            settings = self.settings
            raise ServerError(
                unreachable_jetstream(self.target, settings.described, settings.user_described)
            ) from error

    def malformed(self, request: str, problem: str) -> MalformedAnswerError:
        """That an answer of this server cannot be true; `problem` says what is wrong with it."""
        return malformed(self.settings.described, request, problem)

    async def api(
        self,
        verb: str,
        body: Mapping[str, object] | None = None,
        timeout: float = REQUEST_TIMEOUT,  # noqa: ASYNC109 - handed to nats-py, which takes one
    ) -> dict[str, Any]:
        """Ask JetStream without reading the answer strictly; use `ask` instead."""
        answer = json.loads(await self._asked(verb, body, timeout))
        if "error" in answer:
            raise api_error(verb, answer["error"])
        if answer.get("domain"):
            self._domain = str(answer["domain"])
        return dict(answer)

    async def _first_answer(
        self, subject: PublishedSubject, payload: bytes, seconds: float
    ) -> bytes:
        until = time.monotonic() + seconds
        asked: list[asyncio.Task[bytes]] = []
        try:
            while True:
                # Each may take as long as the first one may: that one is the first to give up.
                work = self.request(subject, payload, timeout=seconds)
                asked.append(asyncio.create_task(work))
                left = until - time.monotonic()
                await asyncio.wait(
                    asked,
                    timeout=ASK_AGAIN_S if left > ASK_AGAIN_S else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for task in asked:
                    if task.done():
                        return task.result()
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

    def api_subject(self, verb: str) -> PublishedSubject:
        """The subject of a JetStream request under this connection's prefix or domain."""
        return self.target.request(verb)

    async def publish(
        self,
        subject: PublishedSubject,
        payload: bytes,
        headers: dict[str, str] | None = None,
        reply: str = "",
    ) -> None:
        """Send without waiting for an answer."""
        if self.lost.done():
            raise ConnectionLostError(self.lost_sentence())
        try:
            await self.client.publish(subject, payload, reply, headers)
        except (nats.errors.Error, OSError) as error:
            raise self.failure(error) from error

    async def subscribe_raw(self, sink: Sink) -> RawInbox:
        """A fresh inbox (`RawInbox.prefix` and anything below) whose messages go to `sink`."""
        prefix = self.client.new_inbox()
        try:
            subscription = await self.client.subscribe(f"{prefix}.*")
        except (nats.errors.Error, OSError) as error:
            raise self.failure(error) from error
        inbox = RawInbox(self, prefix, subscription)
        self.client.attach(subscription._id, sink)
        return inbox


class _Silent(logging.Handler):
    """nats-py logs tracebacks of its read loop; a terminal application cannot have those."""

    def emit(self, record: logging.LogRecord) -> None:
        """Drop it: the loss of the link that follows is what people are told."""


def _quieten_nats_logging() -> None:
    logger = logging.getLogger("nats")
    if not logger.handlers:
        logger.addHandler(_Silent())
        logger.propagate = False
