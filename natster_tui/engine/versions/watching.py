"""Watching which versions are stored beside the projections of a running dashboard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from natster_tui.engine.versions.finding import VersionPair
from natster_tui.engine.versions.reporting import VersionReport, read_versions
from natster_tui.errors import ServerError
from natster_tui.projections.registering.registry import Registry
from natster_tui.store.log import EventLog

POLL_S = 2.0
"""Seconds between two polls."""


class VersionWatch:
    """The versions beside each projection, by its name, as of the last poll.

    `notify` is called when they changed.
    """

    def __init__(self, registry: Registry, notify: Callable[[], None]) -> None:
        self.beside: dict[str, tuple[VersionReport, ...]] = {}
        self._registry = registry
        self._notify = notify

    @property
    def has_any(self) -> bool:
        """Whether a version is stored beside any projection."""
        return any(self.beside.values())

    def of(self, name: str) -> tuple[VersionReport, ...]:
        """The versions beside a projection."""
        return self.beside.get(name, ())

    def pairs(self, name: str) -> tuple[VersionPair, ...]:
        """The same, each with the rules that are loaded here; those of a second version first."""
        pairs = [
            VersionPair(self._registry.versions_of(name), report.version)
            for report in self.of(name)
        ]
        return tuple(sorted(pairs, key=lambda pair: pair.rule_of(pair.version) is None))

    async def run(self, log: EventLog) -> None:
        """Poll until the link is lost."""
        while not log.link.is_lost:
            try:
                found = await read_versions(log, self._registry.all, self._registry.versions)
            except ServerError:
                if log.link.is_lost:
                    return
                found = self.beside  # no answer: keep the last one
            if found != self.beside:
                self.beside = found
                self._notify()
            await asyncio.wait({log.link.lost}, timeout=POLL_S)
