"""What a list of `natster-tui list` is: the projections it needs, and how it is made from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from natster_tui.cli.outputs.output import Output
from natster_tui.cli.reading.table import Table
from natster_tui.projections.api import Projection

States = Mapping[str, dict[str, Any]]
"""The states of projections, by the projection's name and the document's key."""


@dataclass(frozen=True, slots=True)
class Found:
    """What passes the filter, as JSON output and as a table."""

    output: Output
    table: Table


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that can be asked for.

    `noun` names its entries in a sentence. `find` takes the sequence, the states of `projections`,
    and the filter in lower case.
    """

    noun: str
    projections: tuple[Projection[Any], ...]
    find: Callable[[int, States, str], Found]


def passes(wanted: str, key: str, name: str) -> bool:
    """Whether a filter, in lower case, is the beginning of a key or a part of a name."""
    return key.lower().startswith(wanted) or wanted in name.lower()
