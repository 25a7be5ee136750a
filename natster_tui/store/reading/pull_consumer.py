"""An ephemeral pull consumer of ours, and the requests for its messages.

It is in memory, without acknowledgements, and deleted when it is not needed any more. Pull requests
are bounded in messages (see `window`) and in bytes. A new one is sent only
after the messages of earlier ones have been taken, so back-pressure reaches the server.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from enum import Enum, auto

from natster_tui.errors import ApiError, DeniedError
from natster_tui.store.connection.answers.consumers import ConsumerInfoAnswer
from natster_tui.store.connection.api_codes import CONSUMER_NOT_FOUND, CONSUMER_REFUSED
from natster_tui.store.connection.consumers import delete_consumers
from natster_tui.store.connection.delivery_parser import Delivery
from natster_tui.store.connection.inbox import RawInbox
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.reporting import waiting_for
from natster_tui.store.connection.wire import parse_count, parse_status
from natster_tui.store.connection.write_target import PublishedSubject
from natster_tui.store.reading.pull_size import Window

PULL_EXPIRES_S = 30.0
SILENCE_S = 2.5
"""After so many seconds without even a heartbeat, the consumer is looked up."""

INACTIVE_S = 30
"""How long the server keeps an idle consumer; we delete ours when we leave."""

AHEAD_S = 0.05
"""On a slow link messages are asked for before the answer that the consumer exists, which saves a
round trip. This is the most to wait first, for the time the server takes to make the consumer."""

_STATUS_HEARTBEAT = 100
_STATUS_UNHEARD = 503
_TOO_LARGE = "Message Size Exceeds MaxBytes"


class Status(Enum):
    """The meaning of a status message."""

    IDLE = auto()
    """The server has nothing more to deliver: a heartbeat."""
    ENDED_EARLY = auto()
    """A request ended before all of its messages came."""
    UNUSABLE = auto()
    """The consumer must be made again."""


class PullConsumer:
    """A consumer of ours on a stream, made again under another name after it was lost.

    It is called `natster-tui-<purpose>-<instance>-` and six random digits.
    """

    def __init__(
        self,
        link: Link,
        stream: str,
        *,
        purpose: str,
        instance: str,
        subject_filter: str,
        window: Window,
        heartbeat_s: float,
    ) -> None:
        self.window = window
        self.arrived: list[Delivery] = []
        """Deliveries that were not taken yet, including statuses."""
        self.asked = 0
        """How many messages were requested and not taken yet."""
        self.is_lost = False
        """Whether it must be made again."""
        self.is_optional = False
        """Whether it is made before it is known that the stream exists."""
        self._link = link
        self._stream = stream
        self._subject_filter = subject_filter
        self._heartbeat_s = heartbeat_s
        self._instance = instance
        # A consumer's name takes no dots, which the names of versions have.
        self._name_base = f"natster-tui-{purpose.replace('.', '_')}-{instance}"
        self._asks_early = link.is_slow
        self._name = ""
        self._inbox: RawInbox | None = None
        self._denied: asyncio.Future[None] | None = None
        """Fails when the server denies our requests; it does not answer denied requests."""
        self._woken: asyncio.Future[None] | None = None
        """What `wait` waits for, while it does."""
        self._gathered: asyncio.TimerHandle | None = None
        """Ends the wait, once there was time for more to arrive."""

    # -- making and deleting it ------------------------------------------------------------

    async def make(self, start: int) -> int | None:
        """Create it, and request messages from the sequence `start` on; returns how many there are.

        Returns None if the stream refuses such consumers. Raises ApiError, DeniedError.
        """
        self._name = f"{self._name_base}-{secrets.token_hex(3)}"
        # From now on it may exist, even if no answer comes.
        self._link.consumers.add((self._stream, self._name))
        self.window.begin()
        self.arrived, self.asked, self.is_lost = [], 0, False
        self._inbox = await self._link.subscribe_raw(self._on_messages)
        self._denied = self._link.denials.listen(self._requests)
        pending = await self._create(start)
        if pending is None:
            await self.remove()
            return None
        if any(map(_is_unheard, self.arrived)):
            # The consumer took longer. Nothing was delivered yet, so nothing else has arrived.
            self.arrived, self.asked = [], 0
        await self.ask()
        return pending

    async def _create(self, start: int) -> int | None:
        verb = f"CONSUMER.CREATE.{self._stream}.{self._name}"
        if self._subject_filter:
            verb = f"{verb}.{self._subject_filter}"
        if self.is_optional:
            self._link.denials.optional.add(self._link.target.request(verb))
        request = {"stream_name": self._stream, "config": self._config(start)}
        # A request that arrives before the consumer exists is lost. Do not risk that twice.
        asks_early, self._asks_early = self._asks_early, False
        making = asyncio.create_task(self._link.ask(verb, ConsumerInfoAnswer, request))
        try:
            if asks_early:
                await asyncio.wait({making}, timeout=min(self._link.round_trip_s / 8, AHEAD_S))
                await self.ask()
            return (await making).num_pending
        except (ApiError, DeniedError) as error:
            # It was not made, so there is nothing to delete.
            self._link.consumers.discard((self._stream, self._name))
            if not (isinstance(error, ApiError) and error.code in CONSUMER_REFUSED):
                raise
            return None
        finally:
            making.cancel()

    def _config(self, start: int) -> dict[str, object]:
        config: dict[str, object] = {
            "name": self._name,
            "ack_policy": "none",
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": start,
            "replay_policy": "instant",
            "mem_storage": True,
            "num_replicas": 1,
            "inactive_threshold": INACTIVE_S * 1_000_000_000,
            "metadata": {"natster-tui": self._instance},
        }
        if self._subject_filter:
            config["filter_subject"] = self._subject_filter
        return config

    async def remove(self) -> None:
        """Delete it, if it may exist, and its inbox."""
        if self._denied is not None:
            self._link.denials.stop_listening(self._requests, self._denied)
            self._denied = None
        inbox, self._inbox = self._inbox, None
        if inbox is not None:
            await inbox.close()
        name, self._name = self._name, ""
        if (self._stream, name) in self._link.consumers:
            await self._link.clean_up(delete_consumers(self._link, {(self._stream, name)}))

    # -- asking for messages ---------------------------------------------------------------

    @property
    def _requests(self) -> PublishedSubject:
        """The subject to ask for messages."""
        return self._link.target.request(f"CONSUMER.MSG.NEXT.{self._stream}.{self._name}")

    async def ask(self) -> None:
        """Keep the server supplied with requests, two windows at most."""
        assert self._inbox is not None
        window = self.window
        if self.asked <= window.messages:
            window.fit()
        while self.asked <= window.messages:
            request = {
                "batch": window.messages,
                "max_bytes": window.bytes,
                "expires": int(PULL_EXPIRES_S * 1e9),
                "idle_heartbeat": int(self._heartbeat_s * 1e9),
            }
            await self._link.publish(
                self._requests,
                json.dumps(request).encode(),
                reply=f"{self._inbox.prefix}.1",
            )
            self.asked += window.messages

    def _on_messages(self, deliveries: list[Delivery]) -> None:
        self.arrived += deliveries
        if not self.window.gathers_s:
            self._wake()
        elif self._woken is not None and self._gathered is None:
            loop = asyncio.get_running_loop()
            self._gathered = loop.call_later(self.window.gathers_s, self._wake)

    def _wake(self, _cause: object = None) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def take(self) -> list[Delivery]:
        """Take the deliveries that have arrived."""
        arrived, self.arrived = self.arrived, []
        return arrived

    async def wait(self, awaited: Callable[[], str]) -> None:
        """Wait until something arrives, the link is lost, or SILENCE_S has passed.

        `awaited` says what is waited for, empty if nothing is known to come.
        """
        assert self._denied is not None
        # One future and one timer: it is called for every few messages that come in, and a task
        # and a wait for several futures would take longer than reading those messages.
        loop = asyncio.get_running_loop()
        self._woken = loop.create_future()
        silence = loop.call_later(SILENCE_S, self._wake)
        for cause in (self._link.lost, self._denied):
            cause.add_done_callback(self._wake)
        try:
            with waiting_for(awaited):
                await self._woken
        finally:
            silence.cancel()
            if self._gathered is not None:
                self._gathered.cancel()
                self._gathered = None
            for cause in (self._link.lost, self._denied):
                cause.remove_done_callback(self._wake)
            self._woken = None
        if self._denied.done():
            self._denied.result()
        if not self.arrived and not self._link.is_lost:
            await self._inspect()

    async def _inspect(self) -> None:
        try:
            verb = f"CONSUMER.INFO.{self._stream}.{self._name}"
            await self._link.ask(verb, ConsumerInfoAnswer)
        except ApiError as error:
            if error.code != CONSUMER_NOT_FOUND:
                raise
        # Even if it exists, it sent no heartbeats, so its requests are lost. Make it again.
        self.is_lost = True

    def read_status(self, headers: bytes | None) -> Status:
        """Parse a status message; requests that it ends are no longer counted."""
        code, description, pairs = parse_status(headers or b"")
        if code == _STATUS_HEARTBEAT:
            return Status.IDLE
        values = dict(pairs)
        pending_bytes = values.get("Nats-Pending-Bytes")
        if description == _TOO_LARGE and pending_bytes == str(self.window.bytes):
            # The window is unused: the next message alone is larger than a whole window.
            self.window.bytes *= 2
        unused = parse_count(values.get("Nats-Pending-Messages"))
        if unused is not None:
            # The request timed out, or its byte window is full.
            self.asked = max(0, self.asked - unused)
            return Status.ENDED_EARLY
        # 409 "Consumer Deleted", 409 "Leadership Change", 503 "No Responders", 404, unknown.
        return Status.UNUSABLE if code != 0 or description else Status.ENDED_EARLY


def _is_unheard(delivery: Delivery) -> bool:
    """Whether a delivery says that nothing listened to a request."""
    _subject, _reply, _payload, headers = delivery
    return headers is not None and parse_status(headers)[0] == _STATUS_UNHEARD
