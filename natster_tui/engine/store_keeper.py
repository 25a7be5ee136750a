"""Looks after the store of an embedded server: says when it is full, and has it restarted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from natster_tui.engine.server_source import ServerSource
from natster_tui.store.embedded.store_watch import StoreProblem

LOOK_EVERY_S = 0.5


class StoreKeeper:
    """What prevents the server from storing, as of the last look. `changed` is called on changes.

    A server of ours whose store is blocked although there is room is ended here. The link is then
    lost, and the next one starts the server again.
    """

    def __init__(self, source: ServerSource, changed: Callable[[], None]) -> None:
        self._source = source
        self._changed = changed
        self.problem: StoreProblem | None = None

    @property
    def sentence(self) -> str:
        """What prevents the server from storing, or empty."""
        return "" if self.problem is None else self.problem.sentence

    async def run(self) -> None:
        """Look again and again, for as long as a link lasts."""
        while True:
            found = await self._source.store_problem()
            if found != self.problem:
                self.problem = found
                self._changed()
            if found is not None:
                await self._source.restart_if_blocked(found)
            await asyncio.sleep(LOOK_EVERY_S)
