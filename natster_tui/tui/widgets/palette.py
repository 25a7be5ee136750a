"""The command palette: the keys of the tables, those of the pane in use first, and the themes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from natster_tui.tui.keys.key import Key
from natster_tui.tui.keys.keymap import AS_DECLARED, Keymap
from natster_tui.tui.keys.main_screen import commands

_KEYS = 8


class DeclaredCommands(Provider):
    """Offers every command, by its label and what it does."""

    @property
    def _commands(self) -> Iterator[Key]:
        own: tuple[Key, ...] = getattr(self.focused, "KEYS", ())
        known = commands()
        ordered = {key.id: known[key.id] for key in own if key.id in known} | known
        return (key for key in ordered.values() if key.help and key.in_palette)

    async def discover(self) -> Hits:
        """All of them, before anything is typed, and the themes."""
        for key in self._commands:
            run = partial(self.app.run_action, key.action)
            yield DiscoveryHit(self._with_key(key, key.help), run, key.label)
        for name in self._themes:
            yield DiscoveryHit(_theme_shown(name), partial(self._set_theme, name), name)

    async def search(self, query: str) -> Hits:
        """Those that match."""
        matcher = self.matcher(query)
        for key in self._commands:
            said = f"{key.label}: {key.help}"
            score = matcher.match(said)
            if score > 0:
                run = partial(self.app.run_action, key.action)
                yield Hit(score, self._with_key(key, matcher.highlight(said)), run, key.label)
        for name in self._themes:
            score = matcher.match(f"theme {name}")
            if score > 0:
                display = _theme_shown(matcher.highlight(name))
                yield Hit(score, display, partial(self._set_theme, name), name)

    @property
    def _themes(self) -> list[str]:
        return sorted(self.app.available_themes)

    def _set_theme(self, name: str) -> None:
        self.app.theme = name

    def _with_key(self, key: Key, said: str | Content) -> Content:
        """A command behind its keys, as the keymap has them."""
        keymap: Keymap = getattr(self.app, "keymap", AS_DECLARED)
        return Content.assemble((f"{keymap.all_shown(key):<{_KEYS}} ", "$text-accent"), said)


def _theme_shown(name: str | Content) -> Content:
    return Content.assemble((f"{'theme':<{_KEYS}} ", "$text-muted"), name)
