"""The registry of the projections in use: built-in ones, installed ones, and those of files.

It is made once, when the program starts, and passed to all code that folds, stores or shows
projections.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from natster_tui.errors import ProjectionRefusedError
from natster_tui.events.event import Event
from natster_tui.projections.account import AccountProjection
from natster_tui.projections.api import Projection
from natster_tui.projections.catalog import CatalogProjection
from natster_tui.text.safe_text import safe_text


class Registry:
    """Projections in order, by name. Immutable.

    One projection of each name is in use. `versions` are other versions with the same name and
    bucket; only code that compares versions uses them.
    """

    def __init__(
        self, projections: Iterable[Projection[Any]], versions: Iterable[Projection[Any]] = ()
    ) -> None:
        self._by_name = {projection.name: projection for projection in projections}
        self.versions = tuple(versions)

    def __iter__(self) -> Iterator[Projection[Any]]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names that people type."""
        return tuple(self._by_name)

    @property
    def all(self) -> tuple[Projection[Any], ...]:
        """The projections in use, the built-in ones first."""
        return tuple(self._by_name.values())

    def named(self, name: str) -> Projection[Any]:
        """The projection in use of that name; raises KeyError if there is none."""
        return self._by_name[name]

    def versions_of(self, name: str) -> tuple[Projection[Any], ...]:
        """All versions of a name, the one in use first; raises KeyError if there is none."""
        return (self.named(name), *(each for each in self.versions if each.name == name))

    def adding(
        self, projection: Projection[Any], origin: str, *, takes_versions: bool = False
    ) -> Registry:
        """A registry with one more; `origin` says where it comes from, for people.

        With `takes_versions` it may be another version of a projection that is there. Raises
        ProjectionRefusedError when its name or bucket is taken.
        """
        if takes_versions and self._is_other_version(projection):
            return Registry(self, (*self.versions, projection))
        if problem := self._clash(projection):
            raise ProjectionRefusedError(f"{safe_text(origin, 200)}: {problem}")
        return Registry((*self, projection), self.versions)

    def _is_other_version(self, projection: Projection[Any]) -> bool:
        """Whether it has the name and bucket of a projection in use, and a version of its own."""
        used = self._by_name.get(projection.name)
        return (
            used is not None
            and used.bucket == projection.bucket
            and projection.version not in {each.version for each in self.versions_of(used.name)}
        )

    def _clash(self, projection: Projection[Any]) -> str:
        """Why a projection cannot be used with those that are; empty if it can."""
        if self._is_other_version(projection):
            name, version = projection.name, self.named(projection.name).version
            return (
                f"version {version} of {name} is in use already: only project {name} --beside, "
                f"compare, promote, drop, status and the dashboard take a second version, "
                f"and what is given the name {name}.v{projection.version}; "
                f"everywhere else, install version {projection.version} in its place"
            )
        for other in self:
            if (other.name, other.bucket) == (projection.name, projection.bucket):
                return (
                    f"version {projection.version} of {other.name} is in use already, from a "
                    "package or another file: use only one of them, or raise the version of one"
                )
            for what in ("name", "bucket"):
                if getattr(other, what) == getattr(projection, what):
                    taken = getattr(other, what)
                    return f"the {what} {taken} is taken by the projection {other.name}"
        return ""


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
