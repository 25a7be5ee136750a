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
    """Why an event is parked, as the first projection that parks it says; empty if by none."""
    for projection in PROJECTIONS:
        if (reason := projection.parks(event)) is not None:
            return reason.value
    return ""


def projection_named(name: str) -> Projection[Any]:
    """The projection of that name; raises KeyError if there is none."""
    for projection in PROJECTIONS:
        if projection.name == name:
            return projection
    raise KeyError(name)
