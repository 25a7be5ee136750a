"""The projections that are in use: the built-in ones, and those that were installed or named.

A registry is made once, when the program starts, and passed to all code that folds, stores or
shows projections.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from natster_tui.errors import ProjectionRefusedError
from natster_tui.events.event import Event
from natster_tui.projections.account import AccountProjection
from natster_tui.projections.api import Projection
from natster_tui.projections.catalog import CatalogProjection
from natster_tui.projections.registering.declaration import declaration_problem
from natster_tui.text.safe_text import safe_text


class Registry:
    """Projections in order, by name. Immutable."""

    def __init__(self, projections: Iterable[Projection[Any]]) -> None:
        self._by_name = {projection.name: projection for projection in projections}

    def __iter__(self) -> Iterator[Projection[Any]]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    @property
    def names(self) -> tuple[str, ...]:
        """What people type for each."""
        return tuple(self._by_name)

    @property
    def all(self) -> tuple[Projection[Any], ...]:
        """The projections, the built-in ones first."""
        return tuple(self._by_name.values())

    def named(self, name: str) -> Projection[Any]:
        """The projection of that name; raises KeyError if there is none."""
        return self._by_name[name]

    def adding(self, projection: Projection[Any], origin: str) -> Registry:
        """A registry with one more; `origin` says where it comes from, for people.

        Raises ProjectionRefusedError when its declaration is wrong, or its name or bucket is
        taken.
        """
        problem = declaration_problem(projection)
        if not problem:
            for other in self:
                for what in ("name", "bucket"):
                    if getattr(other, what) == getattr(projection, what):
                        taken = getattr(other, what)
                        problem = f"the {what} {taken} is taken by the projection {other.name}"
        if problem:
            raise ProjectionRefusedError(f"{safe_text(origin, 200)}: {problem}")
        return Registry((*self, projection))


ACCOUNTS = AccountProjection()
CATALOGS = CatalogProjection()

BUILT_IN = Registry((ACCOUNTS, CATALOGS))

PROJECTIONS: tuple[Projection[Any], ...] = BUILT_IN.all


def parked_reason(event: Event) -> str:
    """Why an event is parked, from the first projection that parks it; empty if none does."""
    for projection in PROJECTIONS:
        if (reason := projection.parks(event)) is not None:
            return reason.value
    return ""
