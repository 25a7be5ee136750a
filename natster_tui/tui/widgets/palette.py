"""The command palette: the keys of the tables, those of the pane in use first."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from natster_tui.tui.keys.commands import commands
from natster_tui.tui.keys.key import Key


class DeclaredCommands(Provider):
    """Offers every command, by its label and what it does."""

    @property
    def _commands(self) -> Iterator[Key]:
        own: tuple[Key, ...] = getattr(self.focused, "KEYS", ())
        known = commands()
        ordered = {key.id: known[key.id] for key in own if key.id in known} | known
        return (key for key in ordered.values() if key.help and key.in_palette)

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for key in self._commands:
            yield DiscoveryHit(key.help, partial(self.app.run_action, key.action), key.label)

    async def search(self, query: str) -> Hits:
        """Those that match."""
        matcher = self.matcher(query)
        for key in self._commands:
            said = f"{key.label}: {key.help}"
            score = matcher.match(said)
            if score > 0:
                yield Hit(score, matcher.highlight(said), partial(self.app.run_action, key.action))
