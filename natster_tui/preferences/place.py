"""The place that the dashboard shows: a context, a server or the embedded server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from natster_tui.preferences.model import ContextSettings
from natster_tui.store.settings.connection import EMBEDDED, ConnectionSettings
from natster_tui.text.masking import screen_text

PRODUCTION = "PRODUCTION"


@dataclass(frozen=True, slots=True)
class Place:
    """A context, a server, or the embedded server.

    `names` are its names in the settings: a context's name, else the servers' addresses. `inside`
    distinguishes places with the same name: the stream, and the embedded server's data directory.
    """

    names: tuple[str, ...] = (EMBEDDED,)
    inside: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """A text that is different for each place."""
        return "\0".join((self.names[0], *self.inside))

    @property
    def name(self) -> str:
        """Its name on screen, which is also typed to confirm."""
        return screen_text(self.names[0], 100)

    def settings(self, contexts: Mapping[str, ContextSettings]) -> ContextSettings:
        """Its settings among those of all contexts, with what production adds."""
        found = next((contexts[name] for name in self.names if name in contexts), None)
        if found is None:
            return ContextSettings()
        if found.production and not found.warning:
            return found.model_copy(update={"warning": PRODUCTION})
        return found


def place_of(settings: ConnectionSettings | None, *inside: str) -> Place:
    """The place of a connection; None is the embedded server."""
    if settings is None:
        return Place(inside=inside)
    servers = dict.fromkeys((*settings.servers, settings.described))
    return Place((settings.context, *servers) if settings.context else tuple(servers), inside)
