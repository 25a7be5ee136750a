"""One field of the filter language: its name, its help, and how it matches a record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from natster_tui.events.event import Event, Record
from natster_tui.events.filter.bounds import Bounds
from natster_tui.events.parking import ParkReason

NameOf = Callable[[str], str]
"""An account's name for its key; the key itself if it has none."""

ParkedReason = Callable[[Event], str]
"""Why an event is parked; empty if it is not."""


class BadFilterError(ValueError):
    """The filter cannot be parsed; the message says what is wrong with it."""


@dataclass(slots=True)
class Candidate:
    """A record to match, and where a field finds names and the reason for parking.

    Not frozen: making a frozen one would take longer than matching it.
    """

    record: Record
    event: Event | ParkReason
    name_of: NameOf
    parked: ParkedReason


class Values(Enum):
    """What kind of values a field has; it decides how they are completed."""

    ANY = "any text"
    KINDS = "kinds of events"
    ACCOUNTS = "accounts"
    CATALOGS = "catalogs"


@dataclass(frozen=True, slots=True)
class FilterField:
    """One field of the filter language.

    `example` and `meaning` are its line in the help. A field has either `matches`, which compares
    a record with the value, or `bounds`, which turns the value and the present time (unix seconds)
    into bounds; bounds cannot be negated. `check` normalises a value. `check` and `bounds` may
    raise BadFilterError. A flag takes no value.
    """

    name: str
    example: str
    meaning: str
    values: Values = Values.ANY
    matches: Callable[[str, Candidate], bool] | None = None
    bounds: Callable[[str, float], Bounds] | None = None
    check: Callable[[str], str] = str
    is_flag: bool = False
    proposed: tuple[str, ...] = ()
    """Values to propose in a completion, where `values` is ANY."""

    @property
    def prefix(self) -> str:
        """The beginning of a word that uses the field."""
        return self.name if self.is_flag else f"{self.name}:"


@dataclass(frozen=True, slots=True)
class Word:
    """One condition of a filter."""

    field: FilterField
    value: str
    negated: bool = False
