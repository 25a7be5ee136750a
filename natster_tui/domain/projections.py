"""The projections there are. A new one is registered here, and nowhere else."""

from __future__ import annotations

from typing import Any

from natster_tui.domain.account import AccountProjection
from natster_tui.domain.catalog import CatalogProjection
from natster_tui.domain.events import Event
from natster_tui.domain.projection import Projection

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
