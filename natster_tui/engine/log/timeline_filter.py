"""The filter of a running workspace: the events that pass it, kept up to date."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

from natster_tui.engine.log.filter_matches import FilterMatches
from natster_tui.engine.log.follower import LogFollower
from natster_tui.events.event import Record
from natster_tui.events.filter.language import EventFilter
from natster_tui.projections.account import AccountState
from natster_tui.store.log import EventLog

NAMES_EVERY_S = 0.5
"""Seconds between checks whether the accounts that a filter names are folded."""
USUAL_LAG = 1_000
"""The lag in events that projecting usually has."""


class TimelineFilter:
    """The present filter, if there is one, and the events that pass it.

    `accounts` are the accounts as folded so far, whose names a filter may mention. `has_folded`
    says whether they are folded up to a sequence. `run` looks for matches over a link. `notify` is
    called whenever something changed.
    """

    def __init__(
        self,
        follower: LogFollower,
        instance: str,
        notify: Callable[[], None],
        accounts: Callable[[], Mapping[str, AccountState]],
        has_folded: Callable[[int], bool],
    ) -> None:
        self.shown: FilterMatches | None = None
        """The events that pass the filter, while one narrows the timeline."""
        self.matches: FilterMatches | None = None
        """The events that pass the last filter, whether it narrows the timeline or not."""
        self._follower = follower
        self._accounts = accounts
        self._has_folded = has_folded
        self._instance = instance
        self._notify = notify
        self._changed = asyncio.Event()
        self._log_identity: tuple[object, ...] = ()
        """The log's identity when the scan began."""

    def set(self, wanted: EventFilter | None) -> None:
        """Look for the events that pass and show only them; None shows all events again."""
        self.shown = None
        if wanted is not None:
            if self.matches is not None:
                self.matches.cancel()
            head = self._follower.head
            # Live, the accounts lag a little, which is no reason to scan everything again.
            known = self._has_folded(head - min(USUAL_LAG, head // 100))
            names_at = head if wanted.asks_for_names and not known else 0
            self.matches = FilterMatches(wanted, self._accounts, self._notify, names_at=names_at)
            self.shown = self.matches
            self._changed.set()
        self._notify()

    def add_live(self, records: list[Record]) -> None:
        """Check live events, in order."""
        if self.matches is not None:
            self.matches.add_live(records)
            if not self.matches.is_complete(records[-1].seq):
                self._changed.set()

    def _restart(self, matches: FilterMatches) -> None:
        """Scan for the same events again, because the previous result may be out of date."""
        shown = self.shown
        self.set(matches.wanted)
        if shown is None:
            self.shown = None

    async def run(self, log: EventLog) -> None:
        """Look for matches, for as long as a link lasts."""
        if self.matches is not None and self._log_identity not in ((), log.identity):
            self._restart(self.matches)
        self._log_identity = log.identity
        while True:
            matches = self.matches
            waits = matches is not None and matches.names_at > 0
            if matches is not None and matches.names_at > 0 and self._has_folded(matches.names_at):
                self._restart(matches)
            elif matches is None or matches.is_complete(self._follower.head):
                self._changed.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(NAMES_EVERY_S if waits else None):
                        await self._changed.wait()
            else:
                await matches.scan(log, self._instance)
