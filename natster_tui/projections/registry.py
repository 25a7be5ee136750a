"""The projections there are. A new one is registered here, and nowhere else."""

from __future__ import annotations

from typing import Any

from natster_tui.events.event import Event
from natster_tui.projections.account import AccountProjection
from natster_tui.projections.api import Projection
from natster_tui.projections.catalog import CatalogProjection

ACCOUNTS = AccountProjection()
CATALOGS = CatalogProjection()

PROJECTIONS: tuple[Projection[Any], ...] = (ACCOUNTS, CATALOGS)


def parked_reason(event: Event) -> str:
    """Why an event is parked by some projection; empty if by none.

    Accounts use every type, so what any projection parks, they park.
    """
    reason = ACCOUNTS.parks(event)
    return "" if reason is None else reason.value


def projection_named(name: str) -> Projection[Any]:
    """The projection of that name; raises KeyError if there is none."""
    for projection in PROJECTIONS:
        if projection.name == name:
            return projection
    raise KeyError(name)
