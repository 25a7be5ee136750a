"""The type for keys of the dashboard.

Footer, help and palette are made from tables of keys. Each key has an id, by which the settings can
remap it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from textual.binding import Binding


class Need(Enum):
    """What a key needs to have an effect; the footer leaves out keys whose needs are not met."""

    CONNECTION = auto()
    EVENTS = auto()
    """The log holds events."""
    ROW = auto()
    """The pane that was used last has a selected row."""
    DOCUMENT = auto()
    """That row is a document."""
    NOT_FOLLOWING = auto()
    NOW = auto()
    """The screen shows now, not the past."""
    PAST = auto()
    NARROWED = auto()
    """A pane shows only what belongs to another pane's row."""
    FILTERED = auto()
    """The log was filtered before."""
    BEEN_ELSEWHERE = auto()
    """There is a place to go back to."""
    WENT_BACK = auto()
    """There is a place to go forward to."""
    VERSIONS = auto()
    """A version is stored beside a projection."""
    WRITING = auto()
    """The dashboard may write."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key: its id, the keys themselves (the first is shown), what it does and is called.

    `label` is for the footer, `help` for the help page and the palette; a key without one is not
    listed there. `shown` is the key as people read it.
    """

    id: str
    keys: str
    action: str
    label: str = ""
    help: str = ""
    shown: str = ""
    needs: tuple[Need, ...] = ()
    in_footer: bool = True
    in_palette: bool = True

    @property
    def key_shown(self) -> str:
        """The key as people read it."""
        return self.shown or self.keys.split(",")[0]

    @property
    def binding(self) -> Binding:
        """The key for Textual."""
        show = bool(self.label) and self.in_footer
        return Binding(
            self.keys, self.action, self.label, show=show, key_display=self.key_shown, id=self.id
        )


def bindings(*tables: Iterable[Key]) -> list[Binding]:
    """The bindings of a widget, a screen or the application."""
    return [key.binding for table in tables for key in table]
