"""The reference service's catalogs: the documents that its rules make of shares and unshares.

A share or an unshare of a new name claims it. Every share, from any account to any account, adds
its target once. An unshare removes only a recipient with the same name as the catalog.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from natster_tui.events.event import Record
from natster_tui.events.natster import EventType
from natster_tui.projections.documents import Document
from natster_tui.projections.reference_service.rules import in_order, is_key, same, tokens_of

_NAMES = ("catalog_name", "owner", "shared_with", "contested_by")


@dataclass(slots=True)
class _Catalog:
    owner: str
    shared_with: dict[str, None] = field(default_factory=dict)
    touched: int = 0


class ReferenceCatalogs:
    """See `drift.Reference`."""

    def __init__(self) -> None:
        self._catalogs: dict[str, _Catalog] = {}

    def take(self, record: Record) -> None:
        """See `drift.Reference`."""
        tokens = tokens_of(record.subject)
        if tokens is None:
            return
        origin, target, name, kind = tokens
        if kind not in (EventType.SHARED, EventType.UNSHARED) or not is_key(name):
            return
        catalog = self._catalogs.setdefault(name, _Catalog(origin))
        catalog.touched = record.seq
        if kind == EventType.SHARED:
            catalog.shared_with[target] = None
        else:
            catalog.shared_with.pop(name, None)

    def has(self, key: str) -> bool:
        """See `drift.Reference`."""
        return key in self._catalogs

    def touched(self, key: str) -> int:
        """See `drift.Reference`."""
        return self._catalogs[key].touched if key in self._catalogs else 0

    def nearest(self, key: str, stored: Document, ours: Document | None) -> Document:
        """See `drift.Reference`."""
        catalog = self._catalogs[key]
        theirs: Document = {
            "catalog_name": key,
            "owner": catalog.owner,
            "shared_with": list(catalog.shared_with),
        }
        for name in _NAMES if ours is not None else ():
            assert ours is not None
            if name in ours and name in stored:
                if same(stored[name], ours[name]):
                    theirs[name] = ours[name]
                else:
                    theirs.setdefault(name, ours[name])
        return in_order(theirs, _NAMES)
