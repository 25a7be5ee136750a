"""Watching the store of an embedded server, and stopping a server that needs a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from natster_tui.engine.server_source import ServerSource
from natster_tui.store.embedded.store_watch import StoreProblem

POLL_S = 0.5


class StoreKeeper:
    """The problem that keeps the server from storing. `changed` is called if it changes.

    A server of ours whose store is blocked although there is room is stopped. That ends the link,
    and the next one starts the server again.
    """

    def __init__(self, source: ServerSource, changed: Callable[[], None]) -> None:
        self._source = source
        self._changed = changed
        self.problem: StoreProblem | None = None

    @property
    def sentence(self) -> str:
        """Why the server cannot store; empty if it can."""
        return "" if self.problem is None else self.problem.sentence

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            found = await self._source.store_problem()
            if found != self.problem:
                self.problem = found
                self._changed()
            if found is not None:
                await self._source.restart_if_blocked(found)
            await asyncio.sleep(POLL_S)
