"""Natster's events: the log, its subjects, and its kinds of events (see `natster_kinds`).

`NATSTER` is handed to whatever reads a log. Only the commands, the demo, and the rules and views
that are Natster's own import it.
"""

from __future__ import annotations

from natster_tui.events.natster_kinds import KINDS
from natster_tui.events.natster_kinds import EventType as EventType
from natster_tui.events.stream_name import STREAM
from natster_tui.events.system import EventSystem

NATSTER = EventSystem(
    stream=STREAM,
    grammar="natster.events.{origin}.{target}.{catalog}.{event}",
    kinds=KINDS,
)

CATALOG_TYPES = frozenset({EventType.SHARED, EventType.UNSHARED, EventType.IMPORTED})
"""The types that name a target and a catalog."""

BOUND, IMPORTED = NATSTER.kind_of(EventType.CONTEXT_BOUND), NATSTER.kind_of(EventType.IMPORTED)
"""The kinds whose glyphs the lists of accounts and catalogs show as well."""
INITIALIZED = NATSTER.kind_of(EventType.INITIALIZED)
