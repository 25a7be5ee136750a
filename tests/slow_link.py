"""A TCP proxy on loopback that is as far away as one says, and counts how often a client waited.

What is sent arrives half a round trip later, in order, however much there is of it: a link with
a long way, not a narrow one. A message that a client sends after it received an answer is one
round trip further on than that answer, so `round_trips` is the longest chain of messages that had
to wait for each other. Time on a busy machine does not change it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from time import monotonic

from tests.serving import CHUNK, serving

Arrived = Callable[[int], None]


class SlowLink:
    """Passes bytes between clients and a server, each way in half of `round_trip_s`."""

    def __init__(self, target: int, round_trip_s: float) -> None:
        self.round_trip_s = round_trip_s
        self.port = 0
        self.round_trips = 0
        self.sent: list[tuple[int, bytes]] = []
        """What clients sent, each with the round trip it belongs to."""
        self._target = target

    @classmethod
    @asynccontextmanager
    async def before(cls, url: str, round_trip_s: float) -> AsyncIterator[SlowLink]:
        """A slow link to the server at a URL."""
        link = cls(int(url.rsplit(":", 1)[1]), round_trip_s)
        async with serving(link._serve) as link.port:
            yield link

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"nats://127.0.0.1:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target)
        trip = _Trip(self)
        async with asyncio.TaskGroup() as ways:
            ways.create_task(trip.carry(reader, up_writer, trip.reached_server))
            ways.create_task(trip.carry(up_reader, writer, trip.reached_client))


class _Trip:
    """One connection: how many round trips what either side last received stands for."""

    def __init__(self, link: SlowLink) -> None:
        self._link = link
        self._at_client = self._at_server = 0

    def reached_server(self, depth: int) -> None:
        self._at_server = max(self._at_server, depth)

    def reached_client(self, depth: int) -> None:
        self._at_client = max(self._at_client, depth)

    def _departs(self, data: bytes, *, to_server: bool) -> int:
        if not to_server:
            return self._at_server
        depth = self._at_client + 1
        self._link.round_trips = max(self._link.round_trips, depth)
        self._link.sent.append((depth, data))
        return depth

    async def carry(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, arrived: Arrived
    ) -> None:
        way: deque[tuple[float, int, bytes]] = deque()
        stirred = asyncio.Event()
        to_server = arrived == self.reached_server

        async def deliver() -> None:
            while True:
                while not way:
                    stirred.clear()
                    await stirred.wait()
                due, depth, data = way.popleft()
                await asyncio.sleep(due - monotonic())  # the way is the subject
                arrived(depth)
                if not data:
                    sink.close()
                    return
                with suppress(OSError):  # the other side has gone
                    sink.write(data)
                    await sink.drain()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(deliver())
            while True:
                data = b""
                with suppress(OSError):  # lost is an end like any other
                    data = await source.read(CHUNK)
                depth = self._departs(data, to_server=to_server) if data else 0
                way.append((monotonic() + self._link.round_trip_s / 2, depth, data))
                stirred.set()
                if not data:
                    break
