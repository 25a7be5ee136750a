"""Places that the dashboard can go to: an event, a document, a projector, a moment."""

from __future__ import annotations

from dataclasses import dataclass

from natster_tui.projections.projection_sentences import Names
from natster_tui.projections.registering.registry import ACCOUNTS
from natster_tui.text.masking import screen_text


@dataclass(frozen=True, slots=True)
class EventPlace:
    """An event, by its sequence."""

    seq: int


@dataclass(frozen=True, slots=True)
class DocumentPlace:
    """A document, by the name of its projection and its key."""

    projection: str
    key: str


@dataclass(frozen=True, slots=True)
class ProjectorPlace:
    """A projector, by the name of its projection."""

    projection: str


@dataclass(frozen=True, slots=True)
class MomentPlace:
    """The last event up to a time in unix seconds."""

    seconds: int


Place = EventPlace | DocumentPlace | ProjectorPlace
"""A row of a pane. A moment becomes an event's place once it has been looked up."""


def account_place(key: str) -> DocumentPlace:
    """An account's document."""
    return DocumentPlace(ACCOUNTS.name, key)


def place_name(place: Place, names: Names) -> str:
    """A place in a few words, for the path."""
    match place:
        case EventPlace(seq):
            return f"event {seq:,}"
        case DocumentPlace(projection, key) if projection == ACCOUNTS.name:
            return names.of(key)
        case DocumentPlace(_, key):
            return screen_text(key, 24)
        case ProjectorPlace(projection):
            return f"projector {projection}"
