"""One field of the filter language, and what a record is compared with."""

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
    """A filter that means nothing; the text says what is wrong with it."""


@dataclass(slots=True)
class Look:
    """A record that a filter looks at, and how it learns names and why an event is parked.

    Not frozen, which would cost more than the looking.
    """

    record: Record
    event: Event | ParkReason
    name_of: NameOf
    parked: ParkedReason


class Values(Enum):
    """What the values of a field are, which decides how they are completed."""

    ANY = "any text"
    KINDS = "kinds of events"
    ACCOUNTS = "accounts"
    CATALOGS = "catalogs"


@dataclass(frozen=True, slots=True)
class FilterField:
    """One field of the filter language.

    `example` is how the help shows it, `meaning` what is said of it there. Either `holds` decides
    whether a record passes, given the value, or `bounds` turns the value and the present time
    (unix seconds) into bounds, which cannot be negated. Both may raise BadFilterError, `holds`
    through `check` only, which gives the value as it is kept. A flag takes no value.
    """

    name: str
    example: str
    meaning: str
    values: Values = Values.ANY
    holds: Callable[[str, Look], bool] | None = None
    bounds: Callable[[str, float], Bounds] | None = None
    check: Callable[[str], str] = str
    is_flag: bool = False
    proposed: tuple[str, ...] = ()
    """Values that are proposed while one is typed, where `values` says none."""

    @property
    def prefix(self) -> str:
        """How a word that uses the field begins."""
        return self.name if self.is_flag else f"{self.name}:"


@dataclass(frozen=True, slots=True)
class Word:
    """One condition of a filter."""

    field: FilterField
    value: str
    negated: bool = False
