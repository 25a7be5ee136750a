"""The catalog projection: who owns each catalog name, and who may see it.

Bucket `PROJ_CATALOG`, one document per catalog name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from natster_tui.events.event import Event
from natster_tui.events.natster import CATALOG_TYPES, NATSTER, EventType
from natster_tui.events.parking import ParkReason
from natster_tui.events.tokens import shared_token
from natster_tui.projections.api import PageableList, Projection
from natster_tui.projections.documents import Document, text_of, texts_of
from natster_tui.projections.fast.names import names
from natster_tui.projections.fast.share_relation import ShareRelation


@dataclass(slots=True)
class CatalogState:
    """One catalog name. Both dicts keep the order in which accounts were added."""

    owner: str
    shared_with: dict[str, None] = field(default_factory=dict)
    contested_by: dict[str, None] = field(default_factory=dict)


def states_with_shares(
    relation: ShareRelation, _others: dict[str, CatalogState]
) -> dict[str, CatalogState]:
    """The catalogs of a relation; no other event makes one."""
    states: dict[str, CatalogState] = {}
    by_number: dict[int, CatalogState] = {}
    owners: dict[int, int] = {}
    for catalog, owner, contested_by in relation.catalogs():
        state = CatalogState(names[owner], {}, {names[other]: None for other in contested_by})
        states[names[catalog]] = by_number[catalog] = state
        owners[catalog] = owner
    for origin, target, catalog, _imported in relation.shares():
        if owners[catalog] == origin:
            by_number[catalog].shared_with[names[target]] = None
    return states


def _as_texts(accounts: Sequence[str], _values: Sequence[None]) -> list[str]:
    return list(accounts)


class CatalogProjection(Projection[CatalogState]):
    """Catalogs from shares and unshares; opens no payload."""

    name = "catalog"
    bucket = "PROJ_CATALOG"
    version = 3
    key_noun = "catalog"
    uses = CATALOG_TYPES
    pageable = MappingProxyType({"shared_with": PageableList(attrgetter("shared_with"), _as_texts)})

    fast_form = staticmethod(states_with_shares)

    def apply(self, states: dict[str, CatalogState], event: Event) -> tuple[str, ...] | ParkReason:
        """See `Projection.apply`. The document of a catalog depends on its name's events only."""
        if not event.usable:
            return ParkReason.TOKEN
        origin, target, name = event.origin, event.target, event.catalog
        if origin == target or event.type is EventType.IMPORTED:
            return ()
        state = states.get(name)
        if event.type is EventType.UNSHARED:
            if state is None or state.owner != origin or target not in state.shared_with:
                return ()
            del state.shared_with[target]
            return (name,)
        if state is None:
            states[name] = CatalogState(origin, {target: None})
            return (name,)
        members, member = (
            (state.shared_with, target) if state.owner == origin else (state.contested_by, origin)
        )
        if member in members:
            return ()
        members[member] = None
        return (name,)

    def holder(self, _key: str, state: CatalogState) -> str:
        """See `Projection.holder`."""
        return state.owner

    def keys_of(self, event: Event) -> tuple[str, ...]:
        """See `Projection.keys_of`."""
        return (event.catalog,)

    def key_filters(self, key: str) -> tuple[str, ...]:
        """See `Projection.key_filters`: events with a literal `>` among their tokens are parked."""
        return (NATSTER.subject(catalog=key),)

    def copy(self, state: CatalogState) -> CatalogState:
        """See `Projection.copy`."""
        return CatalogState(state.owner, dict(state.shared_with), dict(state.contested_by))

    def document(self, key: str, state: CatalogState, lists: Mapping[str, Any]) -> Document:
        """See `Projection.document`."""
        document: Document = {
            "catalog_name": key,
            "owner": state.owner,
            "shared_with": lists["shared_with"],
        }
        if state.contested_by:
            document["contested_by"] = list(state.contested_by)
        return document

    def state_of(self, document: Document) -> CatalogState:
        """See `Projection.state_of`."""
        try:
            return CatalogState(
                shared_token(text_of(document["owner"])),
                _accounts_of(document["shared_with"]),
                _accounts_of(document.get("contested_by", [])),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a catalog document: {error!r}") from error


def _accounts_of(entries: object) -> dict[str, None]:
    texts = texts_of(entries)
    accounts = dict.fromkeys(map(shared_token, texts))
    if len(accounts) != len(texts):
        raise ValueError("not a catalog document: it has an account twice")
    return accounts
