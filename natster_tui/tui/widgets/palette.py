"""The command palette: the keys of the tables, those of the pane in use first, and the themes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from natster_tui.tui.keys.key import Key
from natster_tui.tui.keys.keymap import AS_DECLARED, Keymap
from natster_tui.tui.keys.main_screen import commands
from natster_tui.tui.widgets.command_match import Rank, matched, rank

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
        for key in self._commands:
            found = rank(query, key.label, key.help, self._keymap.all_shown(key).split(" "))
            if found is not Rank.NOTHING:
                run = partial(self.app.run_action, key.action)
                shown = self._marked(query, f"{key.label}: {key.help}")
                yield Hit(found, self._with_key(key, shown), run, key.label)
        for name in self._themes:
            found = rank(query, name, f"theme {name}")
            if found is not Rank.NOTHING:
                display = _theme_shown(self._marked(query, name))
                # A command before a theme that matches as well.
                yield Hit(found - 0.5, display, partial(self._set_theme, name), name)

    def _marked(self, query: str, text: str) -> Content:
        """A text in which what was typed stands out."""
        content = Content(text)
        for start, end in matched(query, text):
            content = content.stylize(self.matcher(query).match_style, start, end)
        return content

    @property
    def _keymap(self) -> Keymap:
        keymap: Keymap = getattr(self.app, "keymap", AS_DECLARED)
        return keymap

    @property
    def _themes(self) -> list[str]:
        return sorted(self.app.available_themes)

    def _set_theme(self, name: str) -> None:
        self.app.theme = name

    def _with_key(self, key: Key, text: str | Content) -> Content:
        """A command behind its keys, as the keymap has them."""
        return Content.assemble((f"{self._keymap.all_shown(key):<{_KEYS}} ", "$text-accent"), text)


def _theme_shown(name: str | Content) -> Content:
    return Content.assemble((f"{'theme':<{_KEYS}} ", "$text-muted"), name)
