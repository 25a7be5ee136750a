"""Following the log with `tail --follow`, across restarts of the server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from natster_tui.cli.target import Target
from natster_tui.engine.server_source import opened_log
from natster_tui.errors import (
    ApiError,
    ConnectionLostError,
    LogChangedError,
    NatsterError,
    StoreProblemError,
    UnheardError,
    UnreachableError,
)
from natster_tui.events.event import Record
from natster_tui.store.connection.reporting import notice
from natster_tui.store.log import EventLog

PASSING = (ConnectionLostError, UnreachableError, UnheardError, ApiError, StoreProblemError)
"""Failures that end when the server has restarted."""

_FIRST_RETRY_S = 0.25
_LAST_RETRY_S = 5.0


class Following:
    """Passes every event of one log from `start` on to `take`, exactly once."""

    def __init__(
        self, log: EventLog, start: int, instance: str, take: Callable[[list[Record]], None]
    ) -> None:
        self._created = log.info.created
        self._next = start
        self._instance = instance
        self._take = take

    async def follow(self, log: EventLog) -> None:
        """Follow until the connection is lost, which raises one of `PASSING`."""
        async with (
            log.reader(self._next, purpose="tail", instance=self._instance) as reader,
            aclosing(reader.batches()) as batches,
        ):
            async for batch in batches:
                records = await log.sealing.open_records(batch)
                if records:
                    self._take(records)
                    self._next = records[-1].seq + 1
                if reader.idle:
                    # No event arrives: make sure that the server withholds none.
                    await reader.has_all((await log.refresh()).last_seq)

    async def go_on(self, target: Target, error: NatsterError) -> None:
        """Report `error`, and follow again as soon as the server is back; never returns.

        Raises LogChangedError if the server then has another log.
        """
        while True:
            notice(f"{error.sentence}; waiting for the server, to go on at event {self._next:,}")
            delay = _FIRST_RETRY_S
            is_back = False
            while not is_back:
                await asyncio.sleep(delay)
                delay = min(2 * delay, _LAST_RETRY_S)
                try:
                    async with opened_log(target.source, target.choice) as log:
                        self._refuse_another(log)
                        is_back = True
                        await self.follow(log)
                except PASSING as again:
                    error = again

    def _refuse_another(self, log: EventLog) -> None:
        info = log.info
        if info.created != self._created:
            raise LogChangedError(
                f"{info.stream} was deleted and made again at {info.created}: "
                "this is not the log that was being followed"
            )
        if info.last_seq < self._next - 1:
            raise LogChangedError(
                f"{info.stream} ends at {info.last_seq:,} now, but event {self._next - 1:,} was "
                "read from it: the server has lost events, or an older copy was put in its place"
            )
