"""The command palette: the declared commands, by name."""

from __future__ import annotations

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from natster_tui.tui.commands import COMMANDS


class DeclaredCommands(Provider):
    """Offers every command of `COMMANDS`."""

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for command in COMMANDS:
            if command.in_palette:
                yield DiscoveryHit(
                    command.help, partial(self.app.run_action, command.action), command.label
                )

    async def search(self, query: str) -> Hits:
        """Those that match."""
        matcher = self.matcher(query)
        for command in COMMANDS:
            said = f"{command.label}: {command.help}"
            score = matcher.match(said)
            if command.in_palette and score > 0:
                yield Hit(
                    score, matcher.highlight(said), partial(self.app.run_action, command.action)
                )
