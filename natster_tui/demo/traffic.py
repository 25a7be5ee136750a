"""Writing the demo's events to the log: the community's history first, then live traffic.

Past events have their times in `Natster-Occurred-At`, as after an import.
"""

from __future__ import annotations

import asyncio
import random
import time

from natster_tui.demo.community import DemoCommunity, DemoEvent
from natster_tui.engine.workspace import Connection, Workspace
from natster_tui.errors import ServerError
from natster_tui.events.event import MESSAGE_ID, OCCURRED_AT
from natster_tui.events.times import format_timestamp
from natster_tui.store.log import Append, EventLog

_RETRY_S = 0.2
_LIVE_BATCH_S = 0.05
_HISTORY_CHUNK = 1_000


class DemoTraffic:
    """Writes the demo's events. `rate` is live events per second on average, 0 for none."""

    def __init__(self, workspace: Workspace, *, seed: int, rate: float, history: int) -> None:
        self._workspace = workspace
        self._community = DemoCommunity(seed)
        self._pace = random.Random(seed)  # noqa: S311 - a demo's rhythm, not a secret
        self._rate = rate
        self._history = history
        self._written = 0
        self._waiting: list[DemoEvent] = []

    async def run(self) -> None:
        """Write history, then live events until cancelled; a lost connection is waited for."""
        for part in self._community.history_in_parts(self._history, int(time.time())):
            self._waiting += part
            # Let the dashboard paint and answer keys while a long history is made.
            await asyncio.sleep(0)
            while len(self._waiting) >= _HISTORY_CHUNK:
                await self._write(await self._log(), self._waiting[:_HISTORY_CHUNK])
        while self._waiting:
            await self._write(await self._log(), self._waiting[:_HISTORY_CHUNK])
        if self._rate <= 0:
            await asyncio.Event().wait()
        while True:
            # At random intervals, as people act; at high rates in batches.
            wait = max(_LIVE_BATCH_S, self._pace.expovariate(self._rate))
            await asyncio.sleep(wait)
            due = max(1, round(self._rate * wait)) if self._rate * _LIVE_BATCH_S >= 1 else 1
            if not self._waiting:
                self._waiting = [self._community.next_live() for _ in range(due)]
            await self._write(await self._log(), self._waiting)

    async def _log(self) -> EventLog:
        while True:
            log = self._workspace.log
            if (
                log is not None
                and self._workspace.connection is Connection.CONNECTED
                and not log.link.is_lost
            ):
                return log
            await asyncio.sleep(_RETRY_S / 10)

    async def _write(self, log: EventLog, events: list[DemoEvent]) -> None:
        messages = [self._append_of(number, event) for number, event in enumerate(events)]
        try:
            landed = await log.append_all(messages, expected_last=None)
        except ServerError as error:
            # The message ids make writing the same events again harmless.
            self._workspace.report(f"the demo's traffic pauses: {error.sentence}")
            await asyncio.sleep(_RETRY_S)
            return
        self._written += landed
        self._waiting = self._waiting[landed:]

    def _append_of(self, number: int, event: DemoEvent) -> Append:
        headers = [(MESSAGE_ID, f"demo-{self._written + number}")]
        if event.time is not None:
            headers.append((OCCURRED_AT, format_timestamp(event.time * 1_000_000_000)))
        return Append(event.subject, event.payload, tuple(headers))
